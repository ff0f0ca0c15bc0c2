package cli

import (
	"io"
	"os"
	"sync/atomic"
)

// counting counts what is read, for the line of progress.
type counting struct {
	io.Reader
	n atomic.Int64
}

func newCounting(r io.Reader) *counting { return &counting{Reader: r} }

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func (c *counting) count() int64 { return c.n.Load() }

// sizeOf is how much there is to read of a file; 0 of what is none.
func sizeOf(r any) int64 {
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	}
	return 0
}
