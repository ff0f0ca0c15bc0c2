package salvage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// harnessKeys is how many keys a file of the harness has.
const harnessKeys = 20_000

// VALKEYFS_HARNESS is how many seeds a row of the harness gets; `make harness` sets it.
const harnessEnv = "VALKEYFS_HARNESS"

// memory is a file held in memory.
type memory struct {
	p   []byte
	log bool
}

func (m memory) Name() string { return "memory" }

func (m memory) Logical() (io.ReadCloser, error) {
	return io.NopCloser(rdb.Logical(bytes.NewReader(m.p))), nil
}

func (m memory) Raw(ctx context.Context) keyspace.Seq { return m.Events(ctx) }

func (m memory) AsDamage(err error) *keyspace.Event { return source.AsDamage(err) }

func (m memory) Events(ctx context.Context) keyspace.Seq {
	reopen := func(at int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(m.p[at:])), nil }
	if m.log {
		return aof.NewReader(bytes.NewReader(m.p), aof.Options{Resync: true, Size: int64(len(m.p)), Reopen: reopen}).Events(ctx)
	}
	return rdb.NewReader(bytes.NewReader(m.p), rdb.Options{Resync: true, Size: int64(len(m.p)), Reopen: reopen}).Events(ctx)
}

// harm damages a copy of a file. It returns that, the ranges of it that hold a
// damaged byte, and how far what is not damaged has moved to the front.
type harm struct {
	name string
	do   func(r *rand.Rand, p []byte) (hurt []byte, holes []span, shift int64)
}

// holes damages n blocks of a size where chance has it.
func holes(n, size int, fill func(r *rand.Rand, p []byte)) func(*rand.Rand, []byte) ([]byte, []span, int64) {
	return func(r *rand.Rand, p []byte) ([]byte, []span, int64) {
		var h []span
		for range n {
			at := place(r, p, size)
			fill(r, p[at:at+size])
			h = append(h, span{int64(at), int64(at + size)})
		}
		return p, h, 0
	}
}

// place chooses where a block begins: not in the header, which makes a row of its own.
func place(r *rand.Rand, p []byte, size int) int {
	return headerSize + r.IntN(len(p)-2*headerSize-size)
}

func noise(r *rand.Rand, p []byte) {
	for i := range p {
		p[i] = byte(r.Uint32())
	}
}

func zeros(_ *rand.Rand, p []byte) { clear(p) }

var harms = []harm{
	{"10 flipped bits", holes(10, 1, func(r *rand.Rand, p []byte) { p[0] ^= 1 << r.IntN(8) })},
	{"4 KiB zeros × 10", holes(10, 4096, zeros)},
	{"4 KiB random × 10", holes(10, 4096, noise)},
	{"64 KiB zeros × 3", holes(3, 65536, zeros)},
	{"cut anywhere", func(r *rand.Rand, p []byte) ([]byte, []span, int64) {
		at := place(r, p, 0)
		return p[:at], []span{{int64(at), int64(len(p))}}, 0
	}},
	{"first 1 to 256 KiB lost", func(r *rand.Rand, p []byte) ([]byte, []span, int64) {
		n := 1024 + r.IntN(255*1024)
		return p[n:], []span{{-int64(n), 0}}, int64(n)
	}},
	{"64 KiB swapped × 2", func(r *rand.Rand, p []byte) ([]byte, []span, int64) {
		var h []span
		for range 2 {
			const size = 65536
			half := len(p) / 2
			a, b := place(r, p[:half], size), half+place(r, p[half:], size)
			block := bytes.Clone(p[a : a+size])
			copy(p[a:], p[b:b+size])
			copy(p[b:], block)
			h = append(h, span{int64(a), int64(a + size)}, span{int64(b), int64(b + size)})
		}
		return p, h, 0
	}},
	{"64 KiB duplicated × 2", func(r *rand.Rand, p []byte) ([]byte, []span, int64) {
		var h []span
		for range 2 {
			const size = 65536
			half := len(p) / 2
			a, b := place(r, p[:half], size), half+place(r, p[half:], size)
			copy(p[b:], p[a:a+size])
			h = append(h, span{int64(b), int64(b + size)})
		}
		return p, h, 0
	}},
}

func meetsAny(s span, of []span) bool {
	return slices.ContainsFunc(of, s.meets)
}

// entry is a key's record or a command.
type entry struct {
	span
	db       int32
	presumed bool   // it is
	key      string // of a command all of its arguments
	name     string // of a command the key that it names
}

// seeds is how many runs a row gets.
func seeds(t *testing.T) uint64 {
	n, err := strconv.ParseUint(os.Getenv(harnessEnv), 10, 16)
	if err != nil {
		return 1
	}
	return n
}

// entries are the records of a file that m says are whole.
func entries(t *testing.T, f memory, m *Map) (all []entry) {
	t.Helper()
	s := &sieve{m: m}
	want := keyspace.KeyEnd
	if f.log {
		want = keyspace.Command
	}
	for e, err := range s.events(f.Events(t.Context())) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != want {
			continue
		}
		if c, in := s.p.at(e.Record); in && c.why != twice && c.why != unbalanced {
			continue
		}
		x := entry{span: span{e.Record, e.Record + e.Length}, db: e.DB, presumed: e.Presumed, key: string(e.Key)}
		if f.log {
			x.key = string(bytes.Join(e.Args, []byte(" ")))
			if len(e.Args) > 2 {
				x.name = string(e.Args[1])
			}
		}
		all = append(all, x)
	}
	return all
}

// score is what came of the runs of a row.
type score struct {
	undamaged, found int
	phantoms         int // records without a damaged byte that never were
	elsewhere        int // keys found whole, presumed in the wrong database: what selects theirs was lost
	claimed          int // and not said to be presumed
	bare             int // keys found whole whose expiry was damaged, and is lost
	wrong            int // keys of which a server that loads the clean file has another value
	missing          int // or none
	foreign          int // keys that a server that loads the clean file has, and never were
	runs             int
}

func (s *score) String() string {
	return fmt.Sprintf("%8.4f %% of %d, %.2f phantoms a run; %d in the wrong database, %d without expiry; loaded: %d wrong, %d missing, %d foreign",
		100*float64(s.found)/float64(s.undamaged), s.undamaged, float64(s.phantoms)/float64(s.runs), s.elsewhere, s.bare, s.wrong, s.missing, s.foreign)
}

// run damages a file and salvages it.
func (s *score) run(t *testing.T, f memory, truth []entry, h harm, seed uint64) (clean []byte, undamaged []entry) {
	t.Helper()
	hurt, where, shift := h.do(rand.New(rand.NewPCG(seed, 99)), bytes.Clone(f.p))
	got := memory{hurt, f.log}
	var out bytes.Buffer
	m, _, err := Run(t.Context(), got, Options{Clean: &out, Tmp: t.TempDir()})
	if err != nil {
		t.Fatalf("%s, seed %d: %v", h.name, seed, err)
	}
	if m.Intact() && m.Torn == 0 {
		t.Errorf("%s, seed %d: no damage was found", h.name, seed)
	}
	s.runs++
	at, ends := map[span]entry{}, map[int64]entry{}
	for _, x := range truth {
		x.from, x.to = x.from-shift, x.to-shift
		ends[x.to] = x
		if !meetsAny(x.span, where) {
			at[x.span] = x
		}
	}
	s.undamaged += len(at)
	for _, x := range entries(t, got, m) {
		y, ok := at[x.span]
		switch {
		case ok && x.key == y.key:
			s.found++
			if x.db != y.db {
				s.elsewhere++
				if !x.presumed && !f.log {
					s.claimed++
					t.Logf("%s, seed %d: %.60q of database %d is said to be in %d", h.name, seed, x.key, y.db, x.db)
				}
				y.db = x.db
			}
			undamaged = append(undamaged, y)
			delete(at, x.span)
		case meetsAny(x.span, where):
		case ends[x.to].key == x.key && ends[x.to].from < x.from && meetsAny(ends[x.to].span, where):
			s.bare++
		default:
			s.phantoms++
			t.Logf("%s, seed %d: phantom %d to %d %.60q", h.name, seed, x.from, x.to, x.key)
		}
	}
	if testing.Verbose() {
		for _, x := range at {
			t.Logf("%s, seed %d: lost %d to %d", h.name, seed, x.from, x.to)
		}
	}
	return out.Bytes(), undamaged
}

// digests returns DEBUG DIGEST-VALUE of all keys by database and key.
func digests(t *testing.T, i *servertest.Instance) map[entry]string {
	t.Helper()
	all := map[entry]string{}
	for _, db := range []int32{0, 3, 11} {
		i.Must(t, "SELECT", fmt.Sprint(db))
		keys := i.Must(t, "KEYS", "*").([]any)
		for some := range slices.Chunk(keys, 500) {
			args := []string{"DEBUG", "DIGEST-VALUE"}
			for _, k := range some {
				args = append(args, k.(string))
			}
			for n, d := range i.Must(t, args...).([]any) {
				all[entry{db: db, key: some[n].(string)}] = d.(string)
			}
		}
	}
	return all
}

// TestHarnessSnapshot: what is undamaged of a damaged snapshot of a real server is
// found, hardly anything else, and a server of the same kind loads it.
func TestHarnessSnapshot(t *testing.T) {
	for _, name := range []string{"redis-6.0", "redis-7.0", "redis-8", "valkey-8.0", "valkey-9"} {
		if only := os.Getenv("VALKEYFS_ONLY"); only != "" && only != name {
			continue
		}
		if os.Getenv(harnessEnv) == "" && !slices.Contains(servertest.Required, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := servertest.Find(t, name)
			origin := s.Start(t, "")
			fixtures.Keys(t, origin, harnessKeys, 1)
			origin.Must(t, "SAVE")
			values := digests(t, origin)
			p, err := os.ReadFile(filepath.Join(origin.Dir, "dump.rdb"))
			if err != nil {
				t.Fatal(err)
			}
			f := memory{p: p}
			m, _, err := Run(t.Context(), f, Options{})
			if err != nil {
				t.Fatal(err)
			}
			truth := entries(t, f, m)
			if len(truth) != harnessKeys || m.Keys.Intact != harnessKeys {
				t.Fatalf("%d keys, %+v", len(truth), m.Keys)
			}
			for _, h := range harms {
				var sc score
				for seed := range seeds(t) {
					clean, undamaged := sc.run(t, f, truth, h, seed)
					load(t, s, "dump.rdb", clean, values, undamaged, &sc)
				}
				t.Logf("%-24s %s", h.name, &sc)
				if float64(sc.found) < 0.999*float64(sc.undamaged) || 2*sc.phantoms > max(sc.runs, 4) || sc.wrong+sc.missing+sc.claimed > 0 {
					t.Errorf("%s: %s", h.name, &sc)
				}
			}
		})
	}
}

// load has a server load a clean file, and compares what it has.
func load(t *testing.T, s servertest.Server, name string, clean []byte, values map[entry]string, undamaged []entry, sc *score, config ...string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), clean, 0o600); err != nil {
		t.Fatal(err)
	}
	i := s.Start(t, dir, config...)
	got := digests(t, i)
	i.Stop(t)
	real := map[string]map[string]bool{} // digests by key, in whichever database
	for k, d := range values {
		if real[k.key] == nil {
			real[k.key] = map[string]bool{}
		}
		real[k.key][d] = true
	}
	for _, x := range undamaged {
		d, ok := got[entry{db: x.db, key: x.key}]
		switch {
		case !ok:
			sc.missing++
		case !real[x.key][d]:
			sc.wrong++
		}
	}
	for k := range got {
		if real[k.key] == nil {
			sc.foreign++
		}
	}
}

// TestHarnessLog: the same of an append-only file.
func TestHarnessLog(t *testing.T) {
	for _, name := range []string{"redis-6.0", "redis-7.0", "redis-8", "valkey-8.0", "valkey-9"} {
		if os.Getenv(harnessEnv) == "" && !slices.Contains(servertest.Required, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := servertest.Find(t, name)
			config := []string{"--appendonly", "yes", "--auto-aof-rewrite-percentage", "0", "--appendfsync", "no"}
			origin := s.Start(t, "", config...)
			fixtures.Keys(t, origin, harnessKeys, 1)
			values := digests(t, origin)
			origin.Stop(t)
			path := "appendonly.aof"
			if s.Major() >= 7 {
				path = "appendonlydir/appendonly.aof.1.incr.aof"
			}
			p, err := os.ReadFile(filepath.Join(origin.Dir, path))
			if err != nil {
				t.Fatal(err)
			}
			f := memory{p: p, log: true}
			m, _, err := Run(t.Context(), f, Options{})
			if err != nil {
				t.Fatal(err)
			}
			truth := entries(t, f, m)
			if uint64(len(truth)) != m.Commands || len(truth) < harnessKeys || !m.Intact() {
				t.Fatalf("%d commands, %d counted, %d places of damage", len(truth), m.Commands, m.Damages)
			}
			for _, h := range harms {
				var sc score
				for seed := range seeds(t) {
					clean, commands := sc.run(t, f, truth, h, seed)
					// What a key holds is known if all of its commands are undamaged, and none of a SELECT.
					load(t, s, "appendonly.aof", clean, values, whole(commands, truth), &sc, config...)
				}
				t.Logf("%-24s %s", h.name, &sc)
				if sc.found < sc.undamaged || 2*sc.phantoms > max(sc.runs, 4) || sc.wrong+sc.missing+sc.claimed > 0 {
					t.Errorf("%s: %s", h.name, &sc)
				}
			}
		})
	}
}

// whole returns the keys all of whose commands were found.
func whole(found, truth []entry) (keys []entry) {
	count, db := map[string]int{}, map[string]int32{}
	for _, x := range truth {
		count[x.name]++
	}
	for _, x := range found {
		count[x.name]--
		db[x.name] = x.db
	}
	for name, db := range db {
		if name != "" && count[name] == 0 {
			keys = append(keys, entry{db: db, key: name})
		}
	}
	return keys
}
