package rdb

import (
	"fmt"
	"io"
	"math"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// errBeyond marks a length that reaches beyond the end of the input: a cut
// input, or a false length.
var errBeyond = fmt.Errorf("%w: a length beyond the end of the input", keyspace.ErrTruncated)

// beyond reports whether a length of n bytes is false, since it reaches beyond
// the end of the input and records follow. Where none do, the input was cut, and
// the length is believed: what there is of the value is yielded.
func (r *Reader) beyond(n int64) bool {
	if !r.o.Resync || r.cut {
		return false
	}
	if r.size == 0 && n > unmeasured {
		r.measure()
	}
	end := r.size
	if r.env == nil {
		end += r.o.Offset
	}
	if r.size == 0 || n <= end-r.in.offset() {
		return false
	}
	if r.silent {
		return true
	}
	at := r.in.offset()
	if !r.goTo(r.ev.Record + 1) {
		return true
	}
	if found, err := r.search(math.MaxInt64); found || err != nil || !r.goTo(at) {
		return true
	}
	r.cut = true
	return false
}

// unmeasured is the length up to which a string is believed before the size of an
// input is found out.
const unmeasured = 16 << 20

// measure finds out how much the input holds, which may mean to read all of it.
func (r *Reader) measure() {
	if r.silent || r.measured || r.o.Reopen == nil {
		return
	}
	r.measured = true
	if r.env == nil {
		if r.o.Measure != nil {
			if n, err := r.o.Measure(); err == nil {
				r.size = n
			}
		}
		return
	}
	src, env := r.reopenEnvelope(0)
	if src == nil {
		return
	}
	// What is behind damage of the frame is not there.
	r.size, _ = io.Copy(io.Discard, env)
	src.Close() //nolint:errcheck // it was only read
}

// reopenEnvelope opens the input anew, at an offset of what its envelope holds: all
// before is decompressed once more. It returns nil where that cannot be.
func (r *Reader) reopenEnvelope(offset int64) (io.Closer, *envelope) {
	src, err := r.o.Reopen(r.o.Offset)
	if err != nil {
		return nil, nil
	}
	if env, _ := openEnvelope(src); env != nil {
		if _, err := io.CopyN(io.Discard, env, offset); err == nil {
			return src, env
		}
	}
	src.Close() //nolint:errcheck // it was only read
	return nil, nil
}

// rewindFactor bounds how much is read again, in sizes of the input.
const rewindFactor = 4

// sizeSoFar is the size of the input as far as it is known.
func (r *Reader) sizeSoFar() int64 {
	r.reached = max(r.reached, r.in.base+int64(r.in.w))
	return max(r.size, r.reached, lookahead)
}

// goTo moves the window back to an offset, opening the input anew where it has
// slid past; false where that cannot be, or was done too often.
func (r *Reader) goTo(offset int64) bool {
	w := &r.in
	if i := offset - w.base; i >= int64(w.first) && i <= int64(w.w) {
		w.r = int(i)
		return true
	}
	if r.o.Reopen == nil || r.rewound > rewindFactor*r.sizeSoFar() || offset > r.reached {
		return false
	}
	var src io.Closer
	var from io.Reader
	if r.env != nil {
		closer, env := r.reopenEnvelope(offset)
		if closer == nil {
			return false
		}
		r.rewound += offset
		r.env, src, from = env, closer, env
	} else {
		again, err := r.o.Reopen(offset)
		if err != nil {
			return false
		}
		src, from = again, again
	}
	r.rewound += w.offset() - offset
	w.feed.stop()
	if r.again != nil {
		r.again.Close() //nolint:errcheck // it was only read
	}
	r.again = src
	*w = newWindow(nil, offset)
	w.err, w.feed, w.blind = nil, newFeeder(r.ctx, from), true
	return true
}
