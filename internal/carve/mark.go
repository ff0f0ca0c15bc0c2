package carve

import "github.com/valkeyfs/valkeyfs/rdb"

// side says whether a byte may be the first or the second of two with which something
// begins. The lowest bit of each byte is for a class of what begins.
type side struct{ first, second uint32 }

const (
	classRecord = 1       // by its type, or a database
	classPrefix = 1 << 8  // or by an expiry or an age, of which the second byte tells little
	classString = 1 << 16 // of a server's memory, by the kind and the text
	classOther  = 1 << 24
)

var sides = func() (sides [256]side) {
	allow := func(class uint32, first, second byte) {
		sides[first].first |= class
		sides[second].second |= class
	}
	for a := range 256 {
		for b := range 256 {
			if !rdb.MayBegin(byte(a), byte(b)) {
				continue
			}
			if rdb.MayBegin(byte(a), 127) {
				allow(classPrefix, byte(a), byte(b))
			} else {
				allow(classRecord, byte(a), byte(b))
			}
		}
	}
	for c := range 256 {
		if mayBeginText(byte(c)) {
			allow(classString, 1, byte(c))
			allow(classString, 2, byte(c))
		}
	}
	for _, m := range rdb.Magics() {
		allow(classOther, m[0], m[1])
	}
	for d := byte('1'); d <= '9'; d++ {
		allow(classOther, '*', d)
	}
	allow(classOther, 0, 0) // in a listpack's length
	allow(classOther, gzipMagic[0], gzipMagic[1])
	allow(classOther, zstdMagic[0], zstdMagic[1])
	return sides
}()

// markPlainly sets a bit in records for each place of b at which a record may begin by two
// bytes, and in others for what else does: 64 places a word, and a byte follows them. It
// does not branch on what it finds, which no processor foresees.
func markPlainly(b []byte, records, others []uint64) {
	for k := range records {
		for i := 56; i >= 0; i -= 8 {
			w := (*[9]byte)(b[64*k+i:])
			s0, s1, s2, s3, s4, s5, s6, s7, s8 := &sides[w[0]], &sides[w[1]], &sides[w[2]], &sides[w[3]], &sides[w[4]], &sides[w[5]], &sides[w[6]], &sides[w[7]], &sides[w[8]]
			m := s0.first&s1.second | s1.first&s2.second<<1 | s2.first&s3.second<<2 | s3.first&s4.second<<3 |
				s4.first&s5.second<<4 | s5.first&s6.second<<5 | s6.first&s7.second<<6 | s7.first&s8.second<<7
			m |= m >> 8
			records[k], others[k] = records[k]<<8|uint64(uint8(m)), others[k]<<8|uint64(uint8(m>>16))
		}
	}
}
