package replay

import (
	"bytes"
	"context"
	"encoding/binary"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Change is one step in the life of a key: what a command did to it, or to one
// element of it.
type Change struct {
	DB     int32
	Key    []byte
	Source string
	Offset int64 // of the command
	Time   int64 // ms, of the #TS before it; 0: none
	What   What
	Type   keyspace.Type
	// Which element: field, member or index, and entry ID; nil or "" of the whole key.
	Element []byte
	ID      string
	// Before and After are the value of the element, or of the whole; nil: none. Of a
	// collection as a whole they are a text that names its first elements. With
	// Options.Lengths they are nil, and their lengths are here alone.
	Before, After       []byte
	BeforeLen, AfterLen int   // -1: none
	Expire              int64 // What is Expiry: the new one; of a key that goes: the one it had
	Inexact             bool  // the value before is not known exactly, or not whether there was one
	Presumed            bool  // DB is: see keyspace.Event
	Cut                 bool  // a value was too long, and is cut
}

// What says what happened.
type What string

// What can happen to a key. The last five are tombstones: the value before is gone.
const (
	Written     What = "written"
	Changed     What = "changed"
	Added       What = "added"
	Expiry      What = "expiry"
	Stored      What = "stored"      // a result, of other keys
	Removed     What = "removed"     // an element
	Overwritten What = "overwritten" // the whole key, by a new value
	Deleted     What = "deleted"     // the whole key
	Expired     What = "expired"     // the whole key, once its time had come
	Flushed     What = "flushed"
	MovedAway   What = "moved" // the key has another name or database now
)

// Tombstone reports whether something was there before and is gone.
func (w What) Tombstone() bool {
	switch w {
	case Removed, Overwritten, Deleted, Expired, Flushed, MovedAway:
		return true
	}
	return false
}

// The most of a value that a change holds, and how many elements of a collection
// it names.
const (
	maxValue    = 12 << 10
	maxElements = 64
	maxSorted   = 256
)

// whats are all that can happen to a key, by the number that is stored.
var whats = [...]What{Written, Changed, Added, Expiry, Stored, Removed, Overwritten, Deleted, Expired, Flushed, MovedAway}

// History yields the changes of all wanted keys: by database and key, of one key
// in the order of the log. Each Change is valid until the next.
func (l *Log) History(ctx context.Context) iter.Seq2[*Change, error] {
	return func(yield func(*Change, error) bool) {
		sorter := spill.NewSorter(l.o.Tmp, l.o.MaxMem/sorterShare)
		defer sorter.Close()
		out := &ledger{sorter: sorter}
		made := func(m *machine) func() {
			r := &recorder{l: l, m: m, out: out, attempt: out.begin()}
			m.before, m.after, m.headless = r.before, r.after, l.o.Headless
			return r.end
		}
		l.told = false
		err := l.run(ctx, observer{made: made, done: func(*machine) bool { return out.failed() == nil }, untell: out.untell})
		if err == nil {
			err = out.failed()
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for b, err := range ahead(sorter.Sorted()) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !l.changes(b, out, yield) {
				return
			}
		}
	}
}

// sheaf is records that change hands at once.
type sheaf struct {
	b    []byte
	ends []int // of the records in b
	err  error // behind them
}

// sheafSize is about how many bytes of records that are.
const sheafSize = 64 << 10

// ahead yields what seq does, which runs on another goroutine while that is told. A record
// is valid until the next.
func ahead(seq iter.Seq2[[]byte, error]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		full, free, left := make(chan *sheaf), make(chan *sheaf, 1), make(chan struct{})
		defer func() {
			close(left)
			for range full { // until seq has ended
			}
		}()
		free <- &sheaf{}
		go func() {
			defer close(full)
			s := &sheaf{}
			hand := func() (more bool) {
				select {
				case full <- s:
				case <-left:
					return false
				}
				select {
				case s = <-free:
				case <-left:
					return false
				}
				s.b, s.ends = s.b[:0], s.ends[:0]
				return true
			}
			for b, err := range seq {
				if s.err = err; err == nil {
					s.b = append(s.b, b...)
					s.ends = append(s.ends, len(s.b))
				}
				if (err != nil || len(s.b) >= sheafSize) && !hand() {
					return
				}
			}
			hand()
		}()
		for s := range full {
			from := 0
			for _, to := range s.ends {
				if !yield(s.b[from:to], nil) {
					return
				}
				from = to
			}
			if s.err != nil {
				yield(nil, s.err)
				return
			}
			free <- s
		}
	}
}

// sorterShare is how many times MaxMem is what changes take in memory before they
// are spilled.
const sorterShare = 8

// ledger takes the records of all recorders.
type ledger struct {
	mu     sync.Mutex
	sorter *spill.Sorter
	err    error
	ended  []bool // by attempt: it has told all
}

// begin returns the number of an attempt.
func (l *ledger) begin() uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = append(l.ended, false)
	return uint32(len(l.ended) - 1)
}

func (l *ledger) end(attempt uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended[attempt] = true
}

// untell takes back what all attempts have told.
func (l *ledger) untell() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.ended)
}

func (l *ledger) add(record []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = l.sorter.Add(record)
	}
}

func (l *ledger) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// encode appends what the head of a record does not say of a change.
func (r *recorder) encode(b []byte, c *Change) []byte {
	b = append(b, byte(slices.Index(whats[:], c.What)), byte(c.Type), byte(flag(c.Inexact)|flag(c.Cut)<<1|flag(c.Presumed)<<2))
	b = binary.AppendVarint(b, c.Time)
	b = binary.AppendVarint(b, c.Expire)
	b = appendBytes(b, c.Element)
	b = appendBytes(b, []byte(c.ID))
	for _, v := range [][]byte{c.Before, c.After} {
		if !r.l.o.Lengths {
			b = appendBytes(b, v)
		} else if v == nil {
			b = append(b, 0)
		} else {
			b = binary.AppendUvarint(b, uint64(len(v))+1)
		}
	}
	return b
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// placeSize is what ends the head of a record: the end of the key, and three numbers.
const placeSize = 2 + 3*8

// tailSize is what ends a record: its attempt, and how long its head is.
const tailSize = 4 + 4

// changes yields the changes of a record, and reports whether more are wanted.
func (l *Log) changes(b []byte, out *ledger, yield func(*Change, error) bool) (more bool) {
	if len(b) < tailSize {
		return yield(nil, errTape)
	}
	tail := b[len(b)-tailSize:]
	head := int64(binary.BigEndian.Uint32(tail[4:]))
	if head < 4+placeSize || head > int64(len(b)-tailSize) {
		return yield(nil, errTape)
	}
	if !out.ended[binary.BigEndian.Uint32(tail)] {
		return true
	}
	key, place := b[4:head-placeSize], b[head-placeSize+2:head]
	n := binary.BigEndian.Uint64(place)
	if n >= uint64(len(l.s.paths)) {
		return yield(nil, errTape)
	}
	if bytes.IndexByte(key, 0) >= 0 {
		key = bytes.ReplaceAll(key, []byte{0, 255}, []byte{0})
	}
	of := Change{DB: int32(binary.BigEndian.Uint32(b) ^ 1<<31), Key: key, Source: l.s.paths[n], Offset: int64(binary.BigEndian.Uint64(place[8:]))}
	c := &Change{}
	for d := (decoder{b: b[head : len(b)-tailSize]}); len(d.b) > 0; {
		*c = of
		if !l.decode(&d, c) {
			return yield(nil, errTape)
		}
		if !yield(c, nil) {
			return false
		}
	}
	return true
}

// decode reads what encode wrote.
func (l *Log) decode(d *decoder, c *Change) (ok bool) {
	b := d.take(3)
	if b == nil || int(b[0]) >= len(whats) {
		return false
	}
	c.What, c.Type, c.Inexact, c.Cut, c.Presumed = whats[b[0]], keyspace.Type(b[1]), b[2]&1 != 0, b[2]&2 != 0, b[2]&4 != 0
	c.Time, c.Expire, c.Element, c.ID = d.varint(), d.varint(), d.bytes(), string(d.bytes())
	if l.o.Lengths {
		c.BeforeLen, c.AfterLen = int(d.uvarint())-1, int(d.uvarint())-1
	} else {
		c.Before, c.After = d.bytes(), d.bytes()
		c.BeforeLen, c.AfterLen = length(c.Before), length(c.After)
	}
	return !d.bad
}

// length is that of a value, -1 of none.
func length(v []byte) int {
	if v == nil {
		return -1
	}
	return len(v)
}

func idText(id keyspace.StreamID) string {
	b := append(strconv.AppendUint(nil, id.MS, 10), '-')
	return string(strconv.AppendUint(b, id.Seq, 10))
}

func appendScore(f float64) []byte {
	if math.IsInf(f, 0) {
		return []byte(strings.ToLower(strconv.FormatFloat(f, 'f', -1, 64)))
	}
	return strconv.AppendFloat(nil, f, 'g', 17, 64)
}
