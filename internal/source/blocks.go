package source

import (
	"errors"
	"io"
	"syscall"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// page is the unit in which a failing range is tried again: that of the page
// cache, in which a medium's errors surface.
const page = 4096

// blocks reads a file of a fixed size by pread. What the medium cannot deliver
// is replaced by zeros and reported as a [keyspace.GapError], page by page.
type blocks struct {
	r        io.ReaderAt
	off, end int64
	gap      int64 // bytes at off that are known not to be readable
	gapErr   error
}

func newBlocks(r io.ReaderAt, size int64) *blocks { return &blocks{r: r, end: size} }

func (b *blocks) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if b.off >= b.end {
		return 0, io.EOF
	}
	if b.gap > 0 {
		return b.zeros(p)
	}
	p = p[:min(int64(len(p)), b.end-b.off)]
	n, err := b.r.ReadAt(p, b.off)
	if n > 0 {
		b.off += int64(n)
		return n, nil
	}
	switch {
	case err == nil || err == io.EOF:
		return 0, io.EOF // the file has shrunk since
	case !unreadable(err):
		return 0, err
	}
	// The first page of p, or what is left of it, is bad, or else the whole of p
	// was refused for one bad page in it.
	p = p[:min(int64(len(p)), page-b.off%page)]
	if n, _ := b.r.ReadAt(p, b.off); n > 0 {
		b.off += int64(n)
		return n, nil
	}
	b.gap, b.gapErr = min(page-b.off%page, b.end-b.off), err
	return b.zeros(p)
}

func (b *blocks) zeros(p []byte) (int, error) {
	n := min(int64(len(p)), b.gap)
	clear(p[:n])
	err := &keyspace.GapError{Offset: b.off, Length: n, Err: b.gapErr}
	b.off += n
	b.gap -= n
	return int(n), err
}

// unreadable reports whether err says that the medium or the file system could
// not deliver these bytes, while others may still be had.
func unreadable(err error) bool {
	for _, e := range []error{syscall.EIO, syscall.EBADMSG, syscall.EILSEQ, syscall.ETIMEDOUT, errNoData, errUnclean, errRemoteIO} {
		if e != nil && errors.Is(err, e) {
			return true
		}
	}
	return false
}
