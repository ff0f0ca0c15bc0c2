package salvage

import (
	"hash/maphash"
	"math"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// elements finds what makes a server refuse a record that parses, and the whole
// file with it: a member or field that comes twice, and a score that is no number
// (rdbLoadObject of src/rdb.c; of what is one blob, where it converts it, or always
// since Valkey 9.1), an intset or fields that expire out of order, in a stream a group or consumer that
// comes twice, pending entries of a group that are not those of its consumers, or a
// length that is not the number of its entries, and a vector set that contradicts itself.
type elements struct {
	seed    maphash.Seed
	active  bool
	seen    hashSet
	ordered bool   // the key is an intset, or a listpack of fields that expire
	least   int64  // that its next integer or expiry may be
	group   uint64 // hash of the name of the open group
	pending uint64 // sum of the hashes of its pending entries, less those of its consumers
	entries int64  // of a stream, without those that are deleted
	graph   graph  // of a vector set
	unsound bool
}

// maxSeen bounds the members of one collection that are remembered. Beyond them
// nothing is found twice.
const maxSeen = 1 << 20

// begin takes up a key.
func (x *elements) begin(e *keyspace.Event, wanted bool) {
	x.active = wanted && (neverEmpty(e.Type) && e.Type != keyspace.List || e.Type == keyspace.Stream || e.Type == keyspace.VectorSet)
	x.ordered, x.least, x.pending, x.entries, x.unsound = e.Encoding == keyspace.Intset || e.Encoding == keyspace.ListpackEx, math.MinInt64, 0, 0, false
	if !x.active {
		return
	}
	x.graph = graph{params: x.graph.params, wrong: e.Type == keyspace.VectorSet && e.Index != 0} // VectorSetRdbLoad: its version is 0
	if x.seen.slots == nil {
		x.seed = maphash.MakeSeed()
	}
	x.seen.reset()
}

// refuses reports whether a server refuses the element, or what stands beside those
// of a stream.
func (x *elements) refuses(e *keyspace.Event) bool {
	switch {
	case !x.active:
		return false
	case e.Type == keyspace.Stream:
		return x.refusesOfStream(e)
	case e.Type == keyspace.VectorSet:
		x.vectorSet(e)
		return false
	case x.ordered && e.Part.Begins():
		n, err := order(e)
		x.unsound = x.unsound || err != nil || n < x.least
		x.least = n
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

// order is the number by which the elements of an intset are in order, or the fields of
// a listpack that expire: those that do not come last.
func order(e *keyspace.Event) (int64, error) {
	switch {
	case e.Type == keyspace.Set:
		return strconv.ParseInt(string(e.Value), 10, 64)
	case e.Expire == keyspace.NoExpire:
		return math.MaxInt64, nil
	}
	return e.Expire, nil
}

func (x *elements) refusesOfStream(e *keyspace.Event) bool {
	var h uint64
	switch e.Kind {
	case keyspace.Element:
		if e.Index == 0 && e.Part.Begins() && e.State != keyspace.Deleted {
			x.entries++
		}
		return false
	case keyspace.StreamMeta:
		x.unsound = x.unsound || x.entries != e.Index
		return false
	case keyspace.Group:
		x.unsound = x.unsound || x.pending != 0
		h, x.pending = maphash.Bytes(x.seed, e.Field), 0
		x.group = h
	case keyspace.Consumer:
		h = x.group + maphash.Bytes(x.seed, e.Value)
	case keyspace.Pending:
		h = maphash.Comparable(x.seed, e.ID)
		if e.Value != nil {
			x.pending -= h
			return false
		}
		x.pending += h
		h += x.group
	}
	return x.seen.n < maxSeen && x.seen.add(h)
}

// refused reports whether a server refuses the key that ends, though each of its
// elements by itself is sound.
func (x *elements) refused(t keyspace.Type) bool {
	return x.active && (x.unsound || x.pending != 0 || t == keyspace.VectorSet && !x.graph.closed())
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
