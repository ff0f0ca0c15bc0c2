package acquire

import (
	"os"

	"golang.org/x/sys/unix"
)

// uncache lets go of what memory holds of a file that lies on the disk, so that what
// is read next comes from there.
func uncache(f *os.File) { _ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) }
