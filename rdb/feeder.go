package rdb

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Blocks of 256 KiB keep a read and its checksum inside a core's second-level
// cache; the headroom in front of each takes what the parser had not consumed
// of the block before, so that most strings are contiguous without copying more.
const (
	blockSize = 256 << 10
	headroom  = 72 << 10
	blocks    = 4
)

// block is one read of the input: mem[headroom:headroom+n].
type block struct {
	mem  []byte
	size int // bytes that one read may take
	n    int
	crc  uint64 // checksum of all bytes before the block
	gap  *keyspace.GapError
}

// feeder reads ahead and computes the checksum on a goroutine of its own, so
// that neither waits for the parser nor the parser for them.
type feeder struct {
	ctx   context.Context
	full  chan *block
	free  chan *block
	quit  chan struct{}
	once  sync.Once
	noCRC atomic.Bool
	err   error  // after full is closed: why
	crc   uint64 // after full is closed: checksum of all that was read
}

func newFeeder(ctx context.Context, r io.Reader) *feeder {
	f := &feeder{ctx: ctx, full: make(chan *block, blocks), free: make(chan *block, blocks), quit: make(chan struct{})}
	for i := range blocks {
		// The first blocks are small: most inputs are.
		f.free <- &block{size: blockSize >> max(0, 4-2*i)}
	}
	go f.run(r)
	return f
}

func (f *feeder) run(r io.Reader) {
	defer close(f.full)
	empty := 0
	for {
		var b *block
		select {
		case b = <-f.free:
		case <-f.quit:
			f.err = io.ErrClosedPipe
			return
		}
		if b.mem == nil {
			b.mem = make([]byte, headroom+b.size)
		}
		n, err := r.Read(b.mem[headroom:])
		b.n, b.gap, b.crc = n, nil, f.crc
		if gap := (*keyspace.GapError)(nil); errors.As(err, &gap) {
			b.gap, err = gap, nil
		}
		if n > 0 {
			empty = 0
			if !f.noCRC.Load() {
				f.crc = Checksum(f.crc, b.mem[headroom:headroom+n])
			}
			select {
			case f.full <- b:
			case <-f.quit:
				f.err = io.ErrClosedPipe
				return
			}
		} else {
			f.free <- b
			if empty++; err == nil && empty > 100 {
				err = io.ErrNoProgress
			}
		}
		if err != nil {
			f.err = err
			return
		}
	}
}

// next returns the next block, or nil when nothing more comes.
func (f *feeder) next() *block { return <-f.full }

// recycle hands a block back for reading; used is what was shown of it.
func (f *feeder) recycle(b *block, used []byte) {
	if b == nil {
		return
	}
	poison(used)
	f.free <- b // never blocks: there are as many places as blocks
}

// stop ends the goroutine. It may be called again.
func (f *feeder) stop() { f.once.Do(func() { close(f.quit) }) }
