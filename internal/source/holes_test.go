package source

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestHoles: a file with holes is read as it is, from wherever, and nothing is made of what
// it lost since.
func TestHoles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	const size = 4 << 20
	want := make([]byte, size)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, at := range []int64{0, 1<<20 - 7, 1 << 21, 3<<20 + 9} {
		data := bytes.Repeat([]byte("data"), 5000)
		copy(want[at:], data)
		if _, err := file.WriteAt(data, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	open := func(off int64) *blocks {
		h, err := openFile(nil, path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close() })
		b := newBlocks(h, size)
		b.off = off
		return b
	}
	for _, off := range []int64{0, 20_000, 1 << 19, 1<<20 - 8, 1<<20 + 5000, size - 1} {
		if got, err := io.ReadAll(open(off)); err != nil || !bytes.Equal(got, want[off:]) {
			t.Errorf("from %d: %d bytes, %v", off, len(got), err)
		}
	}
	b := open(1 << 19)
	counted := &reads{r: b.r}
	b.r = counted
	if _, to, ok := dataOf(b.file, 0, size); ok && to < size { // not all file systems tell
		if _, err := io.CopyN(io.Discard, b, 1<<18); err != nil || counted.n != 1 {
			t.Errorf("%d bytes of a hole were read, %v", counted.n, err)
		}
	}
	if err := file.Truncate(1 << 19); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(open(1 << 18)); err != nil || len(got) != 1<<18 {
		t.Errorf("of a file that has shrunk: %d bytes, %v", len(got), err)
	}
}

// reads counts the bytes that are read.
type reads struct {
	r io.ReaderAt
	n int
}

func (r *reads) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.r.ReadAt(p, off)
	r.n += n
	return n, err
}
