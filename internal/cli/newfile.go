package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// writeNew writes a file that must not exist, and lets it reach the disk. Whoever finds
// it finds all of it; of several that write it at once, one does, and the error of the
// others is fs.ErrExist.
func writeNew(path string, data []byte, mode os.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil { // about a name that the user did not give
		return &fs.PathError{Op: "create", Path: path, Err: cause(err)}
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = nameNew(tmp.Name(), path)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// nameNew gives a file a name that nothing has. Where there are no hard links, as on
// USB sticks, another that takes the name in the same moment is replaced.
func nameNew(tmp, path string) error {
	err := os.Link(tmp, path)
	if err == nil {
		return nil
	}
	if _, taken := os.Lstat(path); taken == nil || errors.Is(err, fs.ErrExist) {
		return &fs.PathError{Op: "create", Path: path, Err: syscall.EEXIST}
	}
	return os.Rename(tmp, path)
}
