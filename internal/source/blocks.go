package source

import (
	"errors"
	"io"
	"os"
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
	file     *os.File // that may have holes; else nil
	hole     int64    // up to where one lies
	data     int64    // up to where none does
}

func newBlocks(r io.ReaderAt, size int64) *blocks {
	b := &blocks{r: r, end: size}
	if h, ok := r.(*handle); ok {
		b.file = h.File
	}
	return b
}

// look finds out whether a hole lies at off, and where it or the data there ends. A hole
// is believed if its last byte is there, and zero: the file may have shrunk.
func (b *blocks) look() {
	from, to, ok := dataOf(b.file, b.off, b.end)
	if ok && from > b.off {
		var last [1]byte
		b.hole = min(from, b.end)
		n, _ := b.r.ReadAt(last[:], b.hole-1)
		ok = n == 1 && last[0] == 0
	}
	if !ok {
		b.file, b.hole = nil, 0
		return
	}
	b.data = to
}

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
	if b.file != nil && b.off >= b.hole && b.off >= b.data {
		b.look()
	}
	if b.off < b.hole {
		n := min(int64(len(p)), b.hole-b.off)
		clear(p[:n])
		b.off += n
		return int(n), nil
	}
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
