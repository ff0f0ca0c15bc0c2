package export

import (
	"regexp"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Filter selects keys. The zero value selects all.
type Filter struct {
	DBs     []int32         // empty: any
	Key     *regexp.Regexp  // nil: any; matched against the key's bytes, unanchored
	Types   []keyspace.Type // empty: any; an event that does not know its key's type is of each
	Expired Expired
}

// Expired says what a Filter does with keys that had expired.
type Expired uint8

// The choices.
const (
	ExpiredToo  Expired = iota // selected like others
	ExpiredOnly                // nothing else is selected
	ExpiredNone                // not selected
)

// Match reports whether the key of a Key, or of an event that changes one, is selected.
func (f *Filter) Match(e *keyspace.Event) bool {
	switch f.Expired {
	case ExpiredOnly:
		if e.State != keyspace.Expired {
			return false
		}
	case ExpiredNone:
		if e.State == keyspace.Expired {
			return false
		}
	}
	return (len(f.DBs) == 0 || slices.Contains(f.DBs, e.DB)) &&
		(len(f.Types) == 0 || e.Type == keyspace.TypeNone || slices.Contains(f.Types, e.Type)) &&
		(f.Key == nil || f.Key.Match(e.Key))
}

// All reports whether f selects everything.
func (f *Filter) All() bool {
	return len(f.DBs) == 0 && f.Key == nil && len(f.Types) == 0 && f.Expired == ExpiredToo
}
