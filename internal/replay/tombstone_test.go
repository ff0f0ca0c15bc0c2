package replay

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// fate is what became of a value that the workload wrote under a name of its own.
type fate struct {
	value string
	what  What
}

// doom writes a value under a name that nothing else uses, goes on for some steps,
// and takes it away in one of the ways there are.
func (w *workload) doom() {
	w.n++
	k, v := "d"+strconv.Itoa(w.n), w.value()
	kind := w.give(k, v)
	for range w.rnd.IntN(3) {
		w.valueStep()
	}
	ends := []func(k, v, kind string){w.endDelete, w.endDelete, w.endWrite, w.endRename, w.endOnto, w.endExpire, w.endElement, w.endStore, w.endScript}
	if w.rnd.IntN(20) == 0 {
		w.do(w.pick("FLUSHDB", "FLUSHALL"))
		w.ended(k, v, Flushed)
		return
	}
	ends[w.rnd.IntN(len(ends))](k, v, kind)
}

// give writes a value of any type.
func (w *workload) give(k, v string) (kind string) {
	kind = w.pick("string", "list", "set", "zset", "hash", "stream")
	w.do(map[string][]string{
		"string": {"SET", k, v}, "list": {"RPUSH", k, v}, "set": {"SADD", k, v}, "zset": {"ZADD", k, "1", v},
		"hash": {"HSET", k, "f", v}, "stream": {"XADD", k, "*", "f", v},
	}[kind]...)
	return kind
}

func (w *workload) ended(k, v string, what What) {
	name := fmt.Sprintf("%d/%s", w.db, k)
	w.fates[name] = append(w.fates[name], fate{v, what})
}

func (w *workload) endDelete(k, v, _ string) {
	switch w.rnd.IntN(3) {
	case 0:
		w.do(w.pick("DEL", "UNLINK"), k)
	case 1:
		w.do("PEXPIREAT", k, "1") // its time is past: a server logs that it deletes
	default:
		w.do("MULTI")
		w.do("DEL", k)
		w.do("EXEC")
	}
	w.ended(k, v, Deleted)
}

func (w *workload) endWrite(k, v, kind string) {
	next := w.value()
	if kind == "string" && w.rnd.IntN(2) == 0 {
		w.do("GETSET", k, next)
	} else {
		w.do("SET", k, next)
	}
	w.ended(k, v, Overwritten)
	w.endDelete(k, next, "")
}

func (w *workload) endRename(k, v, _ string) {
	w.do("RENAME", k, "r"+k)
	w.ended(k, v, MovedAway)
	w.endDelete("r"+k, v, "")
}

func (w *workload) endOnto(k, v, _ string) {
	next := w.value()
	w.give("o"+k, next)
	if w.rnd.IntN(2) == 0 || w.Server.Major() < 7 {
		w.do("RENAME", "o"+k, k)
		w.ended("o"+k, next, MovedAway)
	} else {
		w.do("COPY", "o"+k, k, "REPLACE")
		w.endDelete("o"+k, next, "")
	}
	w.ended(k, v, Overwritten)
	w.endDelete(k, next, "")
}

// endExpire lets a key expire. A server that is slow finds that its time has come before
// the command is through, and logs that it deletes: of such a key nothing is held.
func (w *workload) endExpire(k, v, _ string) {
	w.do("PEXPIRE", k, "5")
	left, _ := w.Must(w.t, "PTTL", k).(int64)
	time.Sleep(8 * time.Millisecond)
	w.do("EXISTS", k)
	if left > 0 {
		w.ended(k, v, Expired)
	}
}

func (w *workload) endElement(k, v, kind string) {
	if kind == "string" {
		w.do("GETDEL", k)
		if w.Server.Major() < 7 {
			w.do("DEL", k)
		}
		w.ended(k, v, Deleted)
		return
	}
	id := ""
	if kind == "stream" {
		reply, err := w.Do("XRANGE", k, "-", "+")
		if err != nil {
			w.t.Fatal(err)
		}
		id = fmt.Sprint(reply.([]any)[0].([]any)[0])
	}
	ways := map[string][][]string{
		"list": {{"LPOP", k}, {"RPOP", k}, {"LREM", k, "0", v}, {"LTRIM", k, "5", "6"}}, "set": {{"SREM", k, v}, {"SPOP", k}},
		"zset": {{"ZREM", k, v}, {"ZPOPMIN", k}, {"ZREMRANGEBYRANK", k, "0", "-1"}}, "hash": {{"HDEL", k, "f"}}, "stream": {{"XDEL", k, id}},
	}[kind]
	w.do(ways[w.rnd.IntN(len(ways))]...)
	w.ended(k, v, Removed)
	if kind == "stream" { // the key stays
		w.do("DEL", k)
		w.ended(k, "", Deleted)
	}
}

func (w *workload) endStore(k, v, _ string) {
	next := w.value()
	switch w.rnd.IntN(3) {
	case 0: // nothing: the key goes
		w.do("SUNIONSTORE", k, "none")
		w.ended(k, v, Deleted)
		return
	case 1:
		w.do("SADD", "o"+k, next)
		w.do("SUNIONSTORE", k, "o"+k)
	default:
		w.do("ZADD", "o"+k, "1", next)
		w.do("ZUNIONSTORE", k, "1", "o"+k)
	}
	w.ended(k, v, Overwritten)
	w.endDelete("o"+k, next, "")
	w.endDelete(k, next, "")
}

// endScript deletes in a script. Servers before 7.0 log scripts instead of what they do.
func (w *workload) endScript(k, v, _ string) {
	if w.Server.Major() < 7 {
		w.endDelete(k, v, "")
		return
	}
	w.do("EVAL", "return redis.call('DEL', KEYS[1])", "1", k)
	w.ended(k, v, Deleted)
}

// holdsFates holds that the history of a log has for each value that was taken away
// the tombstone that tells how, in order, and no other.
func (w *workload) holdsFates(path string) {
	w.t.Helper()
	found := map[string][]Change{}
	l, err := Open(w.t.Context(), func(Reading) keyspace.Seq { return events(w.t, path) }, Point{}, Options{MaxMem: 1 << 20, Tmp: w.t.TempDir()})
	if err != nil {
		w.t.Fatal(err)
	}
	for c, err := range l.History(w.t.Context()) {
		if err != nil {
			w.t.Fatal(err)
		}
		name := fmt.Sprintf("%d/%s", c.DB, c.Key)
		if _, ok := w.fates[name]; ok && c.What.Tombstone() {
			found[name] = append(found[name], Change{What: c.What, Offset: c.Offset, Time: c.Time, Expire: c.Expire, Before: bytes.Clone(c.Before), Element: bytes.Clone(c.Element)})
		}
	}
	for name, want := range w.fates {
		got := found[name]
		if !slices.EqualFunc(got, want, func(c Change, f fate) bool {
			timeless := f.what == Expired && c.What == Deleted && c.Time == 0 // before the first #TS
			return (c.What == f.what || timeless) && (strings.Contains(string(c.Before), f.value) || string(c.Element) == f.value)
		}) {
			w.t.Errorf("%s: tombstones %s, want %v", name, tombstones(got), want)
		}
	}
}

func tombstones(all []Change) string {
	var s []string
	for _, c := range all {
		s = append(s, fmt.Sprintf("%s %q of %q at %d, time %d, expiry %d", c.What, c.Before, c.Element, c.Offset, c.Time, c.Expire))
	}
	return strings.Join(s, ", ")
}

// flushed is what a server held before a flush.
type flushed struct {
	number int // of the flush, from 1
	before checkpoint
}

// holdsFlushes holds that the log says the same.
func (w *workload) holdsFlushes(path string) {
	w.t.Helper()
	for _, f := range w.kept {
		w.holdsAt(path, Point{Kind: BeforeFlush, Flush: w.flushes - f.number + 1}, f.before, 1<<20)
	}
}
