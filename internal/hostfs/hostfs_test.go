package hostfs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// image writes files and links ("-> target") under a directory.
func image(t *testing.T, entries map[string]string) *FS {
	t.Helper()
	root := t.TempDir()
	for name, text := range entries {
		at := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if len(text) > 3 && text[:3] == "-> " {
			err = os.Symlink(text[3:], at)
		} else {
			err = os.WriteFile(at, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	fs, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fs.Close() })
	return fs
}

func TestResolve(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	fs := image(t, map[string]string{
		"etc/valkey/valkey.conf": "conf", "a": "-> /etc/valkey", "etc/b": "-> ../a/valkey.conf", "up": "-> ../../../../etc/b",
		"out": "-> " + outside, "loop": "-> loop2", "loop2": "-> /loop", "dir/in": "-> /etc",
	})
	for name, want := range map[string]string{"/a/valkey.conf": "conf", "/etc/b": "conf", "/up": "conf", "/dir/in/valkey/valkey.conf": "conf", "/../../a/valkey.conf": "conf"} {
		if got, err := fs.ReadFile(name, 100); string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := fs.ReadFile("/out", 100); err == nil {
		t.Errorf("a link leads out of the image: %q", got)
	}
	if _, err := fs.Stat("/loop"); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a loop: %v", err)
	}
	if i, err := fs.Lstat("/out"); err != nil || i.Mode&os.ModeSymlink == 0 {
		t.Errorf("Lstat: %v, %v", i, err)
	}
	if got, err := fs.ReadFile("/etc/b", 2); !errors.Is(err, ErrLimit) || string(got) != "co" {
		t.Errorf("a limit: %q, %v", got, err)
	}
	if _, err := fs.Open("/etc"); err == nil {
		t.Error("a directory is opened as a file")
	}
}

func TestOpenFIFO(t *testing.T) {
	fs := image(t, map[string]string{"x": ""})
	host, err := fs.HostPath("/x")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(host+"fifo", 0o600); err != nil {
		t.Skip("no FIFOs here:", err)
	}
	if _, err := fs.Open("/xfifo"); err == nil {
		t.Error("a FIFO is opened")
	}
}

func TestGlob(t *testing.T) {
	fs := image(t, map[string]string{"c/b.conf": "", "c/a.conf": "", "c/.h.conf": "", "c/x": "", "d/a.conf": ""})
	for pattern, want := range map[string][]string{
		"/c/*.conf": {"/c/a.conf", "/c/b.conf"}, "/*/a.conf": {"/c/a.conf", "/d/a.conf"}, "/c/.*": {"/c/.h.conf"},
		"/c/[!a].conf": {"/c/b.conf"}, "/c/x": {"/c/x"}, "/nothing/*": nil, "/c/[": nil,
	} {
		if got, err := fs.Glob(pattern, 100); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", pattern, got, err, want)
		}
	}
	if _, err := fs.Glob("/*/*", 2); !errors.Is(err, ErrLimit) {
		t.Errorf("no limit: %v", err)
	}
}
