package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// lines reads a text whole and joins the parts of its lines.
func lines(t *testing.T, r io.Reader, lim keyspace.Limits) []string {
	t.Helper()
	var out []string
	var long string
	for e, err := range textEvents(context.Background(), r, "dir/f", "f", lim) {
		if err != nil {
			return append(out, "error: "+err.Error())
		}
		if string(e.Key) != "f" && e.Kind != keyspace.End || e.DB != -1 || e.Type != keyspace.TypeNone {
			t.Errorf("%v: key %q db %d type %v", e.Kind, e.Key, e.DB, e.Type)
		}
		switch e.Kind {
		case keyspace.Element:
			if len(e.Value) > lim.WithDefaults().MaxChunk {
				t.Errorf("a part of %d bytes", len(e.Value))
			}
			if e.Part.Begins() {
				long = ""
			}
			long += string(e.Value)
			if e.Part.Ends() {
				out = append(out, fmt.Sprintf("%s@%d %s", e.Field, e.Pos.Offset, long))
			}
		case keyspace.Damage:
			out = append(out, fmt.Sprintf("damage@%d+%d", e.Pos.Offset, e.Length))
		case keyspace.KeyEnd:
			out = append(out, fmt.Sprintf("%d lines, %d bytes", e.Index, e.Length))
		}
	}
	return out
}

func TestTextEvents(t *testing.T) {
	long := strings.Repeat("0123456789", 10)
	for _, c := range []struct{ in, want string }{
		{"", "0 lines, 0 bytes"},
		{"a", "1@0 a|1 lines, 1 bytes"},
		{"a\n", "1@0 a|1 lines, 2 bytes"},
		{"a\nb\r\n\nc", "1@0 a|2@2 b|3@5 |4@6 c|4 lines, 7 bytes"},
		{"\n\n", "1@0 |2@1 |2 lines, 2 bytes"},
		{long + "\n" + long, "1@0 " + long + "|2@101 " + long + "|2 lines, 201 bytes"},
		{long[:16] + "\nx\n", "1@0 " + long[:16] + "|2@17 x|2 lines, 19 bytes"},
		{long[:16], "1@0 " + long[:16] + "|1 lines, 16 bytes"},
		{long[:15] + "\n" + long[:15] + "\n", "1@0 " + long[:15] + "|2@16 " + long[:15] + "|2 lines, 32 bytes"},
	} {
		for name, r := range map[string]io.Reader{
			"whole":    strings.NewReader(c.in),
			"bytes":    iotest.OneByteReader(strings.NewReader(c.in)),
			"data+EOF": iotest.DataErrReader(strings.NewReader(c.in)),
		} {
			if got := strings.Join(lines(t, r, keyspace.Limits{MaxChunk: 16}), "|"); got != c.want {
				t.Errorf("%.20q by %s:\n got %s\nwant %s", c.in, name, got, c.want)
			}
		}
	}
}

func TestTextEventsGapAndError(t *testing.T) {
	data := bytes.Repeat([]byte("line of text\n"), 2*page)
	m := &medium{data: data, bad: map[int64]bool{3: true}, err: syscall.EIO}
	got := lines(t, newBlocks(m, int64(len(data))), keyspace.Limits{})
	damaged := 0
	for _, l := range got {
		if l == fmt.Sprintf("damage@%d+%d", 3*page, page) {
			damaged++
		}
	}
	if damaged != 1 || got[len(got)-2] != fmt.Sprintf("%d@%d line of text", len(got)-2, len(data)-13) {
		t.Errorf("%d damage events; the end is %q", damaged, got[len(got)-2:])
	}
	broken := errors.New("broken")
	got = lines(t, io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), keyspace.Limits{})
	if want := "1@0 a|2@2 b|2 lines, 3 bytes|error: broken"; strings.Join(got, "|") != want {
		t.Errorf("got %q", got)
	}
}

func TestTextEventsDoNotAllocate(t *testing.T) {
	data := bytes.Repeat([]byte("a line of text\n"), 100_000)
	n := testing.AllocsPerRun(5, func() {
		for _, err := range textEvents(context.Background(), bytes.NewReader(data), "f", "f", keyspace.Limits{}) {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	if n > 50 {
		t.Errorf("%v allocations for 100,000 lines", n)
	}
}
