package acquire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

var clock = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// evidence makes a data directory with all that an examiner may meet in one.
func evidence(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"dump.rdb":                        "REDIS0011\xff\x00\x00\x00\x00\x00\x00\x00\x00",
		"temp-1234.rdb":                   "REDIS0011\xff\x00\x00\x00\x00\x00\x00\x00\x00",
		"valkey.conf":                     "port 6379\ndir /var/lib/valkey\n",
		"odd\nname\\":                     "text\n",
		"aof/appendonly.aof.manifest":     "file appendonly.aof.1.incr.aof seq 1 type i\n",
		"aof/appendonly.aof.1.incr.aof":   "*2\r\n$3\r\nDEL\r\n$1\r\na\r\n",
		"aof/appendonly.aof.0.incr.aof":   "*2\r\n$3\r\nDEL\r\n$1\r\nb\r\n",
		"aof/\xff\xfe.bin":                "\x00\x01\x02",
		"aof/.1.partial":                  "\x00\x01",
		"aof/deep/er/sessions.backup.rdb": "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func acquired(t *testing.T, src, dst string, o Options) *Custody {
	t.Helper()
	o.Source, o.Now, o.Tree = src, clock, &Tree{}
	in, err := source.New(t.Context(), []string{src}, source.Options{Entered: o.Tree.Enter})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c, err := Run(t.Context(), in, dst, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// seen is what the system tells of a file.
type seen struct {
	size                        int64
	mode                        fs.FileMode
	links                       uint64
	modified, accessed, changed time.Time
}

// state is what the system tells of the files in a directory; not of the links,
// for reading where one leads counts as an access.
func state(t *testing.T, dir string) map[string]seen {
	t.Helper()
	all := map[string]seen{}
	in, err := source.New(t.Context(), []string{dir}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for u, err := range in.Units(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range u.Files {
			if f.Target == "" {
				all[f.Path] = seen{f.Size, f.Mode, f.Links, f.Modified, f.Accessed, f.Changed}
			}
		}
	}
	return all
}

func TestRun(t *testing.T) {
	src, dst := evidence(t), filepath.Join(t.TempDir(), "copy")
	before := state(t, src)
	c := acquired(t, src, dst, Options{Case: "7", Examiner: "A"})
	if !c.Complete {
		t.Errorf("not complete: %v", c.Warnings)
	}
	for name, f := range state(t, src) {
		if f != before[name] {
			t.Errorf("%q has changed: %+v, before %+v", name, f, before[name])
		}
	}
	var order []string
	for _, p := range c.Files {
		path := p.Path + string(p.PathB64)
		order = append(order, filepath.Base(path))
		if p.Skipped != "" {
			continue
		}
		want, err := os.ReadFile(filepath.Join(src, path))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dst, filepath.FromSlash(p.stored)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%q: the copy differs", path)
		}
		if p.SHA256 != p.After || p.SHA256 != p.StoredSum {
			t.Errorf("%q: sums differ: %s, %s after, %s stored", path, p.SHA256, p.After, p.StoredSum)
		}
	}
	for _, pair := range [][2]string{ // what is copied before what
		{"temp-1234.rdb", "appendonly.aof.0.incr.aof"}, {"appendonly.aof.0.incr.aof", "appendonly.aof.1.incr.aof"},
		{"appendonly.aof.1.incr.aof", "dump.rdb"}, {"dump.rdb", "valkey.conf"},
	} {
		if slices.Index(order, pair[0]) > slices.Index(order, pair[1]) {
			t.Errorf("%s was copied after %s", pair[0], pair[1])
		}
	}
	data, err := os.ReadFile(filepath.Join(dst, custodyName))
	if err != nil {
		t.Fatal(err)
	}
	var read Custody
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Files) != len(c.Files) || len(c.Files) != 12 {
		t.Errorf("%d files in the custody file, %d told, want 12", len(read.Files), len(c.Files))
	}
}

// TestDirectories: also those are kept that hold nothing, with what the system tells
// of them; one in which something was made meanwhile is told, and the copy is not
// said to be complete.
func TestDirectories(t *testing.T) {
	src := evidence(t)
	empty := filepath.Join(src, "modules", "old")
	if err := os.MkdirAll(empty, 0o710); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := os.Chtimes(empty, at, at); err != nil {
		t.Fatal(err)
	}
	dst := filepath.Join(t.TempDir(), "copy")
	c := acquired(t, src, dst, Options{})
	if !c.Complete {
		t.Errorf("not complete: %v", c.Warnings)
	}
	var paths []string
	for _, d := range c.Directories {
		paths = append(paths, d.Path)
		if d.Path == "modules/old" && (d.Mode != "drwx--x---" || !d.Modified.Equal(at) || !d.Accessed.Equal(at)) {
			t.Errorf("%+v", d)
		}
		if info, err := os.Stat(filepath.Join(dst, filesDir, d.Path)); err != nil || !info.IsDir() {
			t.Errorf("the copy has no directory %s", d.Path)
		}
	}
	for _, want := range []string{".", "aof/deep", "modules", "modules/old"} {
		if !slices.Contains(paths, want) {
			t.Errorf("directories %q, without %s", paths, want)
		}
	}
	made := false
	c = acquired(t, src, filepath.Join(t.TempDir(), "copy"), Options{Done: func(*Copy) {
		if made {
			return
		}
		made = true
		if err := os.WriteFile(filepath.Join(empty, "new"), nil, 0o600); err != nil {
			t.Error(err)
		}
	}})
	for _, d := range c.Directories {
		if want := d.Path == "modules/old"; slices.Contains(d.Changes, "modified") != want {
			t.Errorf("%s: changes %v", d.Path, d.Changes)
		}
	}
	if c.Complete || !slices.ContainsFunc(c.Warnings, func(w string) bool { return strings.HasPrefix(w, "1 directories changed") }) {
		t.Errorf("complete: %v, warnings %q", c.Complete, c.Warnings)
	}
}

func TestSums(t *testing.T) {
	src, dst := evidence(t), filepath.Join(t.TempDir(), "copy")
	secret, public, err := crypt.GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := crypt.ParseSigningKey(bytes.NewReader(secret), crypt.UI{})
	if err != nil {
		t.Fatal(err)
	}
	acquired(t, src, dst, Options{Sign: key})
	sums, err := os.ReadFile(filepath.Join(dst, SumsName))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := os.ReadFile(filepath.Join(dst, SumsName+signedExt))
	if err != nil {
		t.Fatal(err)
	}
	pub, err := crypt.ParseVerifyingKey(public)
	if err != nil {
		t.Fatal(err)
	}
	if err := pub.Verify(sums, signature); err != nil {
		t.Error(err)
	}
	files := 0
	err = filepath.WalkDir(dst, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: mode %v", path, info.Mode())
		}
		if d.Type().IsRegular() && !strings.HasPrefix(d.Name(), SumsName) {
			files++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(sums, []byte("\n")); n != files {
		t.Errorf("%d sums of %d files", n, files)
	}
	if !bytes.Contains(sums, []byte(`files/odd\nname\\`)) {
		t.Error("a name with a newline is not escaped as sha256sum does")
	}
}

func TestSealed(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	src, dst := evidence(t), filepath.Join(t.TempDir(), "copy")
	c := acquired(t, src, dst, Options{Seal: &crypt.SealOptions{Recipients: []age.Recipient{identity.Recipient()}, Level: 3, Workers: 1}})
	if _, err := os.Stat(filepath.Join(dst, custodyName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the custody file lies in the clear: %v", err)
	}
	for _, p := range c.Files {
		if p.Skipped != "" {
			continue
		}
		f, err := os.Open(filepath.Join(dst, filepath.FromSlash(p.stored)))
		if err != nil {
			t.Fatal(err)
		}
		r, err := crypt.Unseal(f, 1, identity)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		_ = f.Close()
		want, _ := os.ReadFile(filepath.Join(src, p.Path+string(p.PathB64)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q: %d bytes, %v, want %d", p.Path, len(got), err, len(want))
		}
	}
}

// The source changes once the first file is copied.
func TestChanges(t *testing.T) {
	src, dst := evidence(t), filepath.Join(t.TempDir(), "copy")
	in, err := source.New(t.Context(), []string{src}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	conf := filepath.Join(src, "valkey.conf")
	once := false
	c, err := Run(t.Context(), in, dst, Options{Source: src, Now: clock, Done: func(*Copy) {
		if !once {
			once = true
			if err := os.WriteFile(conf, []byte("port 6380\ndir /var/lib/valkey\n"), 0o644); err != nil {
				t.Error(err)
			}
			if err := os.Remove(filepath.Join(src, "dump.rdb")); err != nil {
				t.Error(err)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Complete {
		t.Error("a copy of what changed meanwhile is said to be complete")
	}
	for _, p := range c.Files {
		switch p.Path {
		case "valkey.conf":
			if !slices.Contains(p.Changes, "modified") {
				t.Errorf("valkey.conf: changes %v", p.Changes)
			}
		case "dump.rdb":
			if p.Error == "" {
				t.Error("dump.rdb was gone, and nothing says so")
			}
		default:
			if p.Error != "" || len(p.Changes) > 0 {
				t.Errorf("%s: %s %v", p.Path, p.Error, p.Changes)
			}
		}
	}
}

func TestStopped(t *testing.T) {
	src, dst := evidence(t), filepath.Join(t.TempDir(), "copy")
	in, err := source.New(t.Context(), []string{src}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	ctx, cancel := context.WithCancel(t.Context())
	c, err := Run(ctx, in, dst, Options{Source: src, Now: clock, Done: func(*Copy) { cancel() }})
	if !errors.Is(err, context.Canceled) || c == nil || c.Complete || len(c.Files) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := os.Stat(filepath.Join(dst, custodyName)); err != nil {
		t.Error(err)
	}
}

// A name that cannot be kept is noted; the other files are copied.
func TestUnstorable(t *testing.T) {
	src, dst := evidence(t), filepath.Join(t.TempDir(), "copy")
	long := strings.Repeat("n", 250)
	if err := os.WriteFile(filepath.Join(src, long), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	c := acquired(t, src, dst, Options{Seal: &crypt.SealOptions{Recipients: []age.Recipient{identity.Recipient()}, Level: 1, Workers: 1}})
	for _, p := range c.Files {
		if failed := p.Error != ""; failed != (p.Path == long) {
			t.Errorf("%.20s: %q", p.Path, p.Error)
		}
	}
	if c.Complete {
		t.Error("complete without one of the files")
	}
}

// What reads back differently from what was written is no copy.
func TestReadBack(t *testing.T) {
	s, err := newStore(filepath.Join(t.TempDir(), "copy"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	o, err := s.create("x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Write([]byte("what was read")); err != nil {
		t.Fatal(err)
	}
	if _, err := o.f.WriteAt([]byte("W"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := o.commit(t.Context()); err == nil {
		t.Error("a changed copy was taken")
	}
}

func TestStoreIsEmpty(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := newStore(dir, nil); err == nil {
		t.Error("a directory with something in it was taken")
	}
}

// What is not there above the copy may be a disk that is not mounted: it is named, not made.
func TestStoreNeedsItsPlace(t *testing.T) {
	above := filepath.Join(t.TempDir(), "usb")
	_, err := newStore(filepath.Join(above, "db1"), nil)
	if failed := (*fs.PathError)(nil); !errors.As(err, &failed) || failed.Path != above || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
	if _, err := os.Stat(above); err == nil {
		t.Error("it was made")
	}
}

// holed delivers a megabyte with a hole of three pages in it.
type holed struct{ off int64 }

func (h *holed) Read(p []byte) (int, error) {
	const page = 4096
	if h.off >= 1<<20 {
		return 0, io.EOF
	}
	n := copy(p, make([]byte, page))
	at := h.off
	h.off += int64(n)
	if at >= 10*page && at < 13*page {
		return n, &keyspace.GapError{Offset: at, Length: int64(n), Err: syscall.EIO}
	}
	return n, nil
}

func TestGaps(t *testing.T) {
	var out bytes.Buffer
	p := &Copy{Stored: "x"}
	if err := p.pour(t.Context(), &out, &holed{}); err != nil {
		t.Fatal(err)
	}
	if out.Len() != 1<<20 || p.Unread != 3*4096 || len(p.Gaps) != 1 || p.Gaps[0] != (Gap{Offset: 40960, Length: 12288}) || p.whole() {
		t.Errorf("%d bytes, %+v", out.Len(), p)
	}
}
