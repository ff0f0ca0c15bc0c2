package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
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
	h, err := f.openRegular()
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{newBlocks(h, f.Size), h}, nil
}

// Again returns what the system tells of the file now, without opening it: size,
// mode, owner, links and times. It is for whoever asks whether the file has
// changed since it was listed.
func (f *File) Again() (*File, error) {
	lstat := os.Lstat
	name := f.Path
	if f.root != nil {
		lstat, name = f.root.Lstat, f.rel
	} else {
		lstat = os.Stat
	}
	info, err := lstat(name)
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

// Touches returns the first path at or below one that cannot be read without
// changing its access time: the system lets only its owner ask for that
// (open(2), O_NOATIME), unless the file system is mounted without access times.
// It is empty if there is none. Nothing is read but directories that can be.
func Touches(ctx context.Context, name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		f, err := os.OpenFile(name, os.O_RDONLY|openFlags|noAtime, 0)
		return touches(name, f, err)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return "", err
	}
	defer root.Close()
	return touchesBelow(ctx, root, name, ".", 0)
}

func touches(name string, f *os.File, err error) (string, error) {
	if err == nil {
		defer f.Close()
		if noAtime == 0 && !withoutAtime(f) {
			return name, nil
		}
		return "", nil
	}
	if errors.Is(err, fs.ErrPermission) && noAtime != 0 {
		return name, nil
	}
	return "", nil // it cannot be read at all, which is told when it is tried
}

func touchesBelow(ctx context.Context, root *os.Root, top, rel string, depth int) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	d, err := openKept(root, rel)
	if where, _ := touches(joined(top, rel), nil, err); err != nil {
		return where, nil
	}
	entries, err := d.ReadDir(-1)
	_ = d.Close()
	if err != nil {
		return "", nil
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmpString(a.Name(), b.Name()) })
	for _, e := range entries {
		name := path.Join(rel, e.Name())
		switch {
		case e.IsDir() && depth < maxDirs:
			if where, err := touchesBelow(ctx, root, top, name, depth+1); where != "" || err != nil {
				return where, err
			}
		case e.Type().IsRegular():
			f, err := openKept(root, name)
			if where, err := touches(joined(top, name), f, err); where != "" || err != nil {
				return where, err
			}
		}
	}
	return "", nil
}
