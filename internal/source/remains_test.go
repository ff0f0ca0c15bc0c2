package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Runs of text in ranges are yielded with their places, whatever is around the
// file and however long they are.
func TestRemains(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 10)
	body := snapshot("k", "v") + "\x00\x01secret one\x00tiny\x00" + // from 0
		"\x0cein Schlüssel\xff\xfe" + "0" + strings.Repeat("x", 48) + "\x00" + "@P" + strings.Repeat("y", 80) + "\x00" + long + "\x00not in the range"
	from := int64(len(snapshot("k", "v")))
	end := int64(strings.Index(body, "not in"))
	want := fmt.Sprintf(`secret one@%d whole
ein Schlüssel@%d whole
%s@%d whole
%s@%d whole
%s@%d
`, from+2, from+19, strings.Repeat("x", 48), from+19+16+1, strings.Repeat("y", 80), from+19+16+1+48+1+2, long, end-1-int64(len(long)))
	for _, l := range []layer{"", layerGzip, layerAge} {
		data := []byte(body)
		var o Options
		if l != "" {
			id := identity(t)
			o.Identities = append(o.Identities, id)
			data = wrap(t, l, data, id)
		}
		o.Limits.MaxChunk = 100
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := New(context.Background(), []string{name}, o)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		read := int64(0)
		for u := range in.Units(context.Background()) {
			for e, err := range u.Remains(context.Background(), []Range{{Path: name, Offset: from, Length: end - from}, {Path: name, Offset: from + 5, Length: 2}, {Path: "another", Length: 9}}) {
				switch {
				case err != nil:
					t.Fatal(err)
				case e.Kind == keyspace.End:
					read += e.Length
					continue
				case e.State != keyspace.Recovered || e.DB != -1 || string(e.Key) != "f" || e.Record != from:
					t.Errorf("%+v", e)
				}
				if len(e.Value) > 100 {
					t.Errorf("a part of %d bytes", len(e.Value))
				}
				got.Write(e.Value)
				switch {
				case e.Part == keyspace.Whole:
					fmt.Fprintf(&got, "@%d whole\n", e.Pos.Offset)
				case e.Part.Ends():
					fmt.Fprintf(&got, "@%d\n", e.Pos.Offset)
				}
			}
		}
		in.Close()
		if got.String() != want {
			t.Errorf("%s: got\n%swant\n%s", l, got.String(), want)
		}
		if read != end-from {
			t.Errorf("%s: %d bytes read, want %d", l, read, end-from)
		}
	}
}

// FuzzRemains holds that runs lie in the range, in order, and are what stands there.
func FuzzRemains(f *testing.F) {
	f.Add([]byte("\x00\x01secret one\x00tiny\x0cein Schl\xc3\xbcssel\xff"), int64(3), int64(40))
	f.Add([]byte("0"+strings.Repeat("x", 48)), int64(0), int64(49))
	f.Fuzz(func(t *testing.T, data []byte, from, length int64) {
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := New(context.Background(), []string{name}, Options{Limits: keyspace.Limits{MaxChunk: 32}})
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		u := &Unit{Files: []*File{{Input: name, Path: name, Size: int64(len(data)), in: in}}, in: in}
		from, length = from%1000, length%1000
		if from < 0 {
			from = -from
		}
		var at, begin int64
		for e, err := range u.Remains(context.Background(), []Range{{Path: name, Offset: from, Length: length}}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind != keyspace.Element {
				continue
			}
			if e.Part.Begins() {
				if begin = e.Pos.Offset; begin < at || begin < from {
					t.Fatalf("a run at %d behind %d, range from %d", begin, at, from)
				}
				at = begin
			}
			// A rune that the end of the range cuts is read whole.
			if end := at + int64(len(e.Value)); end > from+length+3 || string(data[at:end]) != string(e.Value) {
				t.Fatalf("bytes %d to %d are not what was yielded", at, end)
			}
			at += int64(len(e.Value))
		}
	})
}
