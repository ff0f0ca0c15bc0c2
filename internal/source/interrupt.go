package source

import (
	"context"
	"io"
)

// interruptible reads a stream that may have nothing to deliver for any length of
// time, and gives up when its context ends. The Read that is then under way is
// left to itself.
type interruptible struct {
	ctx  context.Context
	r    io.Reader
	buf  []byte
	have []byte // of buf, not yet delivered
	err  error  // behind have
	done chan int
}

const interruptibleBuffer = 64 << 10

func newInterruptible(ctx context.Context, r io.Reader) *interruptible {
	return &interruptible{ctx: ctx, r: r, buf: make([]byte, interruptibleBuffer), done: make(chan int, 1)}
}

func (i *interruptible) Read(p []byte) (int, error) {
	if len(i.have) == 0 {
		if i.err != nil {
			return 0, i.err
		}
		if i.err = i.ctx.Err(); i.err != nil {
			return 0, i.err
		}
		var failed error
		go func() {
			n, err := i.r.Read(i.buf)
			failed = err
			i.done <- n
		}()
		select {
		case n := <-i.done:
			i.have, i.err = i.buf[:n], failed
		case <-i.ctx.Done():
			i.err = i.ctx.Err()
			return 0, i.err
		}
	}
	n := copy(p, i.have)
	i.have = i.have[n:]
	if len(i.have) == 0 && i.err != nil {
		return n, i.err
	}
	return n, nil
}
