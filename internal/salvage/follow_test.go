package salvage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// TestShortWay: a key that needs no more than follow does for it is counted as event
// counts it: the map is that of a survey in which names are compared, which takes each
// event the long way.
func TestShortWay(t *testing.T) {
	harms := []harm{
		{"flipped bits", holes(12, 1, func(r *rand.Rand, p []byte) { p[0] ^= 1 << r.IntN(8) })},
		{"noise", holes(2, 40, noise)},
		{"zeros", holes(2, 300, zeros)},
		{"header lost", func(r *rand.Rand, p []byte) ([]byte, []span, int64) { return p[10+r.IntN(1000):], nil, 0 }},
		{"moved", func(r *rand.Rand, p []byte) ([]byte, []span, int64) {
			a, b := place(r, p, 900), place(r, p, 900)
			copy(p[a:a+900], bytes.Clone(p[b:b+900]))
			return p, nil, 0
		}},
	}
	files := map[string]memory{}
	names, err := filepath.Glob(filepath.Join(dumps, "*.rdb"))
	if err != nil || len(names) == 0 {
		t.Fatal("no snapshots", err)
	}
	for _, name := range names {
		files[name] = memory{p: dump(t, filepath.Base(name))}
	}
	log := "../aof/redis-6.0/appendonly.aof"
	files[log] = memory{p: dump(t, log), log: true}
	for name, f := range files {
		for i, h := range harms {
			for seed := range uint64(10) {
				hurt, _, _ := h.do(rand.New(rand.NewPCG(seed, uint64(i))), bytes.Clone(f.p))
				sameMaps(t, fmt.Sprintf("%s, %s, seed %d", name, h.name, seed), memory{p: hurt, log: f.log})
			}
		}
		if !f.log {
			rightTypes(t, name, f)
		}
	}
}

// sameMaps compares the maps that follow and event make of a file.
func sameMaps(t *testing.T, name string, f Source) {
	t.Helper()
	short, _, err := Run(t.Context(), f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	long, err := thorough(t.Context(), f, Options{Tmp: t.TempDir(), MaxMem: defaultMem})
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(long.Damage, func(d *report.Damage) bool { return strings.HasPrefix(d.What, "function library: its text") }) {
		return // which is looked at where it must not go into a clean file
	}
	if a, b := inWords(t, short), inWords(t, long); a != b {
		t.Fatalf("%s:\n%s\n%s", name, a, b)
	}
}

// rightTypes compares the numbers of keys of an intact snapshot with its events.
func rightTypes(t *testing.T, name string, f Source) {
	t.Helper()
	m, _, err := Run(t.Context(), f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	types := map[typeKey]uint64{}
	for e := range f.Events(t.Context()) {
		if e.Kind == keyspace.KeyEnd {
			types[typeKey{e.DB, e.Type}]++
		}
	}
	for _, c := range m.Types {
		for k, n := range types {
			if k.db == c.DB && k.typ.String() == c.Name && n == c.Keys {
				delete(types, k)
			}
		}
	}
	if len(types) > 0 {
		t.Errorf("%s: not counted as it should be: %v, but %v", name, types, m.Types)
	}
}

// inWords is a map with what of it no report says: cuts are other ones where names are
// compared, and elements, but not where databases are selected.
func inWords(t *testing.T, m *Map) string {
	t.Helper()
	p, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	out := string(p)
	for _, p := range m.Parts {
		out += fmt.Sprintln("\n", p.version, p.log, slices.Sorted(maps.Keys(p.superseded)))
		for _, c := range p.cuts {
			if c.why == selected {
				out += fmt.Sprintln(c)
			}
		}
	}
	return out
}

// gappy is a file that the medium did not deliver in one place.
type gappy struct {
	memory
	gap span
}

func (s gappy) Raw(ctx context.Context) keyspace.Seq { return s.Events(ctx) }

func (s gappy) Events(ctx context.Context) keyspace.Seq {
	head, rest := s.p[:11], s.p[11:] // the gap is told of before the second key
	return rdb.NewReader(io.MultiReader(bytes.NewReader(head), &block{rest, s.gap}), rdb.Options{Resync: true}).Events(ctx)
}

// block is what one read delivers, with a gap in it.
type block struct {
	p   []byte
	gap span
}

func (b *block) Read(p []byte) (int, error) {
	if len(b.p) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.p)
	b.p = b.p[n:]
	return n, &keyspace.GapError{Offset: b.gap.from, Length: b.gap.to - b.gap.from, Err: io.ErrUnexpectedEOF}
}

// TestShortWayGap: a key in whose value zeros stand for what could not be read is partial.
func TestShortWayGap(t *testing.T) {
	p := []byte("REDIS0011\xfe\x00\x00\x01a\x01b\x00\x01c\x14")
	gap := span{int64(len(p)) + 4, int64(len(p)) + 8}
	p = append(p, "abcd\x00\x00\x00\x00efghijklmnop\x00\x01d\x01e\xff\x00\x00\x00\x00\x00\x00\x00\x00"...)
	f := gappy{memory{p: p}, gap}
	m, _, err := Run(t.Context(), f, Options{})
	if err != nil || m.Keys != (Counts{Unverified: 2, Partial: 1}) {
		t.Errorf("%+v, %v", m, err)
	}
	sameMaps(t, "a gap", f)
}

// synthetic is a file of which there are events alone.
type synthetic struct {
	memory
	events keyspace.Seq
}

func (s synthetic) Raw(context.Context) keyspace.Seq { return s.events }

// TestShortWayRejoins: where a way through damage comes upon records that were taken back,
// those that it leads over never were, and those that it passes over are there again.
func TestShortWayRejoins(t *testing.T) {
	e := keyspace.Event{Type: keyspace.String, Encoding: keyspace.Raw, Expire: keyspace.NoExpire, Pos: keyspace.Pos{Inner: -1}}
	events := func(yield func(*keyspace.Event, error) bool) {
		step := func(k keyspace.Kind, at, length int64) bool {
			e.Kind, e.Record, e.Pos.Offset, e.Length = k, at, at, length
			return yield(&e, nil)
		}
		key := func(from, to int64) bool {
			return step(keyspace.Key, from, 1) && step(keyspace.Element, from, 1) && step(keyspace.KeyEnd, from, to-from)
		}
		if step(keyspace.Header, 0, headerSize) && key(10, 20) && key(20, 30) && key(30, 40) {
			e.Err = &keyspace.FormatError{What: "key", Err: keyspace.ErrCorrupt}
			_ = step(keyspace.Damage, 10, 5) && key(15, 25) && key(40, 50) && step(keyspace.End, 51, 51)
		}
	}
	s := &survey{m: &Map{}}
	if err := s.run(t.Context(), synthetic{events: events}); err != nil {
		t.Fatal(err)
	}
	if never := s.m.Parts[0].superseded; s.m.Keys != (Counts{Unverified: 3}) || fmt.Sprint(never) != "map[20:{}]" {
		t.Errorf("%+v; never were: %v", s.m.Keys, never)
	}
}

// TestShortWayOfEmpty: a collection without elements is refused, whatever stands beside it.
func TestShortWayOfEmpty(t *testing.T) {
	p := []byte("REDIS0011\xfe\x00\x00\x01a\x01b\x02\x01s\x00\x00\x01c\x01d\xff\x00\x00\x00\x00\x00\x00\x00\x00")
	s := &survey{m: &Map{}}
	if err := s.run(t.Context(), memory{p: p}); err != nil {
		t.Fatal(err)
	}
	var why []reason
	for _, c := range s.m.Parts[0].cuts {
		why = append(why, c.why)
	}
	if fmt.Sprint(why) != fmt.Sprint([]reason{selected, refused}) || s.m.Keys.Unverified != 3 {
		t.Errorf("cut for %v, %+v", why, s.m.Keys)
	}
}

// ending is a file whose reading ends with an error.
type ending struct {
	memory
	damage, err error // what the last event says, and what comes behind it
}

func (s ending) Raw(ctx context.Context) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for e := range s.Events(ctx) {
			if e.Kind == keyspace.End {
				break
			}
			if !yield(e, nil) {
				return
			}
		}
		if s.damage != nil && !yield(&keyspace.Event{Kind: keyspace.Damage, Pos: keyspace.Pos{Offset: 20, Inner: -1}, Err: s.damage}, nil) {
			return
		}
		yield(nil, s.err)
	}
}

// TestEnding: an error that says of damage is damage, once; another ends the work.
func TestEnding(t *testing.T) {
	f := memory{p: []byte("REDIS0011\xfe\x00\x00\x01a\x01b\xff\x00\x00\x00\x00\x00\x00\x00\x00")}
	damage := func() error {
		return &keyspace.FormatError{Pos: keyspace.Pos{Offset: 20, Inner: -1}, What: "key", Err: keyspace.ErrTruncated}
	}
	same := damage()
	broken := errors.New("no room")
	for name, c := range map[string]struct {
		damage, err error
		places      uint64
	}{
		"of damage":              {nil, damage(), 1},
		"of what was said":       {same, same, 1},
		"of more":                {damage(), damage(), 2},
		"of the work":            {nil, broken, 0},
		"of the work, afterward": {damage(), broken, 0},
	} {
		if source.AsDamage(damage()) == nil {
			t.Fatal("it is no damage")
		}
		m, _, err := Run(t.Context(), ending{f, c.damage, c.err}, Options{})
		if c.places == 0 {
			if err != broken {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || m.Damages != c.places {
			t.Errorf("%s: %v, %+v", name, err, m)
		}
	}
}

// TestSurveyAllocs: no key allocates, nor does what is kept back.
func TestSurveyAllocs(t *testing.T) {
	few, many := surveyed(t, recentMax), surveyed(t, 20*recentMax)
	if many > few+20 { // of other goroutines
		t.Errorf("%v allocations for %d keys, %v for %d", many, 20*recentMax, few, recentMax)
	}
}

func surveyed(t *testing.T, keys int64) float64 {
	return testing.AllocsPerRun(3, func() {
		s := &survey{m: &Map{}}
		if err := s.run(t.Context(), synthetic{events: plainKeys(keys)}); err != nil || s.m.Keys.Intact != uint64(keys) {
			t.Fatal(err, s.m.Keys)
		}
	})
}
