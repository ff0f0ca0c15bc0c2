package source

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// content opens what lies in the file's layers, from the start. If hashes are
// wanted, the first to read a file hashes it on the way.
func (f *File) content() (io.ReadCloser, error) {
	switch o := f.once; {
	case o == nil:
	case o.spool != nil:
		return o.spool.reader(), nil
	default:
		return &content{f: f, s: o.s}, nil
	}
	file, err := f.open(0)
	if err != nil {
		return nil, &keyspace.FormatError{Pos: at(f.Path, 0), What: "opening the file", Err: cause(err)}
	}
	c := &content{f: f, h: file}
	raw := io.Reader(&meter{r: file, name: f.Path, n: &f.in.read})
	if f.in.o.Hash && f.hash.claim() {
		c.sum = newDigest(raw, f.Size)
		raw = c.sum
	}
	if c.s, err = reopen(raw, f.Path, f.Layers, f.in.o.Identities); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// keep reads a stream into a spool, so that it can be read more than once.
func (f *File) keep() error {
	if f.once.spool != nil {
		return nil
	}
	r, err := f.content()
	if err != nil {
		return err
	}
	defer r.Close()
	f.once.spool, err = newSpool(r, f.in.o.Tmp)
	return err
}

// content is a file being read. Parsers read ahead on goroutines of their own,
// which may be inside Read when Close is called.
type content struct {
	mu     sync.Mutex
	closed bool
	f      *File
	s      *stream
	h      io.Closer // nil: a stream
	sum    *digest
}

func (c *content) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, io.ErrClosedPipe
	}
	return c.s.Read(p)
}

// Close ends the reading. It waits for a Read of a file, but not for one of a
// stream, which may never return.
func (c *content) Close() error {
	if c.h == nil {
		if !c.mu.TryLock() {
			c.f.hash.sum = nil
			return nil
		}
	} else {
		c.mu.Lock()
	}
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	c.s.Close()
	if c.sum != nil {
		c.f.hash.keep(c.sum, c.h) // the rest of the file may be wanted yet
		return nil
	}
	if c.h != nil {
		return c.h.Close()
	}
	return nil
}

// hashing is how far the hash of a file has come.
type hashing struct {
	mu    sync.Mutex
	taken bool
	sum   *digest   // of what was read, perhaps not yet to the end
	file  io.Closer // what sum reads from, to be closed
}

// claim reports whether the caller is the first, who hashes the file.
func (h *hashing) claim() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	first := !h.taken
	h.taken = true
	return first
}

func (h *hashing) keep(sum *digest, file io.Closer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sum, h.file = sum, file
}

// finish completes the file's hash, if one is wanted: it reads what is left of
// the file, or the file itself if nobody has.
func (f *File) finish(ctx context.Context) error {
	if !f.in.o.Hash || f.SHA256 != "" {
		return nil
	}
	f.hash.mu.Lock()
	sum, file := f.hash.sum, f.hash.file
	f.hash.sum, f.hash.file = nil, nil
	f.hash.mu.Unlock()
	if sum == nil {
		if f.once != nil || !f.Mode.IsRegular() || f.Same != "" && f.Skipped != "" {
			return nil
		}
		r, err := f.open(0)
		if err != nil {
			return nil // it was reported when the file was examined
		}
		sum, file = newDigest(r, f.Size), r
	}
	if file != nil {
		defer file.Close()
	}
	err := drain(ctx, sum)
	if text := sum.finish(); sum.whole {
		f.SHA256, f.Unread = text, sum.unread
	}
	return err
}

// drain reads d to its end. Only the context's error is returned.
func drain(ctx context.Context, d *digest) error {
	buf := make([]byte, d.room)
	for !d.whole {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := d.Read(buf)
		var gap *keyspace.GapError
		if err != nil && !errors.As(err, &gap) || n == 0 && err == nil {
			break
		}
	}
	return nil
}
