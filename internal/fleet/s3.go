package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/valkeyfs/valkeyfs/internal/s3"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

// objects are the objects of one scan, and what kept them from being read: to the
// scan that is damage, and to a fleet a reason to try again.
type objects struct {
	c   *minio.Client
	mu  sync.Mutex // parsers read ahead on goroutines of their own
	err error
}

// object returns the object at s3://bucket/key, nil if there is none. What is read
// of it later is of the version that it has now.
func (o *objects) object(ctx context.Context, location string) (*source.Object, error) {
	bucket, key := s3.Split(location)
	info, err := o.c.StatObject(ctx, bucket, key, minio.StatObjectOptions{})
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, nil
	}
	if err != nil {
		return nil, o.failed(err)
	}
	return &source.Object{
		Name: location, Size: info.Size,
		Open: func(ctx context.Context, offset int64) (io.ReadCloser, error) {
			return o.open(ctx, location, info, offset)
		},
		Beside: func(name string) (*source.Object, error) {
			return o.object(ctx, location[:strings.LastIndexByte(location, '/')+1]+name)
		},
	}, nil
}

func (o *objects) open(ctx context.Context, location string, version minio.ObjectInfo, offset int64) (io.ReadCloser, error) {
	bucket, key := s3.Split(location)
	var get minio.GetObjectOptions
	var err error
	if version.ETag != "" {
		err = get.SetMatchETag(version.ETag)
	} else { // its time was told without what is less than a second, and is compared with it
		err = get.SetUnmodified(version.LastModified.Add(time.Second))
	}
	if err != nil {
		return nil, o.failed(err)
	}
	r, err := o.c.GetObject(ctx, bucket, key, get)
	if err == nil && offset > 0 {
		_, err = r.Seek(offset, io.SeekStart)
	}
	if err != nil {
		return nil, o.failed(err)
	}
	return &stream{Object: r, of: o}, nil
}

// failed remembers an error.
func (o *objects) failed(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil && !errors.Is(err, context.Canceled) {
		o.err = err
	}
	return err
}

func (o *objects) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// stream is an object being read.
type stream struct {
	*minio.Object
	of *objects
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Object.Read(p)
	if err != nil && err != io.EOF {
		err = s.of.failed(err)
	}
	return n, err
}

// inputs opens the object at location, or the log whose manifest it is.
func (o *objects) inputs(ctx context.Context, location string, read source.Options) (*source.Inputs, error) {
	object, err := o.object(ctx, location)
	if err != nil {
		return nil, err
	}
	if object == nil {
		return nil, fmt.Errorf("%s: no such object", location)
	}
	return source.NewObject(ctx, object, read), nil
}
