package aof_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// TestResolveAgainstServers has servers do thousands of random commands, and holds
// that what is called Live in the log they wrote is what they held at the end, and
// where in a list it stood.
func TestResolveAgainstServers(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		t.Parallel()
		config := []string{"--appendonly", "yes", "--auto-aof-rewrite-percentage", "0", "--databases", "4"}
		if s.Major() >= 7 {
			config = append(config, "--aof-timestamp-enabled", "yes")
		}
		i := s.Start(t, "", config...)
		w := &workload{Instance: i, t: t, rnd: rand.New(rand.NewSource(int64(s.Major())))}
		for range 3000 {
			w.step()
		}
		i.Must(t, "BGREWRITEAOF")
		for strings.Contains(i.Must(t, "INFO", "persistence").(string), "aof_rewrite_in_progress:1") {
			time.Sleep(10 * time.Millisecond)
		}
		for range 6000 {
			w.step()
		}
		w.expire()
		want := w.holds()
		i.Stop(t)

		got, states := map[string]bool{}, map[string]keyspace.State{}
		parts := parts(t, i.Dir)
		for ev, err := range aof.Resolve(t.Context(), parts, aof.ResolveOptions{Tmp: t.TempDir()}) {
			if err != nil {
				t.Fatal(err)
			}
			if ev.Kind != keyspace.Element || ev.Op == keyspace.OpNone {
				continue
			}
			v := string(ev.Value)
			states[v] = ev.State
			switch {
			case ev.State != keyspace.Live:
			case ev.Type == keyspace.List:
				got[fmt.Sprintf("%s@%d", v, ev.Index)] = true
			default:
				got[v] = true
			}
		}
		for v := range want {
			if !got[v] {
				t.Errorf("%s is held by the server, and not live", v)
			}
		}
		for v := range got {
			if !want[v] {
				t.Errorf("%s is live, and not held by the server", v)
			}
		}
		for v, want := range w.ended {
			if got := states[v]; got != want && !(want == keyspace.Expired && s.Major() < 7 && !s.Valkey()) {
				t.Errorf("%s is %v, want %v", v, got, want)
			}
		}
		t.Logf("%d values, %d of them live", len(states), len(got))
	})
}

// parts returns the files of the log in a data directory.
func parts(t *testing.T, dir string) (parts []aof.Part) {
	t.Helper()
	files := []string{filepath.Join(dir, "appendonly.aof")}
	if f, err := os.Open(filepath.Join(dir, "appendonlydir", "appendonly.aof.manifest")); err == nil {
		defer f.Close()
		m, err := aof.ParseManifest(f)
		if err != nil {
			t.Fatal(err)
		}
		files = nil
		for _, f := range m.Files {
			if f.Type != aof.History {
				files = append(files, filepath.Join(dir, "appendonlydir", f.Name))
			}
		}
	}
	for i, name := range files {
		parts = append(parts, aof.Part{Source: name, Last: i == len(files)-1, Open: func() (io.ReadCloser, error) { return os.Open(name) }})
	}
	return parts
}

// A workload gives a server commands; those it refuses do not matter.
type workload struct {
	*servertest.Instance
	t     *testing.T
	rnd   *rand.Rand
	n     int
	exact map[string]bool           // values whose state must be known
	ended map[string]keyspace.State // of values that no random command touches
}

func (w *workload) do(args ...string) {
	if _, err := w.Do(args...); err != nil && !errors.As(err, new(servertest.ReplyError)) {
		w.t.Fatal(err)
	}
}

func (w *workload) pick(words ...string) string { return words[w.rnd.Intn(len(words))] }

func (w *workload) number(from, to int) string { return strconv.Itoa(from + w.rnd.Intn(to-from)) }

// value returns a value that was not written before; "|" ends it.
func (w *workload) value() string {
	w.n++
	return fmt.Sprintf("v%06d|", w.n)
}

func (w *workload) step() {
	key := func(typ string) string { return typ + w.number(0, 4) }
	end := func() string { return w.pick("LEFT", "RIGHT") }
	f, k, h, z, l, s, x := w.number(0, 12), key("k"), key("h"), key("z"), key("l"), key("s"), key("x")
	other := key(w.pick("k", "h", "z", "l", "s", "x"))
	switch w.rnd.Intn(40) {
	case 0, 1, 2:
		w.do("SET", k, w.value())
	case 3:
		w.do("SET", k, w.value(), w.pick("EX", "PX"), w.number(1000, 100000))
	case 4:
		w.do("APPEND", k, w.value())
	case 5:
		w.do("GETSET", k, w.value())
	case 6:
		w.do(w.pick("DEL", "UNLINK"), other)
	case 7, 8, 9:
		w.do("HSET", h, f, w.value(), w.number(0, 12), w.value())
	case 10:
		w.do("HDEL", h, f, w.number(0, 12))
	case 11:
		w.do("HSETNX", h, f, w.value())
	case 12, 13, 14:
		w.do("SADD", s, w.value(), w.value())
	case 15:
		w.do("SPOP", s, w.number(1, 3))
	case 16:
		if m, ok := w.Must(w.t, "SMEMBERS", "s1").([]any); ok && len(m) > 0 {
			w.do("SMOVE", "s1", s, m[w.rnd.Intn(len(m))].(string))
		}
	case 17:
		w.do("ZADD", z, f, w.value(), f, w.value())
	case 18:
		if m, ok := w.Must(w.t, "ZRANGE", z, "0", "0").([]any); ok && len(m) > 0 {
			w.do(w.pick("ZREM", "ZADD"), z, m[0].(string))
			w.do("ZINCRBY", z, "1", m[0].(string))
		}
	case 19, 20, 21:
		w.do(w.pick("RPUSH", "LPUSH", "RPUSHX"), l, w.value(), w.value())
	case 22:
		w.do("LSET", l, w.number(-3, 3), w.value())
	case 23:
		if m, ok := w.Must(w.t, "LRANGE", l, "0", "-1").([]any); ok && len(m) > 0 {
			w.do("LINSERT", l, w.pick("BEFORE", "AFTER"), m[w.rnd.Intn(len(m))].(string), w.value())
			w.do("LREM", l, w.number(-2, 3), m[w.rnd.Intn(len(m))].(string))
		}
	case 24:
		w.do(w.pick("LPOP", "RPOP"), l)
	case 25:
		w.do("LTRIM", l, w.number(0, 2), w.number(-2, 9))
	case 26:
		w.do("RPOPLPUSH", l, key("l"))
	case 27:
		w.do("LMOVE", l, key("l"), end(), end())
	case 28, 29:
		w.do("XADD", x, "*", "f", w.value(), "g", w.value())
	case 30:
		w.do("XADD", x, "MAXLEN", w.pick("~", "="), w.number(0, 40), "*", "f", w.value())
	case 31:
		if m, ok := w.Must(w.t, "XRANGE", x, "-", "+").([]any); ok && len(m) > 0 {
			w.do("XDEL", x, m[w.rnd.Intn(len(m))].([]any)[0].(string))
			w.do("XTRIM", x, "MINID", m[0].([]any)[0].(string))
		}
	case 32:
		w.do("RENAME", other, other[:1]+w.number(0, 4))
	case 33:
		if other[0] != 'l' { // where its elements stand would have two answers
			w.do("COPY", other, other[:1]+w.number(0, 4), "DB", w.number(0, 3), "REPLACE")
		}
	case 34:
		w.do("MOVE", other, w.number(0, 3))
	case 35:
		w.do("PEXPIRE", other, w.number(100000, 900000))
	case 36:
		w.do("EVAL", "redis.call('set', KEYS[1], ARGV[1]) redis.call('del', KEYS[2])", "2", k, other, w.value())
	case 37:
		w.do("MULTI")
		w.do("SET", k, w.value())
		w.do("RPUSH", l, w.value())
		w.do(w.pick("EXEC", "EXEC", "DISCARD"))
	case 38:
		w.do("SELECT", w.number(0, 3))
	case 39:
		switch w.rnd.Intn(60) {
		case 0, 3, 4:
			w.do("FLUSHDB")
		case 1, 5, 6, 7:
			w.do("SWAPDB", w.number(0, 3), w.number(0, 3))
		case 2:
			w.do("FLUSHALL")
		}
	}
}

// expire writes what expires, and what is deleted before it would.
func (w *workload) expire() {
	w.ended = map[string]keyspace.State{}
	w.do("SELECT", "3")
	for i := range 10 {
		v := w.value()
		k := fmt.Sprintf("expires%d", i)
		w.do("SET", k, v, "PX", "1")
		w.ended[v] = keyspace.Expired
		v = w.value()
		w.do("SET", "deleted", v, "EX", "1000")
		w.do("DEL", "deleted")
		w.ended[v] = keyspace.Deleted
		time.Sleep(3 * time.Millisecond)
		w.do("GET", k)
	}
	time.Sleep(1100 * time.Millisecond) // until there is another #TS
	w.do("SET", "last", w.value())
}

// holds returns the values that the server holds; of lists with their positions.
func (w *workload) holds() map[string]bool {
	all := map[string]bool{}
	for db := range 4 {
		w.do("SELECT", strconv.Itoa(db))
		for _, k := range w.Must(w.t, "KEYS", "*").([]any) {
			k := k.(string)
			switch w.Must(w.t, "TYPE", k) {
			case "string":
				for v := range strings.SplitAfterSeq(w.Must(w.t, "GET", k).(string), "|") {
					all[v] = true
				}
			case "hash":
				for i, v := range w.Must(w.t, "HGETALL", k).([]any) {
					if i%2 == 1 {
						all[v.(string)] = true
					}
				}
			case "set":
				for _, v := range w.Must(w.t, "SMEMBERS", k).([]any) {
					all[v.(string)] = true
				}
			case "zset":
				for _, v := range w.Must(w.t, "ZRANGE", k, "0", "-1").([]any) {
					all[v.(string)] = true
				}
			case "list":
				for i, v := range w.Must(w.t, "LRANGE", k, "0", "-1").([]any) {
					all[fmt.Sprintf("%s@%d", v, i)] = true
				}
			case "stream":
				for _, e := range w.Must(w.t, "XRANGE", k, "-", "+").([]any) {
					fields := e.([]any)[1].([]any)
					for i := 1; i < len(fields); i += 2 {
						all[fields[i].(string)] = true
					}
				}
			}
		}
	}
	delete(all, "")
	return all
}
