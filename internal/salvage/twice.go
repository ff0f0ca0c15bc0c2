package salvage

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"

	"github.com/valkeyfs/valkeyfs/internal/spill"
)

// finder finds records whose key another record before them has: a server refuses
// the whole file for one. It sorts hashes of names, in bounded memory.
type finder struct {
	sorter *spill.Sorter
	room   [nameSize + 1 + 16]byte
}

func newFinder(tmp string, maxMem int64) *finder {
	return &finder{sorter: spill.NewSorter(tmp, maxMem)}
}

func (f *finder) close() error { return f.sorter.Close() }

// add takes a record: its name, whether it is whole, and its place, so that the
// first of a name that is whole comes before others.
func (f *finder) add(r *record, partial bool) error {
	copy(f.room[:], r.name[:])
	f.room[nameSize] = 0
	if partial {
		f.room[nameSize] = 1
	}
	binary.BigEndian.PutUint64(f.room[nameSize+1:], uint64(r.from))
	binary.BigEndian.PutUint64(f.room[nameSize+9:], uint64(r.to))
	return f.sorter.Add(f.room[:])
}

// each gives to yield the records that are not the one of their name that stays.
func (f *finder) each(yield func(cut) error) error {
	var last [nameSize]byte
	first := true
	for rec, err := range f.sorter.Sorted() {
		if err != nil {
			return err
		}
		if !first && bytes.Equal(last[:], rec[:nameSize]) {
			c := cut{from: int64(binary.BigEndian.Uint64(rec[nameSize+1:])), to: int64(binary.BigEndian.Uint64(rec[nameSize+9:])), why: twice}
			if err := yield(c); err != nil {
				return err
			}
		}
		first = false
		copy(last[:], rec)
	}
	return nil
}

// nameSet tells whether any name may come twice, at a small part of what a finder
// costs: by hashes of 64 bits, in as many parts as each fits a cache.
type nameSet struct {
	seed  maphash.Seed
	parts [256][]uint64
	n     int64
	most  int64
}

// newNameSet returns a set that takes up to about maxMem bytes.
func newNameSet(maxMem int64) *nameSet {
	return &nameSet{seed: maphash.MakeSeed(), most: maxMem / 10} // 8 bytes each, and room to grow
}

func (s *nameSet) hash(db int32, name []byte) uint64 {
	const odd = 0x9e3779b97f4a7c15 // databases apart
	return maphash.Bytes(s.seed, name) + uint64(db)*odd
}

func (s *nameSet) add(h uint64) {
	if s.n++; s.n <= s.most {
		part := &s.parts[h>>56]
		*part = append(*part, h)
	}
}

// again reports whether a name may have come twice: it says so, too, of more names
// than it has room for.
func (s *nameSet) again() bool {
	if s.n > s.most {
		return true
	}
	var seen hashSet
	for _, part := range s.parts {
		seen.reset()
		for _, h := range part {
			if seen.add(h) {
				return true
			}
		}
	}
	return false
}
