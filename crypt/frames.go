package crypt

import (
	"errors"
	"io"

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
// time. Together they are one valid .zst file. To give it up is to let go of it:
// what is being compressed ends by itself.
type frameWriter struct {
	dst    io.Writer
	enc    *zstd.Encoder
	ring   []frame // in order; as many as there are bound memory
	next   int     // the frame being filled; those behind it are the older ones
	any    bool    // a frame has been filled
	closed bool
	err    error // of dst
}

type frame struct {
	in, out []byte
	done    chan struct{} // it is being compressed; nil: it is not
}

func newFrameWriter(dst io.Writer, level, workers int) (*frameWriter, error) {
	// No checksum: age authenticates every byte.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)), zstd.WithEncoderConcurrency(workers),
		zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true), zstd.WithWindowSize(frameSize), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	return &frameWriter{dst: dst, enc: enc, ring: make([]frame, workers+1)}, nil
}

func (w *frameWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 && w.err == nil {
		f := &w.ring[w.next]
		if f.in == nil {
			f.in = make([]byte, 0, frameSize)
		}
		n := min(len(p), frameSize-len(f.in))
		f.in = append(f.in, p[:n]...)
		p = p[n:]
		if len(f.in) == frameSize {
			w.flush()
		}
	}
	return total - len(p), w.err
}

// flush has the frame that was filled compressed, and delivers the oldest to fill it
// next.
func (w *frameWriter) flush() {
	f := &w.ring[w.next]
	f.done = make(chan struct{})
	go func() {
		defer close(f.done)
		f.out = w.enc.EncodeAll(f.in, f.out[:0])
	}()
	w.any = true
	w.next = (w.next + 1) % len(w.ring)
	w.deliver(&w.ring[w.next])
}

// deliver writes a frame that was filled, as soon as it is compressed. It is empty
// then.
func (w *frameWriter) deliver(f *frame) {
	if f.done == nil {
		return
	}
	<-f.done
	if w.err == nil {
		_, w.err = w.dst.Write(f.out)
	}
	f.in, f.done = f.in[:0], nil
}

// Close completes the last frame. It does not close the destination.
func (w *frameWriter) Close() error {
	if w.closed {
		return errors.New("closed twice")
	}
	w.closed = true
	if len(w.ring[w.next].in) > 0 || !w.any {
		w.flush()
	}
	for i := range w.ring {
		f := &w.ring[(w.next+i)%len(w.ring)]
		w.deliver(f)
		clear(f.in[:cap(f.in)]) // plaintext
	}
	return errors.Join(w.err, w.enc.Close())
}
