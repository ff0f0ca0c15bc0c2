package backup

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropWritten lets go of the page cache of n bytes at off that were written: a
// backup is not read again, and what the server's files have there stays.
func dropWritten(f *os.File, off, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
	_ = unix.Fadvise(int(f.Fd()), off, n, unix.FADV_DONTNEED)
}

// cached returns how many pages of a range are in the page cache, and false where
// the system does not tell (cachestat(2), Linux 6.5).
func cached(f *os.File, off, n int64) (uint64, bool) {
	var st unix.Cachestat_t
	if err := unix.Cachestat(uint(f.Fd()), &unix.CachestatRange{Off: uint64(off), Len: uint64(n)}, &st, 0); err != nil {
		return 0, false
	}
	return st.Cache, true
}

// dropRead lets go of the page cache of a range that was read.
func dropRead(f *os.File, off, n int64) {
	_ = unix.Fadvise(int(f.Fd()), off, n, unix.FADV_DONTNEED)
}
