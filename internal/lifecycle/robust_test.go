package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// collect returns what Resolve yields for sequences of these events, each ended by err.
func collect(ctx context.Context, o Options, err error, passes ...[]keyspace.Event) (got []keyspace.Event, last error) {
	pass := 0
	events := func() keyspace.Seq {
		evs := passes[min(pass, len(passes)-1)]
		pass++
		return func(yield func(*keyspace.Event, error) bool) {
			for i := range evs {
				ev := evs[i]
				if !yield(&ev, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
			}
		}
	}
	for ev, err := range Resolve(ctx, events, o) {
		if err != nil {
			return got, err
		}
		got = append(got, *ev)
	}
	return got, nil
}

func log(lines string) []keyspace.Event {
	var s script
	for line := range strings.SplitSeq(lines, "; ") {
		s.do(line)
	}
	return s.events
}

func TestErrorOfTheReader(t *testing.T) {
	events := log("SET k a; DEL k; SET l b")
	damage := &keyspace.FormatError{Pos: keyspace.Pos{Offset: 300, Inner: -1}, What: "a command", Err: keyspace.ErrTruncated}
	for _, err := range []error{damage, io.ErrUnexpectedEOF} {
		got, last := collect(t.Context(), Options{}, err, events)
		if !errors.Is(last, err) {
			t.Errorf("error %v, want %v", last, err)
		}
		want := []keyspace.State{keyspace.Deleted, keyspace.Live}
		if err == damage {
			want[1] = keyspace.Recovered // the damage takes the last command back
		}
		for i := range got {
			if got[i].Kind != keyspace.Element {
				continue
			}
			if got[i].State != want[0] {
				t.Errorf("with %v: %s is %v, want %v", err, got[i].Value, got[i].State, want[0])
			}
			want = want[1:]
		}
		if len(want) > 0 {
			t.Errorf("with %v: %d values are missing", err, len(want))
		}
	}
}

func TestInputThatChanges(t *testing.T) {
	first := log("SET k a; HSET h f b; DEL k; SET l c")
	for name, second := range map[string]string{
		"grew":              "SET k a; HSET h f b; DEL k; SET l c; SET m d",
		"shrank":            "SET k a; HSET h f b; DEL k",
		"another key":       "SET k a; HSET h f b; DEL k; SET m c",
		"another field":     "SET k a; HSET h g b; DEL k; SET l c",
		"another deletion":  "SET k a; HSET h f b; DEL h; SET l c",
		"another order":     "HSET h f b; SET k a; DEL k; SET l c",
		"many more":         "SET k a; SET k a; SET k a; SET k a; SET k a",
		"a deletion is not": "SET k a; HSET h f b; SET l c",
	} {
		if _, err := collect(t.Context(), Options{}, nil, first, log(second)); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := collect(ctx, Options{}, nil, log("SET k a"))
	if !errors.Is(err, context.Canceled) || len(got) > 0 {
		t.Errorf("%d events, error %v", len(got), err)
	}
}

// TestAbandoned stops at every event.
func TestAbandoned(t *testing.T) {
	events := log("SET k a; RPUSH l a b; LMOVE l m LEFT LEFT; DEL k")
	for stop := range events {
		n := 0
		for _, err := range Resolve(t.Context(), func() keyspace.Seq { return seq(events) }, Options{}) {
			if n++; n > stop || err != nil {
				break
			}
		}
	}
}

func TestNoTemporaryDirectory(t *testing.T) {
	o := Options{MaxMem: 1 << 20, Tmp: filepath.Join(t.TempDir(), "absent")}
	var last error
	for _, err := range Resolve(t.Context(), func() keyspace.Seq { return sets(1 << 16) }, o) {
		last = err
	}
	if !errors.Is(last, os.ErrNotExist) {
		t.Errorf("error %v", last)
	}
}

// TestParts holds that the parts of a value, and the fields of an entry, share a state.
func TestParts(t *testing.T) {
	key := []byte("k")
	part := func(p keyspace.Part, v string) keyspace.Event {
		return keyspace.Event{Kind: keyspace.Element, Op: keyspace.OpPut, Type: keyspace.Set, Key: key, Part: p, Value: []byte(v), Expire: keyspace.NoExpire}
	}
	events := []keyspace.Event{
		{Kind: keyspace.Key, Op: keyspace.OpCreate, Type: keyspace.Set, Key: key, Expire: keyspace.NoExpire},
		part(keyspace.First, "a"), part(keyspace.Middle, "b"), part(keyspace.Last, "c"), part(keyspace.Whole, "d"),
		{Kind: keyspace.KeyEnd, Type: keyspace.Set, Key: key},
		{Kind: keyspace.Delete, Op: keyspace.OpDeleteElement, Type: keyspace.Set, Key: key, Value: []byte("a")},
	}
	got, _ := resolve(t, events, Options{})
	for i, want := range []keyspace.State{keyspace.Live, keyspace.Deleted, keyspace.Deleted, keyspace.Deleted, keyspace.Live} {
		if got[i].State != want {
			t.Errorf("event %d: %v, want %v", i, got[i].State, want)
		}
	}
}

// TestBrokenCommand holds that events which the reader knows to be Recovered, and
// mentions, change nothing.
func TestBrokenCommand(t *testing.T) {
	events := log("SET k a; SET k b; DEL k; HSET h f c")
	for i := range events {
		if events[i].Record >= 200 {
			events[i].State = keyspace.Recovered
		}
	}
	got, _ := resolve(t, events, Options{})
	var states []string
	for i := range got {
		if got[i].Kind == keyspace.Element || got[i].Kind == keyspace.Key {
			states = append(states, got[i].State.String())
		}
	}
	if list := strings.Join(states, " "); list != "live live recovered recovered recovered recovered" {
		t.Error(list)
	}
}

// TestBasis holds which time expiries are judged against.
func TestBasis(t *testing.T) {
	ctime := func(s string) []keyspace.Event {
		return []keyspace.Event{
			{Kind: keyspace.Header, Value: []byte("REDIS")},
			{Kind: keyspace.Aux, Key: []byte("ctime"), Value: []byte(s)},
			{Kind: keyspace.End},
			{Kind: keyspace.Header, Value: []byte("RESP")},
		}
	}
	for _, tt := range []struct {
		events []keyspace.Event
		asOf   int64
		want   Result
	}{
		{log("SET k a"), 0, Result{}},
		{log("SET k a"), 5, Result{AsOf: 5, Basis: ByOption}},
		{log("#TS:7; SET k a"), 0, Result{AsOf: 7000, Basis: Timestamp}},
		{log("#TS:7; SET k a"), 5, Result{AsOf: 5, Basis: ByOption}},
		{append(ctime("6"), log("SET k a")...), 0, Result{AsOf: 6000, Basis: ByCtime}},
		{append(ctime("6"), log("#TS:7; SET k a")...), 0, Result{AsOf: 7000, Basis: Timestamp}},
		{append(ctime("8"), log("#TS:7; SET k a")...), 0, Result{AsOf: 8000, Basis: ByCtime}},
		{append(ctime("x"), log("SET k a")...), 0, Result{}},
		{append(ctime("9223372036854775807"), log("SET k a")...), 0, Result{}},
		{append(ctime("-5"), log("SET k a")...), 0, Result{}},
	} {
		_, res := resolve(t, tt.events, Options{AsOf: tt.asOf})
		if res.AsOf != tt.want.AsOf || res.Basis != tt.want.Basis {
			t.Errorf("%+v, want %+v", res, tt.want)
		}
	}
}

// TestBound resolves what takes many times the memory that it is given.
func TestBound(t *testing.T) {
	const n, mem = 1 << 18, 4 << 20
	for name, events := range map[string]func() keyspace.Seq{
		"many keys":   func() keyspace.Seq { return sets(n) },
		"one hash":    func() keyspace.Seq { return fields(n, 1) },
		"some hashes": func() keyspace.Seq { return fields(n, 5) },
	} {
		t.Run(name, func(t *testing.T) {
			runtime.GC()
			var before, m runtime.MemStats
			runtime.ReadMemStats(&before)
			most := uint64(0)
			watched := func() keyspace.Seq {
				return func(yield func(*keyspace.Event, error) bool) {
					i := 0
					for ev, err := range events() {
						if i++; i%(n/4) == 0 {
							runtime.GC()
							runtime.ReadMemStats(&m)
							most = max(most, m.HeapAlloc-min(before.HeapAlloc, m.HeapAlloc))
						}
						if !yield(ev, err) {
							return
						}
					}
				}
			}
			live, other, res := run(t, Options{MaxMem: mem}, watched)
			if live != n || other != 0 {
				t.Errorf("%d live, %d other: %+v", live, other, res)
			}
			if most > mem {
				t.Errorf("held %d bytes of %d", most, mem)
			}
			if res.Spilled == 0 {
				t.Error("nothing was spilled: the test is too small")
			}
		})
	}
}

// TestSteps holds that walking along long lists has an end.
func TestSteps(t *testing.T) {
	var s script
	s.do("RPUSH k" + strings.Repeat(" e", 200) + strings.Repeat(" a b c d", 500))
	s.do("RPUSH l x")
	for range 50 {
		s.do("LREM k 1 a")
		s.do("LINSERT k BEFORE d z")
	}
	s.do("LSET l 0 y")
	s.do("DEL k")
	s.do("RPUSH k w")
	r := newResolver(Options{})
	r.maxSteps = 20000
	got, res := resolveWith(t, r, s.events)
	count := map[string]int{}
	for v := range values(got) {
		count[v]++
	}
	if count["b unknown"] != 500 || count["z unknown"] == 0 || count["x overwritten"] != 1 || count["y live@0"] != 1 || count["w live@0"] != 1 {
		t.Errorf("%v, %+v", count, res)
	}
	if res.Lost < 2000 {
		t.Errorf("%+v", res)
	}
}

// TestOpsRoundTrip holds that every op is read back as it was written.
func TestOpsRoundTrip(t *testing.T) {
	r := newResolver(Options{})
	w := opWriter{stream: r.store.Stream()}
	var want []op
	for k := opCreate; k < kinds; k++ {
		for _, id := range []uint64{0, 1 << 63, 1 << 63, 7} {
			o := op{kind: k, seq: uint64(len(want)) * 300, id: id, db: uint32(id >> 40), echo: id == 7}
			if k.has(hasName) {
				o.name = ^id
			}
			if k.has(hasA) {
				o.a = -1 << 62
			}
			if k.has(hasB) {
				o.b = int64(len(want))
			}
			want = append(want, o)
			if err := w.write(&o); err != nil {
				t.Fatal(err)
			}
		}
	}
	i := 0
	if err := each(w.stream, func(o *op) error {
		g := *o
		if !g.kind.has(hasName) {
			g.name = 0
		}
		if !g.kind.has(hasA) {
			g.a = 0
		}
		if !g.kind.has(hasB) {
			g.b = 0
		}
		if g != want[i] {
			t.Errorf("op %d: %+v, want %+v", i, g, want[i])
		}
		i++
		return nil
	}); err != nil || i != len(want) {
		t.Errorf("%d of %d ops, %v", i, len(want), err)
	}
}

// FuzzResolve makes events out of bytes, in any order, and holds that they resolve
// to the same whether there is room or not.
func FuzzResolve(f *testing.F) {
	f.Add([]byte("SET"))
	for i := range 24 {
		b := make([]byte, 240)
		for j := range b {
			b[j] = byte(j * (2*i + 1) * 7)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		events := decode(data)
		wide, _ := resolve(t, events, Options{AsOf: 9, Tmp: os.TempDir()})
		r := newResolver(Options{AsOf: 9, MaxMem: 16 << 10, Tmp: os.TempDir()})
		narrow, res := resolveWith(t, r, events)
		for i := range wide {
			a, b := wide[i], narrow[i]
			if a.State > keyspace.Recovered {
				t.Fatalf("event %d: state %d", i, a.State)
			}
			if a.State != b.State && res.TooLarge+res.Lost+res.Untracked+res.Split == 0 {
				t.Errorf("event %d, %s %s: %v with room, %v without", i, a.Kind, a.Op, a.State, b.State)
			}
		}
	})
}

// decode makes an event of each six bytes.
func decode(data []byte) []keyspace.Event {
	var events []keyspace.Event
	kinds := []keyspace.Kind{keyspace.Key, keyspace.Element, keyspace.Element, keyspace.Element, keyspace.Delete, keyspace.Delete,
		keyspace.Expire, keyspace.Rename, keyspace.Flush, keyspace.SwapDB, keyspace.Command, keyspace.Torn, keyspace.Damage,
		keyspace.Group, keyspace.Pending, keyspace.Function, keyspace.KeyEnd, keyspace.Header, keyspace.Aux, keyspace.End}
	words := [][]byte{[]byte("MULTI"), []byte("EXEC"), []byte("DEL"), []byte("HDEL"), nil, {}}
	for offset := int64(0); len(data) >= 6; data = data[6:] {
		offset += 10
		b := data[:6]
		ev := keyspace.Event{
			Kind: kinds[int(b[0])%len(kinds)], Op: keyspace.Op(b[1] % 40), Type: keyspace.Type(b[2] % 12), Part: keyspace.Part(b[2] >> 6),
			DB: int32(b[3]%4) - 1, Key: []byte{b[3] >> 5}, Field: words[b[4]%6], Value: []byte{b[4] >> 6}, Index: int64(int8(b[5])) / 16,
			Count: int64(b[5]%8) - 3, Expire: int64(b[5]%16) - 1, ID: keyspace.StreamID{MS: uint64(b[4] % 8), Seq: uint64(b[5] % 4)},
			Time: int64(b[1]/64) * 5000, Record: offset, Args: [][]byte{words[b[4]%6]},
		}
		ev.Pos.Offset = offset - int64(b[5]%64)
		events = append(events, ev)
	}
	return events
}

// Sets that together do not fit are told of one by one, without what is computed of them:
// nothing of theirs is given up, and nothing is said to be gone that the result may hold.
func TestComputedOfTooMuch(t *testing.T) {
	const members = 5000
	var s script
	for i := range members {
		s.do(fmt.Sprintf("SADD k a%d", i))
		s.do(fmt.Sprintf("SADD l b%d", i))
	}
	for _, c := range []string{"SUNIONSTORE d k l", "SREM k a0", "SREM l b1", "SADD k late", "SREM k late"} {
		s.do(c)
	}
	got, res := resolveWith(t, newResolver(Options{MaxMem: 1 << 20}), s.events)
	want := map[string]keyspace.State{"a0": keyspace.Unknown, "b1": keyspace.Unknown, "late": keyspace.Deleted}
	for i := range got {
		ev := &got[i]
		if ev.Kind != keyspace.Element {
			continue
		}
		state, ok := want[string(ev.Value)]
		if !ok {
			state = keyspace.Live
		}
		if ev.State != state {
			t.Fatalf("%s: %v, want %v (%+v)", ev.Value, ev.State, state, res)
		}
	}
	if res.TooLarge != 1 { // the result
		t.Errorf("%+v", res)
	}
}

func TestHashesAreNotPredictable(t *testing.T) {
	a, b := newResolver(Options{}), newResolver(Options{})
	if a.pass.hash([]byte("k")) == b.pass.hash([]byte("k")) {
		t.Error("two runs hash alike")
	}
}

// TestWrongTypes gives keys commands of every type at once, as a log with holes
// can: what comes of it does not depend on the memory there is.
func TestWrongTypes(t *testing.T) {
	lines := []string{"SET %s v", "APPEND %s v", "HSET %s a v b v", "HDEL %s a", "SADD %s a b", "SREM %s a", "SPOP %s", "SUNIONSTORE %s",
		"ZADD %s 1 a", "RPUSH %s a b", "LPUSH %s a", "LSET %s 0 b", "LINSERT %s AFTER a b", "LPOP %s 1", "LTRIM %s 1 -1", "LREM %s 0 a",
		"XADD %s 1-1 a v", "XDEL %s 1-1", "XTRIM %s MAXLEN 1", "XTRIM %s MINID 1-1", "XCLAIM %s a b 1 1-1", "XGROUP-DESTROY %s a",
		"JSON.SET %s a v", "ARSET %s 1 v", "DEL %s", "PERSIST %s", "ZADD %s 2 b 3 c", "ZINCRBY %s 1 a", "ZADD-GT %s 1 b",
		"ZREMRANGEBYRANK %s 0 0", "ZREMRANGEBYRANK %s -2 -1", "ZREMRANGEBYSCORE %s 1 2", "SUNIONSTORE %s k", "ZRANGESTORE %s k 0 1", "ZRANGESTORE %s l 1 2 BYSCORE"}
	pairs := []string{"SMOVE %s %s a", "LMOVE %s %s LEFT RIGHT", "LMOVE %s %s RIGHT LEFT", "RENAME %s %s", "COPY %s %s 0"}
	rnd := rand.New(rand.NewSource(1))
	key := func() string { return string(rune('k' + rnd.Intn(3))) }
	for range 200 {
		var s script
		for range 100 {
			if rnd.Intn(4) == 0 {
				s.do(fmt.Sprintf(pairs[rnd.Intn(len(pairs))], key(), key()))
			} else {
				s.do(fmt.Sprintf(lines[rnd.Intn(len(lines))], key()))
			}
		}
		wide, _ := resolve(t, s.events, Options{})
		narrow, res := resolve(t, s.events, Options{MaxMem: 256 << 10})
		for i := range wide {
			if wide[i].State != narrow[i].State && res.TooLarge == 0 {
				t.Fatalf("event %d of command %d: %v with room, %v without", i, wide[i].Record/100, wide[i].State, narrow[i].State)
			}
		}
	}
}
