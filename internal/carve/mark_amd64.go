package carve

import "golang.org/x/sys/cpu"

// useAVX2 is a variable for tests, which mark without it, too.
var useAVX2 = cpu.X86.HasAVX2

// mark is markPlainly, by vectors of 32 places where the processor has them.
func mark(b []byte, to marks) {
	if n := len(to.records); useAVX2 && n > 0 {
		markAVX2(b, to.records, to.others[:n], to.prefixes[:n], secondOf(b[64*n]), &halves)
		return
	}
	markPlainly(b, to)
}

// markAVX2 marks; behind is secondOf the byte behind the places, of which there is at
// least a word.
//
//go:noescape
func markAVX2(b []byte, records, others, prefixes []uint64, behind uint8, halves *[4][16]uint8)
