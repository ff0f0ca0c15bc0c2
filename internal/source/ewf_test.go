package source

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestDiskInside: the bytes of an E01 image are those of the disk; of one whose next
// segment is not there, and of one that is none, it is said.
func TestDiskInside(t *testing.T) {
	const size = 130048
	m, err := OpenImage("../ewf/testdata/encase6.E01")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	b := make([]byte, 40)
	if _, err := m.ReadAt(b, 0); err != nil || !bytes.HasPrefix(b, []byte("line 0 of the disk\nline 1")) || m.Size() != size || m.Missing() != nil || m.Unread() != 0 {
		t.Errorf("%q, %v; %d bytes, want %d", b, err, m.Size(), size)
	}
	if from, to := m.Data(5); from != 5 || to != size {
		t.Errorf("data from %d to %d", from, to)
	}

	p, err := os.ReadFile("../ewf/testdata/encase6.E01")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cut.E01")
	for _, n := range []int{len(p) - 10, 500} {
		if err := os.WriteFile(path, p[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := OpenImage(path)
		if err != nil {
			if n > 500 || !errors.As(err, new(*fs.PathError)) {
				t.Errorf("cut at %d: %v", n, err)
			}
			continue
		}
		if m.Missing() == nil {
			t.Errorf("cut at %d: nothing is missing", n)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
