package source

import (
	"context"
	"errors"
	"fmt"
)

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
				return nil, several(found, u)
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

func several(a, b *Unit) error {
	return fmt.Errorf("%s and %s are %w: name one of them", a.Name(), b.Name(), ErrSeveral)
}
