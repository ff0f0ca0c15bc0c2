package acquire

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestUncache: what is read back does not come from memory.
func TestUncache(t *testing.T) {
	name := filepath.Join(t.TempDir(), "copy")
	if err := os.WriteFile(name, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cached := func() uint64 {
		var st unix.Cachestat_t
		if err := unix.Cachestat(uint(f.Fd()), &unix.CachestatRange{Len: 1 << 20}, &st, 0); err != nil {
			t.Fatal(err)
		}
		return st.Cache
	}
	if err := unix.Cachestat(uint(f.Fd()), &unix.CachestatRange{Len: 1}, &unix.Cachestat_t{}, 0); err != nil {
		t.Logf("the system does not tell what is cached (%v): that it is dropped was not tested", err)
		return
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &fs); err != nil || fs.Type != unix.EXT4_SUPER_MAGIC && fs.Type != unix.XFS_SUPER_MAGIC {
		t.Log("not every file system lets go: that what is cached is dropped was not tested")
		return
	}
	before := cached()
	uncache(f)
	if after := cached(); before == 0 || after > before/8 {
		t.Errorf("of %d pages %d are still in memory", before, after)
	}
}
