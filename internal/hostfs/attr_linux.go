package hostfs

import (
	"os"

	"golang.org/x/sys/unix"
)

// maxXattr is XATTR_SIZE_MAX (include/uapi/linux/limits.h).
const maxXattr = 64 << 10

// noAtime asks that an access time stays as it is; only a file's owner and root may.
const noAtime = unix.O_NOATIME

func fgetxattr(file *os.File, attr string) ([]byte, error) {
	buf := make([]byte, maxXattr)
	n, err := unix.Fgetxattr(int(file.Fd()), attr, buf)
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
}

// Encrypted reports whether the file system keeps a file or directory encrypted
// (fscrypt: STATX_ATTR_ENCRYPTED), and whether it says so at all.
func (f *FS) Encrypted(name string) (encrypted, known bool) {
	file, err := f.openAny(name)
	if err != nil {
		return false, false
	}
	defer file.Close()
	var st unix.Statx_t
	if unix.Statx(int(file.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS, &st) != nil {
		return false, false
	}
	return st.Attributes&unix.STATX_ATTR_ENCRYPTED != 0, st.Attributes_mask&unix.STATX_ATTR_ENCRYPTED != 0
}
