package cli

import (
	"bytes"
	"errors"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/spill"
)

// withheld keeps what is written, encrypted where it does not fit in memory, until it
// is known that it may be seen.
type withheld struct {
	store  *spill.Store
	stream *spill.Stream
	looked func([]byte) bool // reports what must not be there
	keep   int               // bytes in which that may begin
	tail   []byte
	found  bool
}

// withheldMemory is what is held in memory.
const withheldMemory = 32 << 20

// newWithheld returns an empty one. What is written is given to looked, in pieces
// that overlap by keep bytes.
func newWithheld(tmp string, looked func([]byte) bool, keep int) *withheld {
	s := spill.New(tmp, withheldMemory)
	return &withheld{store: s, stream: s.Stream(), looked: looked, keep: keep}
}

func (w *withheld) Close() error { return w.store.Close() }

func (w *withheld) Write(p []byte) (int, error) {
	w.tail = append(w.tail, p...)
	w.found = w.found || w.looked(w.tail)
	w.tail = append(w.tail[:0], w.tail[max(0, len(w.tail)-w.keep):]...)
	for rest := p; len(rest) > 0; {
		n := min(len(rest), spill.BlockSize)
		if err := w.stream.Append(rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(p), nil
}

// reader reads it all from the start. There is one at a time.
func (w *withheld) reader() io.Reader { return &withheldReader{r: w.stream.Reader()} }

type withheldReader struct {
	r    *spill.Reader
	have bytes.Reader
}

func (r *withheldReader) Read(p []byte) (int, error) {
	if r.have.Len() == 0 {
		block, err := r.r.Next()
		if errors.Is(err, io.EOF) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		r.have.Reset(block)
	}
	return r.have.Read(p)
}
