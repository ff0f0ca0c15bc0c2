package spill

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSorter(t *testing.T) {
	for name, c := range map[string]struct {
		records, longest int
		budget           int64
	}{
		"empty":       {0, 1, 1 << 20},
		"in memory":   {5000, 100, 1 << 24},
		"spilled":     {50000, 100, 1 << 16},
		"many merges": {60000, 300, 1},
		"longest":     {20, MaxSorted, 1 << 16},
	} {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, uint64(c.records)))
			s := NewSorter(t.TempDir(), c.budget)
			defer s.Close()
			var want [][]byte
			for range c.records {
				r := make([]byte, rnd.IntN(c.longest+1))
				for i := range r {
					r[i] = byte(rnd.Uint32())
				}
				want = append(want, r)
				if err := s.Add(r); err != nil {
					t.Fatal(err)
				}
			}
			slices.SortFunc(want, bytes.Compare)
			for range 2 {
				i := 0
				for r, err := range s.Sorted() {
					if err != nil {
						t.Fatal(err)
					}
					if i >= len(want) || !bytes.Equal(r, want[i]) {
						t.Fatalf("record %d is out of order", i)
					}
					i++
				}
				if i != len(want) {
					t.Fatalf("%d records of %d", i, len(want))
				}
			}
		})
	}
}

func TestSorterRefuses(t *testing.T) {
	s := NewSorter(t.TempDir(), 1<<20)
	defer s.Close()
	if err := s.Add(make([]byte, MaxSorted+1)); err == nil {
		t.Error("a record over MaxSorted was taken")
	}
}
