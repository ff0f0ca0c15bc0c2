package export

import "io"

// flushSize is how many bytes are gathered before they are written.
const flushSize = 256 << 10

// output writes buffers on a goroutine of its own, in order, while the next one
// is filled.
type output struct {
	full, free chan []byte
	done       chan error
	failed     error
	taken      int64 // bytes
}

func newOutput(w io.Writer) *output {
	const buffers = 2 // beside the one that is being filled
	o := &output{full: make(chan []byte, buffers), free: make(chan []byte, buffers), done: make(chan error, 1)}
	for range buffers {
		o.free <- nil
	}
	go func() {
		var err error
		for b := range o.full {
			if err == nil {
				_, err = w.Write(b)
			}
			if err != nil && len(o.done) == 0 {
				o.done <- err
			}
			o.free <- b[:0]
		}
		if err == nil {
			o.done <- nil
		}
	}()
	return o
}

// write takes buf over and returns another one to go on with.
func (o *output) write(buf []byte) ([]byte, error) {
	if o.failed == nil {
		select {
		case o.failed = <-o.done:
		default:
		}
	}
	if o.failed != nil {
		return buf[:0], o.failed
	}
	o.taken += int64(len(buf))
	o.full <- buf
	next := <-o.free
	if next == nil {
		next = make([]byte, 0, flushSize+flushSize/4)
	}
	return next, nil
}

// close waits until all is written.
func (o *output) close() error {
	close(o.full)
	if o.failed == nil {
		o.failed = <-o.done
	}
	return o.failed
}
