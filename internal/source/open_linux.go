package source

import (
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// openFlags keep an open from waiting for a FIFO's writer; O_NOFOLLOW and
// O_CLOEXEC come from package os where a root is used.
const (
	openFlags = unix.O_NONBLOCK
	noAtime   = unix.O_NOATIME
)

func (f *File) statSystem(info fs.FileInfo) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	f.UID, f.GID, f.Links = int(st.Uid), int(st.Gid), uint64(st.Nlink)
	f.Accessed = time.Unix(st.Atim.Unix())
	f.Changed = time.Unix(st.Ctim.Unix())
}

// bornTime returns when a file was created, or zero if the file system does not
// keep it.
func bornTime(f *os.File) time.Time {
	var st unix.Statx_t
	if err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &st); err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return time.Time{}
	}
	return time.Unix(st.Btime.Sec, int64(st.Btime.Nsec))
}

func idOf(info fs.FileInfo) (fileID, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, false
	}
	return fileID{uint64(st.Dev), st.Ino}, true
}

// isMountPoint reports whether something is mounted on an open directory. It
// also knows bind mounts, which the device number does not show.
func isMountPoint(dir *os.File) bool {
	var st unix.Statx_t
	if err := unix.Statx(int(dir.Fd()), "", unix.AT_EMPTY_PATH, 0, &st); err != nil {
		return false
	}
	return st.Attributes_mask&st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

// The flags of statfs(2) for what is mounted read-only or without access times.
const (
	stReadOnly = 0x1
	stNoAtime  = 0x400
)

// keepsNoAtime reports whether the file system that a file lies on does not
// change access times.
func keepsNoAtime(f *os.File) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(int(f.Fd()), &st) == nil && st.Flags&(stReadOnly|stNoAtime) != 0
}
