package redact

import (
	"encoding/binary"
	"math/bits"
)

// What deflate and brotli begin with excludes most of what is neither. It is read as the
// decoders read it, so nothing that they would open is left out.

// bitsOf has the first 128 bits of something from the lowest of its first byte on; behind
// its end are zeros.
type bitsOf struct{ lo, hi uint64 }

func newBits(p []byte) *bitsOf {
	var b [16]byte
	copy(b[:], p)
	return &bitsOf{lo: binary.LittleEndian.Uint64(b[:]), hi: binary.LittleEndian.Uint64(b[8:])}
}

// take reads the next n, fewer than 64.
func (b *bitsOf) take(n uint) uint {
	v := b.lo & (1<<n - 1)
	b.lo, b.hi = b.lo>>n|b.hi<<(64-n), b.hi>>n
	return uint(v)
}

// beginsDeflate reports whether p begins with a block of deflate (RFC 1951, 3.2.3 to
// 3.2.7): a stored one says its length twice, and the code for the lengths of one with
// codes of its own is complete.
func beginsDeflate(p []byte) bool {
	b := newBits(p)
	b.take(1)
	switch b.take(2) {
	case 0:
		return len(p) >= 5 && binary.LittleEndian.Uint16(p[1:]) == ^binary.LittleEndian.Uint16(p[3:])
	case 1:
		return true
	case 2:
		literals, distances, lengths := b.take(5), b.take(5), b.take(4)+4
		full := 0
		for range lengths {
			if n := b.take(3); n > 0 {
				full += 128 >> n
			}
		}
		return literals < 30 && distances < 30 && full == 128
	}
	return false
}

// beginsBrotli reports whether p begins with a meta-block of brotli that holds something
// (RFC 7932, 9.1 and 9.2), and all of it if it is not compressed: what such a one holds
// stands there as it is, too.
func beginsBrotli(p []byte) bool {
	b := newBits(p)
	if b.take(1) == 1 && b.take(3) == 0 && b.take(3) == 1 { // the window
		return false
	}
	last := b.take(1) == 1
	if last && b.take(1) == 1 { // empty
		return false
	}
	nibbles := b.take(2) + 4
	if nibbles == 7 { // nothing but bytes to be skipped
		return !last && b.take(1) == 0
	}
	length := b.take(4*nibbles) + 1
	if nibbles > 4 && (length-1)>>(4*(nibbles-1)) == 0 {
		return false
	}
	return last || b.take(1) == 0 || length <= uint(len(p))
}

// maxGuesses bounds the places inside of an event's strings where something that begins
// with nothing of its own is tried.
const maxGuesses = 1 << 13

// inside reports whether something that is to be replaced stands in p compressed by what
// begins with nothing of its own: anywhere where its first block is unlike other bytes,
// behind a mark of text, or where what stands before it may be its length.
func (t *texts) inside(p []byte, depth int) bool {
	if t.noise > 0 {
		return false
	}
	for i := 1; i+minUntold <= len(p) && t.guesses < maxGuesses; i++ {
		likely := ends[p[i-1]] || counted(p, i)
		if !likely && !likelyDeflate(p[i:]) {
			continue
		}
		q := p[i:]
		for k := range untold {
			if c := &untold[k]; c.begins(q) && (likely || !c.vague) {
				t.guesses++
				if out, _, _ := t.opening(q, c, depth, true); out != nil {
					return true
				}
			}
		}
	}
	return false
}

// ends are the bytes behind which a value begins in text.
var ends = bytesOf("=:,;|\"'>")

// likelyDeflate reports whether p begins with a block of deflate that few other bytes
// begin like: one with fixed codes begins with characters (RFC 1951, 3.2.6).
func likelyDeflate(p []byte) bool {
	if !beginsDeflate(p) {
		return false
	}
	b := newBits(p)
	if b.take(3)>>1 != 1 {
		return true
	}
	for n := range 8 {
		switch code := bits.Reverse8(uint8(b.take(8))); {
		case code < 0x30: // a repetition
			return n >= 3
		case code < 0x30+' ' || code >= 0x30+0x7f:
			return false
		}
	}
	return true
}

// counted reports whether what stands before i in p may be the length of something that
// begins there: in one byte, or in two or four in either order.
func counted(p []byte, i int) bool {
	fits := func(n uint64) bool { return n >= minUntold && n <= uint64(len(p)-i) }
	return fits(uint64(p[i-1])) ||
		i >= 2 && (fits(uint64(binary.BigEndian.Uint16(p[i-2:]))) || fits(uint64(binary.LittleEndian.Uint16(p[i-2:])))) ||
		i >= 4 && (fits(uint64(binary.BigEndian.Uint32(p[i-4:]))) || fits(uint64(binary.LittleEndian.Uint32(p[i-4:]))))
}
