package source

import (
	"errors"
	"io"
	"sync"

	"github.com/valkeyfs/valkeyfs/internal/spill"
)

// spoolMemory is what a spool keeps in memory; the rest is spilled, encrypted.
const spoolMemory = 16 << 20

// A spool keeps what a stream delivered, so that it can be read again. Its
// readers may be used by several goroutines.
type spool struct {
	mu     sync.Mutex // the store is for one goroutine
	store  *spill.Store
	stream *spill.Stream
	end    error // behind what it holds: io.EOF, or why the stream could not be read on
}

// newSpool reads r to its end. What r cannot deliver is kept as the end of the
// spool; an error is one of the context or of the temporary file in dir.
func newSpool(r io.Reader, dir string) (*spool, error) {
	s := &spool{store: spill.New(dir, spoolMemory)}
	s.stream = s.store.Stream()
	buf := make([]byte, spill.BlockSize)
	for s.end == nil {
		n, err := io.ReadFull(r, buf)
		switch {
		case err == io.ErrUnexpectedEOF:
			s.end = io.EOF
		case err == io.EOF || AsDamage(err) != nil:
			s.end = err
		case err != nil:
			return nil, errors.Join(err, s.Close())
		}
		if err := s.stream.Append(buf[:n]); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// Close removes what was spilled.
func (s *spool) Close() error { return s.store.Close() }

// reader returns a reader at the start of the spool.
func (s *spool) reader() io.ReadCloser {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &spoolReader{s: s, r: s.stream.Reader()}
}

// from returns a reader from an offset on.
func (s *spool) from(offset int64) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &spoolReader{s: s, r: s.stream.Reader()}
	if offset > s.stream.Len() {
		return nil, io.ErrUnexpectedEOF
	}
	// All blocks but the last are full.
	r.r.Seek(int(offset / spill.BlockSize))
	have, err := r.r.Next()
	if err != nil && err != io.EOF {
		return nil, err
	}
	r.have = have[min(int(offset%spill.BlockSize), len(have)):]
	return r, nil
}

type spoolReader struct {
	s    *spool
	r    *spill.Reader
	have []byte
}

func (r *spoolReader) Read(p []byte) (int, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if len(r.have) == 0 {
		var err error
		switch r.have, err = r.r.Next(); {
		case err == io.EOF:
			return 0, r.s.end
		case err != nil:
			return 0, err
		}
	}
	n := copy(p, r.have)
	r.have = r.have[n:]
	return n, nil
}

func (r *spoolReader) Close() error { return nil }
