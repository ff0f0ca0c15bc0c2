package rdb

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

func randomBytes(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 5))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// A Prober finds the first record of a stretch of a snapshot in noise, and none in
// noise alone.
func TestProber(t *testing.T) {
	p := NewProber()
	whole, at := ledger(4000, 1)
	starts, early := map[int]bool{}, 0
	for _, r := range at {
		starts[r[0]] = true
	}
	for seed := range uint64(40) {
		b := randomBytes(1<<20, seed)
		if i := p.Next(b, 0, len(b)); i >= 0 {
			t.Errorf("seed %d: a record at %d of noise", seed, i)
		}
		from := 20_000 + int(seed)*977
		copy(b[200_000:], whole[from:from+65536])
		first := from
		for !starts[first] {
			first++
		}
		i := p.Next(b, 0, len(b))
		if i < 0 {
			t.Fatalf("seed %d: nothing was found", seed)
		}
		r := NewReader(bytes.NewReader(b[i:]), Options{Headless: "REDIS", Offset: int64(i)})
		met := false
		for e, err := range r.Events(t.Context()) {
			if err != nil {
				break
			}
			met = met || e.Kind == keyspace.Key && e.Record == int64(200_000+first-from)
		}
		if i != 200_000+first-from {
			early++ // the rest of a record that is cut can look like one
		}
		if !met {
			t.Errorf("seed %d: found at %d, which does not lead to %d", seed, i, 200_000+first-from)
		}
	}
	if early > 12 {
		t.Errorf("%d of 40 began too early", early)
	}
}

func TestProberKnowsOwnRecords(t *testing.T) {
	whole, at := ledger(600, 2)
	whole = append(whole, make([]byte, lookahead)...)
	missed := 0
	for key, r := range at {
		if key > "app:5" {
			continue // near the end
		}
		if !plausibleAt(whole, r[0]) {
			missed++
		}
	}
	if missed > 0 {
		t.Errorf("%d records are ruled out", missed)
	}
}

func BenchmarkProberNoise(b *testing.B) {
	p, noise := NewProber(), randomBytes(8<<20, 1)
	b.SetBytes(int64(len(noise)))
	for b.Loop() {
		if p.Next(noise, 0, len(noise)) >= 0 {
			b.Fatal("found")
		}
	}
}

func FuzzProber(f *testing.F) {
	whole, _ := ledger(60, 1)
	f.Add(whole)
	f.Add(whole[100:])
	f.Add(bytes.Repeat([]byte{0}, 200))
	p := NewProber()
	f.Fuzz(func(t *testing.T, b []byte) {
		i := p.Next(b, 0, len(b))
		if i >= len(b) {
			t.Fatalf("found at %d of %d", i, len(b))
		}
		if i >= 0 && p.Next(b, i, i+1) != i {
			t.Fatalf("what was found at %d is not found there", i)
		}
		SniffWhole(b)
	})
}
