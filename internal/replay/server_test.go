package replay

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// dataSet is what the events of a snapshot build, key by key, as text.
func dataSet(t *testing.T, seq keyspace.Seq) map[string]string {
	t.Helper()
	all, cur, unordered := map[string]string{}, []string(nil), false
	var head string
	var keyExpire int64
	for e, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		if e.State == keyspace.Deleted { // an entry that a stream keeps, and marks
			continue
		}
		switch e.Kind {
		case keyspace.Damage:
			t.Fatal(e.Err)
		case keyspace.Key:
			exact := ""
			if e.State == keyspace.Unknown && e.Pos.Source == "" {
				exact = " inexact"
			}
			keyExpire = e.Expire
			head, cur = fmt.Sprintf("%v expire=%d%s", e.Type, e.Expire, exact), nil
			unordered = e.Type == keyspace.Set || e.Type == keyspace.Hash || e.Type == keyspace.SortedSet
		case keyspace.Element:
			switch e.Type {
			case keyspace.Hash:
				expire := e.Expire
				if expire == keyExpire {
					expire = keyspace.NoExpire
				}
				cur = append(cur, fmt.Sprintf("%q=%q@%d", e.Field, e.Value, expire))
			case keyspace.SortedSet:
				cur = append(cur, fmt.Sprintf("%q=%.17g", e.Value, e.Score))
			case keyspace.Stream:
				cur = append(cur, fmt.Sprintf("%v %q=%q", e.ID, e.Field, e.Value))
			default:
				cur = append(cur, fmt.Sprintf("%q", e.Value))
			}
		case keyspace.Group:
			cur = append(cur, fmt.Sprintf("group %s %v", e.Field, e.ID))
		case keyspace.Pending:
			if e.Value != nil {
				cur = append(cur, fmt.Sprintf("pending %s %s %v", e.Field, e.Value, e.ID))
			}
		case keyspace.StreamMeta:
			cur = append(cur, fmt.Sprintf("last %v", e.ID))
		case keyspace.Function:
			all["function "+string(e.Key)] = string(e.Value)
		case keyspace.KeyEnd:
			if unordered {
				sort.Strings(cur)
			}
			name := fmt.Sprintf("%d/%s", e.DB, e.Key)
			if _, ok := all[name]; ok {
				t.Errorf("%s is there twice", name)
			}
			all[name] = head + " " + strings.Join(cur, ", ")
		}
	}
	return all
}

// events returns the events of a path.
func events(t *testing.T, path string) keyspace.Seq { return logEvents(t, path)(Reading{}) }

func logEvents(t *testing.T, path string) Events {
	t.Helper()
	in, err := source.New(t.Context(), []string{path}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	u, err := in.DataSet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return func(r Reading) keyspace.Seq { return u.LogEvents(t.Context(), r.Skim, r.Want, r.Pass) }
}

// day is longer than any run.
const day = 24 * time.Hour

// workload is random writes of all families.
type workload struct {
	*servertest.Instance
	t    *testing.T
	rnd  *rand.Rand
	n    int // names and values made so far
	sent int // commands
	db   int // the selected database

	// old says that the server is one before 7.0: it asks the clock once for the time at
	// which a key ends, and once more for the PEXPIREAT that it logs of a relative one
	// (catAppendOnlyExpireAtCommand of its aof.c). What it holds and what it logs may differ
	// by a millisecond, and so it is told absolute times only.
	old bool

	// Since the last rewrite, which takes the past out of the log:
	fates   map[string][]fate // by database and key
	flushes int
	kept    []flushed
	dumps   string // directory of what servers held
	saved   int
}

func (w *workload) pick(s ...string) string { return s[w.rnd.IntN(len(s))] }
func (w *workload) key(kind string) string  { return kind + strconv.Itoa(w.rnd.IntN(8)) }
func (w *workload) num(n int) string        { return strconv.Itoa(w.rnd.IntN(n)) }

func (w *workload) value() string {
	w.n++
	return "v" + strconv.Itoa(w.n)
}

// do sends a command; that it does not apply (a missing key, an empty list) is part
// of the game.
func (w *workload) do(args ...string) {
	w.sent++
	if args[0] == "FLUSHDB" || args[0] == "FLUSHALL" {
		if w.old { // one of an empty database it does not log (flushdbCommand of its db.c)
			w.do("SET", w.key("s"), w.value())
		}
		w.flushes++
		if w.rnd.IntN(4) == 0 {
			w.kept = append(w.kept, flushed{w.flushes, w.keep()})
		}
	}
	if args[0] == "SELECT" {
		w.db, _ = strconv.Atoi(args[1])
	}
	if _, err := w.Do(args...); err != nil {
		if _, ok := err.(servertest.ReplyError); !ok {
			w.t.Fatal(err)
		}
	}
}

// step is some commands of any family.
func (w *workload) step() {
	switch w.rnd.IntN(14) {
	case 0:
		w.keyStep()
	case 1:
		w.doom()
	case 2:
		w.functionStep()
	default:
		w.valueStep()
	}
}

// valueStep writes values, and takes away none but parts of them.
func (w *workload) valueStep() {
	switch w.rnd.IntN(11) {
	case 0, 1:
		w.stringStep()
	case 2, 3:
		w.listStep()
	case 4, 5:
		w.setStep()
	case 6, 7:
		w.zsetStep()
	case 8, 9:
		w.hashStep()
	default:
		w.streamStep()
	}
}

// functionStep changes libraries, and has their functions and scripts write.
// Servers before 7.0 know scripts alone.
func (w *workload) functionStep() {
	n, what := w.num(4), w.rnd.IntN(8)
	if w.Server.Major() < 7 {
		what = 7
	}
	switch what {
	case 0, 1:
		w.do("FUNCTION", "LOAD", "REPLACE", "#!lua name=lib"+n+"\nredis.register_function('f"+n+"', function(k, a) redis.call('SET', k[1], a[1]); return redis.call('RPUSH', k[2], a[1]) end) -- "+w.value())
	case 2:
		w.do("FUNCTION", "DELETE", "lib"+n)
	case 3:
		if w.rnd.IntN(5) == 0 {
			w.do("FUNCTION", "FLUSH")
		}
	case 4:
		if payload, ok := w.Must(w.t, "FUNCTION", "DUMP").(string); ok {
			w.do("FUNCTION", "RESTORE", payload, w.pick("REPLACE", "FLUSH", "APPEND"))
		}
	case 5, 6:
		w.do("FCALL", "f"+n, "2", w.key("s"), w.key("l"), w.value())
	default:
		w.do("EVAL", "redis.call('HSET', KEYS[1], 'f', ARGV[1]); return redis.call('SADD', KEYS[2], ARGV[1])", "2", w.key("h"), w.key("t"), w.value())
	}
}

// lapse gives a key so long to live.
func (w *workload) lapse(k string, d time.Duration) {
	if w.old {
		w.do("PEXPIREAT", k, strconv.FormatInt(time.Now().Add(d).UnixMilli(), 10))
	} else {
		w.do("PEXPIRE", k, strconv.FormatInt(d.Milliseconds(), 10))
	}
}

// setLapsing sets a key that has so long to live.
func (w *workload) setLapsing(k, value string, d time.Duration) {
	if w.old {
		w.do("SET", k, value)
		w.lapse(k, d)
	} else {
		w.do("SET", k, value, "PX", strconv.FormatInt(d.Milliseconds(), 10))
	}
}

func (w *workload) stringStep() {
	k := w.key("s")
	switch w.rnd.IntN(13) {
	case 0:
		w.do("SET", k, w.value())
	case 1:
		w.setLapsing(k, w.num(1000), day)
	case 2:
		w.do("APPEND", k, w.value())
	case 3:
		w.do("INCRBY", "n"+k, w.num(100))
	case 4:
		w.do("DECR", "n"+k)
	case 5:
		w.do("SETRANGE", k, w.num(20), w.value())
	case 6:
		w.do("SETBIT", "b"+k, w.num(100), w.num(2))
	case 7:
		w.do("BITFIELD", "b"+k, "OVERFLOW", w.pick("WRAP", "SAT", "FAIL"), "INCRBY", w.pick("u5", "i8", "u16", "i64"), w.pick("#", "")+w.num(10), strconv.Itoa(w.rnd.IntN(400)-200),
			"SET", "u4", w.num(20), w.num(16))
	case 8:
		w.do("BITOP", w.pick("AND", "OR", "XOR"), w.key("bs"), w.key("bs"), w.key("bs"), w.key("s"))
	case 9:
		w.do("BITOP", "NOT", w.key("bs"), w.key("bs"))
	case 10:
		w.do("MSET", w.key("s"), w.value(), w.key("s"), w.value())
	case 11:
		w.do("GETSET", k, w.value())
	case 12:
		w.do("INCRBYFLOAT", "f"+k, "1.5")
	}
}

func (w *workload) listStep() {
	k := w.key("l")
	switch w.rnd.IntN(14) {
	case 0, 1:
		w.do("RPUSH", k, w.value(), w.pick("x", "y"), w.value())
	case 2, 3:
		w.do("LPUSH", k, w.value(), w.pick("x", "y"))
	case 4:
		w.do("LSET", k, strconv.Itoa(w.rnd.IntN(10)-5), w.value())
	case 5:
		w.do("LINSERT", k, w.pick("BEFORE", "AFTER"), w.pick("x", "y"), w.value())
	case 6:
		w.do("LREM", k, strconv.Itoa(w.rnd.IntN(5)-2), w.pick("x", "y"))
	case 7:
		w.do("LTRIM", k, strconv.Itoa(w.rnd.IntN(6)-3), strconv.Itoa(w.rnd.IntN(20)-4))
	case 8:
		w.do(w.pick("LPOP", "RPOP"), k)
	case 9:
		w.do("RPOPLPUSH", k, w.key("l"))
	case 10:
		if w.rnd.IntN(2) == 0 {
			w.do("LMOVE", k, w.key("l"), w.pick("LEFT", "RIGHT"), w.pick("LEFT", "RIGHT"))
		} else {
			w.do(w.pick("LPOP", "RPOP"), k, w.num(4))
		}
	case 11:
		w.sort(k)
	case 12:
		w.weights(w.rnd.IntN(8))
	case 13:
		w.sortByOthers("so" + w.num(8))
	}
}

// sort does a SORT … STORE whose result the log tells.
func (w *workload) sort(to string) {
	order, first, count := w.pick("ASC", "DESC"), w.num(3), strconv.Itoa(w.rnd.IntN(20)-2)
	if w.rnd.IntN(2) == 0 {
		w.do("SADD", "numbers", w.num(500), "0."+w.num(90), "-"+w.num(50)+"e1")
		w.do("SORT", "numbers", order, "LIMIT", first, count, "STORE", to)
		return
	}
	from := w.pick("l", "t", "z") + w.num(8)
	switch w.rnd.IntN(3) {
	case 0:
		w.do("SORT", from, "ALPHA", order, "STORE", to)
	case 1:
		w.do("SORT", from, "BY", "nosort", order, "LIMIT", first, count, "STORE", to)
	default:
		w.do("SORT", from, "BY", "nosort", "GET", "#", order, "STORE", to)
	}
}

func (w *workload) setStep() {
	k, m := w.key("t"), func() string { return "m" + w.num(12) }
	switch w.rnd.IntN(8) {
	case 0, 1, 2:
		w.do("SADD", k, m(), m(), w.num(50))
	case 3:
		w.do("SREM", k, m(), w.num(50))
	case 4:
		w.do("SMOVE", k, w.key("t"), m())
	case 5:
		w.do("SPOP", k, w.num(3))
	default:
		w.do(w.pick("SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"), w.key("t"), w.key("t"), w.key("t"))
	}
}

func (w *workload) zsetStep() {
	k, m := w.key("z"), func() string { return "m" + w.num(12) }
	switch w.rnd.IntN(17) {
	case 0, 1:
		w.do("ZADD", k, w.num(100), m(), "1.25", m())
	case 2:
		w.do("ZADD", k, w.pick("GT", "LT", "NX", "XX"), w.num(100), m())
	case 3:
		w.do("ZADD", k, "INCR", "2.5", m())
	case 4:
		w.do("ZINCRBY", k, "-3.5", m())
	case 5:
		w.do("ZREM", k, m())
	case 6:
		w.do("ZREMRANGEBYRANK", k, w.num(4), strconv.Itoa(w.rnd.IntN(6)-3))
	case 7:
		w.do("ZREMRANGEBYSCORE", k, "("+w.num(50), w.num(100))
	case 8:
		w.do("ZREMRANGEBYLEX", "lex"+k, "[b", "(d")
	case 9:
		w.do("ZADD", "lex"+k, "0", w.pick("a", "b", "c", "d", "e"), "0", w.pick("f", "g"))
	case 10:
		w.do(w.pick("ZPOPMIN", "ZPOPMAX"), k, w.num(3))
	case 11:
		w.do(w.pick("ZUNIONSTORE", "ZINTERSTORE"), w.key("z"), "2", w.key("z"), w.pick("z", "t")+w.num(8), "WEIGHTS", "2", "0.5", "AGGREGATE", w.pick("SUM", "MIN", "MAX"))
	case 12:
		switch w.rnd.IntN(3) {
		case 0:
			w.do("ZDIFFSTORE", w.key("z"), "2", w.key("z"), w.key("z"))
		case 1:
			w.do("ZRANGESTORE", w.key("z"), w.key("z"), "10", "90", "BYSCORE", "LIMIT", w.pick("1", "0", "-1"), w.pick("3", "-1"))
		default:
			w.do("ZRANGESTORE", w.key("z"), w.key("z"), "0", "-2", "REV")
		}
	case 13, 14:
		w.places(w.rnd.IntN(8))
	case 15:
		w.geoStep("geo"+k, m(), "geo"+w.key("z"))
	case 16:
		w.do("ZRANGESTORE", "lex"+w.key("z"), "lex"+k, "[b", "(g", "BYLEX", "LIMIT", w.num(3), w.pick("2", "-1"))
		w.do("ZRANGESTORE", "lex"+w.key("z"), "lex"+k, "(f", "-", "BYLEX", "REV")
		w.do("ZRANGESTORE", w.key("z"), k, w.num(100), "("+w.num(50), "BYSCORE", "REV", "LIMIT", w.num(2), "4")
	}
}

// pickScale is 1 or much more.
func (w *workload) pickScale() float64 { return math.Pow(10, float64(w.rnd.IntN(4))) }

// geoStep stores what a search finds.
func (w *workload) geoStep(from, member, to string) {
	unit := w.pick("m", "km", "ft", "mi")
	length := func() string {
		km := 30000 * w.rnd.Float64() / w.pickScale() / 3
		return fmt.Sprintf("%.3f", km*map[string]float64{"m": 1000, "km": 1, "ft": 3280.84, "mi": 0.621}[unit])
	}
	lon, lat := fmt.Sprintf("%.6f", w.rnd.Float64()*360-180), fmt.Sprintf("%.6f", w.rnd.Float64()*170-85)
	var args []string
	switch w.rnd.IntN(6) {
	case 0:
		args = []string{"GEORADIUS", from, lon, lat, length(), unit}
	case 1, 2:
		args = []string{"GEORADIUSBYMEMBER", from, member, length(), unit}
	case 3:
		args = []string{"GEOSEARCHSTORE", to, from, "FROMLONLAT", lon, lat, "BYRADIUS", length(), unit}
	case 4:
		args = []string{"GEOSEARCHSTORE", to, from, "BYBOX", length(), length(), unit, "FROMMEMBER", member}
	case 5:
		args = []string{"GEOSEARCHSTORE", to, from, "FROMMEMBER", member, "BYRADIUS", length(), unit}
	}
	if w.rnd.IntN(2) == 0 {
		args = append(args, w.pick("ASC", "DESC"))
	}
	if w.rnd.IntN(2) == 0 {
		args = append(args, "COUNT", strconv.Itoa(1+w.rnd.IntN(3)))
	}
	if args[0] != "GEOSEARCHSTORE" {
		how := w.pick("STORE", "STORE", "STORE", "STOREDIST")
		if how == "STOREDIST" {
			to += "-dist" // what is not known exactly is for nothing else
		}
		args = append(args, how, to)
	}
	w.do(args...)
}

func (w *workload) hashStep() {
	k, f := w.key("h"), func() string { return "f" + w.num(12) }
	switch w.rnd.IntN(6) {
	case 0, 1:
		w.do("HSET", k, f(), w.value(), f(), w.num(10))
	case 2:
		w.do("HDEL", k, f(), f())
	case 3:
		w.do("HINCRBY", k, "n"+f(), w.num(100))
	case 4:
		w.do("HSETNX", k, f(), w.value())
	case 5:
		w.do("HPEXPIRE", k, "100000000", "FIELDS", "1", f())
		w.do("HPEXPIRE", k, w.pick("99000000", "110000000"), w.pick("NX", "XX", "GT", "LT"), "FIELDS", "3", f(), f(), f())
		w.do("HINCRBYFLOAT", k, "p"+f(), "0.5") // of a field with an expiry some servers log HSET, and lose it when they load that
		w.do("HSETEX", k, w.pick("KEEPTTL", "FXX"), "FIELDS", "1", f(), w.num(100))
	}
}

func (w *workload) streamStep() {
	k := w.key("x")
	switch w.rnd.IntN(9) {
	case 0, 1, 2:
		w.do("XADD", k, "*", "f", w.value(), "g", w.value())
	case 3:
		w.do("XADD", k, "MAXLEN", w.pick("~", "="), w.num(5), "*", "f", w.value())
	case 4:
		w.do("XTRIM", k, "MAXLEN", w.num(5))
	case 5:
		w.do("XGROUP", "CREATE", k, "g"+w.num(2), "0", "MKSTREAM")
	case 6:
		w.do("XREADGROUP", "GROUP", "g"+w.num(2), "c"+w.num(2), "COUNT", "2", "STREAMS", k, ">")
	case 7:
		reply, err := w.Do("XRANGE", k, "-", "+", "COUNT", "1")
		if list, ok := reply.([]any); err == nil && ok && len(list) > 0 {
			id := fmt.Sprint(list[0].([]any)[0])
			w.do("XDEL", k, id)
			w.do("XACK", k, "g0", id)
		}
	case 8:
		w.do("XGROUP", w.pick("DESTROY", "CREATE"), k, "g"+w.num(2), "$")
	}
}

func (w *workload) keyStep() {
	any := func() string {
		return w.pick("s", "l", "t", "z", "h", "x", "ns", "bs") + w.num(8)
	}
	switch w.rnd.IntN(16) {
	case 0, 1:
		w.do(w.pick("DEL", "UNLINK"), any())
	case 2:
		k := w.pick("s", "l", "t", "z", "h")
		w.do("RENAME", w.key(k), w.key(k))
	case 3:
		k := w.pick("s", "l", "t", "z", "h", "x")
		w.do("COPY", w.key(k), w.key(k), "REPLACE")
	case 4:
		w.do("MOVE", any(), w.num(3))
	case 5:
		w.lapse(any(), day)
	case 6:
		w.do("PERSIST", any())
	case 7:
		w.do("SELECT", w.num(3))
	case 8:
		if w.rnd.IntN(10) == 0 {
			w.do("FLUSHDB")
		}
	case 9:
		if w.rnd.IntN(40) == 0 {
			w.do("FLUSHALL")
		}
	case 10:
		w.do("SWAPDB", w.num(3), w.num(3))
	case 11:
		w.do("MULTI")
		w.do("SET", w.key("s"), w.value())
		w.do("RPUSH", w.key("l"), w.value())
		w.do("EXEC")
	case 12:
		k := any()
		reply, err := w.Do("DUMP", k)
		if payload, ok := reply.(string); err == nil && ok {
			w.do("RESTORE", k, "0", payload, "REPLACE")
		}
	case 13:
		w.lapse(w.key("e"), time.Millisecond)
		w.setLapsing(w.key("e"), w.value(), time.Millisecond)
	case 14:
		w.do("GETDEL", w.key("s"))
	case 15:
		w.do("GETEX", w.key("s"), "PERSIST")
	}
}

// checkpoint is what a server held when its log was so long.
type checkpoint struct {
	incr string
	size int64
	dump string
}

// TestStateAgainstServers has servers do random writes of all families, saves what
// they hold at random points and before flushes, and holds that the log says the
// same of these points, with a lot of memory and with little, and that its history
// tells how each of a number of values went. VALKEYFS_POINTS and VALKEYFS_COMMANDS
// say how much of it there is.
func TestStateAgainstServers(t *testing.T) {
	points, commands := fromEnv("VALKEYFS_POINTS", 12), fromEnv("VALKEYFS_COMMANDS", 2500)
	const eras = 4 // between them the log is written anew
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		t.Parallel()
		config := []string{"--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0", "--databases", "4", "--save", ""}
		if s.Major() >= 7 {
			config = append(config, "--aof-timestamp-enabled", "yes")
		}
		i := s.Start(t, "", config...)
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed) // before anything can fail
		w := &workload{Instance: i, t: t, rnd: rand.New(rand.NewPCG(seed, 0)), fates: map[string][]fate{}, dumps: t.TempDir(),
			old: s.Major() < 7}
		inexact, values, fates, kept := 0, 0, 0, 0
		for era := range eras {
			var saved []checkpoint
			for range points / eras {
				for end := w.sent + 1 + w.rnd.IntN(2*commands/points); w.sent < end; {
					w.step()
				}
				saved = append(saved, w.keep())
			}
			if era == eras-1 {
				i.Stop(t)
			}
			for at, c := range saved {
				n, all := w.holds(c, at%4 == 0)
				inexact, values = inexact+n, values+all
			}
			path := logPath(t, i.Dir)
			w.holdsFates(path)
			w.holdsFlushes(path)
			fates, kept = fates+len(w.fates), kept+len(w.kept)
			if len(saved) == 0 {
				t.Fatalf("%d points are too few for %d eras", points, eras)
			}
			if t.Failed() {
				t.FailNow()
			}
			if era < eras-1 {
				w.rewrite()
			}
		}
		t.Logf("%d commands, %d points, %d values compared, %d not known exactly; %d keys' tombstones; %d states before flushes",
			w.sent, points, values, inexact, fates, kept)
	})
}

func fromEnv(name string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return usual
}

// rewrite has the server write its log anew.
func (w *workload) rewrite() {
	w.Must(w.t, "BGREWRITEAOF")
	for strings.Contains(w.Must(w.t, "INFO", "persistence").(string), "aof_rewrite_in_progress:1") {
		time.Sleep(10 * time.Millisecond)
	}
	w.fates, w.kept, w.flushes = map[string][]fate{}, nil, 0
}

// keep saves what the server holds, and how long its log is.
func (w *workload) keep() checkpoint {
	w.t.Helper()
	w.Must(w.t, "SAVE")
	data, err := os.ReadFile(filepath.Join(w.Dir, "dump.rdb"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.saved++
	dump := filepath.Join(w.dumps, fmt.Sprintf("%d.rdb", w.saved))
	if err := os.WriteFile(dump, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	log := logFile(w.t, w.Dir)
	info, err := os.Stat(log)
	if err != nil {
		w.t.Fatal(err)
	}
	return checkpoint{log, info.Size(), dump}
}

// logFile is the file that a server appends to.
func logFile(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		return filepath.Join(dir, "appendonly.aof")
	}
	return slices.MaxFunc(files, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
}

// logPath is the whole log: the directory of its files, or the file.
func logPath(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "appendonlydir")
	if _, err := os.Stat(path); err != nil {
		return logFile(t, dir)
	}
	return path
}

// holds compares the state at a checkpoint with what the server held, in a lot of
// memory and, if spilled is set, in little. It returns how many values are known to
// be inexact, of how many.
func (w *workload) holds(c checkpoint, spilled bool) (inexact, values int) {
	w.t.Helper()
	path, p := logPath(w.t, w.Dir), Point{Kind: AtOffset, Source: c.incr, Offset: c.size}
	if spilled {
		w.holdsAt(path, p, c, 64<<10)
	}
	return w.holdsAt(path, p, c, 1<<30)
}

// holdsAt compares the state at any point.
func (w *workload) holdsAt(path string, p Point, c checkpoint, mem int64) (inexact, values int) {
	t := w.t
	t.Helper()
	want := dataSet(t, events(t, c.dump))
	l, err := Open(t.Context(), logEvents(t, path), p, Options{MaxMem: mem, Tmp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	got := dataSet(t, l.State(t.Context()))
	if n := l.Info().TooLarge; n > 0 {
		t.Errorf("%d partitions did not fit", n)
	}
	for k, v := range want {
		switch g := got[k]; {
		case strings.Contains(g, " inexact"):
			inexact++
		case strings.Contains(k, "/e"): // it expires as it is saved
		case g != v:
			t.Errorf("%+v, %d of memory: %s is\n%.600s\nwant\n%.600s", p, mem, k, g, v)
		}
	}
	for k, g := range got {
		if _, ok := want[k]; !ok && !strings.Contains(g, " inexact") && !strings.Contains(k, "/e") {
			t.Errorf("%+v: %s is %.300s, and not held by the server", p, k, g)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return inexact, len(want)
}
