package servertest

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3 is a real S3 server, versitygw, on a directory.
type S3 struct {
	Addr   string // host:port, plain HTTP
	Dir    string // a bucket is a directory in it, an object a file
	User   string // the root account's
	Secret string

	t      *testing.T
	beside string // what it keeps of objects, versions and users
	stop   func()
}

// NewS3 starts a server that has a bucket of the name "bucket" and puts the root
// account into the test's environment. It ends with the test.
func NewS3(t *testing.T) *S3 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &S3{Addr: l.Addr().String(), Dir: t.TempDir(), User: "tester", Secret: "synthetic-" + t.Name(), t: t, beside: t.TempDir()}
	l.Close() //nolint:errcheck // the address was all it was for
	t.Setenv("AWS_ACCESS_KEY_ID", s.User)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s.Secret)
	s.Start()
	t.Cleanup(func() { s.Stop() })
	if err := s.Client().MakeBucket(t.Context(), "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// Start starts the server once more, with the objects that it had when it was
// stopped.
func (s *S3) Start() {
	s.t.Helper()
	cmd := Tool(s.t, "versitygw", "--quiet", "--port", s.Addr, "--iam-dir", s.state("iam"),
		"posix", "--sidecar", s.state("meta"), "--versioning-dir", s.state("versions"), s.Dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.User, "ROOT_SECRET_KEY="+s.Secret)
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.stop = func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended
		cmd.Wait()         //nolint:errcheck // by the signal
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", s.Addr); err == nil {
			c.Close() //nolint:errcheck // it only asked
			return
		}
		if time.Now().After(deadline) {
			s.stop()
			s.t.Fatal("versitygw does not answer")
		}
	}
}

// Stop kills the server, as a crash would.
func (s *S3) Stop() { s.stop() }

// Client returns a client with the root account's rights.
func (s *S3) Client() *minio.Client {
	s.t.Helper()
	c, err := minio.New(s.Addr, &minio.Options{Creds: credentials.NewStaticV4(s.User, s.Secret, ""), Region: "us-east-1"})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// Flags are those with which the command line reaches the server.
func (s *S3) Flags() []string {
	return []string{"--s3-endpoint", s.Addr, "--s3-region", "us-east-1", "--s3-insecure"}
}

func (s *S3) state(name string) string {
	s.t.Helper()
	dir := filepath.Join(s.beside, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		s.t.Fatal(err)
	}
	return dir
}
