package source

import (
	"context"
	"io"
	"path"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// An Object is a file that lies in no directory, such as one in a bucket.
type Object struct {
	Name string // as it is called everywhere, such as s3://bucket/key
	Size int64  // bytes
	// Open returns the bytes from an offset on. It may be called any number of
	// times, and by several goroutines; when ctx ends, so does the reading.
	Open func(ctx context.Context, offset int64) (io.ReadCloser, error)
	// Beside returns the object of another name in the same place, nil if there is
	// none. If o is a manifest, it is what leads to the files of the log.
	Beside func(name string) (*Object, error)
}

// NewObject returns inputs that hold one unit: the object or, if it is a manifest,
// its log. What is no input, such as a picture, is merely listed.
func NewObject(ctx context.Context, object *Object, o Options) *Inputs {
	return &Inputs{ctx: ctx, o: o, paths: []string{object.Name}, object: object, streams: map[string]*opened{}}
}

// IsManifest reports whether an object that begins with head is taken for the
// manifest of a log.
func IsManifest(head []byte) bool {
	kind, _ := sniff(head[:min(len(head), sniffHead)])
	return kind == Manifest
}

// objectUnit yields the unit of the object.
func (in *Inputs) objectUnit(yield func(*Unit) bool) error {
	f := in.objectFile(in.object)
	u := in.unit(f)
	if f.Kind == Manifest {
		in.objectLog(u)
	} else {
		f.Role = in.o.Role
	}
	if !yield(u) {
		return errLeft
	}
	return in.ctx.Err()
}

// objectFile looks at the head of an object.
func (in *Inputs) objectFile(o *Object) *File {
	f := &File{Input: in.object.Name, Path: o.Name, Size: o.Size, in: in, object: o}
	r, err := f.open(0)
	if err != nil {
		f.fail(err)
		return f
	}
	defer r.Close()
	s, err := peel(r, f.Path, f.Size, in.o.Identities)
	f.judge(s, err)
	s.Close()
	return f
}

// objectLog completes the unit of a manifest by the objects beside it. History
// files are units of their own.
func (in *Inputs) objectLog(u *Unit) {
	entries, errs := parse(u.Files[0])
	u.damage = append(u.damage, errs...)
	for _, e := range entries {
		dir, _ := path.Split(in.object.Name)
		name := dir + e.Name
		if o, err := in.object.Beside(e.Name); err != nil {
			u.damage = append(u.damage, &keyspace.FormatError{Pos: at(name, 0), What: "opening the file", Err: err})
		} else if o == nil {
			u.damage = append(u.damage, missing(name))
		} else {
			u.take(in.objectFile(o), e.Type)
		}
	}
}
