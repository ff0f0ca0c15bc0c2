package source

import (
	"errors"
	"io"
	"os"
	"sync"

	"github.com/valkeyfs/valkeyfs/internal/capture"
	"github.com/valkeyfs/valkeyfs/internal/ewf"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Image is a file or block device that is read as bytes, whatever it holds: the
// image of a disk, a memory dump, a swap file. Of an E01 image the bytes are those of
// the disk inside, of captured packets those of their TCP streams. It is safe for
// concurrent use.
type Image struct {
	path   string
	h      *handle
	size   int64
	disk   *ewf.Image     // inside an E01 image; else nil
	more   []*handle      // the other segments of one
	net    *capture.Image // what was captured; else nil
	opaque bool           // it was captured, and no stream was found

	mu      sync.Mutex
	unread  int64 // bytes that the medium did not deliver
	touched bool
}

// OpenImage opens a regular file or a block device read-only, without changing its
// access time where the system allows that. Close it.
func OpenImage(path string) (*Image, error) {
	h, err := openFile(nil, path)
	if err != nil {
		return nil, err
	}
	if !h.info.Mode().IsRegular() && !isBlockDevice(h.info) {
		_ = h.Close()
		return nil, &os.PathError{Op: "open", Path: path, Err: errSpecial}
	}
	size, err := h.size()
	if err != nil {
		_ = h.Close()
		return nil, err
	}
	m := &Image{path: path, h: h, size: size, touched: h.touched}
	if err := errors.Join(m.openDisk(), m.openStreams()); err != nil {
		_ = m.Close()
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return m, nil
}

// Name returns the path that was given.
func (m *Image) Name() string { return m.path }

// Size returns the number of bytes.
func (m *Image) Size() int64 {
	if m.disk != nil {
		return m.disk.Size()
	}
	if m.net != nil {
		return m.net.Size()
	}
	return m.size
}

// Missing says why a part of an E01 image cannot be read, if so.
func (m *Image) Missing() error {
	if m.disk == nil {
		return nil
	}
	return m.disk.Missing()
}

// Touched reports whether reading may have changed the access time.
func (m *Image) Touched() bool { return m.touched }

// Close ends the reading.
func (m *Image) Close() error {
	err := m.h.Close()
	for _, h := range m.more {
		err = errors.Join(err, h.Close())
	}
	return err
}

// Unread returns how many bytes the medium did not deliver so far, for which zeros
// stand, or are missing in captured streams or their file.
func (m *Image) Unread() int64 {
	if m.disk != nil {
		return m.disk.Unread()
	}
	lost, opaque := m.Uncaptured()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.unread + lost + opaque
}

// ReadAt reads like an io.ReaderAt. Where the medium fails, it delivers zeros.
func (m *Image) ReadAt(p []byte, off int64) (int, error) {
	if m.disk != nil {
		return m.disk.ReadAt(p, off)
	}
	if m.net != nil {
		return m.net.ReadAt(p, off)
	}
	return m.readFile(p, off)
}

// readFile is ReadAt of the file itself.
func (m *Image) readFile(p []byte, off int64) (int, error) {
	b := &blocks{r: m.h, off: off, end: m.size}
	n := 0
	for n < len(p) {
		k, err := b.Read(p[n:])
		n += k
		var gap *keyspace.GapError
		switch {
		case errors.As(err, &gap):
			m.mu.Lock()
			m.unread += gap.Length
			m.mu.Unlock()
		case err != nil:
			return n, err
		}
	}
	return n, nil
}

// Data returns the next range, from off on, that is no hole of a sparse file; from
// is the size if there is none.
func (m *Image) Data(off int64) (from, to int64) {
	if m.disk != nil {
		return off, m.disk.Size()
	}
	if m.net != nil {
		return off, m.net.Size()
	}
	if from, to, ok := dataOf(m.h.File, off, m.size); ok {
		return from, to
	}
	return off, m.size
}

var _ io.ReaderAt = (*Image)(nil)
