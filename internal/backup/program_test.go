package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

func TestMain(m *testing.M) { os.Exit(servertest.Main(m)) }

// keyFiles writes the keys of a host to where the program finds them.
func (h *host) keyFiles() (dir string) {
	h.t.Helper()
	if h.files != "" {
		return h.files
	}
	h.files = shortTemp(h.t)
	secret, public, err := crypt.GenerateSigningKey()
	if err != nil {
		h.t.Fatal(err)
	}
	if h.key, err = crypt.ParseSigningKey(bytes.NewReader(secret), crypt.UI{}); err != nil {
		h.t.Fatal(err)
	}
	for name, text := range map[string][]byte{"sign": secret, "sign.pub": public, "identity": []byte(h.id.String()), "recipients": []byte(h.id.Recipient().String())} {
		if err := os.WriteFile(filepath.Join(h.files, name), text, 0o644); err != nil {
			h.t.Fatal(err)
		}
	}
	for _, sub := range []string{"state", "tmp"} {
		if err := os.Mkdir(filepath.Join(h.files, sub), 0o777); err != nil {
			h.t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(h.files, sub), 0o777); err != nil { // whatever the umask
			h.t.Fatal(err)
		}
	}
	return h.files
}

// program is the command line with some arguments, wrapped by another program.
func (h *host) program(wrap []string, args ...string) *exec.Cmd {
	h.t.Helper()
	path := servertest.Program(h.t)
	dir := h.keyFiles()
	args = append(append(slices.Clone(wrap), path), args...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(dir, "state"), "TMPDIR="+filepath.Join(dir, "tmp"))
	return cmd
}

// backupArgs are those of a backup of dir to a destination.
func (h *host) backupArgs(dir, to string, more ...string) []string {
	files := h.keyFiles()
	return append([]string{"backup", dir, "--to", to, "--label", h.o.Label, "-R", filepath.Join(files, "recipients"), "--sign-key", filepath.Join(files, "sign")}, more...)
}

// cron runs a backup as cron does, and returns its exit status and what it said.
func (h *host) cron(wrap []string, args ...string) (status int, said string) {
	h.t.Helper()
	out, err := h.program(wrap, args...).CombinedOutput()
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		return failed.ExitCode(), string(out)
	case err != nil:
		h.t.Fatal(err)
	}
	return 0, string(out)
}

// marker stands in the plaintext.
const marker = "PLAINTEXT-OF-THE-DATA-SET"

func bigDataDir(t *testing.T) string {
	dir := t.TempDir()
	var log []byte
	for i := range 60_000 {
		log = append(log, resp(fmt.Sprintf("SET key:%d %s-%d", i, marker, i))...)
	}
	write(t, dir, map[string][]byte{"appendonly.aof": log, "dump.rdb": rdb("k", marker)})
	return dir
}

// noPlaintext looks for the marker in all files below a directory.
func noPlaintext(t *testing.T, dir string) {
	t.Helper()
	for name, data := range read(t, dir) {
		if strings.Contains(data, marker) || strings.Contains(data, "key:1") {
			t.Errorf("%s holds plaintext", name)
		}
	}
}

// quickest runs the program with each of some arguments, and returns how long it
// took at best: the machine may be busy with something else.
func (h *host) quickest(all ...[]string) time.Duration {
	h.t.Helper()
	least := time.Hour
	for _, args := range all {
		begin := time.Now()
		if status, said := h.cron(nil, args...); status != 0 {
			h.t.Fatalf("exit status %d: %s", status, said)
		}
		least = min(least, time.Since(begin))
	}
	return least
}

// Killed at any moment, a backup leaves no set without manifest that counts as
// one and no plaintext, and the next one succeeds.
func TestKilled(t *testing.T) {
	dir := bigDataDir(t)
	h := newHost(t)
	args := h.backupArgs(dir, h.dest)
	whole := h.quickest(args, args, args)
	killed, sets := 0, 3
	for i := range rounds(20) {
		cmd := h.program(nil, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(whole))))
		cmd.Process.Signal(syscall.SIGKILL)
		if err := cmd.Wait(); err != nil {
			killed++
		} else {
			sets++
		}
		if i%20 == 19 { // what killed ones leave must not hinder
			if status, said := h.cron(nil, args...); status != 0 {
				t.Errorf("the next backup: exit status %d: %s", status, said)
			}
			sets++
		}
	}
	l, err := backup.List(t.Context(), h.store(), h.o.Label)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d killed: %d sets, %d incomplete ones", killed, len(l.Sets), len(l.Incomplete))
	// One that was killed behind its last rename has made a set all the same.
	if len(l.Sets) < sets || len(l.Sets)+len(l.Incomplete) > sets+killed {
		t.Errorf("%d sets and %d incomplete ones, of %d backups and %d killed", len(l.Sets), len(l.Incomplete), sets, killed)
	}
	noPlaintext(t, h.dest)
	noPlaintext(t, filepath.Join(h.files, "state"))
	noPlaintext(t, filepath.Join(h.files, "tmp"))
	if status, said := h.cron(nil, args...); status != 0 {
		t.Errorf("the next backup: exit status %d: %s", status, said)
	}
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems: %v", kinds)
	}
}

// Killed at any moment, a restore leaves the target as it was or restored, whole
// either way, and what lay there is never lost.
func TestRestoreKilled(t *testing.T) {
	dir := bigDataDir(t)
	want := read(t, dir)
	h := newHost(t)
	h.backup(dir)
	args := []string{"restore", h.dest, "-i", filepath.Join(h.keyFiles(), "identity"), "--force", "--into"}
	whole := h.quickest(append(slices.Clone(args), filepath.Join(t.TempDir(), "1")), append(slices.Clone(args), filepath.Join(t.TempDir(), "2")))
	restored := 0
	for range rounds(20) {
		top := t.TempDir()
		into := filepath.Join(top, "data")
		write(t, into, map[string][]byte{"old": []byte("OLD")})
		cmd := h.program(nil, append(args, into)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole/2 + time.Duration(rand.Int64N(int64(whole))))
		cmd.Process.Signal(syscall.SIGKILL)
		cmd.Wait() // it was killed, or was quicker
		got := read(t, into)
		if _, ok := got["dump.rdb"]; ok {
			restored++
			equal(t, got, want)
		} else {
			equal(t, got, map[string]string{"old": "OLD"})
		}
		kept := 0
		for name, data := range read(t, top) {
			if filepath.Base(name) == "old" && data == "OLD" {
				kept++
			}
		}
		if kept != 1 {
			t.Errorf("what lay there is in %d places", kept)
		}
		os.RemoveAll(top)
	}
	t.Logf("%d were restored", restored)
}

// tracer is strace, with arguments; tracing must be allowed.
func tracer(t *testing.T, args ...string) []string {
	t.Helper()
	strace := servertest.Tool(t, "strace").Args
	if out, err := exec.Command(strace[0], append(strace[1:len(strace):len(strace)], "-o", os.DevNull, "true")...).CombinedOutput(); err != nil {
		t.Skipf("tracing is not allowed here: %s", out)
	}
	return append(strace[:len(strace):len(strace)], append([]string{"-f", "-qq"}, args...)...)
}

// No system call is given plaintext to write, by any verb that seals or opens
// for sealing; secrets are not in arguments, and there are no core dumps.
func TestNoPlaintextIsWritten(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string][]byte{"appendonly.aof": bytes.Repeat(resp("SET key "+marker), 3000)})
	h := newHost(t)
	files := h.keyFiles()
	log, sealed := filepath.Join(dir, "appendonly.aof"), filepath.Join(files, "sealed")
	to := []string{"-R", filepath.Join(files, "recipients")}
	for _, args := range [][]string{
		h.backupArgs(dir, h.dest),
		h.backupArgs(dir, h.dest, "--scan", "report"),
		append([]string{"encrypt", log, "-o", sealed}, to...),
		append([]string{"rekey", sealed, "-i", filepath.Join(files, "identity"), "-o", sealed + ".new"}, to...),
		{"verify", h.dest, "-i", filepath.Join(files, "identity")},
	} {
		trace := filepath.Join(t.TempDir(), "trace")
		wrap := tracer(t, "-s", "10000000", "-o", trace, "-e", "trace=write,pwrite64,writev,pwritev,sendto,sendmsg,mmap,openat,read,pread64,execve,prlimit64,setrlimit,prctl")
		if status, said := h.cron(wrap, args...); status != 0 {
			t.Fatalf("%s: exit status %d: %s", args[0], status, said)
		}
		calls := traced(t, trace, dir)
		if calls["plaintext read"] == 0 && (args[0] == "backup" || args[0] == "encrypt") || calls["written"] == 0 && args[0] != "verify" {
			t.Errorf("%s: the trace shows %v", args[0], calls)
		}
		if calls["no core"] == 0 || calls["not dumpable"] == 0 {
			t.Errorf("%s: core dumps are possible: %v", args[0], calls)
		}
	}
}

// traced judges the system calls in a trace, and counts them by kind.
func traced(t *testing.T, trace, dir string) map[string]int {
	t.Helper()
	data, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	for line := range bytes.Lines(data) {
		call := string(line)
		if _, rest, ok := strings.Cut(call, " "); ok {
			call = strings.TrimSpace(rest)
		}
		name, args, _ := strings.Cut(call, "(")
		if rest, ok := strings.CutPrefix(call, "<... "); ok { // of a call that another thread's came into
			name, args, _ = strings.Cut(rest, " resumed>")
		}
		holds := strings.Contains(args, marker)
		switch name {
		case "read", "pread64":
			if holds {
				calls["plaintext read"]++
			}
		case "write", "pwrite64", "writev", "pwritev", "sendto", "sendmsg":
			calls["written"]++
			if holds {
				t.Errorf("plaintext is written: %.60s…", call)
			}
		case "mmap":
			if strings.Contains(args, "MAP_SHARED") && strings.Contains(args, "PROT_WRITE") {
				t.Errorf("a file may be mapped for writing: %.80s", call)
			}
		case "openat":
			if strings.Contains(args, dir) && (strings.Contains(args, "O_RDWR") || strings.Contains(args, "O_WRONLY") || strings.Contains(args, "O_CREAT")) {
				t.Errorf("something in the data directory is opened for writing: %.80s", call)
			}
		case "execve":
			if strings.Contains(args, "AGE-SECRET-KEY") {
				t.Error("a key is in an argument or the environment")
			}
		case "prlimit64", "setrlimit":
			if strings.Contains(args, "RLIMIT_CORE, {rlim_cur=0") {
				calls["no core"]++
			}
		case "prctl":
			if strings.Contains(args, "PR_SET_DUMPABLE, SUID_DUMP_DISABLE") || strings.Contains(args, "PR_SET_DUMPABLE, 0") {
				calls["not dumpable"]++
			}
		}
	}
	return calls
}

// fullStore has room for some bytes only.
type fullStore struct {
	backup.Store
	room int64
}

type fullObject struct {
	backup.Object
	s *fullStore
}

func (s *fullStore) Create(ctx context.Context, name string) (backup.Object, error) {
	o, err := s.Store.Create(ctx, name)
	return &fullObject{o, s}, err
}

func (o *fullObject) Write(p []byte) (int, error) {
	if o.s.room -= int64(len(p)); o.s.room < 0 {
		return 0, syscall.ENOSPC
	}
	return o.Object.Write(p)
}

// Wherever the destination becomes full, there is no set, nothing is left, and
// the next backup succeeds.
func TestFullDestination(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	whole := h.backup(dir).Sent
	before := len(read(t, h.dest))
	for room := int64(0); room < whole; room += whole/25 + 1 {
		c, err := backup.CaptureDir(t.Context(), dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.o.Recipients = []string{"other"} // all is sent again
		_, err = backup.Create(t.Context(), &fullStore{h.store(), room}, c, h.o)
		c.Close()
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("room for %d bytes: %v", room, err)
		}
		if left := len(read(t, h.dest)); left != before {
			t.Errorf("room for %d bytes: %d files, %d before", room, left, before)
		}
	}
	h.backup(dir)
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems: %v", kinds)
	}
}

// A tar stream unpacks into a destination.
func TestTar(t *testing.T) {
	dir, want := dataDir(t)
	h := newHost(t)
	r, w := io.Pipe()
	if err := os.MkdirAll(h.dest, 0o700); err != nil {
		t.Fatal(err)
	}
	unpack := servertest.Tool(t, "tar", "-x", "-C", h.dest)
	unpack.Stdin = r
	if err := unpack.Start(); err != nil {
		t.Fatal(err)
	}
	s := backup.NewTar(w, t.TempDir(), h.tick)
	c, err := backup.CaptureDir(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = backup.Create(t.Context(), s, c, h.o)
	if err == nil {
		err = s.Close()
	}
	w.CloseWithError(err)
	if e := unpack.Wait(); err != nil || e != nil {
		t.Fatal(err, e)
	}
	h.restores(want)
}

// A destination that can only be written to gets sets that know the one before
// from what the host has kept.
func TestWriteOnly(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	inner := h.store()
	h.over = &writeOnly{inner}
	first := h.backup(dir)
	h.o.Previous = first.Text
	second := h.backup(dir)
	if second.Manifest.Previous == nil || second.Manifest.Previous.ID != first.Manifest.ID || second.Reused != 0 {
		t.Errorf("the set before is %+v, %d members are referred to", second.Manifest.Previous, second.Reused)
	}
	h.over = nil
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems: %v", kinds)
	}
}

// A set that lacks its manifest alone, because its backup was killed right there,
// is completed by the next one.
func TestPending(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	h.over = &writeOnly{h.store()}
	begun := []byte(nil)
	h.o.Completing = func(text []byte) { begun = text }
	first := h.backup(dir)
	if string(begun) != string(first.Text) {
		t.Error("what is about to be written was not told")
	}
	if err := os.Remove(filepath.Join(h.dest, h.o.Label, first.Manifest.ID, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	h.o.Pending = begun
	second := h.backup(dir)
	if p := second.Manifest.Previous; p == nil || p.ID != first.Manifest.ID {
		t.Errorf("the set before is %+v", p)
	}
	h.over = nil
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems: %v", kinds)
	}
}

type writeOnly struct{ backup.Store }

func (writeOnly) List(context.Context, string) ([]backup.Info, error) {
	return nil, backup.ErrWriteOnly
}

func (writeOnly) Open(context.Context, string) (io.ReadCloser, int64, error) {
	return nil, 0, backup.ErrWriteOnly
}
