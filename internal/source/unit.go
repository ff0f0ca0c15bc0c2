package source

import (
	"context"
	"fmt"
)

// A Unit is what is read as one: a file that stands for itself, or a log with
// its manifest. Its methods are for one goroutine.
type Unit struct {
	Files  []*File // the first gives the unit its name
	in     *Inputs
	log    []*File // of a log: its files in the order of replay
	damage []error // what is known to be missing before anything is read

	headless bool            // a log whose base is not there
	begin    ends            // of a log with a manifest: see followers
	first    map[int64]int64 // the same
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

// unit is the unit of a file that stands for itself.
func (in *Inputs) unit(f *File) *Unit {
	u := &Unit{Files: []*File{f}, in: in}
	if f.Err != nil {
		u.damage = append(u.damage, f.Err)
	}
	return u
}
