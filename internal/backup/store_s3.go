package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/valkeyfs/valkeyfs/internal/s3"
)

// S3Options say where a bucket is and how long it keeps what it is sent.
type S3Options struct {
	s3.Place
	// Retain is how long the server is told to keep each object (Object Lock,
	// compliance mode); 0: as the bucket says.
	Retain time.Duration
	Now    func() time.Time
}

// s3Store keeps sets in a bucket. A credential that may only put objects makes
// backups; listing and reading them takes another.
type s3Store struct {
	c      *minio.Client
	bucket string
	prefix string
	o      S3Options
}

// partSize is how much of an object is sent at once, and held in memory for it.
// S3 takes 10,000 parts of an object: 160 GB.
const partSize = 16 << 20

// OpenS3 returns the store at s3://bucket/prefix.
func OpenS3(location string, o S3Options) (Store, error) {
	bucket, prefix := s3.Split(location)
	if bucket == "" {
		return nil, fmt.Errorf("%s: no bucket is named", location)
	}
	c, err := o.Client()
	if err != nil {
		return nil, err
	}
	return &s3Store{c, bucket, strings.Trim(prefix, "/"), o}, nil
}

func (s *s3Store) key(name string) string { return path.Join(s.prefix, name) }

func (s *s3Store) Close() error { return nil }

// An s3Object is sent while it is written. Abort makes the upload fail, and the
// server forgets the parts.
type s3Object struct {
	w    *io.PipeWriter
	done chan error
}

var errAborted = errors.New("given up")

func (s *s3Store) Create(ctx context.Context, name string) (Object, error) {
	r, w := io.Pipe()
	o := &s3Object{w, make(chan error, 1)}
	put := minio.PutObjectOptions{ContentType: "application/octet-stream", PartSize: partSize, NumThreads: 1, SendContentMd5: true}
	if s.o.Retain > 0 {
		put.Mode, put.RetainUntilDate = minio.Compliance, s.o.Now().Add(s.o.Retain).UTC()
	}
	go func() {
		_, err := s.c.PutObject(ctx, s.bucket, s.key(name), r, -1, put)
		err = s3Error(err, name)
		r.CloseWithError(err)
		o.done <- err
	}()
	return o, nil
}

func (o *s3Object) Write(p []byte) (int, error) { return o.w.Write(p) }

func (o *s3Object) Commit() error {
	o.w.Close() //nolint:errcheck // it never fails
	return <-o.done
}

func (o *s3Object) Abort() {
	o.w.CloseWithError(errAborted)
	<-o.done //nolint:errcheck // it is given up
}

func (s *s3Store) Open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	obj, err := s.c.GetObject(ctx, s.bucket, s.key(name), minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, s3Error(err, name)
	}
	info, err := obj.Stat()
	if err != nil {
		obj.Close() //nolint:errcheck // nothing was read
		return nil, 0, s3Error(err, name)
	}
	return obj, info.Size, nil
}

func (s *s3Store) List(ctx context.Context, prefix string) ([]Info, error) {
	root := s.prefix
	if root != "" {
		root += "/"
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all []Info
	for o := range s.c.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: root + prefix, Recursive: true}) {
		if o.Err != nil {
			where := s3.Scheme + path.Join(s.bucket, s.prefix)
			if minio.ToErrorResponse(o.Err).Code == minio.AccessDenied {
				return nil, fmt.Errorf("%s: access denied (is there a credential?): %w", where, ErrWriteOnly)
			}
			return nil, fmt.Errorf("%s: %w", where, o.Err)
		}
		all = append(all, Info{strings.TrimPrefix(o.Key, root), o.Size, o.LastModified})
	}
	return all, nil
}

func (s *s3Store) Remove(ctx context.Context, name string) error {
	return s3Error(s.c.RemoveObject(ctx, s.bucket, s.key(name), minio.RemoveObjectOptions{}), name)
}

// s3Error gives an error of the server the meaning that a Store's has.
func s3Error(err error, name string) error {
	if err == nil {
		return nil
	}
	switch minio.ToErrorResponse(err).Code {
	case minio.NoSuchKey:
		return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case minio.AccessDenied:
		return &fs.PathError{Op: "access", Path: name, Err: fs.ErrPermission}
	}
	return fmt.Errorf("%s: %w", name, err)
}
