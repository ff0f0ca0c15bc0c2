package carve

import "golang.org/x/sys/cpu"

// useAVX2 is a variable for tests, which mark without it, too.
var useAVX2 = cpu.X86.HasAVX2

// mark is markPlainly, by vectors of 32 places where the processor has them.
func mark(b []byte, records, others []uint64) {
	if n := len(records); useAVX2 && n > 0 {
		markAVX2(b, records, others[:n], classesOf(b[64*n]), &steps)
		return
	}
	markPlainly(b, records, others)
}

// markAVX2 marks; behind are the classes of the byte behind the places, of which there is
// at least a word.
//
//go:noescape
func markAVX2(b []byte, records, others []uint64, behind uint8, steps *[16][16]uint8)

// classesOf has the classes of a byte: the lowest four bits those of which it may be the
// first of two, the highest four those of which it may be the second.
func classesOf(c byte) (classes uint8) {
	for n := range 4 {
		s := sides[c]
		classes |= uint8(s.first>>(8*n)&1|s.second>>(8*n)&1<<4) << n
	}
	return classes
}

// steps is classesOf as a table. One instruction looks up 16 bytes by their lowest four
// bits, and has zero where the highest bit is set. So the sixteen rows, one for each value
// of the highest four bits, are two halves, and in each the first entry counts in all eight
// rows, the next in all but the last, and so on: an entry is how a row differs from the
// one behind it.
var steps = func() (steps [16][16]uint8) {
	for row := range 16 {
		for low := range 16 {
			c := byte(row<<4 | low)
			step := classesOf(c)
			if row%8 != 7 {
				step ^= classesOf(c + 16)
			}
			steps[row&8|7-row%8][low] = step
		}
	}
	return steps
}()
