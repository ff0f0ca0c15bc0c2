package redact

import "encoding/binary"

// What deflate and brotli begin with excludes most of what is neither. It is read as the
// decoders read it, so nothing that they would open is left out.

// bitsOf reads the bits of p from the lowest of its first byte on; behind its end are zeros.
type bitsOf struct {
	p  []byte
	at uint
}

func (b *bitsOf) take(n uint) (v uint) {
	for i := range n {
		if k := (b.at + i) / 8; k < uint(len(b.p)) {
			v |= uint(b.p[k]>>((b.at+i)%8)&1) << i
		}
	}
	b.at += n
	return v
}

// beginsDeflate reports whether p begins with a block of deflate (RFC 1951, 3.2.3 to
// 3.2.7): a stored one says its length twice, and the code for the lengths of one with
// codes of its own is complete.
func beginsDeflate(p []byte) bool {
	b := bitsOf{p: p, at: 1}
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
	b := bitsOf{p: p}
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
