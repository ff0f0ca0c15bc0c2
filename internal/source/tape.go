package source

import (
	"errors"
	"io"
	"sync"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A tape keeps what a stream delivers while it is read for the first time, so that
// the reader of a damaged snapshot can go back. Where there is no room to keep it,
// the stream is read on, and nobody can go back any more.
type tape struct {
	mu     sync.Mutex
	src    io.Reader
	store  *spill.Store
	stream *spill.Stream // of blocks of BlockSize each
	old    *spill.Reader // of stream
	tail   []byte        // behind it
	total  int64         // bytes that were read of the stream
	end    error         // behind them: io.EOF, or why the stream could not be read on
	lost   error         // why not all of them were kept
	closed bool
}

func newTape(src io.Reader, dir string) *tape {
	t := &tape{src: src, store: spill.New(dir, spoolMemory), tail: make([]byte, 0, spill.BlockSize)}
	t.stream = t.store.Stream()
	t.old = t.stream.Reader()
	return t
}

// reader returns a reader of the stream from its start on.
func (t *tape) reader() io.Reader { return &tapeReader{t: t} }

// from returns a reader of the stream from an offset on that was read before.
func (t *tape) from(offset int64) (io.ReadCloser, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lost != nil || t.closed || offset > t.total {
		return nil, io.ErrClosedPipe
	}
	return &tapeReader{t: t, at: offset}, nil
}

// measure reads the stream to its end and returns its length.
func (t *tape) measure() (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	buf := make([]byte, spill.BlockSize)
	for t.end == nil && t.lost == nil && !t.closed {
		t.more(buf) //nolint:errcheck // it is kept
	}
	if t.lost != nil || t.closed {
		return 0, io.ErrClosedPipe
	}
	return t.total, nil
}

// closing closes the tape when events end. A read of the stream may never return,
// and is not waited for.
func (t *tape) closing(events keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		defer func() {
			if t.mu.TryLock() {
				defer t.mu.Unlock()
				t.closed = true
				t.store.Close() //nolint:errcheck // nothing of it is wanted any more
			}
		}()
		events(yield)
	}
}

// more reads on and keeps what comes.
func (t *tape) more(p []byte) (int, error) {
	if t.end != nil {
		return 0, t.end
	}
	n, err := t.src.Read(p)
	if gap := (*keyspace.GapError)(nil); err != nil && !errors.As(err, &gap) {
		t.end = err
	}
	t.total += int64(n)
	for b := p[:n]; len(b) > 0 && t.lost == nil; {
		m := min(len(b), spill.BlockSize-len(t.tail))
		t.tail = append(t.tail, b[:m]...)
		if b = b[m:]; len(t.tail) == spill.BlockSize {
			t.lost = t.stream.Append(t.tail)
			t.tail = t.tail[:0]
		}
	}
	return n, err
}

// tapeReader reads what was kept, and then the stream.
type tapeReader struct {
	t  *tape
	at int64
}

func (r *tapeReader) Read(p []byte) (int, error) {
	t := r.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0, io.ErrClosedPipe
	}
	n, err := 0, error(nil)
	switch kept := t.stream.Len(); {
	case r.at == t.total:
		n, err = t.more(p)
	case t.lost != nil: // after this reader went back
		err = t.lost
	case r.at >= kept:
		n = copy(p, t.tail[r.at-kept:])
	default:
		var b []byte
		t.old.Seek(int(r.at / spill.BlockSize))
		if b, err = t.old.Next(); err == nil {
			n = copy(p, b[r.at%spill.BlockSize:])
		}
	}
	r.at += int64(n)
	return n, err
}

func (r *tapeReader) Close() error { return nil }
