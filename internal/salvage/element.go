package salvage

import (
	"hash/maphash"
	"math"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// elements finds what makes a server refuse a record that parses, and the whole
// file with it: a member or field that comes twice, and a score that is no number
// (rdbLoadObject of src/rdb.c; of what is one blob, where it converts it).
type elements struct {
	seed   maphash.Seed
	active bool
	seen   hashSet
}

// maxSeen bounds the members of one collection that are remembered. Beyond them
// nothing is found twice.
const maxSeen = 1 << 20

// begin takes up a key.
func (x *elements) begin(e *keyspace.Event, wanted bool) {
	x.active = wanted && (e.Type == keyspace.Hash || e.Type == keyspace.Set || e.Type == keyspace.SortedSet)
	if !x.active {
		return
	}
	if x.seen.slots == nil {
		x.seed = maphash.MakeSeed()
	}
	x.seen.reset()
}

// refuses reports whether a server refuses the element.
func (x *elements) refuses(e *keyspace.Event) bool {
	if !x.active {
		return false
	}
	if e.Type == keyspace.SortedSet && math.IsNaN(e.Score) {
		return true
	}
	name := e.Value
	if e.Type == keyspace.Hash {
		name = e.Field
	}
	if e.Type == keyspace.Hash && !e.Part.Begins() || e.Type != keyspace.Hash && e.Part != keyspace.Whole || x.seen.n >= maxSeen {
		return false
	}
	return x.seen.add(maphash.Bytes(x.seed, name))
}

// hashSet is a set of hashes that is emptied at the cost of what was in it: most
// collections are small, and a map that held a large one before is not.
type hashSet struct {
	slots []uint64 // twice as many as hashes at least, a power of two; 0: free
	n     int
	spare []uint64 // what slots were before they grew, or will be next
}

const leastSlots = 64

func (s *hashSet) reset() {
	if s.slots == nil {
		s.slots = make([]uint64, leastSlots)
	}
	s.slots, s.n = s.slots[:leastSlots], 0
	clear(s.slots)
}

// add adds a hash and reports whether it was there.
func (s *hashSet) add(h uint64) bool {
	h = max(h, 1)
	if s.put(h) {
		return true
	}
	if s.n++; 2*s.n >= len(s.slots) {
		s.grow()
	}
	return false
}

// put stores a hash unless it is there, and reports whether it is.
func (s *hashSet) put(h uint64) bool {
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case h:
			return true
		case 0:
			s.slots[i] = h
			return false
		}
	}
}

// grow doubles the slots. What they took before is kept: the next collection grows
// into it.
func (s *hashSet) grow() {
	old, size := s.slots, 2*len(s.slots)
	if cap(s.spare) >= size {
		s.slots = s.spare[:size]
		clear(s.slots)
	} else {
		s.slots = make([]uint64, size)
	}
	s.spare = old
	for _, h := range old {
		if h != 0 {
			s.put(h)
		}
	}
}
