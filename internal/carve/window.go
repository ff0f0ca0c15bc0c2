package carve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
)

// windowSize is how much is searched at once.
const windowSize = 4 << 20

// window is a stretch of an image in memory.
type window struct {
	from, to int64  // what is searched; buf reaches beyond
	buf      []byte // from from on
	first    found  // what may begin in it first, if anything
	found    bool
	searched int // without result, up to this index
	err      error
	done     chan struct{}
	pool     *sync.Pool
	mem      *[]byte // of pool
}

// own is how many bytes the window has that no other has.
func (w *window) own() int64 { return w.to - w.from }

// ends is the index in buf behind what is searched.
func (w *window) ends() int { return int(w.to - w.from) }

func (w *window) release() {
	if w.mem != nil {
		w.pool.Put(w.mem)
		w.mem, w.buf = nil, nil
	}
}

// search yields the windows of an image in order, each searched for what begins in
// it first, by goroutines that end with ctx.
func search(ctx context.Context, img Image, workers int) <-chan *window {
	todo := make(chan *window, workers)
	queue := make(chan *window, workers)
	out := make(chan *window)
	pool := &sync.Pool{New: func() any { b := make([]byte, 0, windowSize+ahead); return &b }}
	go func() {
		defer close(todo)
		defer close(queue)
		for at := int64(0); at < img.Size(); {
			from, _ := img.Data(at)
			from -= from % windowSize // windows do not depend on where a hole ends
			from = max(from, at)
			if from >= img.Size() {
				return
			}
			w := &window{from: from, to: min(from+windowSize, img.Size()), done: make(chan struct{}), pool: pool}
			at = w.to
			select {
			case queue <- w:
			case <-ctx.Done():
				return
			}
			select {
			case todo <- w:
			case <-ctx.Done():
				return
			}
		}
	}()
	for range workers {
		go func() {
			f := newFinder()
			for w := range todo {
				w.load(img, f)
				close(w.done)
			}
		}()
	}
	go func() {
		defer close(out)
		for w := range queue {
			select {
			case <-w.done:
			case <-ctx.Done():
				return
			}
			select {
			case out <- w:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// load reads the window and searches it.
func (w *window) load(img Image, f *finder) {
	n := min(w.to+ahead, img.Size()) - w.from
	w.mem = w.pool.Get().(*[]byte)
	buf := (*w.mem)[:n]
	k, err := img.ReadAt(buf, w.from)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
		return
	}
	w.buf = buf[:k]
	w.to = min(w.to, w.from+int64(k)) // the image has shrunk
	if own := w.buf[:w.ends()]; len(own) > 0 && own[0] == 0 && bytes.Equal(own, blank[:len(own)]) {
		w.searched = len(own)
		return
	}
	w.first, w.found = f.next(w.buf, 0, w.ends())
	w.searched = w.ends()
}

var blank [windowSize]byte
