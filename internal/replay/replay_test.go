package replay

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// logOf writes a log of commands, given as words, and returns its path.
func logOf(t testing.TB, commands ...string) string {
	t.Helper()
	var b strings.Builder
	for _, c := range commands {
		if strings.HasPrefix(c, "#") {
			b.WriteString(c + "\r\n")
			continue
		}
		words := strings.Fields(c)
		fmt.Fprintf(&b, "*%d\r\n", len(words))
		for _, w := range words {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
		}
	}
	path := filepath.Join(t.TempDir(), "appendonly.aof")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func state(t *testing.T, path string, p Point) map[string]string {
	t.Helper()
	l, err := Open(t.Context(), logEvents(t, path), p, Options{MaxMem: 1 << 26, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return dataSet(t, l.State(context.Background()))
}

func TestPoints(t *testing.T) {
	path := logOf(t, "#TS:1767225600", "SELECT 0", "SET a 1", "#TS:1767225610", "SET a 2", "SET b 1", "#TS:1767225620", "FLUSHALL", "SET c 1", "#TS:1767225630", "FLUSHDB", "SET d 1")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		p    Point
		want []string
	}{
		"end":               {Point{}, []string{"0/d"}},
		"before last flush": {Point{Kind: BeforeFlush, Flush: 1}, []string{"0/c"}},
		"before first":      {Point{Kind: BeforeFlush, Flush: 2}, []string{"0/a", "0/b"}},
		"at a time":         {Point{Kind: AtTime, Time: 1767225610000}, []string{"0/a", "0/b"}},
		"at a time between": {Point{Kind: AtTime, Time: 1767225609999}, []string{"0/a"}},
		"at the start":      {Point{Kind: AtOffset}, nil},
		"at the end":        {Point{Kind: AtOffset, Offset: info.Size()}, []string{"0/d"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for k := range state(t, path, c.p) {
				got = append(got, k)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
	_, err = Open(t.Context(), logEvents(t, path), Point{Kind: BeforeFlush, Flush: 3}, Options{MaxMem: 1 << 20})
	if err != ErrNoFlush {
		t.Errorf("before the third last of two flushes: %v", err)
	}
}

// What a MULTI without EXEC holds never happened.
func TestTakenBack(t *testing.T) {
	got := state(t, logOf(t, "SELECT 0", "SET a 1", "MULTI", "SET a 2", "SET b 2"), Point{})
	if len(got) != 1 || got["0/a"] != `string expire=-1 "1"` {
		t.Errorf("%v", got)
	}
}

// A script, and what is made of a value that is not known, are said to be inexact.
func TestInexact(t *testing.T) {
	got := state(t, logOf(t, "SELECT 0", "RPUSH l b a", "SORT l BY w_* ALPHA STORE m", "PFADD h x"), Point{})
	for _, k := range []string{"0/m", "0/h"} {
		if !strings.Contains(got[k], " inexact") {
			t.Errorf("%s: %q", k, got[k])
		}
	}
	if strings.Contains(got["0/l"], "inexact") {
		t.Errorf("0/l: %q", got["0/l"])
	}
}

// So is a key to which a command gives something that no event tells.
func TestInexactOfNewKeys(t *testing.T) {
	for command, keys := range map[string]string{"GCRA k 1 1 1 1": "k", "ARSEEK k 5": "k", "LMOVEM l k LEFT RIGHT COUNT 2": "k l", "PFCOUNT s": "s"} {
		path := logOf(t, "SELECT 0", "RPUSH l a b c", "SET s HYLL", command)
		l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: 1 << 26, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		got := dataSet(t, l.State(t.Context()))
		for _, k := range strings.Fields(keys) {
			if !strings.Contains(got["0/"+k], " inexact") {
				t.Errorf("%s: %s is %q", command, k, got["0/"+k])
			}
		}
		if name, _, _ := strings.Cut(command, " "); !slices.Equal(l.Info().Vague, []string{name}) {
			t.Errorf("%s: named are %v", command, l.Info().Vague)
		}
	}
	if got := state(t, logOf(t, "SELECT 0", "SET s HYLL", "PFCOUNT s none"), Point{})["0/s"]; strings.Contains(got, "inexact") {
		t.Errorf("PFCOUNT of two keys: %q", got)
	}
}

// What is made of a value that is not known is not known either, whatever was there.
func TestInexactSpreads(t *testing.T) {
	got := state(t, logOf(t, "SELECT 0", "PFADD h x", "SET s abc", "BITOP OR b h s", "RPUSH l b a", "SORT l BY w_* ALPHA STORE m", "RPUSH d x",
		"LMOVE m d LEFT LEFT", "LMOVE m new LEFT LEFT", "SETRANGE s 9999999999 x", "SETBIT t 99999999999 1", "BITFIELD u SET u8 #9999999999 1"), Point{})
	for _, k := range []string{"b", "d", "new", "s", "t", "u"} {
		if !strings.Contains(got["0/"+k], " inexact") {
			t.Errorf("%s: %q", k, got["0/"+k])
		}
	}
}

func TestHistory(t *testing.T) {
	path := logOf(t, "#TS:1767225600", "SELECT 0", "SET token one", "SET token two PXAT 1767225605000", "#TS:1767225606", "DEL token",
		"HSET user name ann password old", "HSET user password new", "HDEL user name", "INCRBY n 5", "INCR n", "SET other x", "RENAME user person",
		"RPUSH l a b", "LSET l 0 c", "LPOP l", "ZADD z 1 m", "ZINCRBY z 2 m", "FLUSHALL")
	l, err := Open(t.Context(), logEvents(t, path), Point{},
		Options{MaxMem: 1 << 26, Tmp: t.TempDir(), Want: func(_ int32, key []byte) bool { return string(key) != "other" }})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for c, err := range l.History(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %s%s %q>%q", c.Key, c.What, c.Element, c.ID, c.Before, c.After))
	}
	want := []string{
		`l added  "">"a"`, `l added  "">"b"`, `l changed 0 "a">"c"`, `l removed 0 "c">""`, `l flushed  "\"b\"">""`,
		`n changed  "">"5"`, `n changed  "5">"6"`, `n flushed  "6">""`,
		`person stored  "">"\"password\":\"new\""`, `person flushed  "\"password\":\"new\"">""`,
		`token written  "">"one"`, `token overwritten  "one">""`, `token written  "">"two"`, `token expired  "two">""`,
		`user added name "">"ann"`, `user added password "">"old"`, `user changed password "old">"new"`, `user removed name "ann">""`,
		`user moved  "\"password\":\"new\"">"db 0, person"`,
		`z changed  "">"\"m\":\"1\""`, `z changed m "1">"3"`, `z flushed  "\"m\":\"3\"">""`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A list that is moved to, and a result that is not followed, are told of keys
// that are not there yet.
func TestHistoryOfNewKeys(t *testing.T) {
	path := logOf(t, "SELECT 0", "RPUSH a one two", "LMOVE a b LEFT RIGHT", "LMOVE a b LEFT LEFT", "SORT b ALPHA STORE s", "RENAME b c")
	l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: 1 << 26, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for c, err := range l.History(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %q>%q", c.Key, c.What, c.Before, c.After))
	}
	want := []string{
		`a added "">"one"`, `a added "">"two"`, `a removed "one">""`, `a removed "two">""`,
		`b added "">"one"`, `b added "">"two"`, `b moved "\"two\",\"one\"">"db 0, c"`, `c stored "">"\"two\",\"one\""`, `s stored "">"\"one\",\"two\""`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A hash with fields that expire says so by its encoding, by which exports know.
func TestFieldExpiries(t *testing.T) {
	path := logOf(t, "SELECT 0", "HSET h f v g w", "HPEXPIREAT h 1895879824724 FIELDS 1 f", "HSET plain f v")
	l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: 1 << 26, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for e, err := range l.State(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		switch e.Kind {
		case keyspace.Key:
			got = append(got, fmt.Sprintf("%s %v", e.Key, e.Encoding))
		case keyspace.Element:
			got = append(got, fmt.Sprintf("%s %d", e.Field, e.Expire))
		}
	}
	want := []string{"h hashtable-ex", "f 1895879824724", "g -1", "plain hashtable", "f -1"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The expiry of a field without a name is not its key's.
func TestNamelessFieldExpires(t *testing.T) {
	path := filepath.Join(t.TempDir(), "appendonly.aof")
	log := "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*4\r\n$4\r\nHSET\r\n$1\r\nh\r\n$0\r\n\r\n$1\r\nv\r\n" +
		"*6\r\n$10\r\nHPEXPIREAT\r\n$1\r\nh\r\n$4\r\n5000\r\n$6\r\nFIELDS\r\n$1\r\n1\r\n$0\r\n\r\n"
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, maxMem := range []int64{1, 1 << 24} {
		l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: maxMem, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range l.State(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == keyspace.Key && e.Expire != keyspace.NoExpire || e.Kind == keyspace.Element && e.Expire != 5000 {
				t.Errorf("with %d bytes: %s expires at %d", maxMem, e.Kind, e.Expire)
			}
		}
	}
}

// Valkey logs the condition under which fields get an expiry with all fields that were
// named, and both servers that a field keeps the one it has.
func TestFieldExpiryConditions(t *testing.T) {
	for command, want := range map[string]string{
		"HPEXPIREAT h 5000 NX FIELDS 3 a b z": "a=3000 b=5000",
		"HPEXPIREAT h 5000 XX FIELDS 2 a b":   "a=5000 b=-1",
		"HPEXPIREAT h 5000 GT FIELDS 2 a b":   "a=5000 b=-1",
		"HPEXPIREAT h 2000 GT FIELDS 2 a b":   "a=3000 b=-1",
		"HPEXPIREAT h 2000 LT FIELDS 2 a b":   "a=2000 b=2000",
		"HPEXPIREAT h 5000 LT FIELDS 2 a b":   "a=3000 b=5000",
		"HPEXPIREAT h 5000 FIELDS 2 a b":      "a=5000 b=5000",
		"HSETEX h KEEPTTL FIELDS 2 a 1 b 2":   "a=3000 b=-1",
		"HSETEX h FIELDS 2 a 1 b 2":           "a=-1 b=-1",
	} {
		path := logOf(t, "SELECT 0", "HSET h a 1 b 2", "HPEXPIREAT h 3000 FIELDS 1 a", command)
		for _, mem := range []int64{1, 1 << 26} {
			l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: mem, Tmp: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for e, err := range l.State(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Kind == keyspace.Element {
					got = append(got, fmt.Sprintf("%s=%d", e.Field, e.Expire))
				}
			}
			if got := strings.Join(got, " "); got != want {
				t.Errorf("%s: %s, want %s", command, got, want)
			}
		}
	}
}

// A field keeps an expiry that is the key's as well, when the key's changes.
func TestFieldExpiresWithKey(t *testing.T) {
	at := string(binary.LittleEndian.AppendUint64(nil, 3000))
	base := "REDIS0012\xfa\x0caof-preamble\xc0\x01\xfe\x00" +
		"\xfc" + at + "\x18\x01h" + at + "\x02\x01\x01f\x01v\x00\x01g\x01w" +
		"\xfc" + at + "\x04\x05plain\x01\x01f\x01v" +
		"\xff" + strings.Repeat("\x00", 8)
	path := filepath.Join(t.TempDir(), "appendonly.aof")
	if err := os.WriteFile(path, []byte(base+"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$9\r\nPEXPIREAT\r\n$1\r\nh\r\n$4\r\n9000\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: 1 << 26, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for e, err := range l.State(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == keyspace.Key || e.Kind == keyspace.Element {
			got = append(got, fmt.Sprintf("%s%s %d", e.Key, e.Field, e.Expire))
		}
	}
	if want := []string{"h 9000", "hf 3000", "hg -1", "plain 3000", "plainf -1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Sorted sets keep their order through any changes, in blocks of which none is long: a
// change costs no more than one of them.
func TestOrder(t *testing.T) {
	o := newObject(keyspace.SortedSet)
	o.ranked()
	for i := range 30000 {
		v := fmt.Sprint("m", i*7919%9973)
		if i%5 == 4 {
			o.unscore(v)
		} else {
			o.score(v, float64(i*31%17))
		}
	}
	for i, b := range o.ranks.blocks {
		if len(b) == 0 || len(b) > maxBlock {
			t.Errorf("block %d of %d has %d members", i, len(o.ranks.blocks), len(b))
		}
	}
	got := slices.Collect(o.ranked().all())
	if o.ranks = nil; !slices.Equal(got, slices.Collect(o.ranked().all())) {
		t.Errorf("%v, want %v", got, slices.Collect(o.ranked().all()))
	}
}

func TestDeque(t *testing.T) {
	var d deque
	var model []string
	for i := range 20000 {
		v := []byte(fmt.Sprint(i))
		switch i * 7 % 11 {
		case 0, 1, 2:
			d.pushTail(v)
			model = append(model, string(v))
		case 3, 4, 5, 6:
			d.pushHead(v)
			model = slices.Insert(model, 0, string(v))
		case 7, 8:
			if got := d.pop(false); len(model) > 0 && string(got) != model[0] {
				t.Fatalf("head: %q, want %q", got, model[0])
			}
			model = model[min(1, len(model)):]
		default:
			if got := d.pop(true); len(model) > 0 && string(got) != model[len(model)-1] {
				t.Fatalf("tail: %q", got)
			}
			model = model[:max(0, len(model)-1)]
		}
		if d.len() != len(model) {
			t.Fatalf("%d elements, want %d", d.len(), len(model))
		}
	}
}

// Unions of sets that grow cost no more than a log of that size may; what is not
// computed any more is not known.
func TestUnionsAreBounded(t *testing.T) {
	commands := []string{"SELECT 0"}
	for i := range 3000 {
		commands = append(commands, fmt.Sprintf("SADD s %d %d %d %d", 4*i, 4*i+1, 4*i+2, 4*i+3))
	}
	commands = append(commands, "SUNIONSTORE early s")
	for range 3000 {
		commands = append(commands, "SUNIONSTORE late s s")
	}
	path := logOf(t, commands...)
	l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: 1 << 22, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	got := dataSet(t, l.State(t.Context()))
	if strings.Contains(got["0/early"], "inexact") || got["0/early"] != got["0/s"] {
		t.Errorf("early is %.100s", got["0/early"])
	}
	if !strings.Contains(got["0/late"], "inexact") || l.Info().Inexact != 1 {
		t.Errorf("late is %.100s; %d keys are inexact", got["0/late"], l.Info().Inexact)
	}
}

// The same comes out of little memory as of much, whatever the number of workers:
// of keys that are named once, and of others.
func TestMemoryAndWorkersChangeNothing(t *testing.T) {
	commands := []string{"SELECT 0"}
	for i := range 6000 {
		commands = append(commands, fmt.Sprintf("SET once:%d %d", i, i), fmt.Sprintf("RPUSH l:%d %d", i%700, i))
		switch i % 5 {
		case 0:
			commands = append(commands, fmt.Sprintf("SET twice:%d old", i), fmt.Sprintf("SET twice:%d new", i))
		case 1:
			commands = append(commands, fmt.Sprintf("SET gone:%d x", i), fmt.Sprintf("DEL gone:%d", i))
		case 2:
			commands = append(commands, fmt.Sprintf("SET a:%d x", i), fmt.Sprintf("RENAME a:%d b:%d", i, i))
		}
	}
	for _, end := range []string{"", "FLUSHALL"} {
		path := logOf(t, append(commands, strings.Fields(end)...)...)
		var want [3]string
		for _, o := range []Options{{MaxMem: 1 << 28}, {MaxMem: 1 << 20}, {MaxMem: 1 << 20, Workers: 8}} {
			got := [3]string{historyText(t, path, o), "", fmt.Sprint(stateKeys(t, path, o))}
			o.Tombstones = true
			got[1] = historyText(t, path, o)
			if want[0] == "" {
				want = got
				continue
			}
			for i := range got {
				if got[i] != want[i] || got[i] == "" {
					t.Errorf("after %q with %+v, %d: %d bytes, want %d", end, o, i, len(got[i]), len(want[i]))
				}
			}
		}
	}
}

func historyText(t *testing.T, path string, o Options) string {
	t.Helper()
	o.Tmp = t.TempDir()
	l, err := Open(t.Context(), logEvents(t, path), Point{}, o)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for c, err := range l.History(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%+v\n", *c)
	}
	if i := l.Info(); i.TooLarge > 0 {
		t.Errorf("%+v", i)
	}
	return b.String()
}

// stateKeys are what the log holds at its end, sorted.
func stateKeys(t *testing.T, path string, o Options) (keys []string) {
	t.Helper()
	o.Tmp = t.TempDir()
	l, err := Open(t.Context(), logEvents(t, path), Point{}, o)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range dataSet(t, l.State(t.Context())) {
		keys = append(keys, k+" "+v)
	}
	slices.Sort(keys)
	return keys
}

// A key is single if one record writes it, and no other names it.
func TestSightings(t *testing.T) {
	s := newSightings(1 << 20)
	write := func(op keyspace.Op, name string, record int64) {
		s.see(&keyspace.Event{Kind: keyspace.Key, Op: op, Key: []byte(name), Record: record})
	}
	command := func(record int64, words ...string) {
		e := &keyspace.Event{Kind: keyspace.Command, Record: record, Index: int64(len(words))}
		for _, w := range words {
			e.Args = append(e.Args, []byte(w))
		}
		s.see(e)
	}
	for i, name := range []string{"once", "twice", "twice", "touched", "added to", "summed up"} {
		write(keyspace.OpCreate, name, int64(i))
	}
	s.see(&keyspace.Event{Kind: keyspace.Expire, Key: []byte("touched")})
	write(keyspace.OpPut, "added to", 10)
	write(keyspace.OpPut, "list", 11)
	command(12, "ZADD", "sorted set", "1", "a")
	write(keyspace.OpPut, "sorted set", 12)
	command(13, "INCR", "summed up")
	write(keyspace.OpPut, "summed up", 13)
	command(14, "MSET", "twice in one", "a", "twice in one", "b")
	write(keyspace.OpCreate, "twice in one", 14)
	write(keyspace.OpCreate, "twice in one", 14)
	command(15, "SUNIONSTORE", "union", "source")
	write(keyspace.OpCreate, "union", 15)
	s.end()
	for name, want := range map[string]bool{"once": true, "list": true, "sorted set": true, "twice": false, "touched": false, "added to": false,
		"summed up": false, "twice in one": false, "union": false, "source": false} {
		if got := s.single([]byte(name)); got != want {
			t.Errorf("%s is single: %t", name, got)
		}
	}
	s.see(&keyspace.Event{Kind: keyspace.Flush})
	if s.single([]byte("once")) {
		t.Error("a flush concerns all keys")
	}
}

// Copies of a value that grows cost no more than unions may, and of those beyond nothing is
// known.
func TestCopiesAreBounded(t *testing.T) {
	commands := []string{"SELECT 0"}
	for i := range 3000 {
		commands = append(commands, fmt.Sprintf("RPUSH l %d %d %d %d", 4*i, 4*i+1, 4*i+2, 4*i+3))
	}
	commands = append(commands, "COPY l early")
	for range 3000 {
		commands = append(commands, "COPY l late REPLACE")
	}
	path := logOf(t, commands...)
	l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: 1 << 22, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	got := dataSet(t, l.State(t.Context()))
	if got["0/early"] != got["0/l"] || got["0/l"] == "" {
		t.Errorf("early is %.100s", got["0/early"])
	}
	if !strings.Contains(got["0/late"], "inexact") || l.Info().Inexact != 1 {
		t.Errorf("late is %.100s; %d keys are inexact", got["0/late"], l.Info().Inexact)
	}
}

// Before the first #TS of a log, the time at which its base was saved tells whether what
// a server deleted had expired.
func TestExpiredBeforeFirstTimestamp(t *testing.T) {
	const saved = 1767225600
	for name, c := range map[string]struct {
		ctime  string
		expire int64
		want   What
	}{
		"before":         {"1767225600", saved*1000 - 1, Expired},
		"in that second": {"1767225600", saved*1000 + 999, Expired},
		"later":          {"1767225600", saved*1000 + 5000, Deleted},
		"no ctime":       {"", saved * 1000, Deleted},
		"no time":        {"-1", saved * 1000, Deleted},
	} {
		t.Run(name, func(t *testing.T) {
			k := []byte("k")
			log := func(yield func(*keyspace.Event, error) bool) {
				for _, e := range []*keyspace.Event{
					{Kind: keyspace.Aux, DB: -1, Key: []byte("ctime"), Value: []byte(c.ctime)},
					{Kind: keyspace.Key, Op: keyspace.OpCreate, Type: keyspace.String, Key: k, Expire: c.expire},
					{Kind: keyspace.Element, Op: keyspace.OpPut, Type: keyspace.String, Key: k, Value: []byte("v"), Expire: c.expire},
					{Kind: keyspace.KeyEnd, Type: keyspace.String, Key: k},
					{Kind: keyspace.Command, Index: 2, Record: 100, Args: [][]byte{[]byte("DEL"), k}},
					{Kind: keyspace.Delete, Op: keyspace.OpDeleteKey, Record: 100, Key: k},
				} {
					if !yield(e, nil) {
						return
					}
				}
			}
			l, err := Open(t.Context(), func(Reading) keyspace.Seq { return log }, Point{}, Options{MaxMem: 1 << 20, Tmp: t.TempDir(), Tombstones: true})
			if err != nil {
				t.Fatal(err)
			}
			var got []What
			for c, err := range l.History(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, c.What)
			}
			if !slices.Equal(got, []What{c.want}) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A command that a server would have refused, since a key holds another type, changes
// nothing.
func TestWrongTypes(t *testing.T) {
	for _, o := range []Options{{MaxMem: 1 << 26}, {MaxMem: 1}} {
		got := stateKeys(t, logOf(t, "SELECT 0", "SET t x", "SADD s a", "SMOVE s t a", "RPUSH l a", "LMOVE l t LEFT LEFT", "LMOVE l s LEFT LEFT", "LMOVE l m LEFT LEFT"), o)
		want := []string{`0/m list expire=-1 "a"`, `0/s set expire=-1 "a"`, `0/t string expire=-1 "x"`}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %q, want %q", o, got, want)
		}
	}
}

// Damage in a base takes away what it hit, and nothing that stands behind it.
func TestDamagedBase(t *testing.T) {
	var b strings.Builder
	b.WriteString("REDIS0009\xfa\x0caof-preamble\xc0\x01\xfe\x00")
	for i := range 100 {
		typ := byte(0)
		if i == 50 {
			typ = 0xdd // no type of any server
		}
		b.WriteByte(typ)
		fmt.Fprintf(&b, "\x06key:%02d\x05value", i)
	}
	b.WriteString("\xff\x00\x00\x00\x00\x00\x00\x00\x00*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$3\r\nDEL\r\n$6\r\nkey:99\r\n")
	path := filepath.Join(t.TempDir(), "appendonly.aof")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := state(t, path, Point{}); len(got) != 99 || got["0/a"] == "" || got["0/key:98"] == "" || got["0/key:50"] != "" {
		t.Errorf("%d keys", len(got))
	}
}

// In a damaged base a key may have the name of another. It is there once, as it was read
// last, however much memory there is.
func TestBaseNamesKeyTwice(t *testing.T) {
	var b strings.Builder
	b.WriteString("REDIS0009\xfa\x0caof-preamble\xc0\x01\xfe\x00")
	for i := range 100 {
		fmt.Fprintf(&b, "\x00\x06key:%02d\x03v%02d", i%99, i)
	}
	b.WriteByte(0xff)
	right := binary.LittleEndian.AppendUint64(nil, rdb.Checksum(0, []byte(b.String())))
	for name, sum := range map[string]string{"no checksum": strings.Repeat("\x00", 8), "wrong checksum": "checksum", "right checksum": string(right)} {
		path := filepath.Join(t.TempDir(), "appendonly.aof")
		if err := os.WriteFile(path, []byte(b.String()+sum+"*2\r\n$3\r\nDEL\r\n$6\r\nkey:50\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, o := range []Options{{MaxMem: 1 << 26}, {MaxMem: 1}} {
			o.Tmp = t.TempDir()
			l, err := Open(t.Context(), logEvents(t, path), Point{}, o)
			if err != nil {
				t.Fatal(err)
			}
			keys, last := 0, false
			for e, err := range l.State(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				keys += int(flag(e.Kind == keyspace.Key))
				last = last || string(e.Key) == "key:00" && string(e.Value) == "v99"
			}
			if keys != 98 || !last {
				t.Errorf("%s, %+v: %d keys; key:00 is what was read last: %t", name, o, keys, last)
			}
		}
	}
}

// Keys that a log names behind damage, before a SELECT, are presumed to be of their
// database, in their changes and in the state.
func TestPresumedBehindDamage(t *testing.T) {
	read := func(commands ...string) string {
		b, err := os.ReadFile(logOf(t, commands...))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	path := filepath.Join(t.TempDir(), "appendonly.aof")
	log := read("SELECT 3", "SET a 1", "RPUSH l x", "SET n 1") + "lost\r\n" +
		read("SET b 1", "RPUSH l y", "INCR n", "COPY a c") + read("SELECT 4", "SET d 1")
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, maxMem := range []int64{1, 1 << 24} {
		o := Options{MaxMem: maxMem, Tmp: t.TempDir()}
		var keys, changes []string
		mark := map[bool]string{true: "?"}
		l, err := Open(t.Context(), logEvents(t, path), Point{}, o)
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range l.State(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == keyspace.Key {
				keys = append(keys, string(e.Key)+mark[e.Presumed])
			}
		}
		if l, err = Open(t.Context(), logEvents(t, path), Point{}, o); err != nil {
			t.Fatal(err)
		}
		for c, err := range l.History(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			changes = append(changes, string(c.Key)+mark[c.Presumed])
		}
		slices.Sort(keys)
		if got, want := strings.Join(keys, " "), "a b? c? d l? n?"; got != want {
			t.Errorf("with %d bytes: keys %s, want %s", maxMem, got, want)
		}
		if got, want := strings.Join(changes, " "), "a b? c? l l? n n? d"; got != want {
			t.Errorf("with %d bytes: changes of %s, want %s", maxMem, got, want)
		}
	}
}

// What a command computes stands in the database in which it was given, though that is
// swapped at once.
func TestComputedBeforeSwap(t *testing.T) {
	path := logOf(t, "SELECT 0", "INCR n", "SWAPDB 0 1")
	for _, o := range []Options{{MaxMem: 1 << 26}, {MaxMem: 1}} {
		o.Tmp = t.TempDir()
		l, err := Open(t.Context(), logEvents(t, path), Point{}, o)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for c, err := range l.History(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%d/%s %s %q to %q", c.DB, c.Key, c.What, c.Before, c.After))
		}
		if want := []string{`0/n changed "" to "1"`}; !slices.Equal(got, want) {
			t.Errorf("%+v: %q, want %q", o, got, want)
		}
	}
}

// A base that selects no database holds keys all the same, which commands write over.
func TestBaseWithoutDatabase(t *testing.T) {
	log := "REDIS0009\xfa\x0caof-preamble\xc0\x01\x00\x01k\x03old\x00\x01l\x01v\xff\x00\x00\x00\x00\x00\x00\x00\x00*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\nnew\r\n"
	path := filepath.Join(t.TempDir(), "appendonly.aof")
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{`0/k string expire=-1 "new"`, `0/l string expire=-1 "v"`}
	for _, o := range []Options{{MaxMem: 1 << 26}, {MaxMem: 1}} {
		if got := stateKeys(t, path, o); !slices.Equal(got, want) {
			t.Errorf("%+v: %q, want %q", o, got, want)
		}
	}
}

// What is deleted in a database that nobody knows is a key, and no function library of its
// name; and the reverse.
func TestDeletedInUnknownDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "appendonly.aof")
	command := func(words ...string) string {
		s := fmt.Sprintf("*%d\r\n", len(words))
		for _, w := range words {
			s += fmt.Sprintf("$%d\r\n%s\r\n", len(w), w)
		}
		return s
	}
	load := func(name string) string {
		return command("FUNCTION", "LOAD", "#!lua name="+name+"\nredis.register_function('"+name+"', function() return 1 end)")
	}
	log := load("a") + load("b") + command("SELECT", "x") +
		command("SET", "a", "1") + command("SET", "b", "2") + command("DEL", "a") + command("FUNCTION", "DELETE", "b")
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: 1 << 26, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for e, err := range l.State(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == keyspace.Key || e.Kind == keyspace.Function {
			got = append(got, fmt.Sprintf("%v %s", e.Kind, e.Key))
		}
	}
	if want := []string{"function a", "key b"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A log may be nothing but its base: behind any point of it stands what that holds.
func TestBaseAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "appendonly.aof")
	if err := os.WriteFile(path, []byte("REDIS0009\xfa\x0caof-preamble\xc0\x01\xfe\x00\x00\x01k\x01v\xff\x00\x00\x00\x00\x00\x00\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []Point{{}, {Kind: AtOffset}, {Kind: AtOffset, Offset: 20}, {Kind: AtOffset, Offset: 1 << 40}, {Kind: AtTime}} {
		if got := state(t, path, p); len(got) != 1 || got["0/k"] != `string expire=-1 "v"` {
			t.Errorf("%+v: %v", p, got)
		}
	}
}

// What could not be followed is named: commands that are known to change what nobody can
// tell, and commands that nobody knows.
func TestUnfollowed(t *testing.T) {
	path := logOf(t, "SELECT 0", "FOO.SET k v", "foo.set k w", "p@ss k", "BF.ADD b v", "pfadd h v", "SADD s 1 2", "SPOP s 1", "SORT s BY w_* STORE t", "SUNIONSTORE u s", "ZADD z 1 a")
	l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: 1 << 20, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	i := l.Info()
	if got := fmt.Sprint(i.Unknown, i.Unknowns, i.Vague); got != "3 [FOO.SET] [BF.ADD PFADD SORT SPOP]" {
		t.Error(got)
	}
}

// SORT by other keys is computed where all keys fit in memory at once; where they do not,
// its result is not known, and it is named.
func TestSortByOthersNeedsAllKeys(t *testing.T) {
	path := logOf(t, "SELECT 0", "RPUSH l b a", "SET w_a 2", "SET w_b 1", "SET long "+strings.Repeat("x", 2*machineMin), "SORT l BY w_* GET # STORE d")
	for maxMem, want := range map[int64]string{machineMin: `list expire=-1 inexact  [SORT]`, 8 * machineMin: `list expire=-1 "b", "a" []`} {
		l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: maxMem, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		got := dataSet(t, l.State(t.Context()))
		if got := fmt.Sprint(got["0/d"], " ", l.Info().Vague); got != want {
			t.Errorf("%d bytes of memory: %s, want %s", maxMem, got, want)
		}
	}
}

// What searches for places find is stored with the scores that it had; distances, and
// what depends on their last digits or on the order of the search, are not known.
func TestGeoStores(t *testing.T) {
	for command, want := range map[string]string{
		"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km":               "catania palermo",
		"geosearchstore d g bybox 400 400 KM asc fromlonlat 15 37":          "catania palermo",
		"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 100 400 km":              "catania",
		"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 400 120 km":              "catania",
		"GEORADIUS g 15 37 200 km COUNT 1 STORE d":                          "catania",
		"GEORADIUS g 15 37 200 km DESC COUNT 1 STORE d":                     "palermo",
		"GEORADIUS g 15 37 124 mi COUNT 5 ANY STORE d":                      "catania palermo",
		"GEORADIUS g 15 37 22000 km STORE d":                                "catania east palermo west",
		"GEORADIUSBYMEMBER g east 300 km STORE d":                           "east west", // over the date line
		"GEORADIUSBYMEMBER g none 300 km STORE d":                           "old",
		"GEORADIUSBYMEMBER g palermo 1 km STORE d":                          "palermo",
		"GEORADIUS g 80 10 1 km STORE d":                                    "",
		"GEORADIUS none 80 10 1 km STORE d":                                 "",
		"GEORADIUS s 80 10 1 km STORE d":                                    "old",
		"GEORADIUS g 15 37 200 km STOREDIST d":                              "inexact",
		"GEORADIUS g 15 37 200 km COUNT 1 ANY STORE d":                      "inexact",
		"GEORADIUSBYMEMBER g palermo 0 km STORE d":                          "inexact", // on the edge
		"GEORADIUS g 15 84 4000 km STORE d":                                 "",        // there is none near
		"GEORADIUS n 15 84 4000 km STORE d":                                 "inexact", // near the pole servers differ
		"GEORADIUS twins 0 0 100 km COUNT 1 STORE d":                        "inexact",
		"GEORADIUS h 15 37 200 km STORE d":                                  "old",
		"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYPOLYGON 3 10 30 20 30 15 45": "inexact",
		"GEOSEARCHSTORE d g BYRADIUS 22000 km ASC COUNT 9":                  "inexact", // no server takes these
		"GEOSEARCHSTORE d g FROMLONLAT 15 37 FROMMEMBER east BYRADIUS 9 km": "inexact",
		"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 9 9 km BYRADIUS 9 km":    "inexact",
		"GEORADIUS g 15 37 200 km ANY STORE d":                              "inexact",
		"GEORADIUS g 15 37 -5 km STORE d":                                   "inexact",
		"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 9 -9 km":                 "inexact",
		"GEOSEARCHSTORE d g FROMLONLAT 181 37 BYRADIUS 9 km":                "inexact",
		"GEOSEARCHSTORE d g FROMLONLAT 15 86 BYRADIUS 9 km":                 "inexact",
	} {
		got := state(t, logOf(t, "SELECT 0", "ZADD d 1 old", "SET s x", "HSET h f v", "GEOADD g 13.361389 38.115556 palermo 15.087269 37.502669 catania", "ZADD g -5 low 1e300 high 4503599627370496 beyond",
			"GEOADD g 179.5 0 east -179.5 0.5 west", "GEOADD n 15 70 place", "ZADD twins 4000000000000000 a 4000000000000000 b", "GEOADD twins 0.1 0.1 c", "ZADD twins 3377699720527872 c 3377699720527872 e", command), Point{})
		d := got["0/d"]
		switch {
		case want == "inexact":
			if !strings.Contains(d, " inexact") {
				t.Errorf("%s: %s, and said to be exact", command, d)
			}
		case strings.Contains(d, " inexact"), strings.Join(regexp.MustCompile(`[a-z]+(?:"=)`).FindAllString(d, -1), "") != strings.ReplaceAll(want, " ", `"=`)+strings.Repeat(`"=`, min(1, len(want))):
			t.Errorf("%s: %s, want %s", command, d, want)
		}
		for _, member := range strings.Fields(want) { // with the score that it had
			score := regexp.MustCompile(`"` + member + `"=[^, ]*`)
			if a, b := score.FindString(d), score.FindString(got["0/g"]); want != "inexact" && want != "old" && a != b {
				t.Errorf("%s: %s, want %s", command, a, b)
			}
		}
	}
}

// Of places as near as each other, as many as are asked for are always the same ones.
func TestGeoStoreIsDeterministic(t *testing.T) {
	path := logOf(t, "SELECT 0", "ZADD g 4000000000000000 a 4000000000000000 b 4000000000000000 c 4000000000000000 d 4000000000000000 e", "GEORADIUSBYMEMBER g a 100 km COUNT 2 STORE s")
	want := state(t, path, Point{})["0/s"]
	for range 20 {
		if got := state(t, path, Point{})["0/s"]; got != want {
			t.Fatalf("%s, and %s", got, want)
		}
	}
}

// A SORT again and again of a long value, or by one, costs no more than it may.
func TestSortIsBounded(t *testing.T) {
	for _, options := range []string{"BY nosort", "ALPHA", "BY w_*", "BY w_* ALPHA", "GET w_*"} {
		commands := []string{"SELECT 0", "RPUSH l " + strings.Repeat("0", 1<<16) + "1", "SET w_1 " + strings.Repeat("0", 1<<16), "RPUSH short 1"}
		for range 200 {
			key := "l"
			if strings.Contains(options, "w_") {
				key = "short"
			}
			commands = append(commands, "SORT "+key+" "+options+" LIMIT 0 1 STORE d")
		}
		m := newMachine(64<<16, 1<<12)
		m.all = true
		if full, err := replay(m, logEvents(t, logOf(t, commands...))(Reading{})); err != nil || full != nil {
			t.Fatal(full, err)
		}
		if o := m.get(0, "d"); o == nil || !o.inexact {
			t.Errorf("SORT %s: all was done, in %d steps", options, m.spent)
		}
	}
}

func TestRangeStore(t *testing.T) {
	for command, want := range map[string]string{
		"ZRANGESTORE d z 0 1":                          `"a"=1, "b"=2`,
		"ZRANGESTORE d z 0 0 REV":                      `"c"=3`,
		"ZRANGESTORE d z 3 (1 BYSCORE REV LIMIT 0 1":   `"c"=3`,
		"ZRANGESTORE d z -inf +inf BYSCORE LIMIT 1 -5": `"b"=2, "c"=3`,
		"ZRANGESTORE d z -inf +inf BYSCORE LIMIT -1 2": "inexact ",
		"ZRANGESTORE d z -inf +inf BYSCORE LIMIT -1 0": "",
		"ZRANGESTORE d z 7 9 BYSCORE LIMIT -1 2":       "",
		"ZRANGESTORE d z - + BYLEX LIMIT -1 -1":        "inexact ",
		"ZRANGESTORE d none 0 -1":                      "",
	} {
		got := state(t, logOf(t, "SELECT 0", "ZADD z 1 a 2 b 3 c", "ZADD d 9 old", command), Point{})["0/d"]
		if want != "" {
			want = "zset expire=-1 " + want
		}
		if got != want {
			t.Errorf("%s: %s, want %s", command, got, want)
		}
	}
}

// Where scores differ, what servers find by bytes depends on chance.
func TestRangeByBytesOverScores(t *testing.T) {
	for command, inexact := range map[string]int64{
		"ZRANGESTORE z z [b + BYLEX":          1,
		"ZRANGESTORE z z + [b BYLEX REV":      1,
		"ZRANGESTORE z z - + BYLEX LIMIT 0 1": 0,
		"ZRANGESTORE z same [b + BYLEX":       0,
		"ZRANGESTORE z rising (a [b BYLEX":    0,
		"ZREMRANGEBYLEX z [b [c":              1,
		"ZREMRANGEBYLEX z - [d":               0,
		"ZREMRANGEBYLEX same [b [c":           0,
	} {
		path := logOf(t, "SELECT 0", "ZADD z 1 c 2 a 3 b", "ZADD same 1 a 1 b 1 c", "ZADD rising 1 a 2 b 3 c", command)
		l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: 1 << 26, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range l.State(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := l.Info().Inexact; got != inexact {
			t.Errorf("%s: %d inexact, want %d", command, got, inexact)
		}
	}
}

func TestSort(t *testing.T) {
	for command, want := range map[string]string{
		"SORT l STORE d":                                           "1 2 10 10",
		"SORT l DESC STORE d":                                      "10 10 2 1",
		"SORT l ALPHA STORE d":                                     "1 10 10 2",
		"SORT l BY nosort GET # STORE d":                           "10 2 10 1",
		"SORT l BY nosort DESC LIMIT 0 2 STORE d":                  "1 10",
		"SORT l LIMIT -1 1 GET # GET # STORE d":                    "1 1",
		"SORT l LIMIT 9 1 STORE d":                                 "",
		"SORT s ALPHA STORE d":                                     "a b c",
		"SORT s BY nosort DESC STORE d":                            "c b a",
		"SORT z BY nosort DESC STORE d":                            "3 2 11",
		"SORT z STORE d":                                           "2 3 11",
		"SORT none STORE d":                                        "",
		"SORT l BY w_* STORE d":                                    "1 10 10 2", // none has a weight: by bytes
		"SORT l GET w_* STORE d":                                   "_ _ _ _",
		"SORT t BY w_* STORE d":                                    "d c a b", // 0 for d, which has none
		"SORT t BY w_* DESC GET # GET w_* STORE d":                 "b 9 a 9 c 5 d _",
		"SORT t BY h_*->f ALPHA STORE d":                           "d c a b",
		"SORT t BY h_*->f ALPHA DESC GET h_*->f LIMIT 1 3 STORE d": "x w _",
		"SORT t GET h_*->g BY none STORE d":                        "_ _ _ _",
		"SORT t BY w_* GET h_*-> GET h_* GET none STORE d":         "key _ _ _ _ _ _ _ _ _ _ _",
		"SORT t BY w_* GET h_*->later STORE d":                     "inexact", // a field that expires
		"SORT t BY u_* STORE d":                                    "inexact", // a value that is not known
		"SORT t BY w_* ALPHA STORE d":                              "inexact", // equal texts
		"SORT s STORE d":                                           "inexact", // no number that is known here
	} {
		got := state(t, logOf(t, "SELECT 0", "RPUSH d old", "RPUSH l 10 2 10 1", "SADD s c a b", "ZADD z 1 11 2 2 3 3", "SADD t c a b d",
			"SET w_a 9", "SET w_b 9", "SET w_c 5", "HSET h_a f x", "HSET h_b f y later z", "HPEXPIREAT h_b 1895879824724 FIELDS 1 later", "HSET h_c f w", "SET h_d-> key", "PFADD u_a x", command), Point{})["0/d"]
		var text string
		switch want {
		case "inexact":
			text = "list expire=-1 inexact "
		case "":
		default:
			text = `list expire=-1 "` + strings.ReplaceAll(strings.ReplaceAll(want, "_", ""), " ", `", "`) + `"`
		}
		if got != text {
			t.Errorf("%s: %s, want %s", command, got, text)
		}
	}
}

// Changes of which all is as long as may be are cut, and told.
func TestLongChanges(t *testing.T) {
	long := strings.Repeat("l", 2*maxValue)
	path := logOf(t, "SELECT 0", "HSET h "+long+" "+long, "HSET h "+long+" "+long+"x", "SET "+long+" "+long, "SET "+long+" "+long+"x")
	for _, maxMem := range []int64{1, 1 << 24} {
		l, err := Open(t.Context(), logEvents(t, path), Point{}, Options{MaxMem: maxMem, Tmp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		for c, err := range l.History(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if told++; !c.Cut || max(len(c.Before), len(c.After)) < maxValue/2 {
				t.Errorf("%s, before %d bytes, after %d, cut: %t", c.What, len(c.Before), len(c.After), c.Cut)
			}
		}
		if told != 5 {
			t.Errorf("%d changes", told)
		}
	}
}
