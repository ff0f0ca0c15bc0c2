package replay

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFilterEnters holds that hashes that are entered together find what they find one by one.
func TestFilterEnters(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 255, 256, 257, 5000} {
		hashes := make([]uint64, n)
		for i := range hashes {
			if hashes[i] = rnd.Uint64(); i%7 == 6 {
				hashes[i] = hashes[rnd.IntN(i)] // often of the same few
			}
		}
		one, all := newFilter(minFilter), newFilter(minFilter)
		var want, got []uint64
		for _, h := range hashes {
			if one.has(h) {
				want = append(want, h)
			}
			one.put(h)
		}
		all.enter(hashes, func(h uint64) { got = append(got, h) })
		if n > 256 && len(want) == 0 {
			t.Errorf("%d: none was there", n)
		}
		if !slices.Equal(got, want) || !slices.Equal(all, one) {
			t.Errorf("%d: %d were there, %d by one", n, len(got), len(want))
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	b.ReportAllocs()
	f := newFilter(192 << 20)
	rnd := rand.New(rand.NewPCG(1, 2))
	hashes := make([]uint64, batch)
	there := 0
	for b.Loop() {
		for i := range hashes {
			hashes[i] = rnd.Uint64()
		}
		f.enter(hashes, func(uint64) { there++ })
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/key")
}
