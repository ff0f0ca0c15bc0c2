package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"testing/iotest"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// What a stream delivered can be read any number of times, its end included,
// and leaves nothing behind.
func TestSpool(t *testing.T) {
	data := make([]byte, spoolMemory+1<<20+7)
	rand.NewChaCha8([32]byte{1}).Read(data)
	broken := &keyspace.FormatError{What: "gzip data", Err: keyspace.ErrTruncated}
	for _, end := range []error{io.EOF, broken} {
		dir := t.TempDir()
		s, err := newSpool(io.MultiReader(bytes.NewReader(data), iotest.ErrReader(end)), dir)
		if err != nil {
			t.Fatal(err)
		}
		if s.store.Spilled() == 0 {
			t.Error("nothing was spilled: the test could not fail")
		}
		for range 2 {
			r := s.reader()
			got := make([]byte, len(data))
			if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, data) {
				t.Fatalf("what was read differs, %v", err)
			}
			if n, err := r.Read(got); n != 0 || err != end {
				t.Errorf("%d bytes and %v behind the end, want %v", n, err, end)
			}
		}
		if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
			t.Errorf("%d files are left, %v", len(names), err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	canceled := &keyspace.FormatError{What: "reading the file", Err: context.Canceled}
	if _, err := newSpool(iotest.ErrReader(canceled), t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if _, err := newSpool(bytes.NewReader(data), "/nowhere"); err == nil {
		t.Error("spilled nowhere")
	}
}
