package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openQuietly opens a file or directory without waiting for a writer and, where that is
// allowed, without changing its access time.
func openQuietly(root *os.Root, name string) (*os.File, error) {
	const flags = os.O_RDONLY | syscall.O_NONBLOCK
	f, err := root.OpenFile(name, flags|syscall.O_NOATIME, 0)
	if errors.Is(err, fs.ErrPermission) {
		return root.OpenFile(name, flags, 0)
	}
	return f, err
}

// identityOf stands for a file that does not change.
func identityOf(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d %d %d.%d %d.%d", st.Dev, st.Ino, st.Mtim.Sec, st.Mtim.Nsec, st.Ctim.Sec, st.Ctim.Nsec)
}
