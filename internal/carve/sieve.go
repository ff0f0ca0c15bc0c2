package carve

import (
	"math/bits"
	"slices"
)

// list is the places that are marked, and room for what is written behind them.
type list [2 * block]uint16

// of returns those that have a bit in words: four of each word are written, whether they
// are there or not, since how many there are no processor foresees.
func (l *list) of(words *[block / 64]uint64) []uint16 {
	n := uint(0)
	for k, m := range words {
		from, end := 64*k, n+uint(bits.OnesCount64(m))
		l[n%(2*block)] = uint16(from + bits.TrailingZeros64(m))
		m &= m - 1
		l[(n+1)%(2*block)] = uint16(from + bits.TrailingZeros64(m))
		m &= m - 1
		l[(n+2)%(2*block)] = uint16(from + bits.TrailingZeros64(m))
		m &= m - 1
		l[(n+3)%(2*block)] = uint16(from + bits.TrailingZeros64(m))
		m &= m - 1
		for n += 4; m != 0; m &= m - 1 {
			l[n%(2*block)] = uint16(from + bits.TrailingZeros64(m))
			n++
		}
		n = end
	}
	return l[:n]
}

// merge returns the places of a and of b, both in order, in the memory of l.
func (l *list) merge(a, b []uint16) []uint16 {
	if len(b) == 0 {
		return a
	}
	all := l[:0]
	for len(a) > 0 && len(b) > 0 {
		least := min(a[0], b[0])
		all = append(all, least)
		if a[0] == least {
			a = a[1:]
		}
		if b[0] == least {
			b = b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// prefixed marks of prefixes those as records behind which there may be what they belong
// to: a type one or two bytes behind the next, the zeros that end an expiry in
// milliseconds, or the size of the database. What stands behind the last word is not known.
func prefixed(records, others, prefixes *[block / 64]uint64) {
	for k, p := range prefixes {
		nextRecords, nextOthers, nextPrefixes := ^uint64(0), ^uint64(0), ^uint64(0)
		if k+1 < len(prefixes) {
			nextRecords, nextOthers, nextPrefixes = records[k+1], others[k+1], prefixes[k+1]
		}
		two := records[k] | p
		nextTwo := nextRecords | nextPrefixes
		records[k] |= p & (two>>2 | nextTwo<<62 | records[k]>>3 | nextRecords<<61 | others[k]>>7 | nextOthers<<57)
	}
}

// sieve refuses nearly all places at which two bytes tell that something other than a
// record may begin: by the two bytes themselves, and of strings by the start of the text.
// It returns the others, in the memory of places.
func sieve(b []byte, places []uint16) []uint16 {
	w := (*[2 * block]byte)(b) // of a power of two: where an index is cut to it, none is checked
	n := 0
	for _, place := range places {
		i := uint(place)
		first, t0, t1 := bars[w[i%(2*block)]], bars[w[(i+1)%(2*block)]], bars[w[(i+2)%(2*block)]]
		t2, t3, t4 := bars[w[(i+3)%(2*block)]], bars[w[(i+4)%(2*block)]], bars[w[(i+5)%(2*block)]]
		text := (t0.before&t1.behind | t1.before&t2.behind | t2.before&t3.behind | t3.before&t4.behind) & barText
		barred := uint32(first.before&t0.behind&^barText) | uint32(text)&-uint32(first.before>>barString)
		places[n] = place
		n += int((barred - 1) >> 31) // 1 where nothing bars it
	}
	return places[:n]
}

// bar has bits, each for two bytes that are not found side by side in what sieve looks
// for: one for the first, one for the second of them.
type bar struct{ before, behind uint16 }

const (
	barText   = 1<<3 - 1 // of two bytes of a text
	barString = 15       // the bit that the kinds of strings have in before, and no byte behind
)

var bars = func() (bars [256]bar) {
	bit := 0
	deny := func(before, behind func(c byte) bool) {
		for c := range bars {
			if before(byte(c)) {
				bars[c].before |= 1 << bit
			}
			if behind(byte(c)) {
				bars[c].behind |= 1 << bit
			}
		}
		bit++
	}
	// What isText refuses of two bytes.
	goesOn := func(c byte) bool { return c >= 0x80 && c < 0xc0 }
	leads := func(c byte) bool { return c >= 0xc2 && c < 0xf5 }
	deny(leads, func(c byte) bool { return !goesOn(c) })
	deny(func(c byte) bool { return !leads(c) && !goesOn(c) }, func(c byte) bool { return !mayBeginText(c) })
	deny(goesOn, func(c byte) bool { return !goesOn(c) && !mayBeginText(c) })
	isKind := func(c byte) bool { return c == 1 || c == 2 }
	deny(isKind, func(c byte) bool { return !mayBeginText(c) })
	deny(func(c byte) bool { return !isKind(c) && beginnings[c] == nil }, func(byte) bool { return true })
	for first, seconds := range beginnings {
		deny(func(c byte) bool { return c == first }, func(c byte) bool { return slices.Index(seconds, c) < 0 })
	}
	bars[1].before |= 1 << barString
	bars[2].before |= 1 << barString
	return bars
}()
