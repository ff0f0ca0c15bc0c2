package source

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Lineage is a log, and what lies beside it.
type Lineage struct {
	Log *Unit
	// Older is what history files and orphans hold of the log before its rewrites, oldest
	// first: each a base and the incr files that follow it, or one of the two alone.
	Older []*Unit
	// Snapshots are other data sets. Unplaced are files of which nothing says where in the
	// log they belong: what a save or rewrite left that did not finish, and orphans that a
	// server would have named otherwise.
	Snapshots, Unplaced []*Unit
}

// Lineage returns the only log of the inputs and what lies beside it; without a log, what
// [Inputs.DataSet] does. It is an error if there are several.
func (in *Inputs) Lineage(ctx context.Context) (*Lineage, error) {
	l := &Lineage{}
	var old []*Unit
	for u, err := range in.Units(ctx) {
		if err != nil {
			return nil, err
		}
		switch f := u.Files[0]; {
		case u.isDataSet() && u.Snapshot():
			l.Snapshots = append(l.Snapshots, u)
		case u.isDataSet() && l.Log != nil:
			return nil, several(l.Log, u)
		case u.isDataSet():
			l.Log = u
		case f.Role == HistoryFile, f.Role == Orphan:
			old = append(old, u)
		case f.Role == Temporary && (f.Kind == RDB || f.Kind == AOF):
			l.Unplaced = append(l.Unplaced, u)
		}
	}
	if l.Log == nil {
		u, err := in.DataSet(ctx)
		return &Lineage{Log: u}, err
	}
	l.place(old)
	slices.SortStableFunc(l.Unplaced, func(a, b *Unit) int { return strings.Compare(a.Name(), b.Name()) })
	return l, nil
}

// Headless reports whether the unit is a log without what it begins with, by a manifest
// or by the name of its file.
func (u *Unit) Headless() bool {
	f := u.Files[0]
	return u.headless || len(u.log) == 0 && f.Kind == AOF && f.Format == "" && isIncr(f.Path)
}

// Began is when the base of a log was saved; zero if that is not known.
func (u *Unit) Began() time.Time {
	if len(u.log) > 0 {
		return u.log[0].Saved
	}
	return u.Files[0].Saved
}
