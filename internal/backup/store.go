package backup

import (
	"context"
	"errors"
	"io"
	"time"
)

// A Store keeps objects by name: LABEL/SET/FILE, with slashes. Its methods may be
// called from several goroutines.
type Store interface {
	// Create returns a writer of a new object, which exists once Commit returned.
	Create(ctx context.Context, name string) (Object, error)
	// Open returns an object's content and size; fs.ErrNotExist if there is none.
	Open(ctx context.Context, name string) (io.ReadCloser, int64, error)
	// List returns what lies below a prefix that ends with a slash, or all for "".
	List(ctx context.Context, prefix string) ([]Info, error)
	// Remove deletes an object. That there is none is no error.
	Remove(ctx context.Context, name string) error
	// Close completes what is written as one stream.
	Close() error
}

// An Object is being written. Exactly one of Commit and Abort ends it.
type Object interface {
	io.Writer
	Commit() error
	Abort()
}

// Info is what a listing says of an object.
type Info struct {
	Name     string
	Size     int64
	Modified time.Time
}

// ErrWriteOnly says that a store cannot be read: it is a stream, or the
// credential may only put objects.
var ErrWriteOnly = errors.New("the destination can only be written to")

// put writes a small object.
func put(ctx context.Context, s Store, name string, data []byte) error {
	o, err := s.Create(ctx, name)
	if err != nil {
		return err
	}
	if _, err := o.Write(data); err != nil {
		o.Abort()
		return err
	}
	return o.Commit()
}

// get reads a small object.
func get(ctx context.Context, s Store, name string) ([]byte, error) {
	r, _, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err == nil && len(data) > maxManifest {
		err = ErrManifest
	}
	return data, err
}
