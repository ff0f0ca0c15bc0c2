package replay

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// squeezed is a string of 9*264+1 equal letters, as a snapshot compresses it (LZF: a
// literal, then copies of the byte before).
func squeezed() (stored []byte, full int) {
	lzf := append([]byte{0, 'a'}, bytes.Repeat([]byte{0xe0, 255, 0}, 9)...)
	full = 9*264 + 1
	return append([]byte{0xc3, byte(len(lzf)), 0x40 | byte(full>>8), byte(full)}, lzf...), full
}

// compressedLog writes a log with a base of keys that take a hundred times more than what
// the file says, and a command that names each.
func compressedLog(t *testing.T, keys int) (path string, full int) {
	t.Helper()
	stored, full := squeezed()
	b := []byte("REDIS0009\xfa\x0caof-preamble\xc0\x01\xfe\x00")
	name := func(i int) string { return "key:" + strconv.Itoa(100000+i) }
	for i := range keys {
		b = append(append(b, 0, byte(len(name(i)))), name(i)...)
		b = append(b, stored...)
	}
	b = append(b, 0xff)
	b = binary.LittleEndian.AppendUint64(b, 0)
	for i := range keys {
		b = append(b, "*3\r\n$6\r\nAPPEND\r\n$10\r\n"+name(i)+"\r\n$1\r\nb\r\n"...)
	}
	path = filepath.Join(t.TempDir(), "appendonly.aof")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, full
}

// What takes much more than the base's size says is divided until it fits, and each
// change is told once.
func TestWhatDoesNotFitIsDivided(t *testing.T) {
	for _, c := range []struct{ keys, least, most int }{
		{600, 1, 1},              // 1.4 MB, for one machine that holds 1
		{20000, 2, fewParts / 2}, // 48 MB, for partitions of half a MB
	} {
		path, full := compressedLog(t, c.keys)
		o := Options{MaxMem: 1 << 20, Lengths: true, Tmp: t.TempDir()}
		l, err := Open(t.Context(), logEvents(t, path), Point{}, o)
		if err != nil {
			t.Fatal(err)
		}
		if n := l.parts(); n < c.least || n > c.most {
			t.Fatalf("%d partitions were expected of %d keys", n, c.keys)
		}
		found := 0
		for e, err := range l.State(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind != keyspace.Element {
				continue
			}
			if found++; len(e.Value) != full+1 || !bytes.HasSuffix(e.Value, []byte("ab")) {
				t.Fatalf("%s: %d bytes", e.Key, len(e.Value))
			}
		}
		if i := l.Info(); found != c.keys || i.TooLarge != 0 {
			t.Errorf("%d keys of %d, %+v", found, c.keys, i)
		}
		changes := strings.Split(strings.TrimSpace(historyText(t, path, o)), "\n")
		if all, told := len(changes), len(slices.Compact(slices.Sorted(slices.Values(changes)))); all != 2*c.keys || told != all {
			t.Errorf("%d changes of %d keys, %d of them different", all, c.keys, told)
		}
	}
}
