//go:build !linux

package backup

import (
	"errors"
	"io/fs"
)

func runningIn(string) int           { return 0 }
func freeSpace(string) (int64, bool) { return 0, false }
func ownerOf(string) (uid, gid int)  { return -1, -1 }
func userOf(fs.FileInfo) int         { return -1 }
func isMountPoint(string) bool       { return false }
func isWritable(string) bool         { return true }
func exchange(string, string) error  { return errors.ErrUnsupported }
