package scan

import "encoding/binary"

// Strings behind their length, in bytes of a format that nothing here knows:
// Thrift, Avro, Go's gob, bincode, Hessian, UBJSON, BinaryWriter of .NET and many
// more. A length of 32 and above is itself a printable character and runs into
// the string, and what follows may do so, too. So each string whose length stands
// before it is scanned by itself, and one that is the name of a secret names the
// one right behind it.
const kindCounted = "strings"

const (
	minCounted  = 8       // bytes of a string that is scanned
	maxLead     = 3       // printable bytes before a string: tags, and its length
	maxCounted  = 1 << 12 // strings in a fragment, and
	hitCounted  = 64      // one more for so many bytes, where keywords stand
	maxNameGap  = 8       // bytes between a name and its value
	maxNameText = 40
)

// counted scans the strings of f that have a length. The fragment as a whole is
// scanned, too. Avro writes twice the length, all others do not.
func (w *worker) counted(f *fragment, hits []hit, base uint32) {
	if len(hits) == 0 || f.isName || w.probe.collecting || isText(f.data) {
		return
	}
	for _, length := range [...]func([]byte, int) int{plainLength, doubledLength} {
		c := countedScan{w: w, f: f, hits: hits, base: base, length: length}
		if c.scan(); c.cut {
			w.limited(kindCounted)
			return
		}
	}
}

// A countedScan goes through the strings of a fragment.
type countedScan struct {
	w       *worker
	f       *fragment
	hits    []hit // those behind the strings before
	base    uint32
	length  func(head []byte, room int) int
	free    int // where the string before ends
	name    []byte
	nameEnd int // where a string that names the next one ends; 0 if there is none
	inName  []hit
	cut     bool // some were passed over because of a limit
}

func (c *countedScan) scan() {
	data := c.f.data
	for at, n := 0, 0; at < len(data); {
		if n >= maxCounted {
			if at = c.nextHit(at); at == len(data) {
				return
			}
		}
		if !isGraphic(data[at]) {
			at++
			continue
		}
		end := run(data, at, len(data), isGraphic)
		for at < end {
			to := c.begin(at, end)
			if n < maxCounted || to > 0 {
				n++
			}
			if n > maxCounted+len(data)/hitCounted {
				c.cut = true
				return
			}
			if to == 0 {
				break
			}
			at, c.free = to, to
		}
		at = end
	}
}

// nextHit returns where the printable bytes begin, at a place or behind it, that the
// next keyword stands in: of the many strings behind the first, these are looked at,
// and what a name may name.
func (c *countedScan) nextHit(at int) int {
	if c.nameEnd > 0 && at-c.nameEnd <= maxNameGap {
		return at
	}
	c.within(at, at)
	if len(c.hits) == 0 {
		return len(c.f.data)
	}
	end := int(c.hits[0].end - c.base)
	return max(at, runBack(c.f.data, end, end-at, isGraphic))
}

// begin scans the strings that may begin at one of the first of the printable bytes
// from at to end, and returns where the likeliest ends: that which reaches end, or
// the first; 0 if there is none.
func (c *countedScan) begin(at, end int) int {
	from, to := 0, 0
	for i := at; i <= min(at+maxLead, end-1); i++ {
		n := c.length(c.f.data[c.free:i], end-i)
		if n == 0 {
			continue
		}
		if to == 0 || to < end && i+n == end {
			from, to = i, i+n
		}
		if i > at || i+n < end { // else it has an end on both sides
			c.text(i, i+n)
		}
	}
	if to > 0 {
		c.named(from, to)
	}
	return to
}

// within returns the hits between two positions, and forgets those before them.
func (c *countedScan) within(from, to int) []hit {
	for len(c.hits) > 0 && c.hits[0].end <= c.base+uint32(from) {
		c.hits = c.hits[1:]
	}
	return within(c.hits, c.base+uint32(from), to-from)
}

func (c *countedScan) text(from, to int) {
	if hits := c.within(from, to); len(hits) > 0 && to-from >= minCounted && c.room() {
		c.child(from, to, hits)
	}
}

// room takes an element from the budget.
func (c *countedScan) room() bool {
	ok := c.w.budget.element()
	c.cut = c.cut || !ok
	return ok
}

func (c *countedScan) child(from, to int, hits []hit) {
	c.w.child(c.f, piece{kind: kindCounted, data: c.f.data[from:to:to], from: from, to: to, inPlace: true}, hits, c.base+uint32(from))
}

// named scans a string under the name before it, or remembers it as one.
func (c *countedScan) named(from, to int) {
	text, hits := c.f.data[from:to:to], c.within(from, to)
	if c.nameEnd > 0 && from-c.nameEnd <= maxNameGap && c.room() {
		c.w.enter(c.name, true, c.inName)
		if c.w.nameMatters() {
			c.child(from, to, hits)
		}
		c.w.leave()
		c.nameEnd = 0
		return
	}
	c.nameEnd = 0
	if len(hits) > 0 && len(text) <= maxNameText && isIdentifier(text) {
		c.name, c.nameEnd, c.inName = text, to, hits
	}
}

// plainLength returns the length that head ends in, in one of the ways in which
// formats write lengths: the longest that is no more than room, or 0.
func plainLength(head []byte, room int) int {
	best := 0
	try := func(n uint64) {
		if n >= 2 && n <= uint64(room) && int(n) > best {
			best = int(n)
		}
	}
	n := len(head)
	if n >= 8 {
		try(binary.LittleEndian.Uint64(head[n-8:]))
	}
	if n >= 4 {
		try(uint64(binary.LittleEndian.Uint32(head[n-4:])))
		try(uint64(binary.BigEndian.Uint32(head[n-4:])))
	}
	if n >= 2 {
		try(uint64(binary.BigEndian.Uint16(head[n-2:])))
	}
	one, two := varintBefore(head)
	try(one)
	try(two)
	return best
}

// doubledLength is plainLength of a length in Avro's zigzag form.
func doubledLength(head []byte, room int) int {
	one, two := varintBefore(head)
	for _, n := range [...]uint64{two, one} {
		if n >= 4 && n%2 == 0 && n/2 <= uint64(room) {
			return int(n / 2)
		}
	}
	return 0
}

// varintBefore returns the number that the last byte of head is as a group of seven
// bits, and that which the last two are; 0 if they are none.
func varintBefore(head []byte) (one, two uint64) {
	n := len(head)
	if n == 0 || head[n-1] >= 0x80 {
		return 0, 0
	}
	one = uint64(head[n-1])
	if n > 1 && head[n-2] >= 0x80 {
		two = one<<7 | uint64(head[n-2]&0x7f)
	}
	return one, two
}

func isGraphic(b byte) bool { return b >= ' ' && b < 0x7f }
