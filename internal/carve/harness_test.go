package carve

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// harnessEnv is how many images each server gets; `make harness` sets it.
const harnessEnv = "VALKEYFS_HARNESS"

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

type placed struct{ from, to int64 }

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
					records = append(records, placed{e.Record, e.Record + e.Length})
				}
			}
			truth, found, right, missed := 0, 0, 0, 0
			for seed := range uint64(images) {
				img, where := image(t, snapshot, records, seed)
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
				for from, to := range where {
					if testing.Verbose() && !hit[from] {
						t.Logf("seed %d: missed %d to %d: % x", seed, from, to, img[from:min(to, from+24)])
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

// image places pieces of a snapshot, at the start of a cluster each, and returns
// where the records that are whole in them lie.
func image(t *testing.T, snapshot []byte, records []placed, seed uint64) ([]byte, map[int64]int64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	between := surroundings(t, r)
	var img []byte
	where := map[int64]int64{}
	for range fragments {
		b := between[r.IntN(len(between))]
		n := (16 + r.IntN(128)) * cluster
		from := r.IntN(len(b) - n)
		img = append(img, b[from:from+n]...)
		at := int64(len(img))
		cut := int64(headerSize+r.IntN(len(snapshot)-fragmentSize-headerSize)) / cluster * cluster
		img = append(img, snapshot[cut:cut+fragmentSize]...)
		for _, x := range records {
			if x.from >= cut && x.to <= cut+fragmentSize {
				where[at+x.from-cut] = at + x.to - cut
			}
		}
	}
	return img, where
}
