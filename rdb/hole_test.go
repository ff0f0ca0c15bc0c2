package rdb

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// holed is a snapshot of n keys between which zeros stand.
func holed(n, zeros int) []byte {
	return file("REDIS0011", func(b *build) {
		for i := range n {
			b.op(0).str(fmt.Sprint("key:", i)).str("some value")
			if i == n/2 {
				b.op(make([]byte, zeros)...)
			}
		}
	})
}

// TestHoles: behind zeros, however many, the next record is found where it begins, which a
// string's does with a zero, and at each place in a window.
func TestHoles(t *testing.T) {
	const n = 40
	for _, zeros := range []int{8, 9, 15, 16, 17, 23, 24, 25, 4096, blockSize - 1, blockSize, blockSize + 1, 3*blockSize + 5} {
		p := holed(n, zeros)
		keys, damaged := 0, int64(0)
		for e, err := range NewReader(bytes.NewReader(p), again(p)).Events(t.Context()) {
			switch {
			case err != nil:
				t.Fatal(err)
			case e.Kind == keyspace.KeyEnd && len(e.Key) > 0: // the first zeros are read as one without a name, which is taken back
				keys++
			case e.Kind == keyspace.Damage:
				damaged += e.Length
			}
		}
		if keys != n || damaged != int64(zeros) {
			t.Errorf("%d zeros: %d keys, %d damaged", zeros, keys, damaged)
		}
	}
}

func BenchmarkHole(b *testing.B) {
	p := holed(40, 64<<20)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		for _, err := range NewReader(bytes.NewReader(p), again(p)).Events(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
