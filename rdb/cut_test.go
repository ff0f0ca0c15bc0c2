package rdb

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// overMemory returns a reader of p whose header was read, that reads records one by
// one, and of which copies can be made between two.
func overMemory(t *testing.T, p []byte) *Reader {
	t.Helper()
	r := NewReader(nil, Options{})
	r.ctx, r.yield = t.Context(), func(*keyspace.Event, error) bool { return true }
	r.in = newWindow(p, 0)
	r.clear()
	if err := r.header(); err != nil {
		t.Fatal(err)
	}
	return r
}

// over returns a copy of r that reads on in p.
func (r *Reader) over(p []byte) *Reader {
	c := *r
	c.in.buf, c.in.w = p, len(p)
	c.key, c.field, c.member, c.inflate = nil, nil, nil, nil
	c.templates = maps.Clone(r.templates)
	return &c
}

// A snapshot that ends at any byte whatever is cut inside the record that stands
// there, and what was read before it stays what it is.
func TestEveryByteCut(t *testing.T) {
	servertest.Long(t)
	for name, p := range dumps(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step := 1
			if len(p) >= 64<<10 {
				step = 7
			}
			cuts := 0
			for r, more := overMemory(t, p), true; more; {
				begin := r.in.offset()
				before := r.over(p)
				var err error
				if more, err = r.record(); err != nil {
					t.Fatal(err)
				}
				end := int(r.in.offset())
				for cut := int(begin); cut < end; cut += step {
					_, err := before.over(p[:cut:cut]).record()
					var at *keyspace.FormatError
					if !errors.Is(err, keyspace.ErrTruncated) || !errors.As(err, &at) || at.Pos.Offset < begin || at.Pos.Offset > int64(cut) {
						t.Fatalf("the record at %d cut at %d: %v", begin, cut, err)
					}
					cuts++
				}
			}
			if cuts < (len(p)-headerSize)/step {
				t.Errorf("%d cuts of %d bytes", cuts, len(p))
			}
		})
	}
}

// A bit that is changed anywhere is told, where there is a checksum.
func TestManyFlips(t *testing.T) {
	servertest.Long(t)
	const flips = 400 // a file
	for name, p := range dumps(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(7, uint64(len(p))))
			step := 1 + len(p)/flips
			next := headerSize
			for r, more := overMemory(t, p), true; more; {
				before := r.over(p)
				var err error
				if more, err = r.record(); err != nil {
					t.Fatal(err)
				}
				for ; next < int(r.in.offset()); next += step {
					at := min(next+rnd.IntN(step), int(r.in.offset())-1)
					q := bytes.Clone(p)
					q[at] ^= 1 << rnd.IntN(8)
					if bytes.Equal(q[len(q)-8:], make([]byte, 8)) {
						continue // no checksum is left
					}
					c := before.over(q)
					var err error
					for more := true; more && err == nil; {
						more, err = c.record()
					}
					if err == nil {
						t.Fatalf("byte %d was changed and nothing was said", at)
					}
				}
			}
		})
	}
}
