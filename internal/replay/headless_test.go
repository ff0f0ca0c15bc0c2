package replay

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Of what a log without its beginning takes away it is told, and that it is not known.
func TestHeadless(t *testing.T) {
	path := logOf(t, "SELECT 0", "DEL gone", "SET s new", "SET s newer", "INCR n", "SREM set m", "SMOVE from to m", "LPOP l", "ZPOPMIN z", "HDEL h f", "XDEL x 1-1",
		"RENAME a b", "COPY c d", "PEXPIREAT e 1", "ZUNIONSTORE u 1 z", "FLUSHALL", "SET after 1", "DEL after")
	got := changesOf(t, path, Options{Headless: true})
	want := []string{
		`a moved  "">"db 0, b" inexact`,
		`after written  "">"1"`, `after deleted  "1">""`,
		`b stored  "">"" inexact`,
		`d stored  "">"" inexact`,
		`e expiry  "">"" inexact`,
		`from removed m "m">"" inexact`, `from flushed  "">"" inexact`,
		`gone deleted  "">"" inexact`,
		`h removed f "">"" inexact`, `h flushed  "">"" inexact`,
		`l removed  "">"" inexact`, `l flushed  "">"" inexact`,
		`n changed  "">"1" inexact`, `n flushed  "1">"" inexact`,
		`s written  "">"new" inexact`, `s overwritten  "new">""`, `s written  "">"newer"`, `s flushed  "newer">""`,
		`set removed m "m">"" inexact`, `set flushed  "">"" inexact`,
		`to added m "">"m" inexact`, `to flushed  "\"m\"">"" inexact`,
		`u stored  "">"" inexact`, `u flushed  "">"" inexact`,
		`x removed 1-1 "">"" inexact`, `x flushed  "">"" inexact`,
		`z removed  "">"" inexact`, `z flushed  "">"" inexact`,
	}
	for i := range got {
		_, got[i], _ = strings.Cut(got[i], " ")
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A string that is set is known; when it expires is not, if that is to stay as it was.
func TestHeadlessKeepsExpiry(t *testing.T) {
	got := stateKeys(t, logOf(t, "SELECT 0", "SET kept v KEEPTTL", "INCR n", "SET n 9 KEEPTTL", "SET known v", "SET known w KEEPTTL", "INCR m", "SET m 9"), Options{Headless: true})
	want := []string{`0/kept string expire=-1 inexact "v"`, `0/known string expire=-1 "w"`, `0/m string expire=-1 "9"`, `0/n string expire=-1 inexact "9"`}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Keys of which nothing is known, but that they are there, take memory, too.
func TestHeadlessKeysAreCounted(t *testing.T) {
	commands := []string{"SELECT 0"}
	for i := range 2000 {
		commands = append(commands, fmt.Sprint("SREM k", i, " m"))
	}
	m := newMachine(1000*perKey, 0)
	m.headless = true
	full, err := replay(m, logEvents(t, logOf(t, commands...))(Reading{}))
	if err != nil {
		t.Fatal(err)
	}
	if full == nil {
		t.Errorf("%d keys fit in %d bytes", len(m.dbs[0]), m.limit)
	}
}

// What the end of a log alone tells without doubt is what the whole log tells, and of all
// that is gone it tells.
func TestHeadlessIsTheEndOfALog(t *testing.T) {
	exact, gone := 0, 0
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		logged := effective(t, randomCommands(rnd, 120))
		first, second := logged[:len(logged)/2], append([]string{"SELECT 0"}, logged[len(logged)/2:]...)
		all, end := logOf(t, append(slices.Clone(first), second...)...), logOf(t, second...)
		a, err := os.Stat(all)
		b, err2 := os.Stat(end)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		shift := a.Size() - b.Size()
		whole, told := map[string]bool{}, map[string]bool{}
		for _, c := range changesOf(t, all, Options{}) {
			whole[c] = true
		}
		for _, o := range []Options{{Headless: true}, {Headless: true, MaxMem: 1 << 16}} {
			clear(told)
			for _, c := range changesOf(t, end, o) {
				at, what, _ := strings.Cut(c, " ")
				var offset int64
				if _, err := fmt.Sscan(at, &offset); err != nil {
					t.Fatal(err)
				}
				what, inexact := strings.CutSuffix(what, " inexact")
				words := strings.Fields(what)
				if inexact || What(words[1]).Tombstone() {
					told[fmt.Sprint(offset+shift, words[0])] = true
				}
				if !inexact {
					exact++
					if full := fmt.Sprint(offset+shift, " ", what); !whole[full] {
						t.Fatalf("seed %d: %s is told as if it were known", seed, full)
					}
				}
			}
			for c := range whole {
				words := strings.Fields(c)
				var offset int64
				if _, err := fmt.Sscan(words[0], &offset); err != nil {
					t.Fatal(err)
				}
				if what := What(words[2]); offset < shift || !what.Tombstone() || what == Flushed || what == Overwritten {
					continue // what was not known before a flush or a write nothing names
				}
				gone++
				if !told[fmt.Sprint(offset, words[1])] { // how it went may depend on what is not known
					t.Fatalf("seed %d: %s is not told", seed, c)
				}
			}
			state := stateKeys(t, all, Options{})
			for _, k := range stateKeys(t, end, o) {
				if !strings.Contains(k, " inexact ") && !slices.Contains(state, k) {
					t.Fatalf("seed %d: %s is said to be there, of %q", seed, k, state)
				}
			}
		}
	}
	if exact < 100 || gone < 100 {
		t.Errorf("%d changes were known, %d were to be told", exact, gone)
	}
}

// changesOf are the changes of a log: offset, key, what, element, before, after.
func changesOf(t *testing.T, path string, o Options) (out []string) {
	t.Helper()
	if o.Tmp = t.TempDir(); o.MaxMem == 0 {
		o.MaxMem = 1 << 26
	}
	l, err := Open(t.Context(), logEvents(t, path), Point{}, o)
	if err != nil {
		t.Fatal(err)
	}
	for c, err := range l.History(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		inexact := ""
		if c.Inexact {
			inexact = " inexact"
		}
		out = append(out, fmt.Sprintf("%d %s %s %s%s %q>%q%s", c.Offset, c.Key, c.What, c.Element, c.ID, c.Before, c.After, inexact))
	}
	return out
}

// effective are the commands that change something: no others are logged.
func effective(t *testing.T, commands []string) (out []string) {
	t.Helper()
	changes := map[string]bool{}
	for _, c := range changesOf(t, logOf(t, commands...), Options{}) {
		offset, _, _ := strings.Cut(c, " ")
		changes[offset] = true
	}
	at := 0
	for i, c := range commands {
		words := strings.Fields(c)
		if i == 0 || changes[strconv.Itoa(at)] {
			out = append(out, c)
		}
		at += len(fmt.Sprintf("*%d\r\n", len(words)))
		for _, w := range words {
			at += len(fmt.Sprintf("$%d\r\n%s\r\n", len(w), w))
		}
	}
	return out
}

// randomCommands are commands of few keys, each of one type.
func randomCommands(rnd *rand.Rand, n int) []string {
	forms := []string{
		"SET s%d v%d", "SET s%d v%d", "APPEND s%d v%d", "SETRANGE s%d 3 v%d", "INCRBY n%d %d", "SET n%d %d", "SETBIT b%d %d 1", "BITOP OR b%d b%d b0",
		"RPUSH l%d v%d", "LPUSH l%d v%d", "LPOP l%d", "RPOP l%d", "LREM l%d 1 v%d", "LTRIM l%d 0 %d", "LMOVE l%d l%d LEFT RIGHT", "LSET l%d 0 v%d",
		"SADD t%d v%d", "SREM t%d v%d", "SMOVE t%d t%d v1", "SUNIONSTORE t%d t%d t0", "SINTERSTORE t%d t%d t0",
		"ZADD z%d 1 v%d", "ZINCRBY z%d 1 v%d", "ZREM z%d v%d", "ZPOPMIN z%d", "ZREMRANGEBYRANK z%d 0 0", "ZUNIONSTORE z%d 2 z%d z0",
		"HSET h%d v%d x", "HSET h%d f v%d", "HDEL h%d v%d", "HINCRBY h%d v1 %d",
		"XADD x%d 1-%d f v", "XDEL x%d 1-%d", "XTRIM x%d MAXLEN %d",
		"DEL s%d", "DEL l%d", "UNLINK t%d", "DEL z%d", "DEL h%d", "DEL x%d", "RENAME s%d s%d", "RENAME h%d h%d", "RENAME t%d t%d", "COPY z%d z%d REPLACE", "PEXPIREAT s%d 99999999999%d",
		"SET s%d v%d KEEPTTL", "SET s%d v%d KEEPTTL", "PEXPIREAT s%d 99999999999%d", "PEXPIREAT s%d 99999999999%d", "PERSIST s%d", "GETDEL s%d", "BITFIELD b%d SET u8 0 %d", "LINSERT l%d BEFORE v%d x", "SORT l%d ALPHA STORE l%d", "ZRANGESTORE z%d z%d 0 1", "ZADD z%d XX 5 v%d",
		"HPEXPIREAT h%d 99999999999%d FIELDS 1 f", "XGROUP CREATE x%d g%d 0", "XSETID x%d 9-%d", "MOVE s%d 1", "SINTERSTORE t%d t%d t0", "PFADD p%d %d", "GEOADD z%d 1 1 v%d", "GEOSEARCHSTORE z%d z0 FROMLONLAT 1 1 BYRADIUS %d km",
	}
	out := []string{"SELECT 0"}
	for range n {
		form := forms[rnd.IntN(len(forms))]
		if rnd.IntN(80) == 0 {
			form = "FLUSHALL"
		}
		args := make([]any, strings.Count(form, "%d"))
		for i := range args {
			args[i] = rnd.IntN(4)
		}
		out = append(out, fmt.Sprintf(form, args...))
	}
	return out
}
