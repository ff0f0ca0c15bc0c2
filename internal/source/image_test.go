package source

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestImageLeavesNoTrace: an image is read through, holes told apart, with its
// bytes and times as they were.
func TestImageLeavesNoTrace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "image")
	want := append(bytes.Repeat([]byte("data"), 4096), make([]byte, 1<<20)...)
	if err := os.WriteFile(path, want[:16384], 0o400); err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1_600_000_000, 0)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(want))); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700) // so that it can be removed
	m, err := OpenImage(path)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, m.Size())
	if _, err := m.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if from, _ := m.Data(512 << 10); from != m.Size() && from != 512<<10 { // not all file systems tell
		t.Errorf("data at %d", from)
	}
	if m.Touched() || m.Unread() != 0 {
		t.Errorf("touched %t, unread %d", m.Touched(), m.Unread())
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	now := &File{}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if now.stat(info); !now.Accessed.Equal(old) || !now.Modified.Equal(old) {
		t.Errorf("accessed %s, modified %s", now.Accessed, now.Modified)
	}
	if _, err := OpenImage(dir); err == nil {
		t.Error("a directory was opened as an image")
	}
}
