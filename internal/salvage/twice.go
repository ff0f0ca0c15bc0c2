package salvage

import (
	"bytes"
	"encoding/binary"

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
func (f *finder) add(r record) error {
	copy(f.room[:], r.name[:])
	f.room[nameSize] = 0
	if r.partial {
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
