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
