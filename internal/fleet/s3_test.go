package fleet_test

import (
	"bytes"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// upload copies a directory into a bucket and returns where it lies there.
func upload(t *testing.T, srv *servertest.S3, dir string) string {
	t.Helper()
	c := srv.Client()
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		_, err = c.FPutObject(t.Context(), "bucket", "dumps/"+rel, name, minio.PutObjectOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return "s3://bucket/dumps"
}

// Objects are scanned as files are, logs of several files as one; while the server
// is away, they wait.
func TestS3(t *testing.T) {
	srv := servertest.NewS3(t)
	d := dumps(t, 20)
	source := upload(t, srv, d.dir)
	h := newHost(t, "")
	h.global = []string{"--identity", d.identity}
	flags := srv.Flags()
	want := findings(strings.ReplaceAll(h.run(anyReport, "scan", d.dir, "--format", "jsonl", "--quiet"), `"source":"`+d.dir, `"source":"`+source))
	h.run([]int{0}, append([]string{"fleet", "submit", source}, flags...)...)
	srv.Stop()
	work := h.command(append([]string{"fleet", "work", "--drain", "--quiet", "--attempts", "20"}, flags...)...)
	if err := work.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	if s := h.status(); s.Done != 0 || s.Queued+s.Running != counted(20) {
		t.Errorf("the server is away: %+v", s)
	}
	srv.Start()
	if err := work.Wait(); err != nil {
		t.Error(err)
	}
	if got := findings(h.run(anyReport, "fleet", "report", "--format", "jsonl")); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("%d findings and damages, not the %d of the files", len(got), len(want))
		differ(t, got, want)
	}
	h.run([]int{0}, append([]string{"fleet", "submit", source}, flags...)...)
	if s := h.status(); s.Queued != 0 {
		t.Errorf("unchanged objects: %+v", s)
	}
	incr, err := filepath.Glob(filepath.Join(d.dir, "*", "*", "*.2.incr.aof"))
	if err != nil || len(incr) != 2 {
		t.Fatal(incr, err)
	}
	if err := os.WriteFile(incr[0], []byte(logOf(3, 9)), 0o600); err != nil {
		t.Fatal(err)
	}
	upload(t, srv, d.dir)
	h.run([]int{0}, append([]string{"fleet", "submit", source}, flags...)...)
	if s := h.status(); s.Queued != 1 {
		t.Errorf("a log of which one object changed: %+v", s)
	}
}

// Objects that a server has no ETag of, since they did not come through it, are told
// apart by size and time; one that is empty now is still there.
func TestNoETags(t *testing.T) {
	srv := servertest.NewS3(t)
	dir := t.TempDir()
	h := newHost(t, "")
	put := func(name, text string) {
		write(t, filepath.Join(dir, name), text)
		write(t, filepath.Join(srv.Dir, "bucket", name), text)
	}
	same := func() {
		t.Helper()
		h.run([]int{0}, append([]string{"fleet", "submit", "s3://bucket"}, srv.Flags()...)...)
		h.run([]int{0}, append([]string{"fleet", "work", "--drain", "--quiet"}, srv.Flags()...)...)
		want := findings(strings.ReplaceAll(h.run(anyReport, "scan", dir, "--format", "jsonl", "--quiet"), `"source":"`+dir, `"source":"s3://bucket`))
		if got := findings(h.run(anyReport, "fleet", "report", "--format", "jsonl")); len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%d findings and damages, not the %d of the files", len(got), len(want))
			differ(t, got, want)
		}
	}
	put("a/dump.aof", logOf(1, 3))
	put("b/dump.aof", logOf(2, 3))
	same()
	put("a/dump.aof", logOf(3, 9))
	same()
	if err := os.Truncate(filepath.Join(srv.Dir, "bucket", "b", "dump.aof"), 0); err != nil {
		t.Fatal(err)
	}
	same()
	if s := h.status(); s.Gone != 0 || s.Done != 2 || s.Damaged != 0 {
		t.Errorf("%+v", s)
	}
}

// A submission that is interrupted says what it has queued, which stays.
func TestSubmitInterrupted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // a server that never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h := newHost(t, "")
	h.env = []string{"AWS_ACCESS_KEY_ID=tester", "AWS_SECRET_ACCESS_KEY=synthetic"}
	cmd := h.command("fleet", "submit", dumps(t, 3).dir, "s3://bucket", "--s3-endpoint", l.Addr().String(), "--s3-insecure")
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 3 || !strings.HasPrefix(said.String(), "3 of 3 inputs queued, ") || !strings.Contains(said.String(), "what is queued stays") {
		t.Errorf("%v: %s", err, said.String())
	}
	if s := h.status(); s.Queued != 3 {
		t.Errorf("%+v", s)
	}
}
