package source

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestContains(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"in/a.rdb": "", "out/b": ""})
	link := filepath.Join(dir, "link")
	if err := os.Symlink("in", link); err != nil {
		t.Fatal(err)
	}
	in, err := New(context.Background(), []string{filepath.Join(dir, "in"), Stdin}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"in/new": true, "in/a.rdb": true, "in/sub/../new": true, "link/new": true,
		"out/new": false, "inner": false, "in/../out/x": false, "missing/x": false,
		"in": true, "in/new/er/x": true, "link/new/er/x": true, "out/new/er/x": false,
	} {
		if got := in.Contains(filepath.Join(dir, path)); got != want {
			t.Errorf("Contains(%s) = %v", path, got)
		}
	}
}
