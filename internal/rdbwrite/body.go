package rdbwrite

import (
	"errors"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/spill"
)

// body is a run of bytes that grows to any length: a block of it lies in memory, the
// others in a store, which spills them.
type body struct {
	store  *spill.Store
	stream *spill.Stream // nil while all fits in buf
	buf    []byte
	n      int64
}

// reset empties the body.
func (b *body) reset() {
	if b.stream != nil {
		b.stream.Free()
		b.stream = nil
	}
	b.buf, b.n = b.buf[:0], 0
}

// shelve moves what is full of buf into the store. It is to be called after each
// append to buf.
func (b *body) shelve() error {
	for len(b.buf) >= spill.BlockSize {
		if b.stream == nil {
			b.stream = b.store.Stream()
		}
		if err := b.stream.Append(b.buf[:spill.BlockSize]); err != nil {
			return err
		}
		b.n += spill.BlockSize
		b.buf = append(b.buf[:0], b.buf[spill.BlockSize:]...)
	}
	return nil
}

// write appends p, however long.
func (b *body) write(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), spill.BlockSize)
		b.buf = append(b.buf, p[:n]...)
		if err := b.shelve(); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// len is the number of bytes.
func (b *body) len() int64 { return b.n + int64(len(b.buf)) }

// each gives all bytes to put, piece by piece.
func (b *body) each(put func([]byte) error) error {
	if b.stream != nil {
		r := b.stream.Reader()
		for {
			p, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if err := put(p); err != nil {
				return err
			}
		}
	}
	return put(b.buf)
}

// take appends all bytes of o and empties it.
func (b *body) take(o *body) error {
	err := o.each(b.write)
	o.reset()
	return err
}
