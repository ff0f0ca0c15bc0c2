package carve

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// TestWithoutAVX2: other processors find the same.
func TestWithoutAVX2(t *testing.T) {
	if !useAVX2 {
		servertest.Lacks(t, "the processor has no AVX2")
	}
	defer func() { useAVX2 = true }()
	useAVX2 = false
	checkPlaces(t)
	r := rand.New(rand.NewPCG(13, 13))
	f, got := newFinder(), newFinder()
	for _, b := range [][]byte{noise(r, 1<<20), dense(r, 1<<20)} {
		for at := 0; at+2*block < len(b); {
			n := min(1+r.IntN(2*block), block)
			useAVX2 = true
			want := f.candidates(b, at, n)
			useAVX2 = false
			if left := got.candidates(b, at, n); !slices.Equal(left, want) {
				t.Fatalf("%d places from %d: %d, not %d", n, at, left, want)
			}
			at += n
		}
	}
}
