package carve

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// madeMarks are those of a number of words, each with something in it, and a word behind.
func madeMarks(words int) (m marks) {
	for _, to := range []*[]uint64{&m.records, &m.others, &m.prefixes} {
		*to = slices.Repeat([]uint64{0x5555555555555555}, words+1)
	}
	return m
}

// checkMark holds what marks, plainly and as this machine does, to what two bytes tell.
func checkMark(t *testing.T, b []byte) {
	t.Helper()
	words := (len(b) - 1) / 64
	want := madeMarks(words)
	for i := range 64 * words {
		class := firstOf(b[i]) & secondOf(b[i+1])
		for _, m := range []struct {
			to    []uint64
			class uint8
		}{{want.records, classRecord}, {want.others, classOther}, {want.prefixes, classPrefix}} {
			if m.to[i/64] &^= 1 << (i % 64); class&m.class != 0 {
				m.to[i/64] |= 1 << (i % 64)
			}
		}
		record, other := beginsPlainly(b[i], b[i+1])
		if record && class&(classRecord|classPrefix) == 0 || other && class&classOther == 0 {
			t.Fatalf("% x is of class %x", b[i:i+2], class)
		}
	}
	for name, mark := range map[string]func(b []byte, to marks){"markPlainly": markPlainly, "mark": mark} {
		got := madeMarks(words)
		mark(b, marks{got.records[:words], got.others[:words], got.prefixes[:words]})
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s, of %d words: %x, not %x, of % x", name, words, got, want, b[:64*words+1])
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
