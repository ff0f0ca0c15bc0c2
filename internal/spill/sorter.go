package spill

import (
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"slices"
)

// MaxSorted is the most bytes that a record of a [Sorter] may have.
const MaxSorted = BlockSize - frameSize

const (
	frameSize = 4   // the length before each record of a run
	maxRuns   = 256 // runs that are merged at once; each takes a block to read
)

// Sorter sorts any number of records by their bytes within a budget of memory.
// Runs that do not fit are spilled, encrypted. It is not safe for concurrent use.
type Sorter struct {
	store  *Store
	budget int
	arena  []byte
	ends   []int // of the records in arena
	runs   []*Stream
}

// sortedRef is a record in the arena, and its first bytes, which tell most records
// apart without looking there.
type sortedRef struct {
	head     uint64
	from, to int
}

// refSize is what a record takes in memory beside its bytes: its end, and the
// reference that sorting it makes.
const refSize = 8 + 24

// NewSorter returns an empty sorter that holds up to budget bytes in memory, and
// spills to dir as a [Store] does.
func NewSorter(dir string, budget int64) *Sorter {
	// The runs are for the file: held in memory, they would take the room of the
	// records to come.
	return &Sorter{store: New(dir, 0), budget: int(max(budget, BlockSize))}
}

// Close frees the memory and the file.
func (s *Sorter) Close() error {
	s.arena, s.ends, s.runs = nil, nil, nil
	return s.store.Close()
}

// Add adds a record of at most MaxSorted bytes, which it copies.
func (s *Sorter) Add(record []byte) error {
	if len(record) > MaxSorted {
		return fmt.Errorf("spill: a record of %d bytes", len(record))
	}
	if len(s.ends) > 0 && len(s.arena)+len(record)+(len(s.ends)+1)*refSize > s.budget {
		if err := s.shelve(); err != nil {
			return err
		}
	}
	s.arena = append(s.arena, record...)
	s.ends = append(s.ends, len(s.arena))
	return nil
}

// ordered returns the records in memory, in order.
func (s *Sorter) ordered() []sortedRef {
	refs := make([]sortedRef, len(s.ends))
	from := 0
	for i, to := range s.ends {
		refs[i] = sortedRef{head(s.arena[from:to]), from, to}
		from = to
	}
	slices.SortFunc(refs, func(a, b sortedRef) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return bytes.Compare(s.arena[a.from:a.to], s.arena[b.from:b.to])
	})
	return refs
}

// head is the first eight bytes of a record as a number, which sorts as they do.
func head(record []byte) uint64 {
	if len(record) >= 8 {
		return binary.BigEndian.Uint64(record)
	}
	var b [8]byte
	copy(b[:], record)
	return binary.BigEndian.Uint64(b[:])
}

// shelve makes the records in memory a run.
func (s *Sorter) shelve() error {
	run := s.store.Stream()
	var buf []byte
	for _, r := range s.ordered() {
		buf = frame(buf[:0], s.arena[r.from:r.to])
		if err := run.Append(buf); err != nil {
			return err
		}
	}
	s.arena, s.ends = s.arena[:0], s.ends[:0]
	s.runs = append(s.runs, run)
	if len(s.runs) < maxRuns {
		return nil
	}
	return s.merge()
}

func frame(buf, record []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(buf, uint32(len(record))), record...)
}

// merge makes all runs one.
func (s *Sorter) merge() error {
	one := s.store.Stream()
	var buf []byte
	for record, err := range s.merged() {
		if err != nil {
			return err
		}
		buf = frame(buf[:0], record)
		if err := one.Append(buf); err != nil {
			return err
		}
	}
	for _, r := range s.runs {
		r.Free()
	}
	s.runs = append(s.runs[:0], one)
	return nil
}

// Sorted yields all records in ascending order; each is valid until the next. It
// may be ranged over again; nothing may be added while it is.
func (s *Sorter) Sorted() iter.Seq2[[]byte, error] {
	if len(s.runs) == 0 {
		return func(yield func([]byte, error) bool) {
			for _, r := range s.ordered() {
				if !yield(s.arena[r.from:r.to], nil) {
					return
				}
			}
		}
	}
	return func(yield func([]byte, error) bool) {
		if len(s.ends) > 0 {
			if err := s.shelve(); err != nil {
				yield(nil, err)
				return
			}
		}
		s.merged()(yield)
	}
}

// merged yields the records of all runs in order.
func (s *Sorter) merged() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var h heads
		for _, r := range s.runs {
			c := &cursor{r: r.Reader()}
			switch err := c.next(); err {
			case nil:
				h = append(h, c)
			case io.EOF:
			default:
				yield(nil, err)
				return
			}
		}
		heap.Init(&h)
		for len(h) > 0 {
			c := h[0]
			if !yield(c.record, nil) {
				return
			}
			switch err := c.next(); err {
			case nil:
				heap.Fix(&h, 0)
			case io.EOF:
				heap.Pop(&h)
			default:
				yield(nil, err)
				return
			}
		}
	}
}

// cursor stands at a record of a run.
type cursor struct {
	r      *Reader
	rest   []byte // of the block
	record []byte
}

func (c *cursor) next() error {
	if len(c.rest) == 0 {
		block, err := c.r.Next()
		if err != nil {
			return err
		}
		c.rest = block
	}
	n := binary.LittleEndian.Uint32(c.rest)
	c.record, c.rest = c.rest[frameSize:frameSize+n], c.rest[frameSize+n:]
	return nil
}

// heads is a heap of cursors by their records.
type heads []*cursor

func (h heads) Len() int           { return len(h) }
func (h heads) Less(i, j int) bool { return bytes.Compare(h[i].record, h[j].record) < 0 }
func (h heads) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)        { *h = append(*h, x.(*cursor)) }

func (h *heads) Pop() any {
	n := len(*h) - 1
	c := (*h)[n]
	*h = (*h)[:n]
	return c
}
