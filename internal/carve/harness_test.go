package carve

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// harnessEnv is how many images each server gets; `make harness` sets it.
const harnessEnv = "VALKEYFS_HARNESS"

// harnessKeepEnv is the directory in which pieces are kept of which records were missed.
const harnessKeepEnv = "VALKEYFS_HARNESS_KEEP"

const (
	harnessKeys  = 20_000
	fragmentSize = 64 << 10
	fragments    = 40 // in an image
	cluster      = 4096
)

// surroundings are what fragments lie in: programs, source code and noise.
func surroundings(t *testing.T, r *rand.Rand) [][]byte {
	t.Helper()
	all := [][]byte{program(t)[:8<<20]}
	if p, err := os.ReadFile(filepath.Join(runtimeRoot(t), "bin", "go")); err == nil {
		all = append(all, p[:8<<20])
	}
	var source bytes.Buffer
	for _, dir := range []string{"../../rdb", "../../scan", "../../aof", "../report"} {
		names, _ := filepath.Glob(filepath.Join(dir, "*.go"))
		for _, name := range names {
			p, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(p)
		}
	}
	return append(all, source.Bytes(), noise(r, 8<<20))
}

func runtimeRoot(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("GOROOT"), "/usr/local/go", "/usr/lib/go"} {
		if _, err := os.Stat(filepath.Join(dir, "bin", "go")); dir != "" && err == nil {
			return dir
		}
	}
	return ""
}

// placed is where something lies in a file: a record, of some type, or a piece.
type placed struct {
	from, to int64
	typ      string
}

// TestHarnessFragments: of pieces of 64 KiB of a real server's snapshot, between
// programs, source code and noise, the records that are whole are found, and
// hardly anything else.
func TestHarnessFragments(t *testing.T) {
	images, err := strconv.Atoi(os.Getenv(harnessEnv))
	if err != nil {
		images = 1
	}
	for _, name := range []string{"redis-6.0", "redis-7.0", "redis-8", "valkey-8.0", "valkey-9"} {
		if os.Getenv(harnessEnv) == "" && !slices.Contains(servertest.Required, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			i := servertest.Find(t, name).Start(t, "")
			fixtures.Keys(t, i, harnessKeys, 1)
			i.Must(t, "SAVE")
			snapshot, err := os.ReadFile(filepath.Join(i.Dir, "dump.rdb"))
			if err != nil {
				t.Fatal(err)
			}
			var records []placed
			for e, err := range rdb.NewReader(bytes.NewReader(snapshot), rdb.Options{}).Events(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Kind == keyspace.KeyEnd {
					records = append(records, placed{e.Record, e.Record + e.Length, fmt.Sprint(e.Type, " ", e.Encoding)})
				}
			}
			truth, found, right, missed := 0, 0, 0, 0
			for seed := range uint64(images) {
				img, all := image(t, snapshot, records, seed)
				where := map[int64]int64{}
				for _, f := range all {
					for _, x := range f.records {
						where[x.from] = x.to
					}
				}
				truth += len(where)
				hit := map[int64]bool{}
				pieces, _ := carveAll(t, img, 2)
				for _, p := range pieces {
					if testing.Verbose() {
						t.Logf("seed %d: %s %s %d to %d, %d", seed, p.Kind, p.Format, p.Offset, p.Offset+p.Length, p.Records)
					}
					if p.Kind != Fragment && p.Kind != Head && p.Kind != Snapshot {
						continue
					}
					for e, err := range p.Events(t.Context(), memory{img}, keyspace.Limits{}) {
						if err != nil {
							t.Fatal(err)
						}
						if e.Kind != keyspace.KeyEnd {
							continue
						}
						found++
						if to, ok := where[e.Record]; ok && to == e.Record+e.Length {
							right++
							hit[e.Record] = true
						} else if testing.Verbose() {
							t.Logf("seed %d: %d to %d of the piece %d to %d never was: %s %s %.40q", seed, e.Record, e.Record+e.Length, p.Offset, p.Offset+p.Length, e.Type, e.Encoding, e.Key)
						}
					}
				}
				missed += len(where) - len(hit)
				for _, f := range all {
					if why := f.missed(t, img, pieces, hit); why != "" {
						t.Logf("seed %d: %s", seed, why)
					}
				}
			}
			recall, precision := 1-float64(missed)/float64(truth), float64(right)/float64(found)
			t.Logf("recall %.4f of %d records, precision %.4f of %d found", recall, truth, precision, found)
			least := 0.999
			if images == 1 {
				least = 0.99 // of a few thousand records, a piece that is lost weighs more
			}
			if recall < least || precision < 0.995 {
				t.Errorf("recall %.4f, precision %.4f", recall, precision)
			}
		})
	}
}

// placement is a piece of a snapshot in an image, with the records that are whole in it.
type placement struct {
	placed
	records []placed
}

// image places pieces of a snapshot, at the start of a cluster each.
func image(t *testing.T, snapshot []byte, records []placed, seed uint64) ([]byte, []placement) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	between := surroundings(t, r)
	var img []byte
	var all []placement
	for range fragments {
		b := between[r.IntN(len(between))]
		n := (16 + r.IntN(128)) * cluster
		from := r.IntN(len(b) - n)
		img = append(img, b[from:from+n]...)
		at := int64(len(img))
		cut := int64(headerSize+r.IntN(len(snapshot)-fragmentSize-headerSize)) / cluster * cluster
		img = append(img, snapshot[cut:cut+fragmentSize]...)
		f := placement{placed: placed{from: at, to: at + fragmentSize}}
		for _, x := range records {
			if x.from >= cut && x.to <= cut+fragmentSize {
				f.records = append(f.records, placed{at + x.from - cut, at + x.to - cut, x.typ})
			}
		}
		all = append(all, f)
	}
	return img, all
}

// missed says which records of a piece were not found, and why; "": all were.
func (f placement) missed(t *testing.T, img []byte, pieces []*Piece, hit map[int64]bool) string {
	t.Helper()
	var why []string
	probe := rdb.NewProber()
	for _, x := range f.records {
		if hit[x.from] {
			continue
		}
		reason := "no chain of records begins"
		probe.Reset()
		if probe.At(img, int(x.from)) {
			reason = "one begins that is followed"
			if p, err := fragment(t.Context(), memory{img}, probe, x.from, probe.Magic()); err != nil {
				t.Fatal(err)
			} else if p == nil {
				reason = "one begins that proves too little or swallows another"
			}
		}
		for _, p := range pieces {
			if p.Offset < x.to && x.from < p.Offset+p.Length {
				reason += fmt.Sprintf(", and it lies in the %s %+d to %+d", p.Kind, p.Offset-f.from, p.Offset+p.Length-f.from)
			}
		}
		why = append(why, fmt.Sprintf("  %+d to %+d, %s: %s", x.from-f.from, x.to-f.from, x.typ, reason))
	}
	if len(why) == 0 {
		return ""
	}
	kept := ""
	if dir := os.Getenv(harnessKeepEnv); dir != "" {
		from := max(f.from-fragmentSize, 0)
		kept = filepath.Join(dir, fmt.Sprintf("piece-%d-%d.bin", f.from, f.from-from))
		if err := os.WriteFile(kept, img[from:min(f.to+fragmentSize, int64(len(img)))], 0o600); err != nil {
			t.Fatal(err)
		}
		kept = ", kept with what is around it as " + kept
	}
	return fmt.Sprintf("of the piece at %d, %d bytes, %d of %d records were missed%s:\n%s", f.from, f.to-f.from, len(why), len(f.records), kept, strings.Join(why, "\n"))
}
