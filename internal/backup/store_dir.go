package backup

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// dirStore keeps sets in a directory. An object is written beside its place,
// reaches the disk, and is then renamed, so that it is there whole or not at all.
type dirStore struct{ root *os.Root }

// temporary begins the names of objects that are being written.
const temporary = ".writing-"

// writeBack is how many bytes are written before they are sent to the disk.
const writeBack = 16 << 20

// OpenDir returns the store in a directory, which is made if create says so.
func OpenDir(dir string, create bool) (Store, error) {
	if create {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &dirStore{root}, nil
}

func (s *dirStore) Close() error { return s.root.Close() }

type dirObject struct {
	s    *dirStore
	f    *os.File
	name string
	tmp  string
	done int64 // bytes written back
	size int64
}

func (s *dirStore) Create(_ context.Context, name string) (Object, error) {
	dir := path.Dir(name)
	if err := s.root.MkdirAll(filepath.FromSlash(dir), 0o700); err != nil {
		return nil, err
	}
	o := &dirObject{s: s, name: filepath.FromSlash(name), tmp: filepath.FromSlash(path.Join(dir, temporary+path.Base(name)))}
	var err error
	if o.f, err = s.root.OpenFile(o.tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		return nil, err
	}
	return o, nil
}

func (o *dirObject) Write(p []byte) (int, error) {
	n, err := o.f.Write(p)
	o.size += int64(n)
	if o.size-o.done >= writeBack {
		dropWritten(o.f, o.done, o.size-o.done)
		o.done = o.size
	}
	return n, err
}

func (o *dirObject) Commit() error {
	err := o.f.Sync()
	dropWritten(o.f, 0, o.size)
	if e := o.f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = o.s.root.Rename(o.tmp, o.name)
	}
	if err != nil {
		o.s.root.Remove(o.tmp) //nolint:errcheck // the first error is the one to tell
		return err
	}
	// The name, and those of the directories that were made for it.
	for dir := filepath.Dir(o.name); ; dir = filepath.Dir(dir) {
		if err := o.s.syncDir(dir); err != nil {
			return err
		}
		if dir == "." {
			return nil
		}
	}
}

func (s *dirStore) syncDir(name string) error {
	dir, err := s.root.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func (o *dirObject) Abort() {
	o.f.Close()            //nolint:errcheck // it is given up
	o.s.root.Remove(o.tmp) //nolint:errcheck // the next pruning removes it
}

func (s *dirStore) Open(_ context.Context, name string) (io.ReadCloser, int64, error) {
	name = filepath.FromSlash(name)
	info, err := s.root.Lstat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	f, err := s.root.Open(name)
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

func (s *dirStore) List(_ context.Context, prefix string) ([]Info, error) {
	start := "."
	if prefix != "" {
		start = strings.TrimSuffix(prefix, "/")
	}
	var all []Info
	err := fs.WalkDir(s.root.FS(), start, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == start:
			return fs.SkipAll
		case err != nil:
			return err
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		all = append(all, Info{name, info.Size(), info.ModTime()})
		return nil
	})
	return all, err
}

func (s *dirStore) Remove(_ context.Context, name string) error {
	err := s.root.Remove(filepath.FromSlash(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// A directory that became empty goes, too.
	s.root.Remove(filepath.FromSlash(path.Dir(name))) //nolint:errcheck // it fails where it is not empty
	return err
}
