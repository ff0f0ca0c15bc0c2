package backup

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
)

// A block is a piece of what is read, shared by all consumers.
type block struct {
	data []byte
	refs atomic.Int32
}

const (
	blockSize = 256 << 10 // all consumers find it in the processor's cache
	// blockAhead is how many blocks one consumer may be behind another.
	blockAhead = 12
)

// A consumer reads all of a stream, or as much as it wants. An error of it ends
// the reading for all.
type consumer func(io.Reader) error

// fan reads src once and has every consumer read it, each on its own goroutine.
// It returns how many bytes there were, and the first error.
func fan(ctx context.Context, src io.Reader, consumers ...consumer) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pool := sync.Pool{New: func() any { return &block{data: make([]byte, blockSize)} }}
	outs := make([]*branch, len(consumers))
	var wg sync.WaitGroup
	for i, run := range consumers {
		b := &branch{in: make(chan *block, blockAhead), pool: &pool, end: io.EOF}
		outs[i] = b
		wg.Go(func() {
			if err := run(b); err != nil {
				cancel(err)
			}
			b.drain()
		})
	}
	var total int64
	var err error
	for err == nil {
		b := pool.Get().(*block)
		b.data = b.data[:blockSize]
		var n int
		for n < len(b.data) && err == nil { // not io.ReadFull: that hides how src ended
			var m int
			m, err = src.Read(b.data[n:])
			n += m
		}
		b.data = b.data[:n]
		total += int64(n)
		if n > 0 {
			b.refs.Store(int32(len(outs)))
			for _, out := range outs {
				out.in <- b
			}
		}
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}
	for _, out := range outs {
		out.end = err
		close(out.in)
	}
	wg.Wait()
	if err == io.EOF {
		err = context.Cause(ctx)
	}
	return total, err
}

// A branch is what one consumer reads.
type branch struct {
	in   chan *block
	pool *sync.Pool
	now  *block
	rest []byte
	end  error // how the stream ended; set before in is closed
}

func (b *branch) Read(p []byte) (int, error) {
	if len(b.rest) == 0 && !b.next() {
		return 0, b.end
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// WriteTo spares io.Copy a buffer.
func (b *branch) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for len(b.rest) > 0 || b.next() {
		n, err := w.Write(b.rest)
		total += int64(n)
		b.rest = b.rest[n:]
		if err != nil {
			return total, err
		}
	}
	if b.end == io.EOF {
		return total, nil
	}
	return total, b.end
}

func (b *branch) next() bool {
	b.release()
	var ok bool
	if b.now, ok = <-b.in; !ok {
		return false
	}
	b.rest = b.now.data
	return true
}

func (b *branch) release() {
	if b.now != nil && b.now.refs.Add(-1) == 0 {
		b.pool.Put(b.now)
	}
	b.now, b.rest = nil, nil
}

// drain passes over what the consumer did not read.
func (b *branch) drain() {
	for b.next() {
	}
}
