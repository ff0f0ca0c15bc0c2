package backup_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/backup"
)

// TestCaptureLeavesAccessTimes: neither the directories nor the manifest nor the files
// of a data directory are touched when it is captured by their owner.
func TestCaptureLeavesAccessTimes(t *testing.T) {
	dir := t.TempDir()
	logs := filepath.Join(dir, "appendonlydir")
	if err := os.Mkdir(logs, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"a.1.incr.aof": "*1\r\n$4\r\nPING\r\n", "a.manifest": "file a.1.incr.aof seq 1 type i\n"} {
		if err := os.WriteFile(filepath.Join(logs, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := []string{dir, logs, filepath.Join(logs, "a.manifest"), filepath.Join(logs, "a.1.incr.aof")}
	old := time.Unix(1_000_000_000, 0) // so old that relatime changes it, too
	for _, name := range all {
		if err := os.Chtimes(name, old, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	c, err := backup.CaptureDir(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	for _, name := range all {
		var st syscall.Stat_t
		if err := syscall.Stat(name, &st); err != nil {
			t.Fatal(err)
		}
		if got := time.Unix(st.Atim.Unix()); !got.Equal(old) {
			t.Errorf("%s: its access time is %v", name, got)
		}
	}
}
