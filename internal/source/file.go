package source

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// File is what is known of one file. SHA256 and Unread are set once the unit
// that the file belongs to has been read and [Unit.Close] was called; all other
// fields are set from the start, but for those that say otherwise.
type File struct {
	Input    string // what the user named: the file, or the directory that it lies in
	Path     string // as it was given; inside a directory, joined to it
	Kind     Kind
	Role     Role
	Format   string   // for a volume which one, for a snapshot its version
	Layers   []string // compression and sealing around it, from the outside in
	Size     int64    // bytes on disk; of a stream -1, and what it had once Unit.Close was called and it came to its end
	Mode     fs.FileMode
	UID, GID int
	Links    uint64
	Modified time.Time // these four are zero where the system does not tell
	Accessed time.Time
	Changed  time.Time
	Born     time.Time

	Server  string    // what a snapshot's aux fields say: "valkey" or "redis"
	Version string    // and its version
	Saved   time.Time // and when it was written

	// AsOf is when expiries were judged, and Basis where that time comes from:
	// "option", "ctime" (the aux field), "timestamp" (the last #TS of a log) or
	// "none": then nothing is called expired. It stands at the file that gives a
	// unit its name; of a log it is known once the events have begun.
	AsOf  time.Time
	Basis string

	// Unresolved counts values of a log whose State could not be found out. It
	// stands where AsOf does, and is known when that is.
	Unresolved Unresolved

	Target  string // of a symbolic link
	Skipped string // why it was not read
	Next    string // for a volume: a command that opens it
	Touched bool   // O_NOATIME was refused: reading may have changed Accessed
	Err     error  // why it could not be opened or understood, if that leaves evidence unread

	SHA256 string // of the bytes on disk
	Unread int64  // bytes that the medium did not deliver; SHA256 has zeros in their place

	Same string // the path of the same file, met before under another name (a hard link)

	in   *Inputs
	base bool  // it is where a log begins
	seq  int64 // its number among the base or the incr files of its log, 0: not known

	info   fs.FileInfo // what the system told when it was opened first; nil: it was not
	root   *os.Root    // the tree that the file lies in; nil: Path is opened as it is
	rel    string      // the path inside root
	object *Object     // where it lies, if not in a directory
	once   *opened     // the content, if it is a stream
	hash   hashing
}

// Unresolved counts the keys and values written by a log whose state stays unknown, by reason.
type Unresolved struct {
	TooLarge  int64 // of lists, streams and linked keys that do not fit in MaxMem
	Untracked int64 // times that the track of a key was lost among renames and exchanges of elements
	Lost      int64 // of lists and streams that take too long to follow, or depend on commands that name no elements
}

// Streamed reports whether the file is a stream, of which the system tells nothing.
func (f *File) Streamed() bool { return f.once != nil }

// handle is a file opened for reading.
type handle struct {
	*os.File
	info    fs.FileInfo
	touched bool
}

// errSpecial says that a path names no regular file, errReplaced that it names another
// file than before.
var (
	errSpecial  = errors.New("not a regular file")
	errReplaced = errors.New("another file has taken its place since it was looked at")
)

// openFile opens a path for reading, without following a link in its last
// element if it lies in a root, without waiting for a writer, and without
// changing its access time where that is allowed.
func openFile(root *os.Root, path string) (*handle, error) {
	open := os.OpenFile
	if root != nil {
		open = root.OpenFile
	}
	f, err := open(path, os.O_RDONLY|openFlags|noAtime, 0)
	touched := noAtime == 0
	if noAtime != 0 && errors.Is(err, fs.ErrPermission) {
		touched = true
		f, err = open(path, os.O_RDONLY|openFlags, 0)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &handle{File: f, info: info, touched: touched}, nil
}

// openRegular is openFile for what must be a regular file or, where the user
// named it, a block device.
func (f *File) openRegular() (*handle, error) {
	name := f.Path
	if f.root != nil {
		name = f.rel
		// A link that has taken the place of the file since it was listed
		// would be followed inside the root.
		if info, err := f.root.Lstat(name); err != nil {
			return nil, err
		} else if !info.Mode().IsRegular() {
			return nil, errSpecial
		}
	}
	h, err := openFile(f.root, name)
	if err != nil {
		return nil, err
	}
	if !h.info.Mode().IsRegular() && (f.root != nil || !isBlockDevice(h.info)) {
		_ = h.Close()
		return nil, errSpecial
	}
	if f.replaced(h.info) {
		_ = h.Close()
		return nil, errReplaced
	}
	return h, nil
}

// replaced reports whether what was opened is another file than the one that was looked
// at. Some network file systems number the same one anew.
func (f *File) replaced(info fs.FileInfo) bool {
	return f.info != nil && !os.SameFile(f.info, info) && (info.Size() != f.info.Size() || !info.ModTime().Equal(f.info.ModTime()))
}

func isBlockDevice(info fs.FileInfo) bool {
	return info.Mode()&fs.ModeDevice != 0 && info.Mode()&fs.ModeCharDevice == 0
}

// size returns how many bytes an open file holds now.
func (h *handle) size() (int64, error) {
	if h.info.Mode().IsRegular() {
		return h.info.Size(), nil
	}
	return h.Seek(0, io.SeekEnd)
}

// examine opens a file for the first time, looks at its head and fills in what
// it tells. What goes wrong is noted in f.Err.
func (f *File) examine() {
	h, err := f.openRegular()
	if err != nil {
		f.fail(err)
		return
	}
	defer h.Close()
	f.info = h.info
	f.stat(h.info)
	f.Born = bornTime(h.File)
	f.Touched = h.touched
	if f.Size, err = h.size(); err != nil {
		f.fail(err)
		return
	}
	s, err := peel(newBlocks(h, f.Size), f.Path, f.Size, f.in.o.Identities)
	f.judge(s, err)
	s.Close()
}

// judge says what a file is, from the head of what lies in its layers.
func (f *File) judge(s *stream, err error) {
	f.Layers = s.layers
	var gap *keyspace.GapError
	switch {
	case errors.Is(err, crypt.ErrNoIdentity), errors.Is(err, crypt.ErrPassphrase):
		f.Kind = Sealed
		f.fail(err)
		return
	case errors.As(err, &gap):
		// A head that cannot be read says nothing; what lies behind it may.
	case err != nil:
		f.Kind = Other
		f.fail(err)
		return
	}
	var v *volume
	f.Kind, v = sniff(s.head)
	switch {
	case v != nil:
		f.Format, f.Next = v.name, v.next
		f.Skipped = "a volume: open it, then scan what lies in it"
	case f.Kind == RDB:
		f.describe(s.head)
	case f.Kind == Other, f.Kind == Text:
		if f.Kind == Other {
			f.Skipped = "no format that is read"
		}
		if claims(f.Path) {
			f.fail(&keyspace.FormatError{Pos: at(f.Path, 0), What: "start of a file that is named like a snapshot or a log", Err: keyspace.ErrUnsupported})
		}
	case f.Kind == Empty:
		f.Skipped = "empty"
	}
}

// claims reports whether a file's name says that it is a snapshot or a log. The
// name decides nothing; but where the bytes say otherwise, something is amiss.
func claims(path string) bool {
	path = withoutLayers(path)
	return strings.HasSuffix(path, ".rdb") || strings.HasSuffix(path, ".aof")
}

// withoutLayers is a name without what compression and sealing append to it.
func withoutLayers(name string) string {
	for _, l := range []string{".gz", ".zst", ".lz4", ".age"} {
		name = strings.TrimSuffix(name, l)
	}
	return name
}

// fail notes that a file could not be read, as an error with its place.
func (f *File) fail(err error) {
	if f.Kind == "" {
		f.Kind = Other
	}
	var format *keyspace.FormatError
	if !errors.As(err, &format) {
		err = &keyspace.FormatError{Pos: at(f.Path, 0), What: "opening the file", Err: cause(err)}
	}
	f.Err = err
	f.Skipped = "cannot be read"
}

// cause strips the path, which the position tells, from an error of package os.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// stat copies what the system tells of a file.
func (f *File) stat(info fs.FileInfo) {
	f.Size = info.Size()
	f.Mode = info.Mode()
	f.Modified = info.ModTime()
	f.statSystem(info)
}

// meter counts what is read, for whoever shows progress, and gives errors of
// the medium their place.
type meter struct {
	r    io.Reader
	name string
	off  int64
	n    *atomic.Int64
	// total is off+1 once the end was reached. It may be read at any time.
	total atomic.Int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.off += int64(n)
	if m.n != nil {
		m.n.Add(int64(n))
	}
	if err == io.EOF {
		m.total.Store(m.off + 1)
	}
	if err != nil && err != io.EOF {
		var gap *keyspace.GapError
		if !errors.As(err, &gap) {
			err = &keyspace.FormatError{Pos: at(m.name, m.off), What: "reading the file", Err: cause(err)}
		}
	}
	return n, err
}
