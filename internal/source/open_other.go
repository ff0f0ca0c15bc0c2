//go:build !linux

package source

import (
	"io/fs"
	"os"
	"syscall"
	"time"
)

const (
	openFlags = syscall.O_NONBLOCK
	noAtime   = 0
)

func (f *File) statSystem(fs.FileInfo) {}

func bornTime(*os.File) time.Time { return time.Time{} }

func idOf(fs.FileInfo) (fileID, bool) { return fileID{}, false }

func isMountPoint(*os.File) bool { return false }

func keepsNoAtime(*os.File) bool { return false }
