package source

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/pierrec/lz4/v4"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// damagedSnapshot has strings that claim more than their length, and one more than
// there is.
func damagedSnapshot() []byte {
	b := bytes.NewBufferString("VALKEY080\xfe\x00")
	for i := range 60_000 {
		key, value := fmt.Sprintf("session:%05d", i), strings.Repeat("v", 40)
		b.WriteByte(0)
		b.WriteByte(byte(len(key)))
		b.WriteString(key)
		switch i {
		case 9_000:
			b.Write(binary.BigEndian.AppendUint32([]byte{0x80}, 1<<31))
		case 20_000:
			b.Write([]byte{0x40 | 0x3f, 0x01}) // 16,129
		case 40_000:
			b.Write(binary.BigEndian.AppendUint32([]byte{0x80}, 600_000))
		default:
			b.WriteByte(byte(len(value)))
		}
		b.WriteString(value)
	}
	b.WriteString("\xff\x00\x00\x00\x00\x00\x00\x00\x00")
	return b.Bytes()
}

// told is what the events of a unit say of keys and damage, by their places in the
// snapshot.
func told(t *testing.T, paths []string, o Options, keep bool) (lines []string) {
	t.Helper()
	in, err := New(t.Context(), paths, o)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for u, err := range in.Units(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if keep {
			if err := u.Keep(); err != nil {
				t.Fatal(err)
			}
		}
		for e, err := range u.Events(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			switch e.Kind {
			case keyspace.KeyEnd, keyspace.Damage:
				lines = append(lines, fmt.Sprint(e.Kind, " ", string(e.Key), " ", e.Record, " ", e.Length))
			}
		}
		if err := u.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return lines
}

// Damage in what is compressed, in an envelope, or comes as a stream, is gone on
// behind as in the same file named directly.
func TestDamageInStreams(t *testing.T) {
	p := damagedSnapshot()
	var zipped, framed bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(p)
	z.Close()
	framed.WriteString("VCS\x01\x01\x00\x01")
	l := lz4.NewWriter(&framed)
	l.Write(p)
	l.Close()
	dir := t.TempDir()
	file := func(name string, p []byte) []string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, p, 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{path}
	}
	want := told(t, file("plain.rdb", p), Options{}, false)
	if keys := len(want); keys < 59_990 {
		t.Fatalf("%d keys and places of damage", keys)
	}
	stdin := func(p []byte) Options { return Options{Stdin: bytes.NewReader(p), Tmp: dir} }
	cases := map[string][]string{
		"gzip":            told(t, file("z.gz", zipped.Bytes()), Options{}, false),
		"envelope":        told(t, file("vcs.rdb", framed.Bytes()), Options{}, false),
		"stream":          told(t, []string{Stdin}, stdin(p), false),
		"kept stream":     told(t, []string{Stdin}, stdin(p), true),
		"gzip stream":     told(t, []string{Stdin}, stdin(zipped.Bytes()), false),
		"envelope stream": told(t, []string{Stdin}, stdin(framed.Bytes()), false),
	}
	for name, got := range cases {
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Errorf("%s: %d events of %d, differing from event %d on: %s, want %s", name, len(got), len(want), i, at0(got, i), at0(want, i))
				break
			}
		}
	}
}

func at0(p []string, i int) string {
	if i < len(p) {
		return p[i]
	}
	return "none"
}

// A tape is read on where there is no room to keep it, but nobody can go back.
func TestTapeWithoutRoom(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), (spoolMemory+4*spill.BlockSize)/16)
	tape := newTape(bytes.NewReader(data), "/nowhere")
	r := tape.reader()
	head := make([]byte, 100)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	back, err := tape.from(50)
	if err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(r); err != nil || !bytes.Equal(rest, data[100:]) {
		t.Errorf("%d bytes were read on, %v", len(rest), err)
	}
	if _, err := tape.from(50); err == nil {
		t.Error("one can go back to what was not kept")
	}
	if n, err := back.Read(head); err == nil {
		t.Errorf("%d bytes of what was not kept", n)
	}
}
