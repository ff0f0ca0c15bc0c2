package diff_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/diff"
	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// object is a key of a model: parts by name, as a brute-force comparison sees them.
type object struct {
	typ    keyspace.Type
	expire int64
	parts  map[string]string // name: content
}

// model is a data set by database and key.
type model map[string]object

func keyOf(db int, name string) string { return fmt.Sprintf("%d %s", db, name) }

// random makes a data set; change makes another from it.
type random struct{ *rand.Rand }

func (r random) word() string {
	if r.IntN(20) == 0 {
		return string([]byte{0, byte(r.IntN(3)), 255})
	}
	return fmt.Sprintf("w%d", r.IntN(30))
}

func (r random) object() object {
	o := object{typ: []keyspace.Type{keyspace.String, keyspace.List, keyspace.Set, keyspace.SortedSet, keyspace.Hash, keyspace.Stream}[r.IntN(6)], expire: keyspace.NoExpire, parts: map[string]string{}}
	if r.IntN(3) == 0 {
		o.expire = 4102444800000 + int64(r.IntN(3))
	}
	for i := range 1 + r.IntN(6) {
		r.part(o, i)
	}
	return o
}

// part adds, or changes, a part.
func (r random) part(o object, i int) {
	value := strings.Repeat(r.word(), 1+r.IntN(3)*r.IntN(200))
	switch o.typ {
	case keyspace.String:
		o.parts[""] = value
	case keyspace.List:
		o.parts[fmt.Sprintf("%06d", min(i, len(o.parts)))] = value
	case keyspace.Set:
		o.parts[value] = ""
	case keyspace.SortedSet:
		o.parts[value] = fmt.Sprint(r.IntN(4))
	case keyspace.Hash:
		o.parts[r.word()] = value
	case keyspace.Stream:
		o.parts[fmt.Sprintf("%06d", r.IntN(20)+1)] = value
	}
}

func (r random) model() model {
	m := model{}
	for range r.IntN(25) {
		m[keyOf(r.IntN(3), r.word())] = r.object()
	}
	return m
}

func (r random) change(m model) model {
	out := model{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		o := object{typ: m[k].typ, expire: m[k].expire, parts: maps.Clone(m[k].parts)}
		switch r.IntN(8) {
		case 0:
			continue
		case 1:
			o = r.object()
		case 2:
			o.expire = 4102444800000 + int64(r.IntN(3))
		case 3, 4:
			r.part(o, r.IntN(10))
			if names := slices.Sorted(maps.Keys(o.parts)); len(names) > 1 && r.IntN(2) == 0 {
				if o.typ == keyspace.List {
					delete(o.parts, names[len(names)-1])
				} else {
					delete(o.parts, names[r.IntN(len(names))])
				}
			}
		}
		out[k] = o
	}
	for range r.IntN(4) {
		out[keyOf(r.IntN(3), r.word())] = r.object()
	}
	return out
}

// snapshot writes a model, its keys and the elements of most types in a random order.
func (r random) snapshot(t testing.TB, m model, v rdbwrite.Version) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := rdbwrite.New(&out, v, rdbwrite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	put := func(e *keyspace.Event) {
		if err := w.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	names := slices.Collect(maps.Keys(m))
	slices.Sort(names)
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, k := range names {
		o := m[k]
		var db int32
		db, name := int32(k[0]-'0'), k[2:]
		e := keyspace.Event{Kind: keyspace.Key, DB: db, Key: []byte(name), Type: o.typ, Encoding: keyspace.Raw, Expire: o.expire, Idle: -1, Freq: -1}
		put(&e)
		parts := slices.Sorted(maps.Keys(o.parts))
		if o.typ != keyspace.List && o.typ != keyspace.Stream {
			r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		}
		last := uint64(0)
		for i, p := range parts {
			x := e
			x.Kind, x.Index = keyspace.Element, int64(i)
			switch o.typ {
			case keyspace.Set:
				x.Value = []byte(p)
			case keyspace.SortedSet:
				x.Value, x.Score = []byte(p), float64(o.parts[p][0]-'0')
			case keyspace.Hash:
				x.Field, x.Value = []byte(p), []byte(o.parts[p])
			case keyspace.Stream:
				if _, err := fmt.Sscan(strings.TrimLeft(p, "0"), &last); err != nil {
					t.Fatal(err)
				}
				x.ID, x.Field, x.Value, x.Index = keyspace.StreamID{MS: last}, []byte("f"), []byte(o.parts[p]), 0
			default:
				x.Value = []byte(o.parts[p])
			}
			put(&x)
		}
		if o.typ == keyspace.Stream {
			put(&keyspace.Event{Kind: keyspace.StreamMeta, ID: keyspace.StreamID{MS: 100}, Index: int64(len(parts)), Count: 100, Value: []byte("0-0")})
		}
		put(&keyspace.Event{Kind: keyspace.KeyEnd})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// bruteForce is what differs, a line each.
func bruteForce(a, b model) (lines []string) {
	for k, x := range a {
		y, ok := b[k]
		switch {
		case !ok:
			lines = append(lines, "removed "+k)
			continue
		case x.typ == y.typ && x.expire == y.expire && maps.Equal(x.parts, y.parts):
			continue
		}
		lines = append(lines, "changed "+k)
		if x.expire != y.expire {
			lines = append(lines, fmt.Sprintf("changed %s expiry %d %d", k, x.expire, y.expire))
		}
		if x.typ != y.typ {
			lines = append(lines, fmt.Sprintf("changed %s type %s %s", k, x.typ, y.typ))
			continue
		}
		for p, v := range x.parts {
			if w, ok := y.parts[p]; !ok {
				lines = append(lines, fmt.Sprintf("removed %s %s %q", k, partName(x.typ), p))
			} else if v != w {
				lines = append(lines, fmt.Sprintf("changed %s %s %q", k, partName(x.typ), p))
			}
		}
		for p := range y.parts {
			if _, ok := x.parts[p]; !ok {
				lines = append(lines, fmt.Sprintf("added %s %s %q", k, partName(x.typ), p))
			}
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			lines = append(lines, "added "+k)
		}
	}
	slices.Sort(lines)
	return lines
}

func partName(t keyspace.Type) string {
	switch t {
	case keyspace.String:
		return "value"
	case keyspace.Set, keyspace.SortedSet:
		return "member"
	case keyspace.Hash:
		return "field"
	case keyspace.Stream:
		return "entry"
	}
	return "element"
}

// line is a Change in the form of bruteForce.
func line(c *diff.Change, a, b model) string {
	s := c.Op.String() + " " + keyOf(int(c.DB), string(c.Key))
	if c.Whole {
		return s
	}
	switch c.Kind {
	case diff.Expiry:
		return fmt.Sprintf("%s expiry %d %d", s, c.Old.Expire, c.New.Expire)
	case diff.Type:
		return fmt.Sprintf("%s type %s %s", s, c.Old.Type, c.New.Type)
	}
	name := string(c.Name)
	switch c.Kind {
	case diff.Element:
		name = fmt.Sprintf("%06d", binary.BigEndian.Uint64(c.Name))
	case diff.Entry:
		name = fmt.Sprintf("%06d", binary.BigEndian.Uint64(c.Name))
	case diff.Member: // a long one is known by its start
		for _, m := range []model{a, b} {
			for p := range m[keyOf(int(c.DB), string(c.Key))].parts {
				if len(p) > 512 && strings.HasPrefix(name, p[:512]) && int64(len(p)) == max(c.Old.Size, c.New.Size) {
					name = p
				}
			}
		}
	}
	return fmt.Sprintf("%s %s %q", s, c.Kind, name)
}

func side(snapshot []byte) diff.Side {
	return func() (keyspace.Seq, error) {
		return rdb.NewReader(bytes.NewReader(snapshot), rdb.Options{}).Events(context.Background()), nil
	}
}

// TestBruteForce: on 1,000 pairs of random data sets, written in another order and by
// other versions, what is told is what a comparison of maps finds.
func TestBruteForce(t *testing.T) {
	versions := []rdbwrite.Version{{Magic: "REDIS", Number: 9}, {Magic: "REDIS", Number: 11}, {Magic: "REDIS", Number: 12}, {Magic: "VALKEY", Number: 80}}
	for seed := range uint64(1000) {
		r := random{rand.New(rand.NewPCG(seed, 7))}
		a := r.model()
		b := r.change(a)
		if seed%10 == 0 {
			b = r.model()
		}
		o := diff.Options{Key: []byte("k"), Tmp: t.TempDir()}
		if seed%3 == 0 {
			o.MaxMem = 1 // all is spilled
		}
		var got []string
		stats := diff.NewStats()
		// Versions 9 and others count what was added to a stream differently: one for both.
		v := versions[seed%4]
		w := v
		if v.Number > 9 {
			w = versions[1+r.IntN(3)]
		}
		err := diff.Run(context.Background(), side(r.snapshot(t, a, v)), side(r.snapshot(t, b, w)), o, func(c *diff.Change) error {
			stats.Add(c)
			got = append(got, line(c, a, b))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		want := bruteForce(a, b)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d:\n%s\nwant\n%s", seed, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		count := func(op string) (n int64) {
			for _, l := range want {
				if strings.HasPrefix(l, op) && strings.Count(l, " ") == 2 {
					n++
				}
			}
			return n
		}
		if n := stats.Total(); n.Added != count("added ") || n.Removed != count("removed ") || n.Changed != count("changed ") {
			t.Fatalf("seed %d: %+v", seed, n)
		}
	}
}

// TestInterrupted: the context ends a comparison.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	endless := func() (keyspace.Seq, error) {
		return func(yield func(*keyspace.Event, error) bool) {
			for yield(&keyspace.Event{Kind: keyspace.Slot}, nil) {
			}
		}, nil
	}
	if err := diff.Run(ctx, endless, endless, diff.Options{}, func(*diff.Change) error { return nil }); err == nil {
		t.Error("it came to an end")
	}
}

// A damaged snapshot may have a key more than once: what differs is the same in every
// run, and in both directions.
func TestKeysTwice(t *testing.T) {
	side := func(values ...string) diff.Side {
		data := "REDIS0009\xfe\x00"
		for _, v := range values {
			data += "\x00\x01k" + string(rune(len(v))) + v
		}
		data += "\xff" + strings.Repeat("\x00", 8)
		return func() (keyspace.Seq, error) {
			return rdb.NewReader(strings.NewReader(data), rdb.Options{}).Events(t.Context()), nil
		}
	}
	run := func(a, b diff.Side) (n map[string]int, all string) {
		n = map[string]int{}
		err := diff.Run(t.Context(), a, b, diff.Options{Tmp: t.TempDir(), Keep: 8}, func(c *diff.Change) error {
			n[c.Op.String()]++
			all += fmt.Sprintf("%+v\n", *c)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, all
	}
	a, b := side("one", "two", "six"), side("two", "ten")
	there, want := run(a, b)
	for range 20 {
		if _, got := run(a, b); got != want {
			t.Fatalf("%s\nand\n%s", got, want)
		}
		if back, _ := run(b, a); there["added"] != back["removed"] || there["removed"] != back["added"] || there["changed"] != back["changed"] {
			t.Fatalf("%v there, %v back", there, back)
		}
	}
}

// FuzzRun: a data set does not differ from itself, and from another by as much in one
// direction as in the other.
func FuzzRun(f *testing.F) {
	for seed := range uint64(5) {
		r := random{rand.New(rand.NewPCG(seed, 8))}
		a := r.model()
		f.Add(r.snapshot(f, a, rdbwrite.Version{Magic: "REDIS", Number: 11}), r.snapshot(f, r.change(a), rdbwrite.Version{Magic: "VALKEY", Number: 80}))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		damaged := func(data []byte) diff.Side {
			return func() (keyspace.Seq, error) {
				return rdb.NewReader(bytes.NewReader(data), rdb.Options{Resync: true, Size: int64(len(data))}).Events(context.Background()), nil
			}
		}
		run := func(a, b []byte) map[string]int {
			n := map[string]int{}
			err := diff.Run(context.Background(), damaged(a), damaged(b), diff.Options{Tmp: t.TempDir()}, func(c *diff.Change) error {
				n[c.Op.String()]++
				return nil
			})
			if err != nil {
				t.Skip()
			}
			return n
		}
		if n := run(a, a); len(n) > 0 {
			t.Errorf("it differs from itself: %v", n)
		}
		there, back := run(a, b), run(b, a)
		if there["added"] != back["removed"] || there["removed"] != back["added"] || there["changed"] != back["changed"] {
			t.Errorf("%v there, %v back", there, back)
		}
	})
}
