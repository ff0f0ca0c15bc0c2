package carve

import "github.com/valkeyfs/valkeyfs/rdb"

// marks has a bit for each of a number of places, 64 a word, at which something may begin.
type marks struct {
	records  []uint64 // of a snapshot, with their types
	others   []uint64 // and what else begins with two bytes
	prefixes []uint64 // that records have, and what selects a database
}

// class is what begins with one of firsts and goes on with one of seconds. Both are told
// by four bits each: a byte is let pass whose highest bits are those of one of them, and
// whose lowest are those of one of them. What is let pass is looked at again.
type class struct{ firsts, seconds []byte }

// bytesWhere are those of which is says so.
func bytesWhere(is func(c byte) bool) (all []byte) {
	for c := range 256 {
		if is(byte(c)) {
			all = append(all, byte(c))
		}
	}
	return all
}

// The classes: four of records, three of what else, and the prefixes.
const (
	classRecord = 0x0f
	classOther  = 0x70
	classPrefix = 0x80
	classString = 4 // its index
)

var classes = func() (classes [8]class) {
	isType := func(c byte) bool { return rdb.MayBegin(c, 1) && !rdb.MayBegin(c, 0) }
	isLength := func(c byte) bool { return rdb.MayBegin(0, c) }
	for n := range 4 {
		classes[n] = class{
			bytesWhere(func(c byte) bool { return isType(c) && c < 16 == (n < 2) }),
			bytesWhere(func(c byte) bool { return isLength(c) && c < 64 == (n%2 == 0) }),
		}
	}
	classes[classString] = class{[]byte{1, 2}, bytesWhere(mayBeginText)}
	for first, seconds := range beginnings {
		n := classString + 1
		if first < ' ' || seconds[0] >= 0x80 { // told better apart from text
			n++
		}
		classes[n].firsts = append(classes[n].firsts, first)
		classes[n].seconds = append(classes[n].seconds, seconds...)
	}
	prefixes := bytesWhere(func(c byte) bool { return rdb.MayBegin(c, 0) })
	classes[7] = class{append(prefixes, rdb.BehindDB), bytesWhere(func(byte) bool { return true })}
	return classes
}()

// beginnings are the two bytes with which something begins that is no record.
var beginnings = func() map[byte][]byte {
	all := map[byte][]byte{
		0:            {0}, // in a listpack's length
		'*':          []byte("123456789"),
		gzipMagic[0]: gzipMagic[1:2],
		zstdMagic[0]: zstdMagic[1:2],
	}
	for _, m := range rdb.Magics() {
		all[m[0]] = append(all[m[0]], m[1])
	}
	return all
}()

// halves tell the classes of a byte, one bit each: those that its lowest four bits allow
// and those that its highest do are those of which it may be the first; the same of the
// second.
var halves = func() (halves [4][16]uint8) {
	for n, class := range classes {
		for k, all := range [][]byte{class.firsts, class.seconds} {
			for _, c := range all {
				halves[2*k][c&15] |= 1 << n
				halves[2*k+1][c>>4] |= 1 << n
			}
		}
	}
	return halves
}()

// firstOf has the classes of which a byte may be the first.
func firstOf(c byte) uint8 { return halves[0][c&15] & halves[1][c>>4] }

// secondOf has those of which it may be the second.
func secondOf(c byte) uint8 { return halves[2][c&15] & halves[3][c>>4] }

// sides are firstOf and secondOf of each byte, each class in a byte of its own.
var sides = func() (sides [256]struct{ first, second uint64 }) {
	for c := range sides {
		for n := range classes {
			sides[c].first |= uint64(firstOf(byte(c))>>n&1) << (8 * n)
			sides[c].second |= uint64(secondOf(byte(c))>>n&1) << (8 * n)
		}
	}
	return sides
}()

// markPlainly marks the places of b, which a byte follows. It does not branch on what it
// finds, which no processor foresees.
func markPlainly(b []byte, to marks) {
	for k := range to.records {
		for i := 56; i >= 0; i -= 8 {
			w := (*[9]byte)(b[64*k+i:])
			s0, s1, s2, s3, s4, s5, s6, s7, s8 := &sides[w[0]], &sides[w[1]], &sides[w[2]], &sides[w[3]], &sides[w[4]], &sides[w[5]], &sides[w[6]], &sides[w[7]], &sides[w[8]]
			m := s0.first&s1.second | s1.first&s2.second<<1 | s2.first&s3.second<<2 | s3.first&s4.second<<3 |
				s4.first&s5.second<<4 | s5.first&s6.second<<5 | s6.first&s7.second<<6 | s7.first&s8.second<<7
			to.prefixes[k] = to.prefixes[k]<<8 | m>>56
			to.others[k] = to.others[k]<<8 | (m>>48|m>>40|m>>32)&0xff
			m |= m >> 16
			to.records[k] = to.records[k]<<8 | (m|m>>8)&0xff
		}
	}
}
