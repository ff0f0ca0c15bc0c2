package rdb

import (
	"encoding/binary"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Listpack, src/listpack.c: total bytes (LE32), number of entries (LE16, 65535
// when it is not known), entries of encoding, data and backlen, 0xff.
const (
	listpackHeader  = 6
	listpackUnknown = 65535
	listpackEnd     = 0xff
)

// listpackOpen reads the header of a listpack and returns the count it claims, -1 if unknown.
func (r *Reader) listpackOpen(b *blob) (int64, error) {
	size := b.full
	if size < listpackHeader+1 {
		return 0, r.blobFail(b, "listpack: shorter than its header", keyspace.ErrCorrupt)
	}
	if err := r.needBlob(b, listpackHeader, "listpack header"); err != nil {
		return 0, err
	}
	p := b.b[b.i:]
	total, n := binary.LittleEndian.Uint32(p), binary.LittleEndian.Uint16(p[4:])
	if int64(total) != size {
		return 0, r.blobFail(b, "listpack: says another length than its string has", keyspace.ErrCorrupt)
	}
	b.i += listpackHeader
	if n == listpackUnknown {
		return -1, nil
	}
	return int64(n), nil
}

// listpackClose checks the claim against the number of entries that were there.
func (r *Reader) listpackClose(b *blob, claim, seen int64) error {
	if claim >= 0 && claim != seen {
		return r.blobFail(b, "listpack: number of entries is not what it says", keyspace.ErrCorrupt)
	}
	return r.closeBlob(b, "listpack")
}

// listpackNext reads the next entry into c; false at the end marker. The
// caller consumes the string and then calls listpackTail, or uses listpackWhole.
func (r *Reader) listpackNext(b *blob, c *cell) (bool, error) {
	if len(b.b)-b.i < 10 {
		// The longest header and integer are nine bytes; near the end fewer will do.
		if err := r.needBlob(b, int(min(10, int64(len(b.b)-b.i)+b.left)), "listpack"); err != nil {
			return false, err
		}
		if b.i >= len(b.b) {
			return false, r.blobFail(b, "listpack: no end marker", keyspace.ErrCorrupt)
		}
	}
	p := b.b[b.i:]
	e := p[0]
	var head, body int
	switch {
	case e < 0x80: // LP_ENCODING_7BIT_UINT
		c.isInt, c.num, head, body = true, int64(e), 0, 1
	case e < 0xc0: // LP_ENCODING_6BIT_STR
		c.isInt, c.n, head = false, int64(e&63), 1
	case e < 0xe0: // LP_ENCODING_13BIT_INT
		if len(p) < 2 {
			return false, r.blobFail(b, "listpack: entry runs past its end", keyspace.ErrCorrupt)
		}
		v := int64(e&31)<<8 | int64(p[1])
		if v >= 1<<12 {
			v -= 1 << 13
		}
		c.isInt, c.num, head, body = true, v, 0, 2
	case e < 0xf0: // LP_ENCODING_12BIT_STR
		if len(p) < 2 {
			return false, r.blobFail(b, "listpack: entry runs past its end", keyspace.ErrCorrupt)
		}
		c.isInt, c.n, head = false, int64(e&15)<<8|int64(p[1]), 2
	case e == listpackEnd:
		b.i++
		return false, nil
	default:
		return r.listpackWide(b, c, p)
	}
	if c.isInt {
		c.off, c.n, c.tail = b.offset(), int64(body), int64(body)
	} else {
		body = head
		c.off, c.tail = b.offset()+int64(head), int64(head)+c.n
	}
	if len(p) < body {
		return false, r.blobFail(b, "listpack: entry runs past its end", keyspace.ErrCorrupt)
	}
	b.i += body
	return true, nil
}

// listpackWide reads the encodings 0xf0 to 0xf4.
func (r *Reader) listpackWide(b *blob, c *cell, p []byte) (bool, error) {
	sizes := [...]int{5, 3, 4, 5, 9} // 32-bit string, 16, 24, 32 and 64-bit integers
	k := int(p[0]) - 0xf0
	if k >= len(sizes) {
		return false, r.blobFail(b, "listpack: unknown encoding", keyspace.ErrCorrupt)
	}
	n := sizes[k]
	if len(p) < n {
		return false, r.blobFail(b, "listpack: entry runs past its end", keyspace.ErrCorrupt)
	}
	switch k {
	case 0:
		c.isInt, c.n = false, int64(binary.LittleEndian.Uint32(p[1:]))
		c.off, c.tail = b.offset()+int64(n), int64(n)+c.n
		b.i += n
		return true, nil
	case 1:
		c.num = int64(int16(binary.LittleEndian.Uint16(p[1:])))
	case 2:
		c.num = int64(int32(uint32(p[1])<<8|uint32(p[2])<<16|uint32(p[3])<<24) >> 8)
	case 3:
		c.num = int64(int32(binary.LittleEndian.Uint32(p[1:])))
	case 4:
		c.num = int64(binary.LittleEndian.Uint64(p[1:]))
	}
	c.isInt, c.n, c.off, c.tail = true, int64(n-1), b.offset()+1, int64(n)
	b.i += n
	return true, nil
}

// listpackTail reads the entry's own length behind it, which must be right.
func (r *Reader) listpackTail(b *blob, c *cell) error {
	if c.tail < 128 && b.i < len(b.b) {
		if b.b[b.i] != byte(c.tail) {
			return r.blobFail(b, "listpack: entry length behind an entry is wrong", keyspace.ErrCorrupt)
		}
		b.i++
		return nil
	}
	// lpEncodeBacklen: seven bits a byte, most significant first, the top bit set on all but the first.
	n, v := 1, uint64(c.tail)
	for x := v >> 7; x > 0 && n < 5; x >>= 7 {
		n++
	}
	if err := r.needBlob(b, n, "listpack"); err != nil {
		return err
	}
	for k := n - 1; k >= 0; k-- {
		want := byte(v & 127)
		if k > 0 {
			want |= 128
		}
		if b.b[b.i+k] != want {
			return r.blobFail(b, "listpack: entry length behind an entry is wrong", keyspace.ErrCorrupt)
		}
		v >>= 7
	}
	b.i += n
	return nil
}
