package rdb

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// window is the part of the stream that is in memory: buf[r:w] has been read
// and not yet consumed. It slides forward over the blocks of a feeder; a slice
// of it is good until the next call of need that has to slide.
type window struct {
	buf  []byte
	r, w int
	base int64   // offset of buf[0]
	feed *feeder // nil: buf is all there is
	cur  *block  // the block that buf is the memory of, if any
	err  error   // why nothing more comes: io.EOF or an I/O error
	gaps []*keyspace.GapError

	sum   uint64 // checksum of all bytes before the newest block
	sumAt int    // where that block begins in buf
	blind bool   // the feeder did not start at the beginning: its checksum means nothing

	first int // where the bytes that were kept begin in buf

	far bool // need was refused because a pinned window may not grow further

	pin   int    // bytes from here on are kept while the window slides; -1: none
	tee   []byte // what was consumed since mark was set
	mark  int    // bytes from here on go to tee as the window slides; -1: none
	limit int64  // of tee's length
}

func newWindow(buf []byte, base int64) window {
	return window{buf: buf, w: len(buf), base: base, pin: -1, mark: -1, err: io.EOF}
}

// zeros returns how many zeros come next in the window, 0 for fewer than eight.
func (w *window) zeros() int64 {
	b := w.buf[w.r:w.w]
	n := 0
	for n+8 <= len(b) && binary.LittleEndian.Uint64(b[n:]) == 0 {
		n += 8
	}
	return int64(n)
}

// offset is that of the next byte.
func (w *window) offset() int64 { return w.base + int64(w.r) }

// need reports whether n bytes are in the window, after sliding it if they were not.
func (w *window) need(n int) bool { return w.w-w.r >= n || w.slide(n) }

// slide takes blocks until n bytes are there or nothing more comes. It never
// allocates more than twice what has arrived.
func (w *window) slide(n int) bool {
	for w.w-w.r < n {
		if w.err != nil {
			return false
		}
		if w.pin >= 0 && w.w-w.pin > 2*lookahead {
			w.far = true
			return false
		}
		if w.err = w.feed.ctx.Err(); w.err != nil {
			return false
		}
		b := w.feed.next()
		if b == nil {
			w.err = w.feed.err
			return false
		}
		w.append(b)
	}
	return true
}

// append puts a block behind what is kept of the window.
func (w *window) append(b *block) {
	keep := w.r
	if w.mark >= 0 {
		w.save()
	}
	if w.pin >= 0 {
		keep = min(keep, w.pin)
	}
	tail := w.buf[keep:w.w]
	start := headroom - len(tail)
	if start >= 0 {
		copy(b.mem[start:], tail)
		w.feed.recycle(w.cur, w.buf[w.first:w.w])
		w.base += int64(keep - start)
		w.buf, w.w = b.mem, headroom+b.n
		w.sum, w.sumAt, w.first = b.crc, headroom, start
		w.cur = b
	} else {
		// A name or a pinned stretch longer than the headroom: memory of its own.
		grown := make([]byte, max(2*len(tail), len(tail)+b.n))
		copy(grown, tail)
		copy(grown[len(tail):], b.mem[headroom:headroom+b.n])
		w.feed.recycle(w.cur, w.buf[w.first:w.w])
		w.base += int64(keep)
		start = 0
		w.buf, w.w = grown, len(tail)+b.n
		w.sum, w.sumAt, w.first = b.crc, len(tail), 0
		w.cur = nil
		defer w.feed.recycle(b, nil)
	}
	w.r += start - keep
	if w.pin >= 0 {
		w.pin += start - keep
	}
	if w.mark >= 0 {
		w.mark = w.r
	}
	if b.gap != nil {
		w.gaps = append(w.gaps, b.gap)
	}
}

// capture starts to keep what is consumed, up to limit bytes; captured ends it
// and returns it, or nil where there was more.
func (w *window) capture(first byte, limit int64) {
	w.tee = append(w.tee[:0], first)
	w.mark, w.limit = w.r, limit
}

func (w *window) captured() []byte {
	if w.mark >= 0 {
		w.save()
	}
	w.mark = -1
	return w.tee
}

// save keeps what was consumed since mark, or nothing more where that is too much.
func (w *window) save() {
	if int64(len(w.tee)+w.r-w.mark) > w.limit {
		w.tee, w.mark = nil, -1
		return
	}
	w.tee = append(w.tee, w.buf[w.mark:w.r]...)
}

// ended reports whether the stream came to its regular end.
func (w *window) ended() bool { return errors.Is(w.err, io.EOF) }

// skip consumes n bytes without looking at them.
func (w *window) skip(n int64) bool {
	for {
		have := int64(w.w - w.r)
		if have >= n {
			w.r += int(n)
			return true
		}
		n -= have
		w.r = w.w
		if !w.slide(1) {
			return false
		}
	}
}
