package aof

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// reopening are the options of a file that can be opened anew.
func reopening(data []byte) Options {
	return Options{Resync: true, Size: int64(len(data)), Reopen: func(offset int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data[offset:])), nil
	}}
}

// TestReopen is about a false length that leads further astray than what is in
// memory: what it passed over is found if the file can be opened anew.
func TestReopen(t *testing.T) {
	var rest []byte
	const n = 20_000
	for i := range n {
		rest = append(rest, resp([]string{"SET", fmt.Sprint("key:", i), strings.Repeat("v", 50)})...)
	}
	for name, length := range map[string]int{
		"to somewhere":   len(rest) / 2,
		"beyond the end": 10 * len(rest),
	} {
		data := append(fmt.Appendf(nil, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\nvalue\r\n", length), rest...)
		events, err := read(t, NewReader(bytes.NewReader(data), reopening(data)))
		if err != nil {
			t.Fatal(err)
		}
		found, damage := 0, 0
		for _, e := range events {
			switch e.Kind {
			case keyspace.Command:
				if e.Record > 0 {
					found++
				}
			case keyspace.Damage:
				if damage++; e.Pos.Offset != 0 || e.Length != int64(len(data)-len(rest)) {
					t.Errorf("%s: damage at %d of %d", name, e.Pos.Offset, e.Length)
				}
			}
		}
		if found != n || damage != 1 {
			t.Errorf("%s: %d commands, %d damage", name, found, damage)
		}
	}
}

// TestReopenBound holds that false lengths do not have a file read again and again.
func TestReopenBound(t *testing.T) {
	var data []byte
	for range 200 {
		data = append(data, fmt.Sprintf("\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n", 2*minWindow)...)
		data = append(data, make([]byte, 10_000)...)
	}
	o := reopening(data)
	again := 0
	o.Reopen = func(offset int64) (io.ReadCloser, error) {
		return io.NopCloser(readerFunc(func(p []byte) (int, error) {
			n := copy(p, data[offset:])
			again += n
			if offset += int64(n); n == 0 {
				return 0, io.EOF
			}
			return n, nil
		})), nil
	}
	if _, err := read(t, NewReader(bytes.NewReader(data), o)); err != nil {
		t.Fatal(err)
	}
	if again > (rewindFactor+2)*len(data) {
		t.Errorf("%d bytes read again, of a file of %d", again, len(data))
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestDamagedPreamble damages the snapshot in front of a log, its end above all,
// and holds that the commands behind it are read.
func TestDamagedPreamble(t *testing.T) {
	data, err := os.ReadFile("../testdata/aof/redis-6.0/appendonly.aof")
	if err != nil {
		t.Fatal(err)
	}
	commands := func(events []*keyspace.Event) (n int) {
		for _, e := range events {
			if e.Kind == keyspace.Command {
				n++
			}
		}
		return n
	}
	whole, err := read(t, NewReader(bytes.NewReader(data), Options{}))
	if err != nil {
		t.Fatal(err)
	}
	end := 0
	for _, e := range whole {
		if e.Kind == keyspace.End && end == 0 {
			end = int(e.Length)
		}
	}
	for at := range end {
		damaged := bytes.Clone(data)
		damaged[at] ^= 0x55
		if at == end-9 || at == end-30 {
			clear(damaged[at:end]) // the end marker and more
		}
		o := reopening(damaged)
		events, err := read(t, NewReader(bytes.NewReader(damaged), o))
		if err != nil && at > 10 {
			t.Errorf("byte %d of %d: %v", at, end, err)
		}
		if got, want := commands(events), commands(whole); got != want && at > 10 {
			t.Errorf("byte %d of %d: %d of %d commands", at, end, got, want)
		}
		// Without a second look at the file there is no more than no harm.
		o.Reopen = nil
		if events, err = read(t, NewReader(bytes.NewReader(damaged), o)); err != nil && at > 10 || len(events) == 0 {
			t.Errorf("byte %d of %d: %v", at, end, err)
		}
	}
}
