package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// OpenRaw opens the bytes of a file as they lie on the disk, with all layers
// around them, up to the size it had when it was listed. Reading goes on behind
// what the medium does not deliver: zeros stand for it, and the Read that holds
// them returns a [keyspace.GapError]. It fails for what is no regular file or
// block device.
func (f *File) OpenRaw() (io.ReadCloser, error) {
	if f.once != nil {
		return nil, errSpecial
	}
	return f.open(0)
}

// Again returns what the system tells of the file now, without opening it: size,
// mode, owner, links and times. It is for whoever asks whether the file has
// changed since it was listed.
func (f *File) Again() (*File, error) {
	stat, name := os.Stat, f.Path
	if f.root != nil {
		stat, name = f.root.Lstat, f.rel
	}
	info, err := stat(name)
	if err != nil {
		return nil, err
	}
	now := &File{Path: f.Path}
	now.stat(info)
	if !info.Mode().IsRegular() {
		now.Size = f.Size // of a device, which Stat does not tell
	}
	return now, nil
}

// Touches returns the first path, of name and what lies below it, that cannot be
// read without changing its access time: the system lets only a file's owner ask
// for that (open(2), O_NOATIME), unless it keeps no access times there. It is
// empty if there is none. No file is read, only directories.
func Touches(ctx context.Context, name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		kept, err := keeps(os.OpenFile, name)
		if err != nil || kept {
			return "", err
		}
		return name, nil
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return "", err
	}
	defer root.Close()
	rel, err := touchesBelow(ctx, root, ".", 0)
	if rel == "" {
		return "", err
	}
	return joined(name, rel), err
}

func touchesBelow(ctx context.Context, root *os.Root, rel string, depth int) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	kept, err := keeps(root.OpenFile, rel)
	if err != nil {
		return "", nil //nolint:nilerr // who reads it will say so
	}
	if !kept {
		return rel, nil
	}
	d, err := openFile(root, rel)
	if err != nil {
		return "", nil //nolint:nilerr // as above
	}
	entries, _ := d.ReadDir(-1)
	_ = d.Close()
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		name := path.Join(rel, e.Name())
		switch {
		case e.IsDir() && depth < maxDirs:
			if where, err := touchesBelow(ctx, root, name, depth+1); where != "" || err != nil {
				return where, err
			}
		case e.Type().IsRegular():
			if kept, err := keeps(root.OpenFile, name); err == nil && !kept {
				return name, nil
			}
		}
	}
	return "", nil
}

// keeps reports whether a file can be read with its access time kept.
func keeps(open func(string, int, fs.FileMode) (*os.File, error), name string) (bool, error) {
	f, err := open(name, os.O_RDONLY|openFlags|noAtime, 0)
	asked := noAtime != 0
	if asked && errors.Is(err, syscall.EPERM) {
		asked = false
		f, err = open(name, os.O_RDONLY|openFlags, 0)
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	return asked || keepsNoAtime(f), nil
}
