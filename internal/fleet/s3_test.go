package fleet_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// fingerprint is left out of what is compared: that of text holds the name of its
// file, which a stream has not.
var fingerprint = regexp.MustCompile(`"fingerprint":"[0-9a-f]+"`)

// Objects are streamed and scanned as files are; while the server is away, they
// wait.
func TestS3(t *testing.T) {
	srv := servertest.NewS3(t)
	dir := dumps(t, 8)
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*.aof"))
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(dir, name)
		if _, err := srv.Client().PutObject(t.Context(), "bucket", "dumps/"+rel, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	h := newHost(t, "")
	flags := srv.Flags()
	want := findings(fingerprint.ReplaceAllString(strings.ReplaceAll(h.run(anyReport, "scan", dir, "--format", "jsonl", "--quiet"), `"source":"`+dir, `"source":"s3://bucket/dumps`), ""))
	h.run([]int{0}, append([]string{"fleet", "submit", "s3://bucket/dumps"}, flags...)...)
	srv.Stop()
	work := h.command(append([]string{"fleet", "work", "--drain", "--quiet", "--attempts", "20"}, flags...)...)
	if err := work.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	if s := h.status(); s.Done != 0 || s.Queued+s.Running != 8 {
		t.Errorf("the server is away: %+v", s)
	}
	srv.Start()
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
