package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// maxDirs bounds how deep directories are entered. Opening a path costs as many
// steps as it is deep.
const maxDirs = 200

// maxManifest is the longest file that is taken for a manifest: thousands of
// times what a server writes.
const maxManifest = 1 << 20

// tree is a directory being walked. All that is opened in it is opened through
// root, which no link leads out of.
type tree struct {
	in    *Inputs
	root  *os.Root
	input string // as it was named
	path  string // of root: input, or the directory of the manifest that input is
	ctx   context.Context
	yield func(*Unit) bool
	seen  map[fileID]string // files with several links that were met
}

// fileID names a file on its system.
type fileID struct{ dev, ino uint64 }

// walk yields the units of a directory and of those below it.
func (t *tree) walk(rel string, depth int) error {
	names, skipped, err := t.list(rel, depth)
	if skipped != nil || err != nil {
		f := t.file(rel)
		f.Kind, f.Mode = Other, fs.ModeDir
		if info, err := t.root.Lstat(rel); err == nil {
			f.stat(info)
			f.Size = 0 // nothing of it is read
		}
		if err != nil {
			f.fail(err)
		} else {
			f.Skipped = skipped.Error()
		}
		return t.emit(t.in.unit(f))
	}
	logs := t.manifests(rel, names)
	claimed := map[string]bool{}
	for _, m := range logs {
		if err := t.compose(rel, m, names, claimed); err != nil {
			return err
		}
	}
	var dirs []string
	for _, name := range names {
		if claimed[name] {
			continue
		}
		if err := t.ctx.Err(); err != nil {
			return err
		}
		f := t.entry(path.Join(rel, name))
		if f.Mode.IsDir() && f.Err == nil {
			dirs = append(dirs, name)
			continue
		}
		f.Role = roleBeside(name, logs)
		u := t.in.unit(f)
		if f.Kind == Manifest && f.Size > maxManifest {
			u.damage = append(u.damage, &keyspace.FormatError{Pos: at(f.Path, 0), What: "a manifest larger than any", Err: keyspace.ErrLimit})
		}
		if err := t.emit(u); err != nil {
			return err
		}
	}
	for _, name := range dirs {
		if err := t.walk(path.Join(rel, name), depth+1); err != nil {
			return err
		}
	}
	return nil
}

var errElsewhere = errors.New("another file system")

// list returns the names in a directory, sorted, or why it is not entered.
func (t *tree) list(rel string, depth int) (names []string, skipped, err error) {
	if depth > maxDirs {
		return nil, nil, &keyspace.FormatError{Pos: at(joined(t.path, rel), 0), What: "depth of directories", Err: keyspace.ErrLimit}
	}
	d, err := openFile(t.root, rel)
	if err != nil {
		return nil, nil, err
	}
	defer d.Close()
	if !d.info.IsDir() {
		return nil, nil, errors.New("no longer a directory")
	}
	if depth > 0 && (isMountPoint(d.File) || !t.sameDevice(d.info)) {
		return nil, errElsewhere, nil
	}
	names, err = d.Readdirnames(-1)
	slices.Sort(names)
	if err == nil && t.in.o.Entered != nil {
		f := t.file(rel)
		f.stat(d.info)
		f.Born = bornTime(d.File)
		t.in.o.Entered(f)
	}
	return names, nil, err
}

func (t *tree) sameDevice(info fs.FileInfo) bool {
	top, err := t.root.Stat(".")
	if err != nil {
		return false
	}
	a, _ := idOf(top)
	b, _ := idOf(info)
	return a.dev == b.dev
}

func (t *tree) file(rel string) *File {
	return &File{Input: t.input, Path: joined(t.path, rel), in: t.in, root: t.root, rel: rel}
}

// entry looks at one name in a directory. Regular files are examined; nothing
// else is opened.
func (t *tree) entry(rel string) *File {
	f := t.file(rel)
	info, err := t.root.Lstat(rel)
	if err != nil {
		f.fail(err)
		return f
	}
	f.stat(info)
	f.Kind = Other
	switch mode := info.Mode(); {
	case mode.IsRegular():
		if f.Links > 1 {
			id, _ := idOf(info)
			if f.Same = t.seen[id]; f.Same != "" {
				f.Skipped = "another name of a file that is listed already"
				return f
			}
			t.seen[id] = f.Path
		}
		f.Kind = ""
		f.examine()
	case mode.IsDir():
	case mode&fs.ModeSymlink != 0:
		f.Target, err = t.root.Readlink(rel)
		if err != nil {
			f.fail(err)
			return f
		}
		f.Skipped = "a symbolic link, which is not followed"
		if filepath.IsAbs(f.Target) || !filepath.IsLocal(path.Join(path.Dir(rel), f.Target)) {
			f.Skipped = "a symbolic link that leaves the directory"
		}
	case mode&fs.ModeNamedPipe != 0:
		f.Skipped = "a FIFO"
	case mode&fs.ModeSocket != 0:
		f.Skipped = "a socket"
	default:
		f.Skipped = "a device"
	}
	return f
}

// manifests returns which of the names are manifests. What a rewrite had not
// finished ("temp-…") comes last, so that the server's own manifest has its say
// about the files first.
func (t *tree) manifests(rel string, names []string) []string {
	var found []string
	for _, name := range names {
		if t.isManifest(path.Join(rel, name)) {
			found = append(found, name)
		}
	}
	slices.SortStableFunc(found, func(a, b string) int {
		switch at, bt := isTemporary(a), isTemporary(b); {
		case at == bt:
			return 0
		case bt:
			return -1
		}
		return 1
	})
	return found
}

func (t *tree) isManifest(rel string) bool {
	info, err := t.root.Lstat(rel)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 || info.Size() > maxManifest {
		return false
	}
	h, err := openFile(t.root, rel)
	if err != nil {
		return false
	}
	defer h.Close()
	start := make([]byte, 16)
	n, _ := h.ReadAt(start, 0)
	if word, _, _ := bytes.Cut(start[:n], []byte(" ")); !bytes.HasPrefix(word, []byte("#")) && !isManifestWord(string(word)) {
		return false
	}
	head := make([]byte, min(info.Size(), sniffHead)) // of few files: to clear it costs more than to open them
	n, err = h.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return false
	}
	return isText(head[:n]) && sniffText(head[:n]) == Manifest
}

func (t *tree) emit(u *Unit) error {
	if !t.yield(u) {
		return errLeft
	}
	return t.ctx.Err()
}
