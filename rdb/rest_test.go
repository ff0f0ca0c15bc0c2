package rdb

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// closing is an input that cannot be read once it is closed, as files cannot.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Read(p []byte) (int, error) {
	if c.closed {
		return 0, errors.New("read of what is closed")
	}
	return c.Reader.Read(p[:min(len(p), 100_000)])
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// TestRestOfReopened holds that what follows a snapshot is read from an input that was
// opened anew, and that this is closed at last.
func TestRestOfReopened(t *testing.T) {
	snapshot, at := ledger(20_000, 1)
	damaged := bytes.Clone(snapshot)
	first := len(snapshot)
	for _, r := range at {
		if snapshot[r[0]] == 0 {
			first = min(first, r[0])
		}
	}
	// The length of its value leads further than what is in memory.
	value := first + 2 + int(snapshot[first+1])
	copy(damaged[value:], []byte{0x80, 0, 0x0b, 0x12, 0x34})
	log := bytes.Repeat([]byte("*1\r\n$4\r\nPING\r\n"), 500_000)
	data := append(damaged, log...)

	var opened []*closing
	o := Options{Resync: true, Preamble: true, Size: int64(len(data)), Reopen: func(at int64) (io.ReadCloser, error) {
		opened = append(opened, &closing{Reader: bytes.NewReader(data[at:])})
		return opened[len(opened)-1], nil
	}}
	r := NewReader(bytes.NewReader(data), o)
	keys := 0
	for e, err := range r.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == keyspace.Key {
			keys++
		}
	}
	if len(opened) == 0 || keys < len(at)-3 {
		t.Fatalf("opened %d times, %d of %d keys", len(opened), keys, len(at))
	}
	rest := r.Rest()
	if got, err := io.ReadAll(rest); err != nil || !bytes.Equal(got, log) {
		t.Errorf("%d of %d bytes, %v", len(got), len(log), err)
	}
	if err := rest.Close(); err != nil {
		t.Error(err)
	}
	for i, c := range opened {
		if !c.closed {
			t.Errorf("input %d of %d is open still", i, len(opened))
		}
	}
}
