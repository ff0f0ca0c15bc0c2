package lifecycle

// An index maps 64-bit hashes to positive numbers: open addressing with linear
// probing, in arrays that are used again. The low bits of a hash say where it goes.
type index struct {
	keys []uint64
	refs []uint32 // 0: free
	mask uint64
	most int // entries that it may hold
}

const (
	minSlots  = 16
	slotBytes = 12
)

// room is how many entries an index of so many slots may hold.
func room(slots int) int { return slots / 4 * 3 }

// newIndex returns an index of at most so many slots, a power of two.
func newIndex(slots int) index {
	return index{keys: make([]uint64, slots), refs: make([]uint32, slots)}
}

// reset empties the index and makes it use so many of its slots.
func (x *index) reset(slots int) {
	x.mask, x.most = uint64(slots-1), room(slots)
	clear(x.refs[:slots])
}

// get returns what key maps to, or 0.
func (x *index) get(key uint64) uint32 {
	for i := key & x.mask; ; i = (i + 1) & x.mask {
		if r := x.refs[i]; r == 0 || x.keys[i] == key {
			return r
		}
	}
}

// put maps key, which must not be there yet, to ref.
func (x *index) put(key uint64, ref uint32) {
	i := key & x.mask
	for x.refs[i] != 0 {
		i = (i + 1) & x.mask
	}
	x.keys[i], x.refs[i] = key, ref
}

// delete removes key, which must be there, and closes the gap.
func (x *index) delete(key uint64) {
	i := key & x.mask
	for x.keys[i] != key || x.refs[i] == 0 {
		i = (i + 1) & x.mask
	}
	for j := (i + 1) & x.mask; x.refs[j] != 0; j = (j + 1) & x.mask {
		// What stands at j may move up to i unless its place lies between them.
		if (j-x.keys[j])&x.mask >= (j-i)&x.mask {
			x.keys[i], x.refs[i] = x.keys[j], x.refs[j]
			i = j
		}
	}
	x.refs[i] = 0
}
