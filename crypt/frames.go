package crypt

import (
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// frameSize is how many bytes of plaintext go into one zstd frame. Frames are
// independent, so that they can be made and read on all cores; larger ones
// compress no better by more than half a percent.
const frameSize = 2 << 20

// Levels of compression, as the zstd program counts them.
const (
	DefaultLevel = 3
	MaxLevel     = 19
)

// frameWriter compresses into consecutive frames (RFC 8878, 3.1), several at a
// time. Together they are one valid .zst file.
type frameWriter struct {
	enc    *zstd.Encoder
	free   chan *frame // idle frames: the bound on memory
	queue  chan *frame // frames being compressed, in order
	now    *frame      // the one being filled
	any    bool        // a frame has been queued
	ended  chan struct{}
	closed bool

	mu  sync.Mutex
	err error // of the destination
}

type frame struct {
	in, out []byte
	done    chan struct{}
}

func newFrameWriter(dst io.Writer, level, workers int) (*frameWriter, error) {
	// No checksum: age authenticates every byte.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)), zstd.WithEncoderConcurrency(workers),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(frameSize), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	w := &frameWriter{enc: enc, free: make(chan *frame, workers+1), queue: make(chan *frame, workers+1), ended: make(chan struct{})}
	for range cap(w.free) {
		w.free <- &frame{done: make(chan struct{}, 1)}
	}
	w.now = <-w.free
	go w.deliver(dst)
	return w, nil
}

// deliver writes frames in the order in which they were filled.
func (w *frameWriter) deliver(dst io.Writer) {
	defer close(w.ended)
	for f := range w.queue {
		<-f.done
		if w.failed() == nil {
			if _, err := dst.Write(f.out); err != nil {
				w.fail(err)
			}
		}
		w.free <- f
	}
}

func (w *frameWriter) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *frameWriter) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

func (w *frameWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if w.now.in == nil {
			w.now.in = make([]byte, 0, frameSize)
		}
		n := min(len(p), frameSize-len(w.now.in))
		w.now.in = append(w.now.in, p[:n]...)
		p = p[n:]
		if len(w.now.in) == frameSize {
			w.flush()
			if err := w.failed(); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

// flush hands on the frame that was filled and takes an idle one.
func (w *frameWriter) flush() {
	f := w.now
	w.any = true
	w.queue <- f
	go func() {
		f.out = w.enc.EncodeAll(f.in, f.out[:0])
		f.done <- struct{}{}
	}()
	w.now = <-w.free
	w.now.in = w.now.in[:0]
}

// Close completes the last frame. It does not close the destination.
func (w *frameWriter) Close() error {
	if w.closed {
		return errors.New("closed twice")
	}
	w.closed = true
	if len(w.now.in) > 0 || !w.any {
		w.flush()
	}
	close(w.queue)
	<-w.ended
	w.clear()
	return errors.Join(w.failed(), w.enc.Close())
}

// clear wipes plaintext from the buffers.
func (w *frameWriter) clear() {
	clear(w.now.in[:cap(w.now.in)])
	for range len(w.free) {
		f := <-w.free
		clear(f.in[:cap(f.in)])
	}
}
