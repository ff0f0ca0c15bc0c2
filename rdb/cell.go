package rdb

import (
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// cell is one entry of a listpack, ziplist, intset or zipmap: an integer, or a
// string of n bytes that starts at b.i when the walker returns it and must be
// consumed before the next step.
type cell struct {
	isInt bool
	num   int64
	n     int64 // bytes of the string, or of the integer's encoding
	off   int64 // offset of the data inside the blob
	tail  int64 // listpack: size of the entry so far, for its backlen; -1: nothing to check
}

// cellValue yields a cell as the Value of an Element.
func (r *Reader) cellValue(b *blob, c *cell, enc keyspace.Encoding, what string) error {
	if r.silent {
		r.elements++
		if c.isInt {
			return nil
		}
		return r.passCell(b, c, what)
	}
	r.placeIn(b, c.off, c.n)
	if c.isInt {
		return r.element(r.formatInt(c.num), keyspace.Int)
	}
	return r.bytesOf(b, c.n, enc, what)
}

// passCell consumes a cell's string without yielding it.
func (r *Reader) passCell(b *blob, c *cell, what string) error {
	for n := c.n; n > 0; {
		step := min(n, int64(max(r.lim.MaxChunk, minChunk)))
		if err := r.needBlob(b, int(step), what); err != nil {
			return err
		}
		b.i += int(step)
		n -= step
	}
	return nil
}

// cellBytes returns a cell as bytes that stay valid while the blob is walked on:
// the blob's own memory where all of it is visible, else a copy in dst. The
// event's Name becomes the cell's place.
func (r *Reader) cellBytes(b *blob, c *cell, dst []byte, what string) (p, keep []byte, err error) {
	r.nameIn(b, c.off, c.n)
	if c.isInt {
		dst = strconv.AppendInt(dst[:0], c.num, 10)
		return dst, dst, nil
	}
	if c.n > int64(r.lim.MaxKey) {
		return nil, dst, r.blobFail(b, what+": length", keyspace.ErrLimit)
	}
	if b.left == 0 && int64(len(b.b)-b.i) >= c.n {
		p = b.b[b.i : b.i+int(c.n)]
		b.i += int(c.n)
		return p, dst, nil
	}
	dst = dst[:0]
	for n := c.n; n > 0; {
		step := min(n, int64(max(r.lim.MaxChunk, minChunk)))
		if err := r.needBlob(b, int(step), what); err != nil {
			return nil, dst, err
		}
		dst = append(dst, b.b[b.i:b.i+int(step)]...)
		b.i += int(step)
		n -= step
	}
	return dst, dst, nil
}

// cellScore reads a cell as a sorted set's score.
func (r *Reader) cellScore(b *blob, c *cell, what string) (float64, error) {
	if c.isInt {
		return float64(c.num), nil
	}
	if c.n > maxScore {
		return 0, r.blobFail(b, what+": score", keyspace.ErrCorrupt)
	}
	if err := r.needBlob(b, int(c.n), what); err != nil {
		return 0, err
	}
	p := b.b[b.i : b.i+int(c.n)]
	b.i += int(c.n)
	f, ok := parseScore(p)
	if !ok {
		return 0, r.blobFail(b, what+": score", keyspace.ErrCorrupt)
	}
	return f, nil
}

// maxScore is more than any double needs as text (%.17g), and what the old
// encoding of scores allows.
const maxScore = 255

// cells is a run of strings that are kept while something else is walked.
type cells struct {
	data   []byte
	ends   []int
	places []keyspace.Place
}

func (c *cells) reset() { c.data, c.ends, c.places = c.data[:0], c.ends[:0], c.places[:0] }
func (c *cells) add(p []byte, at keyspace.Place) {
	c.data = append(c.data, p...)
	c.ends = append(c.ends, len(c.data))
	c.places = append(c.places, at)
}
func (c *cells) len() int { return len(c.ends) }
func (c *cells) at(i int) []byte {
	from := 0
	if i > 0 {
		from = c.ends[i-1]
	}
	return c.data[from:c.ends[i]]
}
