package source

import (
	"io"

	"github.com/valkeyfs/valkeyfs/rdb"
)

// Logical opens the bytes of the unit's snapshot as its events count them: without
// compression, sealing and, of a VCS envelope, without that. Of a stream, it must be
// called before [Unit.Events], and keeps what the stream delivers. The reader is an
// [io.WriterTo]: into a file, the system copies what stands in one as it is.
func (u *Unit) Logical() (io.ReadCloser, error) {
	f := u.Files[0]
	if f.once != nil {
		if err := f.keep(); err != nil {
			return nil, err
		}
	}
	r, err := f.content()
	if err != nil {
		return nil, err
	}
	return &logical{f: f, r: rdb.Logical(r), c: r}, nil
}

// logical is a unit's content.
type logical struct {
	f  *File
	r  io.Reader
	c  io.Closer
	at int64 // bytes that were read
}

func (l *logical) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.at += int64(n)
	return n, err
}

func (l *logical) Close() error { return l.c.Close() }

// WriteTo writes what is left of it to w.
func (l *logical) WriteTo(w io.Writer) (int64, error) {
	h := l.file()
	if h == nil {
		return io.Copy(w, struct{ io.Reader }{l})
	}
	defer h.Close()
	n, err := io.Copy(w, io.LimitReader(h.File, l.f.Size-l.at)) // it may have grown
	l.at += n
	l.f.in.read.Add(n)
	return n, err
}

// file opens the file where the content is its bytes, at the next of them; nil where it
// is not, or cannot be opened.
func (l *logical) file() *handle {
	f := l.f
	if f.once != nil || f.object != nil || len(f.Layers) > 0 || f.in.o.Hash {
		return nil
	}
	h, err := f.openRegular()
	if err != nil {
		return nil
	}
	var head [4]byte
	if _, err := h.ReadAt(head[:], 0); err == nil && !rdb.Enveloped(head[:]) {
		if _, err = h.Seek(l.at, io.SeekStart); err == nil {
			return h
		}
	}
	_ = h.Close()
	return nil
}

// Keep has the unit read any number of times: it keeps what a stream delivers.
func (u *Unit) Keep() error {
	if f := u.Files[0]; f.once != nil && f.Err == nil {
		return f.keep()
	}
	return nil
}

// Snapshot reports whether the unit is one snapshot, and no log.
func (u *Unit) Snapshot() bool { return len(u.log) == 0 && u.Files[0].Kind == RDB }
