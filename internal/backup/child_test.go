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
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// The test binary makes a backup itself where these are set.
const (
	childSource    = "VALKEYFS_TEST_BACKUP"
	childDest      = "VALKEYFS_TEST_DEST"
	childRecipient = "VALKEYFS_TEST_RECIPIENT"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childSource); dir != "" {
		if err := childBackup(dir, os.Getenv(childDest), os.Getenv(childRecipient)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func childBackup(dir, dest, to string) error {
	r, err := crypt.ParseRecipient(to, crypt.UI{})
	if err != nil {
		return err
	}
	s, err := backup.OpenDir(dest, true)
	if err != nil {
		return err
	}
	c, err := backup.CaptureDir(context.Background(), dir, nil)
	if err != nil {
		return err
	}
	_, err = backup.Create(context.Background(), s, c, backup.Options{Label: "db/1", Now: time.Now, Recipients: []string{to},
		Seal: crypt.SealOptions{Recipients: []age.Recipient{r}, Workers: 2}})
	return err
}

func (h *host) child(dir string, wrap ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	args := append(wrap, self)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childSource+"="+dir, childDest+"="+h.dest, childRecipient+"="+h.id.Recipient().String())
	return cmd
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

// Killed at any moment, a backup leaves no set and no plaintext, and the next one
// succeeds.
func TestKilled(t *testing.T) {
	dir := bigDataDir(t)
	h := newHost(t)
	h.o.Sign = nil
	begin := time.Now()
	if out, err := h.child(dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole := time.Since(begin)
	killed, sets := 0, 1
	for range rounds(t, 8) {
		cmd := h.child(dir)
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
	}
	t.Logf("%d killed", killed)
	l, err := backup.List(t.Context(), h.store(), "db/1")
	if err != nil {
		t.Fatal(err)
	}
	// One that was killed behind its last rename has made a set all the same.
	if len(l.Sets) < sets || len(l.Sets)+len(l.Incomplete) > sets+killed {
		t.Errorf("%d sets and %d incomplete ones, of %d backups and %d killed", len(l.Sets), len(l.Incomplete), sets, killed)
	}
	for name, data := range read(t, h.dest) {
		if strings.Contains(data, marker) || strings.Contains(data, "key:1") {
			t.Errorf("%s holds plaintext", name)
		}
	}
	if out, err := h.child(dir).CombinedOutput(); err != nil {
		t.Errorf("the next backup: %v: %s", err, out)
	}
	for _, r := range l.Sets {
		set, err := backup.OpenSet(t.Context(), h.store(), r)
		if err != nil {
			t.Fatal(err)
		}
		if problems, err := set.Verify(t.Context(), backup.VerifyOptions{Identities: []age.Identity{h.id}}); err != nil || problems != nil {
			t.Errorf("%s: %v, %v", r, problems, err)
		}
	}
}

// No system call is given plaintext to write.
func TestNoPlaintextIsWritten(t *testing.T) {
	tracer := servertest.Tool(t, "strace").Args
	dir := t.TempDir()
	write(t, dir, map[string][]byte{"appendonly.aof": bytes.Repeat(resp("SET key "+marker), 3000)})
	h := newHost(t)
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := h.child(dir, append(tracer, "-f", "-s", "10000000", "-o", trace, "-e", "trace=write,pwrite64,writev,pwritev,sendto,sendmsg,mmap,openat,read,pread64")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(out), "ptrace") {
			t.Skip("tracing is not allowed here")
		}
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	read, written := 0, 0
	for line := range bytes.Lines(data) {
		call := string(line)
		if _, rest, ok := strings.Cut(call, " "); ok {
			call = strings.TrimSpace(rest)
		}
		holds := strings.Contains(call, marker)
		switch {
		case strings.HasPrefix(call, "read(") || strings.HasPrefix(call, "pread64("):
			if holds {
				read++
			}
		case strings.HasPrefix(call, "write") || strings.HasPrefix(call, "pwrite") || strings.HasPrefix(call, "send"):
			written++
			if holds {
				t.Errorf("plaintext is written: %.60s…", call)
			}
		case strings.HasPrefix(call, "mmap(") && strings.Contains(call, "MAP_SHARED") && strings.Contains(call, "PROT_WRITE"):
			t.Errorf("a file may be mapped for writing: %.80s", call)
		case strings.HasPrefix(call, "openat(") && strings.Contains(call, dir) && strings.Contains(call, "O_RDWR|O_WRONLY|O_CREAT"):
			t.Errorf("something in the data directory is opened for writing: %.80s", call)
		}
	}
	if read == 0 || written == 0 {
		t.Errorf("the trace shows %d reads of plaintext and %d writes", read, written)
	}
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
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems: %v", kinds)
	}
	into := filepath.Join(t.TempDir(), "data")
	if _, err := h.restore(backup.RestoreOptions{Into: into}); err != nil {
		t.Fatal(err)
	}
	equal(t, read(t, into), want)
}

// dyingStore kills its server at the object after some.
type dyingStore struct {
	backup.Store
	after int
	kill  func()
}

func (s *dyingStore) Create(ctx context.Context, name string) (backup.Object, error) {
	if s.after--; s.after == 0 {
		s.kill()
		ctx, s.after = cancelSoon(ctx), -1
	}
	return s.Store.Create(ctx, name)
}

// cancelSoon spares the test the client's long patience with a server that is gone.
func cancelSoon(ctx context.Context) context.Context {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	_ = cancel
	return ctx
}

func (s *dyingStore) Remove(context.Context, string) error { return errors.New("gone") }

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

type writeOnly struct{ backup.Store }

func (writeOnly) List(context.Context, string) ([]backup.Info, error) {
	return nil, backup.ErrWriteOnly
}

func (writeOnly) Open(context.Context, string) (io.ReadCloser, int64, error) {
	return nil, 0, backup.ErrWriteOnly
}
