package rdb

import (
	"encoding/binary"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// walk goes through the entries of one blob, whichever of the encodings it is.
type walk struct {
	b     *blob
	enc   keyspace.Encoding
	claim int64 // number of entries that the header states, -1 if it does not
	seen  int64
	zl    ziplist
	width int64 // intset: bytes of an integer
	free  int64 // zipmap: unused bytes behind the value
}

// openWalk begins the next string of the file as a container.
func (r *Reader) openWalk(enc keyspace.Encoding) (w walk, err error) {
	t, err := r.text(enc.String())
	if err != nil {
		return w, err
	}
	b, err := r.openBlob(t, enc.String())
	if err != nil {
		return w, err
	}
	w = walk{b: b, enc: enc, claim: -1}
	switch enc {
	case keyspace.Ziplist:
		w.zl, err = r.ziplistOpen(b)
	case keyspace.Intset:
		err = r.intsetOpen(&w)
	case keyspace.Zipmap:
		err = r.zipmapOpen(&w)
	default:
		w.claim, err = r.listpackOpen(b)
	}
	return w, err
}

// step reads the next entry into c; false at the end, when all that the header
// claims has been checked. The string of the entry before must be consumed.
func (r *Reader) step(w *walk, c *cell) (bool, error) {
	switch w.enc {
	case keyspace.Ziplist:
		return r.ziplistNext(w.b, &w.zl, c)
	case keyspace.Intset:
		return r.intsetNext(w, c)
	case keyspace.Zipmap:
		return r.zipmapNext(w, c)
	}
	if w.seen > 0 {
		if err := r.listpackTail(w.b, c); err != nil {
			return false, err
		}
	}
	ok, err := r.listpackNext(w.b, c)
	if err != nil {
		return false, err
	}
	if !ok {
		return false, r.listpackClose(w.b, w.claim, w.seen)
	}
	w.seen++
	return true, nil
}

// must is step where an entry has to come: the second of a pair.
func (r *Reader) must(w *walk, c *cell) error {
	ok, err := r.step(w, c)
	if err == nil && !ok {
		err = r.blobFail(w.b, w.enc.String()+": ends inside a pair", keyspace.ErrCorrupt)
	}
	return err
}

// Intset, src/intset.c: width of an integer (LE32: 2, 4 or 8), number of them
// (LE32), the integers in ascending order, little-endian.
const intsetHeader = 8

func (r *Reader) intsetOpen(w *walk) error {
	b := w.b
	size := b.full
	if size < intsetHeader {
		return r.blobFail(b, "intset: shorter than its header", keyspace.ErrCorrupt)
	}
	if err := r.needBlob(b, intsetHeader, "intset header"); err != nil {
		return err
	}
	p := b.b[b.i:]
	w.width, w.claim = int64(binary.LittleEndian.Uint32(p)), int64(binary.LittleEndian.Uint32(p[4:]))
	if w.width != 2 && w.width != 4 && w.width != 8 {
		return r.blobFail(b, "intset: width of its integers", keyspace.ErrCorrupt)
	}
	if w.claim*w.width != size-intsetHeader {
		return r.blobFail(b, "intset: number of integers does not fit its length", keyspace.ErrCorrupt)
	}
	b.i += intsetHeader
	return nil
}

func (r *Reader) intsetNext(w *walk, c *cell) (bool, error) {
	b := w.b
	if w.seen == w.claim {
		return false, r.closeBlob(b, "intset")
	}
	if err := r.needBlob(b, int(w.width), "intset"); err != nil {
		return false, err
	}
	c.isInt, c.n, c.off = true, w.width, b.offset()
	p := b.b[b.i:]
	switch w.width {
	case 2:
		c.num = int64(int16(binary.LittleEndian.Uint16(p)))
	case 4:
		c.num = int64(int32(binary.LittleEndian.Uint32(p)))
	default:
		c.num = int64(binary.LittleEndian.Uint64(p))
	}
	b.i += int(w.width)
	w.seen++
	return true, nil
}

// Zipmap, src/zipmap.c: number of pairs (one byte, 254 when it is not known),
// then field length, field, value length, free bytes (one byte), value, that
// many unused bytes, … 0xff. A length is one byte, or 254 and LE32.
const (
	zipmapBig = 254
	zipmapEnd = 255
)

func (r *Reader) zipmapOpen(w *walk) error {
	b := w.b
	if err := r.needBlob(b, 1, "zipmap header"); err != nil {
		return err
	}
	if n := b.b[b.i]; n < zipmapBig {
		w.claim = int64(n)
	}
	b.i++
	return nil
}

func (r *Reader) zipmapNext(w *walk, c *cell) (bool, error) {
	b := w.b
	isField := w.seen&1 == 0
	if isField && w.free > 0 { // unused bytes behind the value before
		free := int(w.free)
		if err := r.needBlob(b, free, "zipmap"); err != nil {
			return false, err
		}
		b.i += free
		w.free = 0
	}
	if err := r.needBlob(b, 1, "zipmap"); err != nil {
		return false, err
	}
	n := int64(b.b[b.i])
	b.i++
	switch {
	case n == zipmapEnd && isField:
		if w.claim >= 0 && w.claim*2 != w.seen {
			return false, r.blobFail(b, "zipmap: number of pairs is not what it says", keyspace.ErrCorrupt)
		}
		return false, r.closeBlob(b, "zipmap")
	case n == zipmapEnd:
		return false, r.blobFail(b, "zipmap: ends inside a pair", keyspace.ErrCorrupt)
	case n == zipmapBig:
		if err := r.needBlob(b, 4, "zipmap"); err != nil {
			return false, err
		}
		n = int64(binary.LittleEndian.Uint32(b.b[b.i:]))
		b.i += 4
	}
	if !isField {
		if err := r.needBlob(b, 1, "zipmap"); err != nil {
			return false, err
		}
		w.free = int64(b.b[b.i])
		b.i++
	}
	if n > int64(len(b.b)-b.i)+b.left {
		return false, r.blobFail(b, "zipmap: entry runs past its end", keyspace.ErrCorrupt)
	}
	c.isInt, c.n, c.off = false, n, b.offset()
	w.seen++
	return true, nil
}
