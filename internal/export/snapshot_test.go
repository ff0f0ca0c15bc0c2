package export_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"

	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// snapshot exports a snapshot as another.
func snapshot(t testing.TB, data []byte, match func(*keyspace.Event) bool) []byte {
	t.Helper()
	var out bytes.Buffer
	seq := rdb.NewReader(bytes.NewReader(data), rdb.Options{Resync: true, Size: int64(len(data)), Want: match}).Events(context.Background())
	o := export.Options{Format: export.RDB, Match: match, Raw: rdb.Logical(bytes.NewReader(data))}
	if err := export.Run(context.Background(), seq, &out, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestSnapshotWhole: with nothing left out, the file is the same, byte for byte.
func TestSnapshotWhole(t *testing.T) {
	names, _ := filepath.Glob("../../testdata/dumps/*.rdb")
	if len(names) == 0 {
		t.Fatal("no snapshots")
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(snapshot(t, data, nil), data) {
			t.Errorf("%s: other bytes", name)
		}
	}
}

// TestSnapshotEnvelope: what lies in a VCS envelope is written without it, whole or in
// part.
func TestSnapshotEnvelope(t *testing.T) {
	data, err := os.ReadFile("../../testdata/dumps/valkey-9.rdb")
	if err != nil {
		t.Fatal(err)
	}
	enveloped := bytes.NewBufferString("VCS\x01\x01\x00\x01")
	w := lz4.NewWriter(enveloped)
	if _, err := w.Write(data); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(snapshot(t, enveloped.Bytes(), nil), data) {
		t.Error("other bytes")
	}
	some := (&export.Filter{Key: regexp.MustCompile("^[hs]")}).Match
	if !bytes.Equal(snapshot(t, enveloped.Bytes(), some), snapshot(t, data, some)) {
		t.Error("another selection")
	}
}

// TestSnapshotFilter: what is left loads, and is what a server has left after it
// deleted the rest.
func TestSnapshotFilter(t *testing.T) {
	filters := map[string]export.Filter{
		"all":     {},
		"expired": {Expired: export.ExpiredNone},
		"db":      {DBs: []int32{1, 9}},
		"key":     {Key: regexp.MustCompile("^(s|hash:|z)")},
		"type":    {Types: []keyspace.Type{keyspace.Hash, keyspace.Stream, keyspace.VectorSet}},
		"none":    {DBs: []int32{7}},
	}
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		writer := s.Start(t, "")
		fixtures.Fill(t, writer, true)
		writer.Must(t, "SAVE")
		writer.Stop(t)
		data, err := os.ReadFile(filepath.Join(writer.Dir, "dump.rdb"))
		if err != nil {
			t.Fatal(err)
		}
		for name, f := range filters {
			t.Run(name, func(t *testing.T) {
				want, got := load(t, s, data), load(t, s, snapshot(t, data, f.Match))
				left := 0
				for db := range int32(16) {
					want.Must(t, "SELECT", fmt.Sprint(db))
					for _, k := range want.Must(t, "KEYS", "*").([]any) {
						key := k.(string)
						typ, _ := want.Must(t, "TYPE", key).(string)
						if f.Match(&keyspace.Event{DB: db, Key: []byte(key), Type: typeNamed(typ)}) {
							left++
						} else {
							want.Must(t, "DEL", key)
						}
					}
				}
				if w, g := want.Digest(t), got.Digest(t); w != g || (left == 0) != (name == "none") {
					t.Errorf("digest %s, want %s with %d keys", g, w, left)
				}
			})
		}
	})
}

func load(t testing.TB, s servertest.Server, data []byte) *servertest.Instance {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dump.rdb"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return s.Start(t, dir)
}

func typeNamed(name string) keyspace.Type {
	for typ := keyspace.String; typ.String() != "invalid"; typ++ {
		if typ.String() == name {
			return typ
		}
	}
	return keyspace.TypeNone
}

// TestSnapshotDamage: what is damaged is left out, and the rest is a whole file that
// says what it was made of.
func TestSnapshotDamage(t *testing.T) {
	data, err := os.ReadFile("../../testdata/dumps/valkey-8.0.rdb")
	if err != nil {
		t.Fatal(err)
	}
	count := func(data []byte, strict bool) (keys []string) {
		for e, err := range rdb.NewReader(bytes.NewReader(data), rdb.Options{Resync: !strict, Size: int64(len(data))}).Events(context.Background()) {
			switch {
			case err != nil && strict:
				t.Fatal(err)
			case err != nil:
				return keys
			case e.Kind == keyspace.KeyEnd:
				keys = append(keys, fmt.Sprintf("%d %q", e.DB, e.Key))
			}
		}
		return keys
	}
	cut := func(n int) []byte { return data[:n] }
	flipped := func(at, n int) []byte {
		d := bytes.Clone(data)
		for i := range n {
			d[at+i] ^= 0x5a
		}
		return d
	}
	for name, damaged := range map[string][]byte{
		"cut": cut(len(data) / 2), "cut in the header": cut(40), "no checksum": cut(len(data) - 8), "no end": cut(len(data) - 9),
		"a byte": flipped(len(data)/3, 1), "a run": flipped(len(data)/2, 500), "the checksum": flipped(len(data)-4, 2),
	} {
		t.Run(name, func(t *testing.T) {
			made := snapshot(t, damaged, nil)
			want, got := count(damaged, false), count(made, true)
			if strings.Join(want, "\n") != strings.Join(got, "\n") {
				t.Errorf("%d keys, want %d", len(got), len(want))
			}
			if !bytes.Contains(made, []byte("\xfa\x08salvaged\x08valkeyfs\xff")) {
				t.Error("it does not say that it was salvaged")
			}
		})
	}
}

// TestSnapshotSizes: a snapshot may say how large a database is, not how much memory a
// server takes for it before it reads a key.
func TestSnapshotSizes(t *testing.T) {
	file := func(between string) []byte {
		return []byte("REDIS0012\xfe\x00" + between + "\x00\x01k\x01v\xff" + strings.Repeat("\x00", 8))
	}
	for name, c := range map[string]struct{ there, want string }{
		"small":          {"\xfb\x05\x01", "\xfb\x05\x01"},
		"large":          {"\xfb\x81\x00\x00\x10\x00\x00\x00\x00\x00\x80\x00\x20\x00\x00", "\xfb\x80\x00\x10\x00\x00\x80\x00\x10\x00\x00"},
		"slots":          {"\xfb\x05\x01\xf4\x05\x81\x00\x00\x10\x00\x00\x00\x00\x00\x00", "\xfb\x05\x01"},
		"Valkey's slots": {"\xfb\x05\x01\xfa\x09slot-info\x0b5,9999999,0", "\xfb\x05\x01"},
		"other letters":  {"\xfb\x05\x01\xfa\x09Slot-Info\x0b5,9999999,0", "\xfb\x05\x01"},
	} {
		made, want := snapshot(t, file(c.there), nil), file(c.want)
		if n := len(want) - 8; len(made) != len(want) || !bytes.Equal(made[:n], want[:n]) {
			t.Errorf("%s:\n%q, want\n%q", name, made, want)
		}
	}
	library := "\xf5\x1d#!lua name=slot-info\nreturn 1"
	if made := snapshot(t, file(library), nil); !bytes.Contains(made, []byte(library)) {
		t.Errorf("a library is not there: %q", made)
	}
}

// TestSnapshotRefused: no header, no snapshot.
func TestSnapshotRefused(t *testing.T) {
	o := export.Options{Format: export.RDB, Raw: bytes.NewReader(nil)}
	empty := func(func(*keyspace.Event, error) bool) {}
	if err := export.Run(context.Background(), empty, &bytes.Buffer{}, o); err == nil {
		t.Error("nothing became a snapshot")
	}
}
