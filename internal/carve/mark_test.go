package carve

import (
	"math/rand/v2"
	"testing"
)

// checkMark holds what marks, plainly and as this machine does, to what two bytes tell.
func checkMark(t *testing.T, b []byte) {
	t.Helper()
	words := (len(b) - 1) / 64
	records, others := make([]uint64, words), make([]uint64, words)
	for i := range 64 * words {
		m := sides[b[i]].first & sides[b[i+1]].second
		if m&(classRecord|classPrefix) != 0 {
			records[i/64] |= 1 << (i % 64)
		}
		if m&(classString|classOther) != 0 {
			others[i/64] |= 1 << (i % 64)
		}
	}
	for name, mark := range map[string]func(b []byte, records, others []uint64){"markPlainly": markPlainly, "mark": mark} {
		gotRecords, gotOthers := make([]uint64, words+1), make([]uint64, words+1)
		for k := range gotRecords {
			gotRecords[k], gotOthers[k] = 0x5555555555555555, 0x5555555555555555
		}
		mark(b, gotRecords[:words], gotOthers[:words])
		for k := range words {
			if gotRecords[k] != records[k] || gotOthers[k] != others[k] {
				t.Fatalf("%s, word %d of %d: %x %x, not %x %x, of % x", name, k, words, gotRecords[k], gotOthers[k], records[k], others[k], b[64*k:64*k+65])
			}
		}
		if gotRecords[words] != 0x5555555555555555 || gotOthers[words] != 0x5555555555555555 {
			t.Fatalf("%s writes behind %d words", name, words)
		}
	}
}

// pairs is all pairs of bytes, of which some lie in two words.
func pairs() (b []byte) {
	for first := range 256 {
		for second := range 256 {
			b = append(b, byte(first), byte(second))
			if second%31 == 0 {
				b = append(b, byte(first))
			}
		}
	}
	return b
}

// dense is bytes of which most may be the first or the second of two.
func dense(r *rand.Rand, n int) []byte {
	b := noise(r, n)
	signs := []byte{0, 0, 1, 2, 22, 0x1f, 0x8b, 0x28, 0xb5, '*', '1', '9', 'R', 'E', 'V', 'A', 0x47, 0x48, 0x7f, 0x80, 0xc1, 0xc3, 0xf8, 0xf9, 0xfc, 0xfe, 0xff}
	for i := range b {
		if r.IntN(4) != 0 {
			b[i] = signs[r.IntN(len(signs))]
		}
	}
	return b
}

func TestMark(t *testing.T) {
	all := pairs()
	for from := range 64 {
		checkMark(t, all[from:])
	}
	r := rand.New(rand.NewPCG(11, 11))
	for _, b := range [][]byte{noise(r, block+128), dense(r, block+128)} {
		for from := range 64 {
			for n := 1; n <= block+1; n += 16 {
				checkMark(t, b[from:from+n])
			}
		}
	}
}

func FuzzMark(f *testing.F) {
	r := rand.New(rand.NewPCG(12, 12))
	f.Add(pairs()[:block+1])
	f.Add(noise(r, block+1))
	f.Add(dense(r, block+1))
	f.Add(make([]byte, 65))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 0 {
			checkMark(t, b)
		}
	})
}
