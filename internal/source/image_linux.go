package source

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// dataOf finds data behind an offset by SEEK_DATA and SEEK_HOLE; false where the
// file system does not tell.
func dataOf(f *os.File, off, size int64) (from, to int64, ok bool) {
	from, err := unix.Seek(int(f.Fd()), off, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) { // nothing but a hole
		return size, size, true
	}
	if err != nil {
		return 0, 0, false
	}
	to, err = unix.Seek(int(f.Fd()), from, unix.SEEK_HOLE)
	return from, to, err == nil
}
