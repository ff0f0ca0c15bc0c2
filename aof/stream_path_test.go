package aof

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// small reads with a window of 64 bytes and chunks of 8, so that ordinary
// commands take the way of huge ones.
func small(r io.Reader, o Options) *Reader {
	o.Limits.MaxChunk = 8
	return newReader(r, o, 64)
}

// joined puts the parts of values together.
func joined(t *testing.T, events []*keyspace.Event) (out []*keyspace.Event) {
	t.Helper()
	for _, e := range events {
		if len(e.Value) > 8 && e.Kind == keyspace.Element {
			t.Errorf("%s: a value over the limit", line(e))
		}
		if e.Part.Begins() {
			out = append(out, e)
			continue
		}
		last := out[len(out)-1]
		if last.Kind != keyspace.Element || last.Pos != e.Pos || last.Length != e.Length {
			t.Errorf("%s: a part of nothing", line(e))
		}
		last.Value = append(last.Value, e.Value...)
		if e.Part.Ends() {
			last.Part = keyspace.Whole
			if last.Length != int64(len(last.Value)) {
				t.Errorf("%s: length %d", line(last), last.Length)
			}
		}
	}
	return out
}

// TestStreamed holds that a command too large for the window does what it does
// otherwise. Those whose options stand behind their values are told apart by
// TestLateOptions.
func TestStreamed(t *testing.T) {
	late := map[string]bool{"SET": true, "MSETEX": true, "XCLAIM": true, "XDELEX": true, "LMPOP": true, "BLMPOP": true}
	for _, test := range effectTests {
		args := words(test.command)
		if late[args[0]] {
			continue
		}
		for _, pad := range []int{0, 5, 9, 17, 40, 100} {
			long := append([]string{}, args...)
			for i, a := range long {
				// Make whatever is data long.
				if strings.Contains(" k v w f g a b p q m e c item script arg old {} ", " "+a+" ") && i > 0 {
					long[i] = strings.Repeat(a, 1+pad)
				}
			}
			data := resp(long, words("SET after it"))
			want, err := read(t, NewReader(bytes.NewReader(data), Options{}))
			if err != nil {
				t.Fatal(err)
			}
			events, err := read(t, small(bytes.NewReader(data), Options{}))
			if err != nil {
				t.Errorf("%s: %v", test.command, err)
			}
			got := joined(t, events)
			checkOffsets(t, data, got)
			diff(t, fmt.Sprintf("%s, %d longer", test.command, pad), effects(got), effects(want))
		}
	}
}

// TestLateOptions is about commands too large for the window whose options
// stand behind their values.
func TestLateOptions(t *testing.T) {
	value := strings.Repeat("v", 100)
	stored := []string{
		`key update string key="k"`,
		fmt.Sprintf(`element put string key="k" value=%q`, value),
		`key-end update string key="k" index=1`,
	}
	for _, test := range []struct {
		command string
		want    []string
	}{
		{"SET k VALUE PXAT 99", append(stored[:3:3], `expire string key="k" expire=99`)},
		{"SET k VALUE NX", append(stored[:3:3], `expire string key="k"`)},
		{"SET k VALUE KEEPTTL", stored},
		{"SET k VALUE EX 10", stored},
		{"SET k VALUE IFEQ old KEEPTTL", append(stored[:3:3], `key key="k"`, `element key="k" value="old" overwritten`, `key-end key="k" index=1`)},
		{"MSETEX 1 k VALUE PXAT 99", stored},
		{"XDELEX kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk ACKED IDS 1 5-1", []string{`delete delete-some stream key="kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" id=5-1`}},
		{"LMPOP 1 kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk LEFT COUNT 2", []string{`delete pop-head list key="kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" index=2`}},
	} {
		args := words(strings.Replace(test.command, "VALUE", value, 1))
		events, err := read(t, small(bytes.NewReader(resp(args)), Options{}))
		if err != nil {
			t.Errorf("%s: %v", test.command, err)
		}
		diff(t, test.command, effects(joined(t, events)), test.want)
	}
}

// TestStreamedCuts cuts a command too large for the window at every byte: no
// value ends that did not, and what is torn begins at the command.
func TestStreamedCuts(t *testing.T) {
	data := resp(words("RPUSH list one "+strings.Repeat("x", 30)+" three "+strings.Repeat("y", 50)), words("DEL k"))
	begin := len(data) - len(resp(words("DEL k")))
	for cut := 1; cut < begin; cut++ {
		events, err := read(t, small(bytes.NewReader(data[:cut]), Options{Tail: true}))
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		torn := events[len(events)-2]
		if torn.Kind != keyspace.Torn || torn.Pos.Offset != 0 || torn.Length != int64(cut) {
			t.Errorf("cut at %d: %s", cut, line(torn))
		}
		for _, e := range joined(t, events) {
			if e.Kind == keyspace.Element && e.Part == keyspace.Whole && !bytes.Contains(data, append(e.Value, "\r\n"...)) {
				t.Errorf("cut at %d: %s is not whole", cut, line(e))
			}
		}
	}
}

// TestHuge reads a value and a list of more bytes than a window, or a test
// machine's patience, has room for, and holds that memory does not grow.
func TestHuge(t *testing.T) {
	const size = 64 << 20
	value := io.MultiReader(strings.NewReader(fmt.Sprintf("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n", size)),
		io.LimitReader(endless("x"), size), strings.NewReader("\r\n"))
	const elements = 2_000_000
	list := io.MultiReader(strings.NewReader(fmt.Sprintf("*%d\r\n$5\r\nRPUSH\r\n$1\r\nl\r\n", elements+2)),
		io.LimitReader(endless("$3\r\nabc\r\n"), elements*9))
	r := NewReader(io.MultiReader(value, list), Options{})
	bytes, count := 0, 0
	for e, err := range r.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == keyspace.Element {
			bytes += len(e.Value)
			if e.Part.Ends() {
				count++
			}
		}
	}
	if bytes != size+3*elements || count != elements+1 {
		t.Errorf("%d bytes in %d values", bytes, count)
	}
	if n := len(r.w.buf) + 32*cap(r.cmd.args) + cap(r.cmd.names[0]); n > 4<<20 {
		t.Errorf("%d bytes in use", n)
	}
}

// endless repeats a string.
type endlessReader struct {
	s  string
	at int
}

func endless(s string) io.Reader { return &endlessReader{s: s} }

func (r *endlessReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.s[r.at]
		if r.at++; r.at == len(r.s) {
			r.at = 0
		}
	}
	return len(p), nil
}
