package fleet_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// s3Server is a real S3 server on a directory.
type s3Server struct {
	t         *testing.T
	addr, dir string
	stop      func()
}

func newS3(t *testing.T) *s3Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &s3Server{t: t, addr: l.Addr().String(), dir: t.TempDir()}
	l.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "tester")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "synthetic")
	s.start()
	if err := s.client().MakeBucket(t.Context(), "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *s3Server) start() {
	s.t.Helper()
	cmd := servertest.Tool(s.t, "versitygw", "--quiet", "--port", s.addr, "posix", s.dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY=tester", "ROOT_SECRET_KEY=synthetic")
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.stop = func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
	s.t.Cleanup(func() { s.stop() })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", s.addr); err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("versitygw does not answer")
		}
	}
}

func (s *s3Server) client() *minio.Client {
	c, err := minio.New(s.addr, &minio.Options{Creds: credentials.NewStaticV4("tester", "synthetic", ""), Region: "us-east-1"})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// fingerprint is left out of what is compared: that of text holds the name of its
// file, which a stream has not.
var fingerprint = regexp.MustCompile(`"fingerprint":"[0-9a-f]+"`)

// Objects are streamed and scanned as files are; while the server is away, they
// wait.
func TestS3(t *testing.T) {
	srv := newS3(t)
	dir := dumps(t, 8)
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*.aof"))
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(dir, name)
		if _, err := srv.client().PutObject(t.Context(), "bucket", "dumps/"+rel, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	h := newHost(t, "")
	flags := []string{"--s3-endpoint", srv.addr, "--s3-region", "us-east-1", "--s3-insecure"}
	want := findings(fingerprint.ReplaceAllString(strings.ReplaceAll(h.run(anyReport, "scan", dir, "--format", "jsonl", "--quiet"), `"source":"`+dir, `"source":"s3://bucket/dumps`), ""))
	h.run([]int{0}, append([]string{"fleet", "submit", "s3://bucket/dumps"}, flags...)...)
	srv.stop()
	work := h.command(append([]string{"fleet", "work", "--drain", "--quiet", "--attempts", "20"}, flags...)...)
	if err := work.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	if s := h.status(); s.Done != 0 || s.Queued+s.Running != 8 {
		t.Errorf("the server is away: %+v", s)
	}
	srv.start()
	if err := work.Wait(); err != nil {
		t.Error(err)
	}
	if got := findings(fingerprint.ReplaceAllString(h.run(anyReport, "fleet", "report", "--format", "jsonl"), "")); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("%d findings and damages, not the %d of the files", len(got), len(want))
	}
	h.run([]int{0}, append([]string{"fleet", "submit", "s3://bucket/dumps"}, flags...)...)
	if s := h.status(); s.Queued != 0 {
		t.Errorf("unchanged objects: %+v", s)
	}
}
