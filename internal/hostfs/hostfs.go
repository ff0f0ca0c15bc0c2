// Package hostfs reads the files of a host: the one the program runs on, or the
// image of another one under a directory. Symbolic links are followed inside
// that directory only, absolute ones too, so that a link in a seized image never
// leads to a file of the examining host. Nothing is ever written.
package hostfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Bounds on what a hostile tree can cost.
const (
	// maxLinks is the kernel's MAXSYMLINKS (include/linux/namei.h).
	maxLinks = 40
	// maxEntries is how many entries of a directory are looked at.
	maxEntries = 100_000
)

// ErrLimit says that a file or a directory is larger than what is looked at.
var ErrLimit = errors.New("over a limit")

// FS is a host's file system. Its paths are absolute and use slashes. It is safe
// for concurrent use.
type FS struct {
	root *os.Root
	dir  string
	live bool
}

// Open returns the file system under dir, or for "" that of this host.
func Open(dir string) (*FS, error) {
	live := dir == ""
	if live {
		dir = "/"
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &FS{root: root, dir: dir, live: live}, nil
}

// Nothing returns the file system of a host none of whose files can be seen.
func Nothing() *FS { return &FS{} }

// Close releases the directory.
func (f *FS) Close() error {
	if f.root == nil {
		return nil
	}
	return f.root.Close()
}

// Live reports whether this is the host that the program runs on, so that the
// kernel's answers about it count.
func (f *FS) Live() bool { return f.live }

// HostPath returns the path by which this machine opens a file, without symbolic
// links inside the directory.
func (f *FS) HostPath(name string) (string, error) {
	resolved, err := f.resolve(name, true)
	return filepath.Join(f.dir, resolved), err
}

// FromHost turns a path under one that HostPath returned back into one of the host.
func (f *FS) FromHost(name string) string {
	if f.live {
		return name
	}
	rest, err := filepath.Rel(f.dir, name)
	if err != nil {
		return name
	}
	return path.Join("/", rest)
}

// Info is what is known of a file.
type Info struct {
	Path string // without symbolic links
	Mode fs.FileMode
	Size int64
	UID  uint32
	GID  uint32
}

// Perm returns the permission bits.
func (i *Info) Perm() fs.FileMode { return i.Mode.Perm() }

// Resolve returns the path of a file without symbolic links.
func (f *FS) Resolve(name string) (string, error) { return f.resolve(name, true) }

// rel is a resolved path as os.Root wants it.
func rel(name string) string {
	if name == "/" {
		return "."
	}
	return name[1:]
}

func (f *FS) resolve(name string, follow bool) (string, error) {
	if f.root == nil {
		return "", &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	todo := split(path.Clean("/" + name))
	done := "/"
	for links := 0; len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		if part == ".." { // of a link's target
			done = path.Dir(done)
			continue
		}
		next := path.Join(done, part)
		info, err := f.root.Lstat(rel(next))
		if err != nil {
			return "", plain("lstat", name, err)
		}
		if info.Mode()&fs.ModeSymlink == 0 || len(todo) == 0 && !follow {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", &fs.PathError{Op: "resolve", Path: name, Err: syscall.ELOOP}
		}
		target, err := f.root.Readlink(rel(next))
		if err != nil {
			return "", plain("readlink", name, err)
		}
		if strings.HasPrefix(target, "/") {
			done = "/"
		}
		todo = append(split(target), todo...)
	}
	return done, nil
}

func split(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(s string) bool { return s == "" || s == "." })
}

// plain is err about a path of the host rather than of this machine.
func plain(op, name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Stat describes the file that name leads to.
func (f *FS) Stat(name string) (*Info, error) { return f.stat(name, true) }

// Lstat describes a file, a symbolic link as such.
func (f *FS) Lstat(name string) (*Info, error) { return f.stat(name, false) }

func (f *FS) stat(name string, follow bool) (*Info, error) {
	resolved, err := f.resolve(name, follow)
	if err != nil {
		return nil, err
	}
	info, err := f.root.Lstat(rel(resolved))
	if err != nil {
		return nil, plain("lstat", name, err)
	}
	i := &Info{Path: resolved, Mode: info.Mode(), Size: info.Size()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		i.UID, i.GID = st.Uid, st.Gid
	}
	return i, nil
}

// Open opens a regular file for reading. Devices and FIFOs are refused without
// waiting for whoever writes to them.
func (f *FS) Open(name string) (*os.File, error) {
	resolved, err := f.resolve(name, true)
	if err != nil {
		return nil, err
	}
	file, err := f.open(resolved)
	if err != nil {
		return nil, plain("open", name, err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("not a regular file (%v)", info.Mode().Type())}
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// open opens what a path without symbolic links names, without waiting for a writer
// and, where that is allowed, without changing its access time.
func (f *FS) open(resolved string) (*os.File, error) {
	const flags = os.O_RDONLY | syscall.O_NONBLOCK
	file, err := f.root.OpenFile(rel(resolved), flags|noAtime, 0)
	if noAtime != 0 && errors.Is(err, fs.ErrPermission) {
		return f.root.OpenFile(rel(resolved), flags, 0)
	}
	return file, err
}

// ReadFile returns a file's content, and ErrLimit with the first limit bytes if
// it is longer.
func (f *FS) ReadFile(name string, limit int64) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	switch {
	case err != nil:
		return nil, plain("read", name, err)
	case int64(len(data)) > limit:
		return data[:limit], &fs.PathError{Op: "read", Path: name, Err: ErrLimit}
	}
	return data, nil
}

// ReadDir returns the names in a directory, sorted, and ErrLimit with some of
// them if there are too many.
func (f *FS) ReadDir(name string) ([]string, error) {
	resolved, err := f.resolve(name, true)
	if err != nil {
		return nil, err
	}
	dir, err := f.open(resolved)
	if err != nil {
		return nil, plain("open", name, err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(maxEntries)
	if err != nil && err != io.EOF {
		return nil, plain("readdir", name, err)
	}
	slices.Sort(names)
	if len(names) == maxEntries {
		return names, &fs.PathError{Op: "readdir", Path: name, Err: ErrLimit}
	}
	return names, nil
}

// Getxattr returns an extended attribute of the file that name leads to; an
// error wraps syscall.ENODATA if the file has none of that name.
func (f *FS) Getxattr(name, attr string) ([]byte, error) {
	file, err := f.openAny(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return fgetxattr(file, attr)
}

func (f *FS) openAny(name string) (*os.File, error) {
	resolved, err := f.resolve(name, true)
	if err != nil {
		return nil, err
	}
	file, err := f.open(resolved)
	if err != nil {
		return nil, plain("open", name, err)
	}
	return file, nil
}
