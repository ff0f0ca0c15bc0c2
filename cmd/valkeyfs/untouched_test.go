package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// readers are the verbs that read evidence, with arguments; E is where it lies, O
// where what they write goes.
var readers = []string{
	"scan E", "inspect E", "carve E/dump.rdb --scan", "salvage E/dump.rdb -o O/clean.rdb", "export E/dump.rdb -o O/keys.jsonl",
	"export E/appendonlydir --redact --format rdb -o O/share.rdb", "history E/appendonlydir", "history E/appendonlydir --before-flush",
	"timeline E", "diff E/appendonlydir E/dump.rdb", "memory E", "audit E", "report E -o O/case.html", "acquire E -o O/copy",
	"carve E/dump.rdb -o O/pieces", "export E/appendonlydir --format parquet -o O/keys.parquet", "memory E --format html -o O/memory.html",
}

// evidence copies the incident, and returns its directory and all that is in it.
func evidence(t *testing.T) (dir string, paths []string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "evidence")
	if err := os.CopyFS(dir, os.DirFS("../../testdata/incident")); err != nil {
		t.Fatal(err)
	}
	return dir, walk(t, dir)
}

func walk(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// makeOld sets the time of the last access before that of the last change, so that any
// access shows, also where relatime is set.
func makeOld(t *testing.T, paths []string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Chtimes(path, time.Unix(1_700_000_000, 0), time.Unix(1_750_000_000, 0)); err != nil {
			t.Fatal(err)
		}
	}
}

// looks is all that the system tells of files without reading them.
func looks(t *testing.T, paths []string) string {
	t.Helper()
	var b strings.Builder
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		s := info.Sys().(*syscall.Stat_t)
		fmt.Fprintf(&b, "%s %v %d %d:%d, %d links, accessed %v, modified %v, changed %v\n", path, info.Mode(), s.Size, s.Uid, s.Gid, s.Nlink, s.Atim, s.Mtim, s.Ctim)
	}
	return b.String()
}

// sums are the checksums of all files in a directory.
func sums(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	for _, path := range walk(t, dir) {
		p, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, syscall.EISDIR) {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %x\n", path, sha256.Sum256(p))
	}
	return b.String()
}

// arguments are those of a verb, and a new directory for what it writes.
func arguments(t *testing.T, verb, evidence string) []string {
	t.Helper()
	out := t.TempDir()
	key := exec.Command("valkeyfs", "keygen", "-o", filepath.Join(out, "key"))
	recipient, err := key.Output()
	if err == nil {
		err = os.WriteFile(filepath.Join(out, "recipient"), recipient, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	args := strings.Fields(verb)
	for i, a := range args {
		if rest, ok := strings.CutPrefix(a, "E"); ok {
			args[i] = evidence + rest
		} else if rest, ok := strings.CutPrefix(a, "O"); ok {
			args[i] = out + rest
		}
	}
	return args
}

// judged holds that a verb did its work: what it finds is no failure.
func judged(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	if status := cmd.ProcessState.ExitCode(); err != nil && status != 1 && status != 3 && status != 5 {
		t.Errorf("exit status %d: %v: %s", status, err, said.Bytes())
	}
}

// harmless are the system calls that may name what is evidence; opening it is
// looked at more closely.
var harmless = regexp.MustCompile(`^(execve|readlinkat|newfstatat|fstat|statx|fstatfs|statfs|lseek|read|pread64|readv|preadv|getdents64|fcntl|fadvise64|close|epoll_ctl|getcwd|chdir|mmap|ioctl|flistxattr|fgetxattr|getxattr|lgetxattr|listxattr|llistxattr|dup|dup3|access|faccessat|faccessat2)\(`)

// writes are the flags of open that let its caller change what it opens.
var writes = regexp.MustCompile(`O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)`)

// TestEvidenceIsUntouched: no verb that reads evidence makes a system call that could
// change it, or leaves a trace in any time of any file.
func TestEvidenceIsUntouched(t *testing.T) {
	dir, paths := evidence(t)
	var strace []string
	t.Run("strace", func(t *testing.T) {
		strace = servertest.Tool(t, "strace").Args
		if out, err := exec.Command(strace[0], append(strace[1:len(strace):len(strace)], "-o", os.DevNull, "true")...).CombinedOutput(); err != nil {
			t.Skipf("tracing is not allowed here: %s", out)
		}
	})
	content := sums(t, dir)
	for _, verb := range readers {
		t.Run(verb, func(t *testing.T) {
			args := append([]string{"valkeyfs"}, arguments(t, verb, dir)...)
			trace := filepath.Join(t.TempDir(), "trace")
			if strace != nil {
				args = append(append(strace[:len(strace):len(strace)], "-f", "-qq", "-y", "-s", "0", "-o", trace), args...)
			}
			makeOld(t, paths)
			before := looks(t, paths)
			judged(t, exec.Command(args[0], args[1:]...))
			if after := looks(t, paths); after != before {
				t.Errorf("before:\n%safter:\n%s", before, after)
			}
			if strace != nil {
				calls(t, trace, dir)
			}
		})
	}
	if after := sums(t, dir); after != content {
		t.Errorf("before:\n%safter:\n%s", content, after)
	}
}

// calls judges the system calls of a trace that name what lies in dir.
func calls(t *testing.T, trace, dir string) {
	t.Helper()
	p, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	opened := 0
	for line := range strings.Lines(string(p)) {
		_, call, _ := strings.Cut(line, " ")
		call = strings.TrimSpace(call)
		if !strings.Contains(call, dir) || strings.HasPrefix(call, "<...") {
			continue
		}
		switch {
		case strings.HasPrefix(call, "open"):
			opened++
			if writes.MatchString(call) {
				t.Errorf("%s", call)
			}
		case !harmless.MatchString(call) || strings.HasPrefix(call, "mmap(") && strings.Contains(call, "PROT_WRITE"):
			t.Errorf("%s", call)
		}
	}
	if opened == 0 {
		t.Error("the trace shows nothing opened")
	}
}

// TestEvidenceOnReadOnlyMount: all verbs work where nothing can be written.
func TestEvidenceOnReadOnlyMount(t *testing.T) {
	dir, _ := evidence(t)
	mount := func(verb string, args ...string) *exec.Cmd {
		script := fmt.Sprintf(`mount --bind %[1]q %[1]q && mount -o remount,bind,ro %[1]q && if touch %[1]q/x 2>/dev/null; then exit 99; fi && exec "$@"`, dir)
		return exec.Command("unshare", append([]string{"-m", "sh", "-c", script, verb}, args...)...)
	}
	if out, err := mount("sh", "true").CombinedOutput(); err != nil {
		servertest.Lacks(t, "read-only mounts: %v: %s", err, out)
	}
	for _, verb := range readers {
		t.Run(verb, func(t *testing.T) {
			judged(t, mount("sh", append([]string{"valkeyfs"}, arguments(t, verb, dir)...)...))
		})
	}
}
