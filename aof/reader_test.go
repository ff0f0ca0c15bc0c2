package aof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// line writes an event in one line: its kind and op, then what it sets.
func line(e *keyspace.Event) string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	if e.Op != keyspace.OpNone {
		fmt.Fprintf(&b, " %v", e.Op)
	}
	if e.Type != keyspace.TypeNone {
		fmt.Fprintf(&b, " %v", e.Type)
	}
	if e.Key != nil {
		fmt.Fprintf(&b, " key=%q", e.Key)
	}
	if e.Field != nil {
		fmt.Fprintf(&b, " field=%q", e.Field)
	}
	if e.Value != nil {
		fmt.Fprintf(&b, " value=%q", e.Value)
	}
	if e.Index != 0 {
		fmt.Fprintf(&b, " index=%d", e.Index)
	}
	if e.Count != 0 {
		fmt.Fprintf(&b, " count=%d", e.Count)
	}
	if e.Score != 0 {
		fmt.Fprintf(&b, " score=%v", e.Score)
	}
	if e.ID != (keyspace.StreamID{}) {
		fmt.Fprintf(&b, " id=%d-%d", e.ID.MS, e.ID.Seq)
	}
	if e.Expire != keyspace.NoExpire {
		fmt.Fprintf(&b, " expire=%d", e.Expire)
	}
	if e.State != keyspace.Unknown {
		fmt.Fprintf(&b, " %v", e.State)
	}
	if e.Part != keyspace.Whole {
		fmt.Fprintf(&b, " %v", e.Part)
	}
	return b.String()
}

// read collects clones of all events.
func read(t testing.TB, r *Reader) ([]*keyspace.Event, error) {
	t.Helper()
	var events []*keyspace.Event
	for e, err := range r.Events(context.Background()) {
		if err != nil {
			return events, err
		}
		events = append(events, e.Clone())
	}
	return events, nil
}

// effects are the lines of the events between Header and End, those of MULTI,
// EXEC, SELECT and Command events left out.
func effects(events []*keyspace.Event) (lines []string) {
	for _, e := range events {
		switch e.Kind {
		case keyspace.Header, keyspace.End, keyspace.Command, keyspace.DB:
		default:
			lines = append(lines, line(e))
		}
	}
	return lines
}

// command splits a test's command at spaces; ” is an empty argument.
func words(command string) []string {
	args := strings.Fields(command)
	for i, a := range args {
		if a == "''" {
			args[i] = ""
		}
	}
	return args
}

// checkOffsets holds that what an event says about its place is true of data.
func checkOffsets(t *testing.T, data []byte, events []*keyspace.Event) {
	t.Helper()
	end := int64(0)
	for _, e := range events {
		if e.Kind == keyspace.Header {
			continue
		}
		if e.Kind != keyspace.Damage && e.Record < end && e.Kind == keyspace.Command {
			t.Errorf("%s: record at %d behind %d", line(e), e.Record, end)
		}
		if e.Kind == keyspace.Command {
			end = e.Record
			if data[e.Record] != '*' {
				t.Errorf("%s: no command at %d", line(e), e.Record)
			}
		}
		var want []byte
		switch e.Kind {
		case keyspace.Key:
			want = e.Key
		case keyspace.Element:
			if want = e.Value; !e.Part.Begins() {
				continue
			}
		default:
			continue
		}
		if got := data[e.Pos.Offset:]; !bytes.HasPrefix(got, want) {
			t.Errorf("%s: not what stands at %d", line(e), e.Pos.Offset)
		}
	}
}

func TestOrder(t *testing.T) {
	data := append([]byte("#TS:1700000000\r\n"), resp(words("SELECT 3"), words("MULTI"), words("SET k v"), words("EXEC"))...)
	events, err := read(t, NewReader(bytes.NewReader(data), Options{Source: "x"}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s db=%d at=%d record=%d length=%d time=%d", line(e), e.DB, e.Pos.Offset, e.Record, e.Length, e.Time))
	}
	want := []string{
		`header value="RESP" db=-1 at=0 record=0 length=0 time=0`,
		`command index=2 db=0 at=16 record=16 length=23 time=1700000000000`,
		`db index=-1 count=-1 db=3 at=16 record=16 length=0 time=1700000000000`,
		`command index=1 db=3 at=39 record=39 length=15 time=1700000000000`,
		`command index=3 db=3 at=54 record=54 length=27 time=1700000000000`,
		`key create string key="k" db=3 at=71 record=54 length=1 time=1700000000000`,
		`element put string key="k" value="v" db=3 at=78 record=54 length=1 time=1700000000000`,
		`key-end create string key="k" index=1 db=3 at=54 record=54 length=27 time=1700000000000`,
		`command index=1 db=3 at=81 record=81 length=14 time=1700000000000`,
		`end db=-1 at=95 record=95 length=95 time=1700000000000`,
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got:\n%s\nwant:\n%s", g, w)
	}
	for _, e := range events {
		if e.Pos.Source != "x" || e.Pos.Inner != -1 || e.Freq != -1 || e.Idle != -1 {
			t.Errorf("%s: %+v", line(e), e)
		}
		if e.Kind == keyspace.Command && e.Record == 54 && fmt.Sprintf("%s", e.Args) != "[SET k v]" {
			t.Errorf("arguments %q", e.Args)
		}
	}
}

func TestOffset(t *testing.T) {
	data := resp(words("SET k v"))
	events, err := read(t, NewReader(bytes.NewReader(data), Options{Offset: 1000}))
	if err != nil {
		t.Fatal(err)
	}
	if e := events[3]; e.Kind != keyspace.Element || e.Pos.Offset != 1024 || e.Record != 1000 {
		t.Errorf("element at %d of record %d", e.Pos.Offset, e.Record)
	}
	if e := events[len(events)-1]; e.Length != int64(len(data)) || e.Index != int64(keyspace.ChecksumUnchecked) {
		t.Errorf("end: %+v", e)
	}
}

// TestRESP is about what a server takes for a command or not (aof.c,
// loadSingleAppendOnlyFile).
func TestRESP(t *testing.T) {
	for _, test := range []struct {
		name, data string
		ok         bool
	}{
		{"empty", "", true},
		{"command", "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n", true},
		{"plus and zeros", "*+02\r\n$003\r\nDEL\r\n$+1\r\nk\r\n", true},
		{"annotation", "# anything\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n", true},
		{"annotation without an end", "#TS:17", true},
		{"empty argument", "*2\r\n$3\r\nDEL\r\n$0\r\n\r\n", true},
		{"unknown command", "*2\r\n$3\r\nFOO\r\n$1\r\nk\r\n", true},
		{"no arguments", "*0\r\n", false},
		{"negative count", "*-1\r\n", false},
		{"count of 2^63", "*9223372036854775808\r\n", false},
		{"count of nothing", "*\r\n", false},
		{"count of letters", "*x\r\n", false},
		{"count with a tail", "*2 \r\n", false},
		{"negative length", "*1\r\n$-1\r\n", false},
		{"length of 2^63", "*1\r\n$9223372036854775808\r\n", false},
		{"length of 2^64 and 3", "*2\r\n$18446744073709551619\r\nDEL\r\n$1\r\nk\r\n", false},
		{"many zeros", "*2\r\n$" + strings.Repeat("0", 100) + "3\r\nDEL\r\n$1\r\nk\r\n", false},
		{"too few for a command", "*2\r\n$3\r\nSET\r\n$1\r\nk\r\n", false},
		{"too many for a command", "*3\r\n$4\r\nINCR\r\n$1\r\nk\r\n$1\r\nl\r\n", false},
		{"too few for a container", "*1\r\n$6\r\nXGROUP\r\n", false},
		{"subcommand that is not known", "*2\r\n$6\r\nXGROUP\r\n$1\r\nx\r\n", true},
		{"select of a word", "*2\r\n$6\r\nSELECT\r\n$1\r\nx\r\n", false},
		{"select of a negative number", "*2\r\n$6\r\nSELECT\r\n$2\r\n-1\r\n", false},
		{"select of 2^31", "*2\r\n$6\r\nSELECT\r\n$10\r\n2147483648\r\n", false},
		{"inline", "SET k v\r\n", false},
		{"no carriage return", "*1\n$3\nDEL\n", false},
		{"wrong length", "*2\r\n$3\r\nDEL\r\n$2\r\nk\r\n\r\n", false},
		{"too few arguments", "*3\r\n$3\r\nDEL\r\n$1\r\nk\r\n*1\r\n$4\r\nEXEC\r\n", false},
		{"zeros inside", "\x00\x00*1\r\n$4\r\nEXEC\r\n", false},
		{"annotation too long", "#" + strings.Repeat("x", 2*minWindow), false},
		{"annotation too long", "#" + strings.Repeat("x", 2*minWindow) + "\n", false},
	} {
		_, err := read(t, NewReader(strings.NewReader(test.data), Options{}))
		if test.ok && err != nil || !test.ok && !errors.Is(err, keyspace.ErrCorrupt) {
			t.Errorf("%s: %v", test.name, err)
		}
		// With Resync the same is damage, and nothing of the file is left unsaid.
		events, err := read(t, NewReader(strings.NewReader(test.data), Options{Resync: true}))
		damage := 0
		for _, e := range events {
			if e.Kind == keyspace.Damage {
				damage++
			}
		}
		if err != nil || (damage == 0) != test.ok {
			t.Errorf("%s: %d damage, %v", test.name, damage, err)
		}
	}
}

func TestSniff(t *testing.T) {
	for head, want := range map[string]bool{
		"*2\r\n$6\r\nSELECT\r\n": true, "#TS:1700000000\r\n": true, "*12\r\n$3\r\nSET": true, "*2\r\n": true, "*0\r\n$": true, "*-5\r\n": true,
		"*9223372036854775807\r\n": true, "*00000000000000000000005\r\n$": true,
		"": false, "*": false, "*2": false, "*2\n": false, "*-\r\n": false, "*x\r\n": false, "*2\r\nx": false, "REDIS0011": false, "# comment": false, "file a seq 1 type b": false,
	} {
		if got := Sniff([]byte(head)); got != want {
			t.Errorf("Sniff(%q) = %v", head, got)
		}
	}
}

// TestSmallReads holds that how the input arrives changes nothing.
func TestSmallReads(t *testing.T) {
	data := sample()
	whole, err := read(t, NewReader(bytes.NewReader(data), Options{}))
	if err != nil {
		t.Fatal(err)
	}
	checkOffsets(t, data, whole)
	for name, r := range map[string]io.Reader{
		"one byte": iotest.OneByteReader(bytes.NewReader(data)),
		"half":     iotest.HalfReader(bytes.NewReader(data)),
		"data+EOF": iotest.DataErrReader(bytes.NewReader(data)),
	} {
		got, err := read(t, NewReader(r, Options{}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		diff(t, name, full(got), full(whole))
	}
}

// full is all that an event says.
func full(events []*keyspace.Event) (lines []string) {
	for _, e := range events {
		lines = append(lines, fmt.Sprintf("%s db=%d at=%d record=%d length=%d time=%d args=%q", line(e), e.DB, e.Pos.Offset, e.Record, e.Length, e.Time, e.Args))
	}
	return lines
}

func diff(t *testing.T, name string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("%s: missing %s", name, want[i])
		case i >= len(want):
			t.Errorf("%s: too much: %s", name, got[i])
		case got[i] != want[i]:
			t.Errorf("%s: event %d\n got %s\nwant %s", name, i, got[i], want[i])
		default:
			continue
		}
		return
	}
}

// sample is a log in which each command of the tables stands once.
func sample() []byte {
	data := []byte("#TS:1700000000\r\n")
	for _, test := range effectTests {
		data = append(data, resp(words(test.command))...)
	}
	return data
}

// TestStop holds that a consumer may stop at any event.
func TestStop(t *testing.T) {
	data := sample()
	for name, reader := range map[string]func() *Reader{
		"whole":    func() *Reader { return NewReader(bytes.NewReader(data), Options{}) },
		"streamed": func() *Reader { return small(bytes.NewReader(data[:5000]), Options{Tail: true}) },
		"damaged": func() *Reader {
			return small(bytes.NewReader(bytes.ReplaceAll(data[:5000], []byte("$1\r\nk"), []byte("$k\r\n1"))), Options{Resync: true})
		},
		"gaps": func() *Reader {
			return small(&gapReader{data: resp(words("SET "+strings.Repeat("k", 99)+" "+strings.Repeat("v", 999)), words("DEL a")), from: 70, to: 700}, Options{Resync: true})
		},
	} {
		all := 0
		for _, err := range reader().Events(t.Context()) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all++
		}
		for stop := 1; stop <= all; stop++ {
			n := 0
			for _, err := range reader().Events(t.Context()) {
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if n++; n == stop {
					break
				}
			}
		}
	}
}

// TestContext holds that a context that is done ends the sequence with its error.
func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	data := bytes.Repeat(resp(words("SET k v")), 100_000)
	n := 0
	for _, err := range NewReader(bytes.NewReader(data), Options{Resync: true, Tail: true}).Events(ctx) {
		if n++; n == 10 {
			cancel()
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		} else if err != nil {
			return
		}
	}
	t.Error("the end was reached")
}

// A name without a byte is a name, in the window or not.
func TestEmptyNames(t *testing.T) {
	long := strings.Repeat("x", 600)
	data := resp([]string{"HDEL", "h", "", "f"}, []string{"HDEL", "", "", long})
	o := Options{Limits: keyspace.Limits{MaxChunk: 64}}
	events, err := read(t, newReader(bytes.NewReader(data), o, 200))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == keyspace.Delete && (e.Key == nil || e.Field == nil) {
			t.Errorf("at %d: key %q, field %q", e.Pos.Offset, e.Key, e.Field)
		}
	}
}
