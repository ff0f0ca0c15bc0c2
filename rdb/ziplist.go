package rdb

import (
	"encoding/binary"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Ziplist, src/ziplist.c: total bytes (LE32), offset of the last entry (LE32),
// number of entries (LE16, 65535 when it is not known), entries of previous
// entry's length, encoding and data, 0xff.
const ziplistHeader = 10

// ziplist walks one.
type ziplist struct {
	claim, seen int64
	tail        int64 // where the last entry starts, as the header says
	prev        int64 // length of the entry before
	start       int64 // where the current entry starts
}

func (r *Reader) ziplistOpen(b *blob) (z ziplist, err error) {
	size := b.full
	if size < ziplistHeader+1 {
		return z, r.blobFail(b, "ziplist: shorter than its header", keyspace.ErrCorrupt)
	}
	if err := r.needBlob(b, ziplistHeader, "ziplist header"); err != nil {
		return z, err
	}
	p := b.b[b.i:]
	if int64(binary.LittleEndian.Uint32(p)) != size {
		return z, r.blobFail(b, "ziplist: says another length than its string has", keyspace.ErrCorrupt)
	}
	z.tail = int64(binary.LittleEndian.Uint32(p[4:]))
	z.claim = int64(binary.LittleEndian.Uint16(p[8:]))
	if z.claim == listpackUnknown {
		z.claim = -1
	}
	z.start = ziplistHeader
	b.i += ziplistHeader
	return z, nil
}

// ziplistNext reads the next entry; false at the end.
func (r *Reader) ziplistNext(b *blob, z *ziplist, c *cell) (bool, error) {
	if z.seen > 0 {
		z.prev = b.offset() - z.start
		z.start = b.offset()
	}
	if len(b.b)-b.i < 14 {
		if err := r.needBlob(b, int(min(14, int64(len(b.b)-b.i)+b.left)), "ziplist"); err != nil {
			return false, err
		}
	}
	p := b.b[b.i:]
	past := func() (bool, error) {
		return false, r.blobFail(b, "ziplist: entry runs past its end", keyspace.ErrCorrupt)
	}
	if len(p) == 0 {
		return past()
	}
	if p[0] == 0xff { // ZIP_END
		b.i++
		if z.claim >= 0 && z.claim != z.seen {
			return false, r.blobFail(b, "ziplist: number of entries is not what it says", keyspace.ErrCorrupt)
		}
		if last := z.start - z.prev; z.seen > 0 && z.tail != last {
			return false, r.blobFail(b, "ziplist: its last entry is not where it says", keyspace.ErrCorrupt)
		}
		return false, r.closeBlob(b, "ziplist")
	}
	n, prev := 1, int64(p[0])
	if p[0] == 0xfe { // ZIP_BIG_PREVLEN
		if len(p) < 5 {
			return past()
		}
		n, prev = 5, int64(binary.LittleEndian.Uint32(p[1:]))
	}
	if prev != z.prev {
		return false, r.blobFail(b, "ziplist: previous entry's length is wrong", keyspace.ErrCorrupt)
	}
	p = p[n:]
	if len(p) == 0 {
		return past()
	}
	e := p[0]
	head, body := 1, 0
	c.isInt = e >= 0xc0
	switch {
	case e < 0x40: // ZIP_STR_06B
		c.n = int64(e & 63)
	case e < 0x80: // ZIP_STR_14B
		head = 2
		if len(p) < head {
			return past()
		}
		c.n = int64(e&63)<<8 | int64(p[1])
	case e == 0x80: // ZIP_STR_32B
		head = 5
		if len(p) < head {
			return past()
		}
		c.n = int64(binary.BigEndian.Uint32(p[1:]))
	case e == 0xc0: // ZIP_INT_16B
		body = 2
	case e == 0xd0: // ZIP_INT_32B
		body = 4
	case e == 0xe0: // ZIP_INT_64B
		body = 8
	case e == 0xf0: // ZIP_INT_24B
		body = 3
	case e == 0xfe: // ZIP_INT_8B
		body = 1
	case e >= 0xf1 && e <= 0xfd: // ZIP_INT_IMM_MIN to MAX
		c.num = int64(e&15) - 1
	default:
		return false, r.blobFail(b, "ziplist: unknown encoding", keyspace.ErrCorrupt)
	}
	if len(p) < head+body {
		return past()
	}
	d := p[head:]
	switch body {
	case 1:
		c.num = int64(int8(d[0]))
	case 2:
		c.num = int64(int16(binary.LittleEndian.Uint16(d)))
	case 3:
		c.num = int64(int32(uint32(d[0])<<8|uint32(d[1])<<16|uint32(d[2])<<24) >> 8)
	case 4:
		c.num = int64(int32(binary.LittleEndian.Uint32(d)))
	case 8:
		c.num = int64(binary.LittleEndian.Uint64(d))
	}
	b.i += n + head + body
	c.tail = -1
	if c.isInt {
		c.n = int64(max(body, 1))
		c.off = b.offset() - c.n
	} else {
		c.off = b.offset()
	}
	z.seen++
	return true, nil
}
