package spill

import (
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
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
// Runs that do not fit are sorted and spilled, encrypted, while others are added. It
// is not safe for concurrent use.
type Sorter struct {
	store  *Store // while shelving is not nil, that of another goroutine, and so are runs and spare
	budget int    // of one batch
	batch  batch
	spare  batch
	runs   []*Stream

	shelving chan error // a batch is made a run; nil: none is
}

// batch is records in memory.
type batch struct {
	arena []byte
	ends  []int // of the records in arena
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
	return &Sorter{store: New(dir, 0), budget: int(max(budget/2, BlockSize))}
}

// Close frees the memory and the file.
func (s *Sorter) Close() error {
	err := s.wait()
	s.batch, s.spare, s.runs = batch{}, batch{}, nil
	return errors.Join(err, s.store.Close())
}

// Add adds a record of at most MaxSorted bytes, which it copies.
func (s *Sorter) Add(record []byte) error {
	if len(record) > MaxSorted {
		return fmt.Errorf("spill: a record of %d bytes", len(record))
	}
	b := &s.batch
	if len(b.ends) > 0 && len(b.arena)+len(record)+(len(b.ends)+1)*refSize > s.budget {
		if err := s.shelve(); err != nil {
			return err
		}
	}
	b.arena = append(b.arena, record...)
	b.ends = append(b.ends, len(b.arena))
	return nil
}

// ordered returns the records in memory, in order.
func (b *batch) ordered() []sortedRef {
	refs := make([]sortedRef, len(b.ends))
	from := 0
	for i, to := range b.ends {
		refs[i] = sortedRef{head(b.arena[from:to]), from, to}
		from = to
	}
	b.sort(refs, 0)
	return refs
}

// fewTied is how many records of equal heads are compared as they stand.
const fewTied = 12

// sort sorts records by what stands behind their first skip bytes, which are equal.
// Eight bytes are compared at a time, so that records which begin alike, as names
// do, are looked up in the arena once for all comparisons.
func (b *batch) sort(refs []sortedRef, skip int) {
	slices.SortFunc(refs, func(a, b sortedRef) int { return cmp.Compare(a.head, b.head) })
	for len(refs) > 0 {
		n, ended := 1, false
		for n < len(refs) && refs[n].head == refs[0].head {
			n++
		}
		tied := refs[:n]
		refs = refs[n:]
		for i := range tied {
			ended = ended || tied[i].to-tied[i].from <= skip+8
		}
		switch {
		case n == 1:
		case n <= fewTied || ended:
			slices.SortFunc(tied, func(x, y sortedRef) int { return bytes.Compare(b.arena[x.from+skip:x.to], b.arena[y.from+skip:y.to]) })
		default:
			for i := range tied {
				tied[i].head = head(b.arena[tied[i].from+skip+8 : tied[i].to])
			}
			b.sort(tied, skip+8)
		}
	}
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

// shelve has the records in memory made a run, once those before them are.
func (s *Sorter) shelve() error {
	if err := s.wait(); err != nil {
		return err
	}
	s.batch, s.spare = batch{s.spare.arena[:0], s.spare.ends[:0]}, s.batch
	s.shelving = make(chan error, 1)
	done := s.shelving
	go func() { done <- s.write(&s.spare) }()
	return nil
}

// wait returns how the shelving went that was under way.
func (s *Sorter) wait() error {
	if s.shelving == nil {
		return nil
	}
	err := <-s.shelving
	s.shelving = nil
	return err
}

// write makes records a run.
func (s *Sorter) write(b *batch) error {
	run := s.store.Stream()
	var buf []byte
	for _, r := range b.ordered() {
		buf = frame(buf[:0], b.arena[r.from:r.to])
		if err := run.Append(buf); err != nil {
			return err
		}
	}
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
	return func(yield func([]byte, error) bool) {
		err := s.wait()
		if err == nil && len(s.runs) == 0 {
			for _, r := range s.batch.ordered() {
				if !yield(s.batch.arena[r.from:r.to], nil) {
					return
				}
			}
			return
		}
		if err == nil && len(s.batch.ends) > 0 {
			err = errors.Join(s.shelve(), s.wait())
		}
		if err != nil {
			yield(nil, err)
			return
		}
		s.batch, s.spare = batch{}, batch{} // what is merged takes its own room
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
