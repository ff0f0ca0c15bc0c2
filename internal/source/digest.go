package source

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A digest computes the SHA-256 of a stream on another goroutine while the
// stream is read. It is whole only if the stream was read to its end.
type digest struct {
	r      io.Reader
	room   int // bytes of a block
	block  []byte
	blocks chan []byte
	free   chan []byte
	sum    chan string
	unread int64 // bytes of gaps
	n      int64
	whole  bool
}

const (
	digestBlock  = 256 << 10
	digestBlocks = 4
)

// newDigest returns a digest of r, which holds so many bytes; -1: unknown.
func newDigest(r io.Reader, size int64) *digest {
	d := &digest{
		r:      r,
		room:   digestBlock,
		blocks: make(chan []byte, digestBlocks),
		free:   make(chan []byte, digestBlocks),
		sum:    make(chan string, 1),
	}
	if size >= 0 {
		d.room = int(min(max(size, 512), digestBlock))
	}
	for range digestBlocks {
		d.free <- nil
	}
	go func() {
		h := sha256.New()
		for b := range d.blocks {
			h.Write(b)
			d.free <- b[:0]
		}
		d.sum <- hex.EncodeToString(h.Sum(nil))
	}()
	return d
}

func (d *digest) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.n += int64(n)
	d.write(p[:n])
	var gap *keyspace.GapError
	switch {
	case err == io.EOF:
		d.whole = true
	case errors.As(err, &gap):
		d.unread += gap.Length
	}
	return n, err
}

func (d *digest) write(p []byte) {
	for len(p) > 0 {
		if d.block == nil {
			if d.block = <-d.free; d.block == nil {
				d.block = make([]byte, 0, d.room)
			}
		}
		n := min(len(p), cap(d.block)-len(d.block))
		d.block = append(d.block, p[:n]...)
		p = p[n:]
		if len(d.block) == cap(d.block) {
			d.blocks <- d.block
			d.block = nil
		}
	}
}

// finish ends the goroutine and returns the hash of what was read. It is called
// once, after the last Read.
func (d *digest) finish() string {
	if len(d.block) > 0 {
		d.blocks <- d.block
	}
	close(d.blocks)
	return <-d.sum
}
