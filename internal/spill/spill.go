// Package spill keeps any number of byte streams within a budget of memory.
// What does not fit goes into one temporary file, which has no name from the
// moment it exists and is encrypted with a key that lives in memory alone: what
// valkeyfs reads may be secret, and none of it survives the process.
package spill

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// BlockSize is the most that one call of [Stream.Append] may add, and the size
// of the pieces in which streams are held, written and read back.
const BlockSize = 32 << 10

const (
	firstTail = 512 // bytes a stream takes for its first record; it doubles from there
	tagSize   = 16  // AES-GCM's
	slotSize  = BlockSize + tagSize
)

// Store owns the memory and the file of its streams. Different streams, and their
// readers, may be used by different goroutines at once; one stream may not.
type Store struct {
	mu     sync.Mutex // of all that follows but aead, which is safe, and file once it is there
	dir    string
	budget int64
	held   int64 // bytes of the full blocks in memory
	file   *os.File
	aead   cipher.AEAD
	sealed uint64   // blocks ever written: the nonce of the next one
	slots  uint32   // slots of the file
	vacant []uint32 // those whose block was freed
	spare  [][]byte // buffers of BlockSize to use again
}

// New returns an empty store that holds up to budget bytes of full blocks in
// memory and puts the others into a file in dir ("": the system's directory for
// temporary files), which is made when it is first needed. Each stream takes up
// to BlockSize bytes beside the budget, and so does each reader.
func New(dir string, budget int64) *Store {
	return &Store{dir: dir, budget: budget}
}

// Spilled returns how many bytes the file takes; 0 while all is in memory.
func (s *Store) Spilled() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(s.slots) * slotSize
}

// Close frees the memory and the file. The store's streams cannot be used any more.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spare, s.vacant = nil, nil
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return f.Close()
}

// buffer returns an empty slice with room for a block and its tag.
func (s *Store) buffer() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.spare); n > 0 {
		b := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return b[:0]
	}
	return make([]byte, 0, slotSize)
}

// maxSpare bounds the buffers kept for later, beside those that count as held.
const maxSpare = 64

func (s *Store) recycle(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cap(b) == slotSize && len(s.spare) < maxSpare {
		s.spare = append(s.spare, b)
	}
}

// seal encrypts p in place and writes it into a free slot.
func (s *Store) seal(p []byte) (block, error) {
	b, f, err := s.place(len(p))
	if err != nil {
		return block{}, err
	}
	var nonce [12]byte
	binary.LittleEndian.PutUint64(nonce[:], b.nonce)
	if _, err := f.WriteAt(s.aead.Seal(p[:0], nonce[:], p, nil), int64(b.slot)*slotSize); err != nil {
		return block{}, fmt.Errorf("spill: %w", err)
	}
	return b, nil
}

// place takes a free slot and a nonce for a block.
func (s *Store) place(size int) (block, *os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		if err := s.create(); err != nil {
			return block{}, nil, err
		}
	}
	b := block{nonce: s.sealed, size: uint32(size), slot: s.slots}
	if n := len(s.vacant); n > 0 {
		b.slot, s.vacant = s.vacant[n-1], s.vacant[:n-1]
	} else if s.slots++; s.slots == 0 {
		return block{}, nil, errors.New("spill: file too large")
	}
	s.sealed++
	return b, s.file, nil
}

// open reads the block back into buf.
func (s *Store) open(b block, buf []byte) ([]byte, error) {
	s.mu.Lock()
	f := s.file
	s.mu.Unlock()
	if f == nil {
		return nil, os.ErrClosed
	}
	buf = buf[:int(b.size)+tagSize]
	if _, err := f.ReadAt(buf, int64(b.slot)*slotSize); err != nil {
		return nil, fmt.Errorf("spill: %w", err)
	}
	var nonce [12]byte
	binary.LittleEndian.PutUint64(nonce[:], b.nonce)
	p, err := s.aead.Open(buf[:0], nonce[:], buf, nil)
	if err != nil {
		return nil, errors.New("spill: the temporary file was changed")
	}
	return p, nil
}

func (s *Store) create() error {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	c, err := aes.NewCipher(key)
	clear(key)
	if err != nil {
		return err
	}
	if s.aead, err = cipher.NewGCM(c); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, "valkeyfs-*") // mode 0600
	if err != nil {
		return fmt.Errorf("spill: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return errors.Join(fmt.Errorf("spill: %w", err), f.Close())
	}
	s.file = f
	return nil
}

// block is a full piece of a stream: in memory, or in a slot of the file.
type block struct {
	mem   []byte
	nonce uint64
	slot  uint32
	size  uint32
}

// Stream is a sequence of records, written once and read any number of times.
type Stream struct {
	store  *Store
	blocks []block
	tail   []byte
	limit  int // bytes that fit in tail
	size   int64
}

// Stream returns a new, empty stream of the store.
func (s *Store) Stream() *Stream { return &Stream{store: s} }

// Len returns the bytes appended so far.
func (t *Stream) Len() int64 { return t.size }

// Append adds a record of at most BlockSize bytes, which it copies. A record is
// never split over two blocks.
func (t *Stream) Append(p []byte) error {
	if len(t.tail)+len(p) > t.limit {
		if err := t.room(len(p)); err != nil {
			return err
		}
	}
	t.tail = append(t.tail, p...)
	t.size += int64(len(p))
	return nil
}

// room makes the tail larger for n bytes more, or ends it and begins another.
func (t *Stream) room(n int) error {
	if n > BlockSize {
		return fmt.Errorf("spill: a record of %d bytes", n)
	}
	need := len(t.tail) + n
	if size := max(2*t.limit, firstTail, need); size <= BlockSize/2 {
		t.tail, t.limit = append(make([]byte, 0, size), t.tail...), size
		return nil
	}
	if t.limit < BlockSize {
		t.tail, t.limit = append(t.store.buffer(), t.tail...), BlockSize
	}
	if need <= BlockSize {
		return nil
	}
	if err := t.shelve(); err != nil {
		return err
	}
	t.tail = t.store.buffer()
	return nil
}

// shelve ends the tail's block.
func (t *Stream) shelve() error {
	s := t.store
	if s.hold() {
		t.blocks = append(t.blocks, block{mem: t.tail})
		return nil
	}
	b, err := s.seal(t.tail)
	if err != nil {
		return err
	}
	t.blocks = append(t.blocks, b)
	s.recycle(t.tail)
	return nil
}

// hold reports whether a block more may be in memory.
func (s *Store) hold() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held+slotSize > s.budget {
		return false
	}
	s.held += slotSize
	return true
}

// Free gives the stream's memory and its place in the file back to the store and
// leaves the stream empty. Its readers cannot be used any more.
func (t *Stream) Free() {
	for _, b := range t.blocks {
		t.store.free(b)
	}
	t.store.recycle(t.tail)
	t.blocks, t.tail, t.limit, t.size = nil, nil, 0, 0
}

// free gives a block's place back.
func (s *Store) free(b block) {
	s.mu.Lock()
	if b.mem != nil {
		s.held -= slotSize
	} else {
		s.vacant = append(s.vacant, b.slot)
	}
	s.mu.Unlock()
	s.recycle(b.mem)
}

// Reader reads a stream block by block.
type Reader struct {
	stream *Stream
	next   int
	buf    []byte
}

// Reader returns a reader at the start of the stream. Nothing may be appended
// while it is in use.
func (t *Stream) Reader() *Reader { return &Reader{stream: t} }

// Seek has the reader go on at block i: where every record that was appended is of
// BlockSize bytes, at record i.
func (r *Reader) Seek(i int) { r.next = i }

// Next returns the next run of whole records, valid until the next call, and
// io.EOF behind the last.
func (r *Reader) Next() ([]byte, error) {
	t := r.stream
	i := r.next
	switch {
	case i < len(t.blocks):
		r.next++
		b := t.blocks[i]
		if b.mem != nil {
			return b.mem, nil
		}
		if r.buf == nil {
			r.buf = t.store.buffer()
		}
		return t.store.open(b, r.buf)
	case i == len(t.blocks) && len(t.tail) > 0:
		r.next++
		return t.tail, nil
	}
	if r.buf != nil {
		t.store.recycle(r.buf)
		r.buf = nil
	}
	return nil, io.EOF
}
