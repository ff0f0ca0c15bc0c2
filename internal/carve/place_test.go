package carve

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// beginning is bytes with which something begins.
type beginning struct {
	name  string
	bytes []byte
	what  hit
}

// beginningsOf are all that a finder looks for: of records, one of each type that is in
// servers' snapshots, with all that may stand before it.
func beginningsOf(t *testing.T) []beginning {
	t.Helper()
	all := []beginning{
		{"snapshot", dump(t, "redis-7.0.rdb")[:1000], hitSnapshot},
		{"snapshot of Valkey", dump(t, "valkey-9.rdb")[:1000], hitSnapshot},
		{"envelope", append([]byte("VCS\x01\x01\x00\x01\x04\x22\x4d\x18"), make([]byte, 20)...), hitSnapshot},
		{"commands", log(2), hitCommands},
		{"listpack", listpackOf("session", "alice"), hitListpack},
		{"long listpack", listpackOf(slices.Repeat([]string{"a longer element"}, 40)...), hitListpack},
		{"gzip", packedBy(log(2)), hitGzip},
		{"zstd", zstdBy(t, log(2)), hitZstd},
	}
	for _, begin := range []string{"a", "~", "\n", "\r", "\t", "\u00e9", "\u4e2d", "\U0001f600"} {
		for _, n := range []int{leastString, 250, 300} {
			text := begin + strings.Repeat("\u043f\u0430\u0440\u043e\u043b\u044c", n)
			all = append(all, beginning{fmt.Sprintf("string of %d bytes that begins with %q", n, begin), sdsOf(text[:len(begin)+n]), hitString})
		}
	}
	names, err := filepath.Glob("../../testdata/dumps/*.rdb")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	seen := map[byte]bool{}
	for _, name := range names {
		whole := dump(t, filepath.Base(name))
		for e, err := range rdb.NewReader(bytes.NewReader(whole), rdb.Options{}).Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind != keyspace.KeyEnd {
				continue
			}
			record := unprefixed(whole[e.Record : e.Record+e.Length])
			if typ := record[0]; !seen[typ] {
				begins := recordBeginnings(record)
				seen[typ] = len(begins) == len(prefixes)
				all = append(all, begins...)
			}
		}
	}
	for _, typ := range []byte{0, 2, 4, 5, 7, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 25} {
		if !seen[typ] {
			t.Errorf("no record of type %d begins a chain with all that may stand before it", typ)
		}
	}
	return all
}

// unprefixed is a key's record from its type on.
func unprefixed(b []byte) []byte {
	for {
		switch {
		case b[0] == 0xfc:
			b = b[9:]
		case b[0] == 0xf9 || b[0] == 0xf8 && b[1] < 64:
			b = b[2:]
		case b[0] == 0xf8:
			b = b[3:]
		default:
			return b
		}
	}
}

// Prefixes of records, as a server wrote them.
const (
	expiry   = "\xfc\x00\xd8\xc3\x74\xaa\x01\x00\x00"
	freq     = "\xf9\x05"
	idle     = "\xf8\x02"
	longIdle = "\xf8\x41\x02"
	database = "\xfe\x03\xfb\x10\x02"
)

// prefixes are all that may stand before a record, and the age that others have, then.
var prefixes = []struct{ first, age string }{
	{"", ""}, {expiry, ""}, {freq, freq}, {idle, idle}, {longIdle, longIdle}, {expiry + freq, freq}, {expiry + longIdle, longIdle},
	{database, ""}, {database + expiry, ""},
}

// recordBeginnings are those of chains that begin with a record behind each of prefixes.
func recordBeginnings(record []byte) (all []beginning) {
	probe := rdb.NewProber()
	for _, prefix := range prefixes {
		b := slices.Concat([]byte(prefix.first), record)
		for i := range 8 {
			key := fmt.Sprint("user:", i*i)
			lp := listpackOf("name", key)
			b = slices.Concat(b, []byte(prefix.age), []byte{16, byte(len(key))}, []byte(key), []byte{byte(len(lp))}, lp)
		}
		probe.Reset()
		if !probe.At(b, 0) {
			continue
		}
		what := hitFragment
		if probe.Magic() == "VALKEY" {
			what = hitForked
		}
		all = append(all, beginning{fmt.Sprintf("record of type %d behind % x", record[0], prefix.first), b, what})
	}
	return all
}

func zstdBy(t *testing.T, p []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll(p, nil)
}

// checkPlaces holds a finder to finding what begins at each place of the first word of a
// block and around the seam to the next, with nothing behind it or much, if it begins
// before the seam of two windows.
func checkPlaces(t *testing.T) {
	t.Helper()
	step := 1
	if testing.Short() {
		step = 7
	}
	f := newFinder()
	for _, x := range beginningsOf(t) {
		for i := 0; i < 128; i += step {
			at := i
			if i >= 64 {
				at += block - 124
			}
			for _, behind := range []int{0, 2 * rdb.SieveAhead} {
				b := slices.Concat(bytes.Repeat([]byte{0xaa}, at), x.bytes, bytes.Repeat([]byte{0xaa}, behind))
				for _, seam := range []int{at, at + 1, len(b)} {
					if h, ok := f.next(b, 0, seam); ok != (at < seam) || ok && h != (found{at, x.what}) {
						t.Fatalf("%s at %d of %d bytes, a seam at %d: %v, %+v", x.name, at, len(b), seam, ok, h)
					}
				}
			}
		}
	}
}

// TestPlaces: what begins somewhere is found, wherever that is.
func TestPlaces(t *testing.T) { checkPlaces(t) }
