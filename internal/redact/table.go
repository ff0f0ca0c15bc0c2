package redact

// A table is a set of hashes, each with a number beside it, in about twelve bytes each. Of
// a hash the upper 48 bits count.
type table struct {
	slots []uint64 // a hash above its number; 0: none
	n     int
}

const (
	numberBits = 16
	maxNumber  = 1<<numberBits - 1
	leastSlots = 1 << 10
)

// bytes is the memory that it takes.
func (t *table) bytes() int64 { return int64(len(t.slots)) * 8 }

// slot is where h stands, or would.
func (t *table) slot(h uint64) *uint64 {
	mask := uint64(len(t.slots) - 1)
	for i := h >> numberBits; ; i++ {
		if s := &t.slots[i&mask]; *s == 0 || *s>>numberBits == h>>numberBits {
			return s
		}
	}
}

// get is the number of h.
func (t *table) get(h uint64) (number uint16, ok bool) {
	if t.n == 0 {
		return 0, false
	}
	s := *t.slot(used(h))
	return uint16(s), s != 0
}

// has reports whether h is there.
func (t *table) has(h uint64) bool {
	_, ok := t.get(h)
	return ok
}

// put sets the number of h and reports whether h is new.
func (t *table) put(h uint64, number uint16) bool {
	if t.n >= len(t.slots)/8*7 {
		t.grow()
	}
	s := t.slot(used(h))
	fresh := *s == 0
	if fresh {
		t.n++
	}
	*s = used(h)&^maxNumber | uint64(number)
	return fresh
}

func (t *table) grow() {
	was := t.slots
	t.slots = make([]uint64, max(leastSlots, 2*len(was)))
	for _, s := range was {
		if s != 0 {
			*t.slot(s) = s
		}
	}
}

// used is h with a bit that counts: none of the upper ones would be an empty slot.
func used(h uint64) uint64 { return h | 1<<63 }
