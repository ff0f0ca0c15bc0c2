package fleet_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// Tags that a submission names take effect on what did not change, without a scan;
// those that it does not name stay.
func TestTags(t *testing.T) {
	dir := dumps(t, 6).dir
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir, "--owner", "payments")
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	reported := func(flags ...string) int {
		return len(findings(h.run(anyReport, append([]string{"fleet", "report", "--format", "jsonl"}, flags...)...)))
	}
	all := reported("--owner", "payments")
	one := reported("--instance", "instance-1")
	if all == 0 || one == 0 || one == all {
		t.Fatalf("%d findings, %d of an instance", all, one)
	}
	h.run([]int{0}, "fleet", "submit", dir, "--owner", "shipping")
	if a, b := reported("--owner", "payments"), reported("--owner", "shipping"); a != 0 || b != all {
		t.Errorf("%d findings of the owner before, %d of the owner now, not 0 and %d", a, b, all)
	}
	at := filepath.Join(dir, "instance-1")
	h.run([]int{0}, "fleet", "submit", at, "--instance", "cache-1")
	h.run([]int{0}, "fleet", "submit", dir)
	if a, b, c := reported("--instance", "instance-1"), reported("--instance", "cache-1"), reported("--owner", "shipping"); a != 0 || b != one || c != all {
		t.Errorf("%d findings of the instance before, %d of the one now, not 0 and %d; %d of the owner, not %d", a, b, one, c, all)
	}
	write(t, filepath.Join(at, "0001.aof"), logOf(1, 2)) // a change keeps them, too
	h.run([]int{0}, "fleet", "submit", dir)
	if s := h.status(); s.Queued != 1 {
		t.Errorf("%+v", s)
	}
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	if reported("--instance", "instance-1") != 0 || reported("--instance", "cache-1") == 0 || reported("--owner", "shipping") != reported() {
		t.Error("a changed input lost its tags")
	}
}

// What is no longer where it was submitted from is said to be gone, by whichever
// source tells it, and reported when it is asked for; it may come back.
func TestGone(t *testing.T) {
	dir := dumps(t, 6).dir
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	report := func(flags ...string) string {
		return h.run(anyReport, append([]string{"fleet", "report", "--format", "jsonl"}, flags...)...)
	}
	all := len(findings(report()))
	one := filepath.Join(dir, "instance-1", "0001.aof")
	if err := os.Rename(one, filepath.Join(t.TempDir(), "aside")); err != nil {
		t.Fatal(err)
	}
	h.run([]int{0}, "fleet", "submit", filepath.Join(dir, "instance-2"))
	if s := h.status(); s.Gone != 0 {
		t.Errorf("by a source that did not hold it: %+v", s)
	}
	write(t, filepath.Join(dir, "instance-1", "new.aof"), logOf(9, 1))
	for _, source := range []string{filepath.Join(dir, "*-1"), dir} {
		h.run([]int{0}, "fleet", "submit", source)
		if s := h.status(); s.Gone != 1 || s.Done != 5 || s.Queued != 1 {
			t.Errorf("%s: %+v", source, s)
		}
	}
	h.run([]int{0}, "fleet", "cancel", filepath.Join(dir, "instance-1", "new.aof"))
	if out := report(); strings.Contains(out, one) || strings.Contains(h.run(anyReport, "fleet", "report", "--secrets"), "6 inputs") {
		t.Error("what is gone is reported")
	}
	if out := report("--gone"); !strings.Contains(out, one) || len(findings(out)) != all {
		t.Error("what is gone is not reported")
	}
	since := time.Now().UTC().Format("2006-01-02T")
	if out := h.run([]int{0}, "fleet", "status", "--gone"); !strings.Contains(out, "; 1 gone\ngone since "+since) || !strings.HasSuffix(out, "Z: "+one+"\n") {
		t.Error(out)
	}
	if out := h.run([]int{0}, "fleet", "status", "--gone", "--format", "json"); !strings.Contains(out, `{"type":"gone","input":"`+one+`","since":"`+since) {
		t.Error(out)
	}
}

// What comes back as it was is there again, and is not scanned again. What is gone
// before it was scanned is no longer queued.
func TestGoneAndBack(t *testing.T) {
	dir := dumps(t, 3).dir
	h := newHost(t, "")
	one, kept := filepath.Join(dir, "instance-1", "0001.aof"), filepath.Join(t.TempDir(), "kept")
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
		h.run([]int{0}, "fleet", "submit", dir)
	}
	h.run([]int{0}, "fleet", "submit", dir)
	move(one, kept)
	if s := h.status(); s.Gone != 1 || s.Queued != 2 || s.Cancelled != 0 {
		t.Errorf("gone before it was scanned: %+v", s)
	}
	move(kept, one)
	if s := h.status(); s.Gone != 0 || s.Queued != 3 {
		t.Errorf("back: %+v", s)
	}
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	move(one, kept)
	move(kept, one)
	if s := h.status(); s.Gone != 0 || s.Done != 3 {
		t.Errorf("back after it was scanned: %+v", s)
	}
	h.reported(dir)
}

// A pattern may match nothing any more once all that it matched is gone, and again
// after that, as when a timetable submits it; one that never matched is an error.
func TestPatternMatchesNothing(t *testing.T) {
	dir := t.TempDir()
	one := filepath.Join(dir, "one.aof")
	write(t, one, logOf(1, 3))
	h := newHost(t, "")
	pattern := filepath.Join(dir, "*.aof")
	h.run([]int{0}, "fleet", "submit", pattern)
	if err := os.Remove(one); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		h.run([]int{0}, "fleet", "submit", pattern)
		if s := h.status(); s.Gone != 1 || s.Inputs != 0 {
			t.Errorf("%+v", s)
		}
	}
	h.run([]int{4}, "fleet", "submit", filepath.Join(dir, "*.rdb"))
}

// What is below a directory that cannot be read is not said to be gone, whether the
// directory, one above it or a pattern was submitted.
func TestUnreadIsNotGone(t *testing.T) {
	dir := nobodysDir(t)
	for i := range 3 {
		write(t, filepath.Join(dir, "dumps", fmt.Sprintf("instance-%d", i), "dump.aof"), logOf(i, 3))
	}
	giveAway(t, dir)
	h := newHost(t, "sqlite:"+filepath.Join(dir, "fleet.db"))
	h.humble, h.state = true, dir
	dumps := filepath.Join(dir, "dumps")
	submit := func(source string) {
		t.Helper()
		h.run([]int{0}, "fleet", "submit", source)
	}
	submit(dumps)
	closed := filepath.Join(dumps, "instance-1")
	defer os.Chmod(closed, 0o700)
	for _, mode := range []os.FileMode{0, 0o100, 0o400} {
		if err := os.Chmod(closed, mode); err != nil {
			t.Fatal(err)
		}
		for _, source := range []string{dumps, filepath.Join(dumps, "*", "*.aof"), filepath.Join(dumps, "*")} {
			submit(source)
			if out := h.run([]int{0}, "fleet", "status", "--gone"); strings.Contains(out, "dump.aof") {
				t.Errorf("%s, where a directory has mode %o: %s", source, mode, out)
			}
		}
	}
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(closed, "dump.aof")); err != nil {
		t.Fatal(err)
	}
	submit(filepath.Join(dumps, "*", "*.aof"))
	if out := h.run([]int{0}, "fleet", "status", "--gone"); !strings.Contains(out, "dump.aof") {
		t.Errorf("what is really gone: %s", out)
	}
}

// What was submitted by a link, and what lies too deep for a source, is not said to
// be gone by a source that does not go there.
func TestPassedByIsNotGone(t *testing.T) {
	dir, other := t.TempDir(), dumps(t, 3).dir
	deep := filepath.Join(dir, strings.Repeat("d/", 150), strings.Repeat("d/", 60))
	write(t, filepath.Join(dir, "dump.aof"), logOf(1, 3))
	write(t, filepath.Join(deep, "dump.aof"), logOf(2, 3))
	link := filepath.Join(dir, "link")
	if err := os.Symlink(other, link); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", link, deep)
	h.run([]int{0}, "fleet", "submit", dir)
	if s := h.status(); s.Gone != 0 {
		t.Errorf("%+v", s)
	}
}

func TestGoneFromBucket(t *testing.T) {
	srv := servertest.NewS3(t)
	if err := srv.Client().MakeBucket(t.Context(), "bucket-2", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	d := dumps(t, 10)
	at := upload(t, srv, d.dir)
	h := newHost(t, "")
	h.global = []string{"--identity", d.identity}
	submit := func(source string) {
		h.run([]int{0}, append([]string{"fleet", "submit", source}, srv.Flags()...)...)
	}
	submit(at)
	if err := srv.Client().RemoveObject(t.Context(), "bucket", "dumps/instance-1/0001.aof", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := srv.Client().PutObject(t.Context(), "bucket-2", "other", strings.NewReader(logOf(1, 1)), -1, minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	submit("s3://bucket-2")
	submit(at + "/instance-2")
	if s := h.status(); s.Gone != 0 {
		t.Errorf("by a prefix that did not hold it: %+v", s)
	}
	for _, source := range []string{at + "/inst", "s3://bucket"} { // which is not all whose names begin so
		submit(source)
		if s := h.status(); s.Gone != 1 || s.Queued != counted(10) {
			t.Errorf("%s: %+v", source, s)
		}
	}
}
