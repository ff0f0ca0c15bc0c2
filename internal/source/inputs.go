package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"filippo.io/age"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Options say how inputs are read.
type Options struct {
	Identities []age.Identity // open what is sealed
	AsOf       int64          // as rdb.Options.AsOf
	Limits     keyspace.Limits
	Resolve    bool   // read logs twice, so that events carry a State
	MaxMem     int64  // bytes that resolving may hold before it spills; 0: the default of package aof
	Tmp        string // where it spills to; "": the system's directory
	Hash       bool   // fill in File.SHA256
	// Want and KeepValue are those of rdb.Options, for snapshots.
	Want      func(*keyspace.Event) bool
	KeepValue func(*keyspace.Event) int64
	Stdin     io.Reader
	Entered   func(*File) // is told of each directory that is walked, before what lies in it; nil: nobody asks
	// Alone keeps to the unit that each path gives its name: of a manifest its log,
	// without the history files, and of a file with the Role that it plays beside others.
	Alone bool
	Role  Role
}

// Stdin is the path that stands for standard input.
const Stdin = "-"

// Inputs are what a command line names.
type Inputs struct {
	ctx   context.Context
	o     Options
	paths []string
	read  atomic.Int64

	missing []error // of paths that could not be looked at

	object  *Object            // instead of paths
	streams map[string]*opened // what can be read only once
	roots   []*os.Root         // what units' files are opened through
}

// opened is a stream that was opened, and what came of it.
type opened struct {
	s     *stream
	raw   *meter // of the bytes outside of all layers
	sum   *digest
	err   error
	spool *spool // nil: it is read once
}

// size returns how many bytes the stream had, -1 while its end was not read.
func (o *opened) size() int64 {
	if n := o.raw.total.Load(); n > 0 {
		return n - 1
	}
	return -1
}

// ErrNoInput says that a path cannot be an input, whatever it holds.
var ErrNoInput = errors.New("cannot be an input")

// New returns the inputs at paths. It fails with ErrNoInput if one of them cannot
// be one, and if none of them can be looked at; of others that cannot, [Inputs.Missing]
// tells, and they have a unit that is damaged. When ctx ends, so does waiting for
// a stream.
func New(ctx context.Context, paths []string, o Options) (*Inputs, error) {
	in := &Inputs{ctx: ctx, o: o, paths: paths, streams: map[string]*opened{}}
	seen := 0
	for _, p := range paths {
		if p == Stdin {
			if seen++; seen > 1 {
				return nil, fmt.Errorf("standard input is named twice: %w", ErrNoInput)
			}
			continue
		}
		info, err := os.Stat(p)
		if err != nil {
			in.missing = append(in.missing, fmt.Errorf("%s: %w", p, cause(err)))
			continue
		}
		if what := special(info.Mode()); what != "" && !isDescriptor(p) {
			return nil, fmt.Errorf("%s: %s %w (\"-\" is standard input)", p, what, ErrNoInput)
		}
	}
	if len(in.missing) == len(paths) && len(paths) > 0 {
		return nil, errors.Join(in.missing...)
	}
	return in, nil
}

// Missing are the errors of the paths that could not be looked at.
func (in *Inputs) Missing() []error { return in.missing }

// special names what is neither a file, a directory nor a block device.
func special(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeCharDevice != 0:
		return "a character device"
	}
	return ""
}

// isDescriptor reports whether path names an open file of this process, such as
// /dev/stdin or, in a shell, <(zstdcat dump.zst).
func isDescriptor(path string) bool {
	path = filepath.Clean(path)
	dir := filepath.Dir(path)
	return path == "/dev/stdin" || dir == "/dev/fd" || dir == "/proc/self/fd"
}

// Close ends the use of all units.
func (in *Inputs) Close() {
	for _, r := range in.roots {
		_ = r.Close()
	}
	in.roots = nil
	for _, o := range in.streams {
		if o.spool != nil {
			_ = o.spool.Close()
			o.spool = nil
		}
	}
}

// SetTmp sets Options.Tmp, before anything is read.
func (in *Inputs) SetTmp(dir string) { in.o.Tmp = dir }

// Tmp returns Options.Tmp.
func (in *Inputs) Tmp() string { return in.o.Tmp }

// Read returns how many bytes have been read of files so far. It may be called
// at any time, from any goroutine.
func (in *Inputs) Read() int64 { return in.read.Load() }

// Contains reports whether path lies in one of the inputs, or is one.
func (in *Inputs) Contains(path string) bool {
	dir, err := resolve(filepath.Dir(path))
	if err != nil {
		return false
	}
	path = filepath.Join(dir, filepath.Base(path))
	for _, p := range in.paths {
		if p == Stdin {
			continue
		}
		p, err := resolve(p)
		if err != nil {
			continue
		}
		if rel, err := filepath.Rel(p, path); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
}

func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// Units yields what the inputs hold, in a fixed order: the inputs as they were
// named; in a directory its files by name, those of a log together with its
// manifest first, then the directories in it. Nothing is read but heads and
// manifests until the events of a unit are.
//
// It may be ranged over more than once, but standard input has its events only
// once. An error ends it: the context's.
func (in *Inputs) Units(ctx context.Context) iter.Seq2[*Unit, error] {
	return func(yield func(*Unit, error) bool) {
		if in.object != nil {
			if err := in.objectUnit(func(u *Unit) bool { return yield(u, nil) }); err != nil && err != errLeft {
				yield(nil, err)
			}
			return
		}
		for _, p := range in.paths {
			if err := in.units(ctx, p, func(u *Unit) bool { return yield(u, nil) }); err != nil {
				if err != errLeft {
					yield(nil, err)
				}
				return
			}
		}
	}
}

// units yields the units of one input. It returns errLeft if yield had enough.
func (in *Inputs) units(ctx context.Context, path string, yield func(*Unit) bool) error {
	if path == Stdin {
		return in.stream(path, func() (io.Reader, error) { return in.o.Stdin, nil }, yield)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return in.unopened(path, err, yield)
	case info.IsDir():
		return in.tree(ctx, path, yield)
	case info.Mode().IsRegular() || isBlockDevice(info):
		return in.file(ctx, path, yield)
	case !isDescriptor(path):
		return in.unopened(path, fmt.Errorf("%s %w", special(info.Mode()), ErrNoInput), yield)
	default:
		return in.stream(path, func() (io.Reader, error) {
			if path == "/dev/stdin" {
				return in.o.Stdin, nil // which may be a socket, and those cannot be opened again
			}
			return os.Open(path)
		}, yield)
	}
}

// unopened yields the unit of an input that cannot be opened: it is damage, and
// the other inputs follow.
func (in *Inputs) unopened(path string, err error, yield func(*Unit) bool) error {
	f := &File{Input: path, Path: path, Size: -1, in: in}
	f.fail(err)
	if !yield(in.unit(f)) {
		return errLeft
	}
	return nil
}

func (in *Inputs) tree(ctx context.Context, path string, yield func(*Unit) bool) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return in.unopened(path, err, yield)
	}
	in.roots = append(in.roots, root)
	t := &tree{in: in, root: root, input: path, path: path, ctx: ctx, yield: yield, seen: map[fileID]string{}}
	return t.walk(".", 0)
}

// file yields the unit of one file; a manifest brings the log that it names.
func (in *Inputs) file(ctx context.Context, path string, yield func(*Unit) bool) error {
	f := &File{Input: path, Path: path, in: in}
	f.examine()
	if f.Kind == Manifest {
		dir := filepath.Dir(path)
		root, err := os.OpenRoot(dir)
		if err != nil {
			return in.unopened(path, err, yield)
		}
		in.roots = append(in.roots, root)
		t := &tree{in: in, root: root, input: path, path: dir, ctx: ctx, yield: yield, seen: map[fileID]string{}}
		return t.log(filepath.Base(path))
	}
	f.Role = in.o.Role
	in.insist(f)
	if !yield(in.unit(f)) {
		return errLeft
	}
	return nil
}

// stream yields the unit of what can be read only once.
func (in *Inputs) stream(path string, open func() (io.Reader, error), yield func(*Unit) bool) error {
	o := in.streams[path]
	if o == nil {
		raw, err := open()
		if err != nil {
			return in.unopened(path, err, yield)
		}
		o = &opened{raw: &meter{r: newInterruptible(in.ctx, raw), name: path, n: &in.read}}
		r := io.Reader(o.raw)
		if in.o.Hash {
			o.sum = newDigest(r, -1)
			r = o.sum
		}
		o.s, o.err = peel(r, path, -1, in.o.Identities)
		in.streams[path] = o
	}
	f := &File{Input: path, Path: path, Size: o.size(), in: in, once: o}
	f.hash.sum = o.sum
	f.judge(o.s, o.err)
	if f.Kind == Manifest { // what it names cannot be reached from here
		f.Kind = Text
	}
	in.insist(f)
	if !yield(in.unit(f)) {
		return errLeft
	}
	return nil
}

// insist makes it an error that a file which the user named holds nothing that
// can be read. Inside a directory, such files are merely listed.
func (in *Inputs) insist(f *File) {
	if f.Err != nil {
		return
	}
	what := "start of the file: neither a snapshot nor a log, and no text"
	switch f.Kind {
	case Other:
	case Volume:
		what = "a volume (" + f.Format + "), which has to be opened first"
	case Empty:
		what = "an empty file"
	default:
		return
	}
	f.Err = &keyspace.FormatError{Pos: at(f.Path, 0), What: what, Err: keyspace.ErrUnsupported}
}

// unit is the unit of a file that stands for itself.
func (in *Inputs) unit(f *File) *Unit {
	u := &Unit{Files: []*File{f}, in: in}
	if f.Err != nil {
		u.damage = append(u.damage, f.Err)
	}
	return u
}

// The errors of [Inputs.DataSet] if there is more than one, and if there is none.
var (
	ErrSeveral   = errors.New("different data sets")
	ErrNoDataSet = errors.New("neither a snapshot nor a log was found")
)

// DataSet returns the only unit of the inputs that is a data set of its own: a
// snapshot or a log, but not what lies beside one as a history file, an orphan or
// a temporary file. It is an error if there are several, or none.
func (in *Inputs) DataSet(ctx context.Context) (*Unit, error) {
	var found, damaged *Unit
	for u, err := range in.Units(ctx) {
		switch {
		case err != nil:
			return nil, err
		case u.isDataSet():
			if found != nil {
				return nil, fmt.Errorf("%s and %s are %w: name one of them", found.Name(), u.Name(), ErrSeveral)
			}
			found = u
		case len(u.damage) > 0 && damaged == nil:
			damaged = u
		}
	}
	switch {
	case found != nil:
		return found, nil
	case damaged != nil:
		return damaged, nil
	}
	return nil, ErrNoDataSet
}

// A Unit is what is read as one: a file that stands for itself, or a log with
// its manifest. Its methods are for one goroutine.
type Unit struct {
	Files  []*File // the first gives the unit its name
	in     *Inputs
	log    []*File // of a log: its files in the order of replay
	damage []error // what is known to be missing before anything is read
}

// Name returns the path of the unit's first file.
func (u *Unit) Name() string { return u.Files[0].Path }

// Kind returns the kind of the unit's first file.
func (u *Unit) Kind() Kind { return u.Files[0].Kind }

// Readable reports whether the unit has events of its own, damage aside.
func (u *Unit) Readable() bool {
	f := u.Files[0]
	return len(u.log) > 0 || f.Err == nil && f.Same == "" && (f.Kind == RDB || f.Kind == AOF || f.Kind.IsText())
}

// isDataSet reports whether the unit is a data set of its own. So is a log whose
// manifest cannot be followed: what lies beside it does not stand for it.
func (u *Unit) isDataSet() bool {
	if u.Files[0].Role != NoRole || u.Kind().IsText() {
		return false
	}
	return u.Readable() || u.Kind() == Manifest && len(u.damage) > 0
}

// Size returns how many bytes reading the unit will take; 0 if that is not known.
func (u *Unit) Size() int64 {
	var n int64
	for _, f := range u.Files {
		passes := int64(1)
		if f.Kind == AOF && u.in.o.Resolve || len(u.log) > 0 && f.Role == Base {
			passes = 2
		}
		n += max(f.Size, 0) * passes
	}
	return n
}

// Close ends the reading of the unit and completes the hashes of its files,
// which may mean to read what is left of them.
func (u *Unit) Close(ctx context.Context) error {
	for _, f := range u.Files {
		if err := f.finish(ctx); err != nil {
			return err
		}
		if f.once != nil {
			f.Size = f.once.size()
		}
	}
	return nil
}

func (u *Unit) String() string {
	return fmt.Sprintf("%s (%s, %d files)", u.Name(), u.Kind(), len(u.Files))
}

// joined is a path inside an input, as it is reported.
func joined(dir, rel string) string {
	if rel == "." {
		return dir
	}
	if dir == "." {
		return rel
	}
	return strings.TrimSuffix(dir, string(filepath.Separator)) + string(filepath.Separator) + rel
}
