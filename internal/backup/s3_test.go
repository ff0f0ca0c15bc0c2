package backup_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// s3Server is a real S3 server on a directory.
type s3Server struct {
	t      *testing.T
	addr   string
	dir    string
	secret string
	stop   func()
}

func newS3(t *testing.T) *s3Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &s3Server{t: t, addr: l.Addr().String(), dir: t.TempDir(), secret: "synthetic-" + t.Name()}
	l.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "tester")
	t.Setenv("AWS_SECRET_ACCESS_KEY", s.secret)
	s.start()
	err = s.client().MakeBucket(t.Context(), "bucket", minio.MakeBucketOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *s3Server) client() *minio.Client {
	c, err := minio.New(s.addr, &minio.Options{Creds: credentials.NewStaticV4("tester", s.secret, ""), Region: "us-east-1"})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *s3Server) start() {
	s.t.Helper()
	cmd := servertest.Tool(s.t, "versitygw", "--quiet", "--port", s.addr, "posix", "--sidecar", s.t.TempDir(), s.dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY=tester", "ROOT_SECRET_KEY="+s.secret)
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

func (s *s3Server) open(location string) (backup.Store, error) {
	return backup.OpenS3(location, backup.S3Options{Endpoint: s.addr, Region: "us-east-1", Insecure: true, Now: time.Now})
}

// A real S3 server holds sets as a directory does.
func TestS3(t *testing.T) {
	srv := newS3(t)
	dir, want := dataDir(t)
	h := newHost(t)
	store, err := srv.open("s3://bucket/backups")
	if err != nil {
		t.Fatal(err)
	}
	h.over = store
	first := h.backup(dir)
	if r := h.backup(dir); r.Reused != 3 || r.Manifest.Previous.ID != first.Manifest.ID {
		t.Errorf("%d members are referred to, the set before is %+v", r.Reused, r.Manifest.Previous)
	}
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems: %v", kinds)
	}
	into := filepath.Join(t.TempDir(), "data")
	if _, err := h.restore(backup.RestoreOptions{Into: into}); err != nil {
		t.Fatal(err)
	}
	equal(t, read(t, into), want)
	_, ref, err := backup.Split(t.Context(), "s3://bucket/backups/db/1/"+first.Manifest.ID, srv.open)
	if err != nil || ref != (backup.Ref{Label: "db/1", ID: first.Manifest.ID}) {
		t.Errorf("%+v, %v", ref, err)
	}
	plan, err := backup.PlanPrune(t.Context(), store, "", backup.Policy{Last: 1}, h.now)
	if err == nil {
		err = plan.Apply(t.Context(), store)
	}
	if err != nil {
		t.Fatal(err)
	}
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems after pruning: %v", kinds)
	}
	// What lies there was changed.
	for name, data := range read(t, srv.dir) {
		if strings.HasSuffix(name, "m0001.zst.age") {
			os.WriteFile(filepath.Join(srv.dir, name), []byte(strings.Replace(data, "X25519", "X25518", 1)), 0o600)
		}
	}
	if kinds := h.verify(false, backup.ChainOptions{}); len(kinds) == 0 {
		t.Error("a change was not found")
	}
}

// A server that dies under a backup leaves no set, and the next backup succeeds.
func TestS3Dies(t *testing.T) {
	srv := newS3(t)
	dir, _ := dataDir(t)
	h := newHost(t)
	store, err := srv.open("s3://bucket")
	if err != nil {
		t.Fatal(err)
	}
	h.over = &dyingStore{Store: store, after: 3, kill: srv.stop}
	if _, err := h.try(dir); err == nil {
		t.Error("a backup to a dead server succeeded")
	}
	srv.start()
	h.over = store
	if l, err := backup.List(t.Context(), store, ""); err != nil || len(l.Sets) != 0 {
		t.Errorf("%d sets, %v", len(l.Sets), err)
	}
	h.backup(dir)
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems: %v", kinds)
	}
}
