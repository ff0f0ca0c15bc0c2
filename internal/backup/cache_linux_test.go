package backup_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// pages returns how many pages of a file are in the page cache, and how many the
// file has; false where the system does not tell.
func pages(t *testing.T, path string) (cached, all int64, ok bool) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	var st unix.Cachestat_t
	if err := unix.Cachestat(uint(f.Fd()), &unix.CachestatRange{Len: uint64(info.Size())}, &st, 0); err != nil {
		return 0, 0, false
	}
	return int64(st.Cache), info.Size() / int64(os.Getpagesize()), true
}

// A backup leaves the page cache as it was: what the server's disk had to deliver
// does not stay, nor does what was written, and what was in memory does.
func TestPageCache(t *testing.T) {
	dir := t.TempDir()
	noise := make([]byte, 16<<20)
	rand.NewChaCha8([32]byte{}).Read(noise)
	write(t, dir, map[string][]byte{"dump.rdb": rdb("k", "v"), "nodes.conf": noise})
	path := filepath.Join(dir, "nodes.conf")
	if _, _, ok := pages(t, path); !ok {
		servertest.Lacks(t, "the kernel does not tell what it caches")
	}
	h := newHost(t)
	h.o.Recipients = nil
	run := func() {
		t.Helper()
		c, err := backup.CaptureDir(t.Context(), dir, []string{"nodes.conf"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		h.o.Recipients = append(h.o.Recipients, "another") // nothing is referred to
		r, err := backup.Create(t.Context(), h.store(), c, h.o)
		if err != nil {
			t.Fatal(err)
		}
		sealed := filepath.Join(h.dest, h.o.Label, r.Manifest.ID, r.Manifest.Members[len(r.Manifest.Members)-1].Name)
		if cached, all, _ := pages(t, sealed); cached > all/10 {
			t.Errorf("%d of %d pages of what was written are cached", cached, all)
		}
	}
	forget := func() {
		t.Helper()
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			t.Fatal(err)
		}
	}
	forget()
	if cached, all, _ := pages(t, path); cached > all/10 {
		servertest.Lacks(t, "%d of %d pages stay cached whatever is done", cached, all)
	}
	run()
	if cached, all, _ := pages(t, path); cached > all/10 {
		t.Errorf("%d of %d pages are cached afterwards, none before", cached, all)
	}
	if _, err := os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	run()
	if cached, all, _ := pages(t, path); cached < all*9/10 {
		t.Errorf("%d of %d pages are cached afterwards, all before", cached, all)
	}
}
