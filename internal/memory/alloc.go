package memory

import "math/bits"

// allocator is jemalloc: what it takes for a request is a size class.
type allocator struct {
	quantum int64 // spacing of the small classes: 16, or 8 in the servers' own builds
}

// size is the class of a request of n bytes (jemalloc(3), SIZE CLASSES): 8, then
// multiples of the quantum up to eight of them, then four classes to each doubling.
func (a allocator) size(n int64) int64 {
	switch {
	case n <= 0:
		return 0
	case n <= 8:
		return 8
	case n <= 8*a.quantum:
		return (n + a.quantum - 1) / a.quantum * a.quantum
	}
	step := int64(1) << (bits.Len64(uint64(n-1)) - 3)
	return (n + step - 1) / step * step
}

// sds is what a string takes that the servers keep by itself: a header by its
// length, its bytes, a zero (sdsnewlen of src/sds.c).
func (a allocator) sds(n int64) int64 { return a.size(sdsHeader(n) + n + 1) }

// sdsName is sds of a name, which has the shortest header.
func (a allocator) sdsName(n int64) int64 {
	if n < 32 {
		return a.size(1 + n + 1)
	}
	return a.sds(n)
}

func sdsHeader(n int64) int64 {
	switch {
	case n < 1<<8:
		return 3
	case n < 1<<16:
		return 5
	case n < 1<<32:
		return 9
	}
	return 17
}
