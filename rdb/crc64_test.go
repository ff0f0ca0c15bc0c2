package rdb

import (
	"hash/crc64"
	"math/rand/v2"
	"testing"
)

func TestChecksumCheckValue(t *testing.T) {
	// The check value that src/crc64.c of Redis states for its polynomial.
	if got := Checksum(0, []byte("123456789")); got != 0xe9c6d914c4b8d9ca {
		t.Fatalf("got %#x", got)
	}
}

func TestChecksumAgreesWithTheStandardLibrary(t *testing.T) {
	tab := crc64.MakeTable(crcPoly)
	rnd := rand.New(rand.NewPCG(1, 2))
	p := make([]byte, 4096)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	for n := range 200 {
		cut := rnd.IntN(n + 1)
		want := ^crc64.Update(^uint64(0), tab, p[:n])
		if got := Checksum(Checksum(0, p[:cut]), p[cut:n]); got != want {
			t.Fatalf("%d bytes cut at %d: %#x, want %#x", n, cut, got, want)
		}
	}
}

func BenchmarkChecksum(b *testing.B) {
	p := make([]byte, 1<<20)
	for i := range p {
		p[i] = byte(i * 7)
	}
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		Checksum(0, p)
	}
}
