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
	seen   map[uint64]struct{}
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
	if x.seen == nil {
		x.seed = maphash.MakeSeed()
	}
	if x.seen == nil || len(x.seen) > 4096 {
		x.seen = map[uint64]struct{}{} // clearing a large one for each small one after it would cost more
		return
	}
	clear(x.seen)
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
	if e.Type == keyspace.Hash && !e.Part.Begins() || e.Type != keyspace.Hash && e.Part != keyspace.Whole || len(x.seen) >= maxSeen {
		return false
	}
	h := maphash.Bytes(x.seed, name)
	_, again := x.seen[h]
	x.seen[h] = struct{}{}
	return again
}
