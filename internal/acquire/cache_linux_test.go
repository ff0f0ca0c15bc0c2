package acquire

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// TestUncache: what is read back does not come from memory.
func TestUncache(t *testing.T) {
	name := filepath.Join(servertest.Ext4(t), "copy")
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
	// No test can give a kernel before 6.5 the call.
	if err := unix.Cachestat(uint(f.Fd()), &unix.CachestatRange{Len: 1}, &unix.Cachestat_t{}, 0); errors.Is(err, unix.ENOSYS) {
		servertest.Lacks(t, "the kernel does not tell what it caches")
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	before := cached()
	uncache(f)
	if after := cached(); before == 0 || after > before/8 {
		t.Errorf("of %d pages %d are still in memory", before, after)
	}
}
