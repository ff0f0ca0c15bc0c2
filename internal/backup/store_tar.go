package backup

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// tarStore writes a set as one tar stream, which unpacks into a directory that
// OpenDir opens. A tar entry begins with its size, so each object is kept in a
// nameless temporary file until it is complete: ciphertext, in tmp.
type tarStore struct {
	w   *tar.Writer
	tmp string
	now func() time.Time
}

// NewTar returns a store that writes to w. It cannot be read, and Close completes
// the stream.
func NewTar(w io.Writer, tmp string, now func() time.Time) Store {
	return &tarStore{tar.NewWriter(w), tmp, now}
}

type tarObject struct {
	s    *tarStore
	f    *os.File
	name string
}

func (s *tarStore) Create(_ context.Context, name string) (Object, error) {
	f, err := os.CreateTemp(s.tmp, "valkeyfs-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close() //nolint:errcheck // the first error is the one to tell
		return nil, err
	}
	return &tarObject{s, f, name}, nil
}

func (o *tarObject) Write(p []byte) (int, error) { return o.f.Write(p) }

func (o *tarObject) Commit() error {
	defer o.f.Close()
	size, err := o.f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = o.f.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = o.s.w.WriteHeader(&tar.Header{Name: o.name, Mode: 0o600, Size: size, ModTime: o.s.now(), Format: tar.FormatPAX})
	}
	if err == nil {
		_, err = io.Copy(o.s.w, o.f)
	}
	if err == nil {
		err = o.s.w.Flush()
	}
	return err
}

func (o *tarObject) Abort() { o.f.Close() } //nolint:errcheck // it is given up

func (s *tarStore) Open(context.Context, string) (io.ReadCloser, int64, error) {
	return nil, 0, ErrWriteOnly
}
func (s *tarStore) List(context.Context, string) ([]Info, error) { return nil, ErrWriteOnly }
func (s *tarStore) Remove(_ context.Context, name string) error {
	return fmt.Errorf("%s: %w", name, ErrWriteOnly)
}
func (s *tarStore) Close() error { return s.w.Close() }
