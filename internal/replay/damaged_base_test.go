package replay

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

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// damages are ways in which a base is damaged.
var damages = map[string]func(b []byte, r *rand.Rand) []byte{
	"flipped bits": func(b []byte, r *rand.Rand) []byte {
		for range 1 + r.IntN(5) {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		return b
	},
	"other bytes": func(b []byte, r *rand.Rand) []byte {
		for range 1 + r.IntN(20) {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
		return b
	},
	"zeros": func(b []byte, r *rand.Rand) []byte {
		at := r.IntN(len(b))
		clear(b[at:min(at+1+r.IntN(500), len(b))])
		return b
	},
	"a piece copied over another": func(b []byte, r *rand.Rand) []byte {
		n := min(1+r.IntN(4000), len(b)/2)
		copy(b[r.IntN(len(b)-n):], bytes.Clone(b[r.IntN(len(b)-n):][:n]))
		return b
	},
	"a piece lost": func(b []byte, r *rand.Rand) []byte {
		at := r.IntN(len(b))
		return slices.Delete(b, at, min(at+1+r.IntN(300), len(b)))
	},
	"the end lost": func(b []byte, r *rand.Rand) []byte { return b[:len(b)-r.IntN(len(b)/2)] },
}

// commandsOn writes commands that name some keys of a snapshot, and one that it has not.
func commandsOn(t *testing.T, base []byte) (commands []byte) {
	t.Helper()
	say := func(words ...string) {
		commands = fmt.Appendf(commands, "*%d\r\n", len(words))
		for _, w := range words {
			commands = fmt.Appendf(commands, "$%d\r\n%s\r\n", len(w), w)
		}
	}
	n, db := 0, int32(-1)
	for e, err := range rdb.NewReader(bytes.NewReader(base), rdb.Options{}).Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != keyspace.Key {
			continue
		}
		if db != e.DB {
			db = e.DB
			say("SELECT", strconv.Itoa(int(db)))
		}
		switch n++; n % 7 {
		case 1:
			say("DEL", string(e.Key))
		case 4:
			say("SET", string(e.Key), "new")
		}
	}
	say("SET", "none of the base", "v")
	return commands
}

// A base that is damaged is read alike however much memory there is, and no key of it is
// there twice.
func TestDamagedBaseInParts(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/dumps/*.rdb")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		base, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		commands := commandsOn(t, base)
		for name, damage := range damages {
			for seed := range uint64(damagedSeeds) {
				r := rand.New(rand.NewPCG(seed, uint64(len(base))))
				b := bytes.Clone(base)
				if r.IntN(2) == 0 { // no checksum
					clear(b[len(b)-8:])
				}
				b = damage(b, r)
				sameInParts(t, writeLog(t, b, commands, r.IntN(2) == 0), fmt.Sprintf("%s, %s, seed %d", filepath.Base(path), name, seed))
			}
		}
	}
}

// damagedSeeds is how often each snapshot is damaged in each way.
const damagedSeeds = 2

// writeLog writes a log with a base, in a file of its own or in front of the commands, and
// returns its path.
func writeLog(t *testing.T, base, commands []byte, apart bool) (path string) {
	t.Helper()
	files := map[string][]byte{"appendonly.aof": slices.Concat(base, commands)}
	if apart {
		files = map[string][]byte{"1.base.rdb": base, "1.incr.aof": commands,
			"appendonly.aof.manifest": []byte("file 1.base.rdb seq 1 type b\nfile 1.incr.aof seq 1 type i\n")}
	}
	dir := t.TempDir()
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if path == "" || strings.HasSuffix(name, "manifest") {
			path = filepath.Join(dir, name)
		}
	}
	return path
}

func sameInParts(t *testing.T, path, what string) {
	t.Helper()
	var tried [2]struct{ keys, changes, gone []string }
	for i, maxMem := range []int64{1 << 25, 1} {
		o := Options{MaxMem: maxMem, Tmp: t.TempDir()}
		got := &tried[i]
		got.keys = stateKeys(t, path, o)
		got.changes = strings.Split(historyText(t, path, o), "\n")
		o.Tombstones, o.Lengths = true, true
		got.gone = strings.Split(historyText(t, path, o), "\n")
	}
	if !slices.Equal(tried[0].keys, tried[1].keys) {
		t.Errorf("%s: %d keys in one part, %d in many, or others", what, len(tried[0].keys), len(tried[1].keys))
	}
	if !slices.Equal(tried[0].changes, tried[1].changes) {
		t.Errorf("%s: %d changes in one part, %d in many, or others", what, len(tried[0].changes), len(tried[1].changes))
	}
	if !slices.Equal(tried[0].gone, tried[1].gone) {
		t.Errorf("%s: %d tombstones in one part, %d in many, or others", what, len(tried[0].gone), len(tried[1].gone))
	}
}
