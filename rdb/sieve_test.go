package rdb

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// mayBeginPlainly is what MayBegin is, told without a table.
func mayBeginPlainly(first, second byte) bool {
	switch first {
	case opExpireMS, opFreq:
		return true
	case opIdle:
		return second < 128
	case opSelectDB:
		return second < 64
	}
	written := bits(0, 2, 4, 5, 7, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 24, 25, 26, 27)
	return first < 64 && written>>first&1 != 0 && (second >= 1 && second < 0x48 || second >= 0xc0 && second <= 0xc3)
}

func TestMayBegin(t *testing.T) {
	for first := range 256 {
		for second := range 256 {
			if got, want := MayBegin(byte(first), byte(second)), mayBeginPlainly(byte(first), byte(second)); got != want {
				t.Errorf("%#x %#x: %t", first, second, got)
			}
		}
	}
}

// crafts is how many bytes are crafted.
const crafts = 160

// crafted is bytes of which many pass for a record of a kind: small numbers, lengths of
// all forms, and lengths said twice.
func crafted(r *rand.Rand, first byte) []byte {
	b := make([]byte, SieveAhead)
	signs := []byte{0, 0, 0, 0, 1, 2, 3, 4, 8, 9, 15, 16, 17, 0x3f, 0x40, 0x41, 0x47, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3, opResizeDB, opFreq, 0xff, first}
	for i := range crafts {
		if b[i] = signs[r.IntN(len(signs))]; r.IntN(8) == 0 {
			b[i] = byte(r.Uint32())
		}
	}
	for range 40 { // a container's length, and what it says itself
		n := []byte{byte(1 + r.IntN(63))}
		switch r.IntN(3) {
		case 0:
			n = []byte{byte(0x40 | r.IntN(8)), byte(r.Uint32())}
		case 1:
			n = []byte{0x80, 0, 0, byte(r.IntN(2)), byte(r.Uint32())}
		}
		size, _, ok := shortLength(n, 0)
		if !ok {
			size = int(n[3])<<8 | int(n[4])
		}
		copy(b[r.IntN(48):], append(n, byte(size), byte(size>>8), 0, 0))
	}
	b[0] = first
	return b
}

// Nothing that plausibleAt believes is refused by Sieve, and nothing that MayBegin
// refuses is believed.
func checkSieve(t *testing.T, b []byte, i int) (plausible, passed bool) {
	t.Helper()
	may := mayBeginPlainly(b[i], b[i+1])
	plausible, passed = may && plausibleAt(b, i), len(Sieve(b[i:], []uint16{0})) == 1
	if plausible && !passed {
		t.Fatalf("a place that may begin a record is refused: % x", b[i:i+80])
	}
	if passed && !may {
		t.Fatalf("a place that begins no record passes: % x", b[i:i+80])
	}
	return plausible, passed
}

func TestSieve(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for first := range 256 {
		plausible := 0
		tries := 4000
		if kindOf[first] == kindNone {
			tries = 4
		}
		for range tries {
			if ok, _ := checkSieve(t, crafted(r, byte(first)), 0); ok {
				plausible++
			}
		}
		if begins := kindOf[first] != kindNone; begins != (plausible >= 4) {
			t.Errorf("%d of what begins with %#x are plausible", plausible, first)
		}
	}
	whole, at := ledger(600, 2)
	whole = append(whole, make([]byte, SieveAhead)...)
	for i := range len(whole) - SieveAhead {
		checkSieve(t, whole, i)
	}
	passed := 0
	for _, r := range at {
		if _, ok := checkSieve(t, whole, r[0]); ok {
			passed++
		}
	}
	if passed != len(at) {
		t.Errorf("%d of %d records pass", passed, len(at))
	}
}

// Of noise, less than one place in 300 passes.
func TestSieveNoise(t *testing.T) {
	noise := randomBytes(4<<20, 9)
	passed := 0
	for i := range len(noise) - SieveAhead {
		if _, ok := checkSieve(t, noise, i); ok {
			passed++
		}
	}
	if passed > len(noise)/300 {
		t.Errorf("%d of %d places pass", passed, len(noise))
	}
}

// TestSieveBlock: of the places of a block those are left that are by themselves, in order.
func TestSieveBlock(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for n := range SieveBlock {
		b := randomBytes(SieveAhead, uint64(n))
		for i := 0; n%2 == 0 && i+crafts < len(b); i += crafts { // of which more is left
			copy(b[i:], crafted(r, byte(r.IntN(28)))[:crafts])
		}
		b = append(b, make([]byte, SieveAhead)...)
		var all, want []uint16
		for i := range SieveBlock {
			if MayBegin(b[i], b[i+1]) || i%7 == 0 {
				all = append(all, uint16(i))
				if len(Sieve(b[i:], []uint16{0})) == 1 {
					want = append(want, uint16(i))
				}
			}
		}
		if got := Sieve(b, all); !slices.Equal(got, want) {
			t.Fatalf("%d are left, not %d: %d, not %d", len(got), len(want), got, want)
		}
	}
}

// placesOf are the places of each block of b at which a record may begin by two bytes.
func placesOf(b []byte) (blocks [][]uint16) {
	for from := 0; from+SieveAhead <= len(b); from += SieveBlock {
		var places []uint16
		for i := range SieveBlock {
			if MayBegin(b[from+i], b[from+i+1]) {
				places = append(places, uint16(i))
			}
		}
		blocks = append(blocks, places)
	}
	return blocks
}

func BenchmarkSieveNoise(b *testing.B) {
	noise := randomBytes(8<<20, 1)
	blocks := placesOf(noise)
	b.SetBytes(int64(SieveBlock * len(blocks)))
	b.ReportAllocs()
	left := 0
	var places [SieveBlock]uint16
	for b.Loop() {
		for k, p := range blocks {
			left += len(Sieve(noise[SieveBlock*k:], places[:copy(places[:], p)]))
		}
	}
	if left == 0 {
		b.Fatal("nothing is left")
	}
}

func FuzzSieve(f *testing.F) {
	r := rand.New(rand.NewPCG(8, 8))
	for first, kind := range kindOf {
		if kind != kindNone {
			f.Add(crafted(r, byte(first))[:crafts])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n := len(b)
		b = append(b, make([]byte, SieveAhead)...)
		for i := range n {
			checkSieve(t, b, i)
		}
	})
}
