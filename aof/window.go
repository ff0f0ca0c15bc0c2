package aof

import (
	"errors"
	"io"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// minWindow is the least size of a window. What fits in half of it is seen
// whole: a command, or a batch of a larger command's arguments.
const minWindow = 256 << 10

// A window is the stretch of the input that lies in memory: buf[pos:end] has
// been read and not been consumed. Its size never changes, whatever the input
// claims to hold; half of it can always be had in one piece. Slices of buf are
// valid until the next fill.
type window struct {
	src      io.Reader
	buf      []byte
	pos, end int
	base     int64               // offset of buf[0] in the source
	err      error               // why there is nothing behind end: io.EOF or a read error
	gaps     []keyspace.GapError // ranges that the medium could not deliver, not yet reported
	gapsEnd  int64               // offset behind the last of them
}

func newWindow(src io.Reader, offset int64, size int) window {
	return window{src: src, base: offset, buf: make([]byte, size)}
}

// restart goes on with another reader, whose first byte stands at offset.
func (w *window) restart(src io.Reader, offset int64) {
	w.src, w.base, w.pos, w.end, w.err = src, offset, 0, 0, nil
}

// at returns the offset in the source of buf[i].
func (w *window) at(i int) int64 { return w.base + int64(i) }

// offset returns the offset in the source of the next byte.
func (w *window) offset() int64 { return w.at(w.pos) }

// avail returns how many bytes have been read and not been consumed.
func (w *window) avail() int { return w.end - w.pos }

// fill drops what lies before pos and reads until the window is full or the
// input ends. It reports whether anything was read. It does nothing while half
// of the window is still ahead, so that moving it costs no more than reading.
func (w *window) fill() bool { return w.fillBehind(0) }

// fillBehind is fill that keeps some of what lies before pos, n bytes at most.
func (w *window) fillBehind(n int) bool {
	if w.err != nil || w.avail() > len(w.buf)/2 {
		return false
	}
	n = min(n, w.pos, len(w.buf)/4)
	if drop := w.pos - n; drop > 0 {
		w.base += int64(drop)
		w.end = copy(w.buf, w.buf[drop:w.end])
		w.pos = n
	}
	had := w.end
	for idle := 0; w.end < len(w.buf) && w.err == nil; {
		n, err := w.src.Read(w.buf[w.end:])
		w.end += n
		if idle++; n > 0 {
			idle = 0
		} else if idle == 100 && err == nil {
			err = io.ErrNoProgress
		}
		if err != nil && !w.gap(n, err) {
			w.err = err
		}
	}
	return w.end > had
}

// gap notes a range that was replaced by zeros, if that is what err says.
func (w *window) gap(n int, err error) bool {
	var g *keyspace.GapError
	if n <= 0 || !errors.As(err, &g) {
		return false
	}
	if g.Offset+g.Length <= w.gapsEnd {
		return true // it was read before
	}
	w.gapsEnd = g.Offset + g.Length
	if k := len(w.gaps) - 1; k >= 0 && w.gaps[k].Offset+w.gaps[k].Length == g.Offset {
		w.gaps[k].Length += g.Length
	} else {
		w.gaps = append(w.gaps, *g)
	}
	return true
}

// need makes sure that n bytes, or all that are left, lie in the window, and
// reports whether n do. n is at most half of the window's size.
func (w *window) need(n int) bool {
	return w.avail() >= n || w.fill() && w.avail() >= n
}
