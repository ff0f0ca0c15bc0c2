package aof

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// TestCuts cuts a log at every byte. At the end of a command it is a valid log;
// anywhere else what a server drops begins at the last command or at the MULTI
// around it (aof.c, loadSingleAppendOnlyFile), and all before it is there.
func TestCuts(t *testing.T) {
	var data []byte
	valid := map[int]int{} // offset at which the log may end: offset to which a server cuts it
	multi := -1
	for _, c := range []string{"SELECT 1", "SET a one", "MULTI", "SET b two", "HSET h f v g w", "EXEC", "DEL a", "XADD s 5-1 f v", "multi", "RPUSH l x y", "exec", "SET z last"} {
		begin := len(data)
		data = append(data, resp(words(c))...)
		switch {
		case bytes.EqualFold([]byte(c), []byte("MULTI")):
			multi = begin
		case bytes.EqualFold([]byte(c), []byte("EXEC")):
			multi = -1
		}
		if multi < 0 {
			valid[len(data)] = len(data)
		}
		for cut := begin + 1; cut < len(data) || multi >= 0 && cut == len(data); cut++ {
			if valid[cut] = begin; multi >= 0 {
				valid[cut] = multi
			}
			if bytes.EqualFold([]byte(c), []byte("EXEC")) && cut < len(data) {
				valid[cut] = valid[begin]
			}
		}
	}
	valid[0] = 0
	all, err := read(t, NewReader(bytes.NewReader(data), Options{}))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range data {
		keep := valid[cut]
		for _, o := range []Options{{}, {Resync: true}, {Tail: true}, {Tail: true, Resync: true}} {
			events, err := read(t, NewReader(bytes.NewReader(data[:cut]), o))
			name := fmt.Sprintf("cut at %d, %+v", cut, o)
			var last *keyspace.Event
			for _, e := range events {
				if e.Kind == keyspace.Damage || e.Kind == keyspace.Torn {
					if last != nil {
						t.Errorf("%s: a second end", name)
					}
					last = e
				}
			}
			kind := keyspace.Torn
			if !o.Tail {
				kind = keyspace.Damage
			}
			switch {
			case keep == cut:
				if err != nil || last != nil {
					t.Errorf("%s, the end of a command: %v %v", name, err, last)
				}
			case !o.Tail && !o.Resync:
				var fe *keyspace.FormatError
				if !errors.Is(err, keyspace.ErrTruncated) || !errors.As(err, &fe) || fe.Pos.Offset != int64(keep) {
					t.Errorf("%s: %v, want offset %d", name, err, keep)
				}
			case err != nil || last == nil || last.Kind != kind || !errors.Is(last.Err, keyspace.ErrTruncated) ||
				last.Pos.Offset != int64(keep) || last.Length != int64(cut-keep):
				t.Errorf("%s: %v %+v, want offset %d", name, err, last, keep)
			}
			// What was before the cut is unchanged.
			var got, want []string
			for _, e := range all {
				if e.Kind != keyspace.End && e.Record < int64(keep) {
					want = append(want, full([]*keyspace.Event{e})...)
				}
			}
			for _, e := range events {
				if e.Kind != keyspace.Damage && e.Kind != keyspace.Torn && e.Kind != keyspace.End && e.Record < int64(keep) {
					got = append(got, full([]*keyspace.Event{e})...)
				}
			}
			diff(t, name, got, want)
		}
	}
}

// TestCutValue holds that what is left of a command that the end of the file
// cuts is seen: it may be a secret that was being written.
func TestCutValue(t *testing.T) {
	data := resp(words("MSET a one b secret"))
	events, err := read(t, NewReader(bytes.NewReader(data[:len(data)-4]), Options{Tail: true}))
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "events", effects(events), []string{
		`key create string key="a" recovered`,
		`element put string key="a" value="one" recovered`,
		`key-end create string key="a" index=1 recovered`,
		`key create string key="b" recovered`,
		`element put string key="b" value="secr" recovered first`,
		`torn`,
	})
}

// TestPadding is about the zeros that file systems leave behind a crash.
func TestPadding(t *testing.T) {
	data := append(resp(words("SET a one")), make([]byte, 3*minWindow)...)
	events, err := read(t, NewReader(bytes.NewReader(data), Options{Tail: true}))
	if err != nil {
		t.Fatal(err)
	}
	e := events[len(events)-2]
	if e.Kind != keyspace.Torn || e.Pos.Offset != 29 || e.Length != 3*minWindow || !errors.Is(e.Err, keyspace.ErrCorrupt) {
		t.Errorf("%+v", e)
	}
	events, err = read(t, NewReader(bytes.NewReader(append(data, resp(words("SET b two"))...)), Options{Tail: true, Resync: true}))
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "zeros in the middle", effects(events), []string{
		`key create string key="a"`,
		`element put string key="a" value="one"`,
		`key-end create string key="a" index=1`,
		`damage`,
		`key create string key="b"`,
		`element put string key="b" value="two"`,
		`key-end create string key="b" index=1`,
	})
}

// TestReadError holds that an error of the medium is no torn tail.
func TestReadError(t *testing.T) {
	data := resp(words("SET a one"), words("MULTI"), words("SET b two"))
	broken := errors.New("broken")
	for cut := range len(data) + 1 {
		for _, o := range []Options{{}, {Tail: true}, {Resync: true}} {
			events, err := read(t, NewReader(&failingReader{data[:cut], broken}, o))
			if !errors.Is(err, broken) {
				t.Errorf("cut at %d, %+v: %v", cut, o, err)
			}
			for _, e := range events {
				if e.Kind == keyspace.Torn || e.Kind == keyspace.Damage {
					t.Errorf("cut at %d, %+v: %s", cut, o, line(e))
				}
			}
		}
	}
}

type failingReader struct {
	data []byte
	err  error
}

func (r *failingReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, r.err
	}
	n := copy(p, r.data)
	r.data = r.data[n:]
	return n, nil
}
