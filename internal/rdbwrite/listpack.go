package rdbwrite

import (
	"encoding/binary"
	"math"
)

// listpack grows a listpack: total bytes (LE32), number of entries (LE16, 65535 when
// there are as many or more), entries of encoding, data and backlen, 0xff
// (src/listpack.c).
type listpack struct {
	b []byte
	n int
}

const (
	listpackHeader  = 6
	listpackUnknown = math.MaxUint16
	listpackEnd     = 0xff
)

func (l *listpack) reset() {
	l.b, l.n = append(l.b[:0], make([]byte, listpackHeader)...), 0
}

// int adds an integer: lpEncodeIntegerGetType.
func (l *listpack) int(v int64) {
	from := len(l.b)
	switch {
	case v >= 0 && v < 1<<7:
		l.b = append(l.b, byte(v))
	case v >= -1<<12 && v < 1<<12:
		l.b = append(l.b, 0xc0|byte(v>>8)&0x1f, byte(v))
	case v == int64(int16(v)):
		l.b = binary.LittleEndian.AppendUint16(append(l.b, 0xf1), uint16(v))
	case v >= -1<<23 && v < 1<<23:
		l.b = append(l.b, 0xf2, byte(v), byte(v>>8), byte(v>>16))
	case v == int64(int32(v)):
		l.b = binary.LittleEndian.AppendUint32(append(l.b, 0xf3), uint32(v))
	default:
		l.b = binary.LittleEndian.AppendUint64(append(l.b, 0xf4), uint64(v))
	}
	l.end(from)
}

// bytes adds a string, as an integer where it is one: lpEncodeGetType.
func (l *listpack) bytes(p []byte) {
	if n, ok := integer(p); ok {
		l.int(n)
		return
	}
	from := len(l.b)
	switch n := len(p); {
	case n < 1<<6:
		l.b = append(l.b, 0x80|byte(n))
	case n < 1<<12:
		l.b = append(l.b, 0xe0|byte(n>>8), byte(n))
	default:
		l.b = binary.LittleEndian.AppendUint32(append(l.b, 0xf0), uint32(n))
	}
	l.b = append(l.b, p...)
	l.end(from)
}

// end writes the length of the entry behind it: seven bits a byte, most significant
// first, the top bit set on all but the first (lpEncodeBacklen).
func (l *listpack) end(from int) {
	l.n++
	n := len(l.b) - from
	var room [5]byte
	i := len(room)
	for {
		i--
		room[i] = byte(n&127) | 128
		if n >>= 7; n == 0 {
			break
		}
	}
	room[i] &= 127
	l.b = append(l.b, room[i:]...)
}

// close completes the listpack and returns it, valid until reset.
func (l *listpack) close() []byte {
	l.b = append(l.b, listpackEnd)
	binary.LittleEndian.PutUint32(l.b, uint32(len(l.b)))
	binary.LittleEndian.PutUint16(l.b[4:], uint16(min(l.n, listpackUnknown)))
	return l.b
}
