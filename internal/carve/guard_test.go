//go:build linux

package carve

import (
	"math/rand/v2"
	"os"
	"syscall"
	"testing"

	"github.com/valkeyfs/valkeyfs/rdb"
)

// TestNothingBehind: nothing before or behind what is searched is read. Pages that must
// not be read lie there.
func TestNothingBehind(t *testing.T) {
	page := os.Getpagesize()
	size := (2*block + rdb.SieveAhead + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Munmap(mem); err != nil {
			t.Error(err)
		}
	}()
	for _, guard := range [][]byte{mem[:page], mem[page+size:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	b := mem[page : page+size : page+size]
	r := rand.New(rand.NewPCG(14, 14))
	copy(b, dense(r, len(b)))
	f := newFinder()
	for n := range 2 * block {
		f.candidates(b[len(b)-n-1:], 0, min(n, block))
		if words := n / 64; words > 0 {
			m := madeMarks(words)
			mark(b[len(b)-64*words-1:], marks{m.records[:words], m.others[:words], m.prefixes[:words]})
			mark(b[:64*words+1], marks{m.records[:words], m.others[:words], m.prefixes[:words]})
		}
		f.next(b[len(b)-n:], 0, n)
		f.next(b[:n], 0, n)
	}
	for n := rdb.SieveAhead - 64; n <= len(b); n++ {
		f.candidates(b[len(b)-n:], 0, min(n-1, block))
	}
}
