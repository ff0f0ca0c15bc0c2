package fleet

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Options say where buckets are.
type S3Options struct {
	Endpoint string // host[:port]; "": Amazon's
	Region   string // "": the server says
	Insecure bool   // http, for a server on this host
}

// scheme begins the path of an input in a bucket.
const scheme = "s3://"

// client uses the credentials of the usual places: the environment,
// AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, the instance's or the pod's role.
func (o S3Options) client() (*minio.Client, error) {
	endpoint := o.Endpoint
	if endpoint == "" {
		endpoint = "s3.amazonaws.com"
	}
	return minio.New(endpoint, &minio.Options{
		Creds:  credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{}}),
		Secure: !o.Insecure,
		Region: o.Region,
	})
}

// bucket submits the objects below s3://bucket/prefix. A log of several files is
// as many inputs there.
func (s *submit) bucket(ctx context.Context, location string) error {
	name, prefix, _ := strings.Cut(strings.TrimPrefix(location, scheme), "/")
	c, err := s.o.S3.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx) // ends the listing
	defer cancel()
	for o := range c.ListObjects(ctx, name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("%s: %w", location, o.Err)
		}
		if o.Size == 0 || strings.HasSuffix(o.Key, "/") {
			continue
		}
		at := scheme + name + "/" + o.Key
		in := input{path: at, instance: path.Base(path.Dir(at)), size: o.Size, stamp: "etag:" + o.ETag}
		in.hash = func(context.Context) (string, error) { return "", nil } // another ETag is another content
		if err := s.add(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// open streams an object.
func (o S3Options) open(ctx context.Context, location string) (*stream, error) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(location, scheme), "/")
	c, err := o.client()
	if err != nil {
		return nil, err
	}
	obj, err := c.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, err
	}
	if _, err := obj.Stat(); err != nil {
		_ = obj.Close()
		return nil, err
	}
	return &stream{r: obj}, nil
}

// stream remembers why reading failed: to a scan that is damage, and to a fleet
// a reason to try again.
type stream struct {
	r   io.ReadCloser
	mu  sync.Mutex // parsers read ahead on goroutines of their own
	err error
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
	return n, err
}

func (s *stream) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close ends the reading.
func (s *stream) Close() error { return s.r.Close() }
