package diff

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
)

// A Count is how many keys differ, by how.
type Count struct {
	Added   int64 `json:"added"`
	Removed int64 `json:"removed"`
	Changed int64 `json:"changed"` // another value, or another expiry
	Expiry  int64 `json:"expiry"`  // of those, only another expiry
}

// All is how many differ.
func (c Count) All() int64 { return c.Added + c.Removed + c.Changed }

// A Stat is the Count of the keys of a database that begin with Prefix: up to their
// first separator, or "" for those without.
type Stat struct {
	DB     int32  `json:"db"`
	Prefix string `json:"prefix"`
	Count
}

// Stats counts changes by prefix. Prefixes beyond maxStats are counted as "…".
type Stats struct {
	total Count
	by    map[statKey]*Count
	last  *Count // of the key whose parts follow
	value bool   // a part other than its expiry came
}

type statKey struct {
	db     int32
	prefix string
}

const maxStats = 1 << 16

// NewStats returns Stats of nothing.
func NewStats() *Stats { return &Stats{by: map[statKey]*Count{}} }

// Add takes a Change.
func (s *Stats) Add(c *Change) {
	if !c.Whole {
		if c.Kind != Expiry {
			s.value = true
		}
		return
	}
	s.settle()
	k := statKey{db: c.DB}
	if i := bytes.IndexAny(c.Key, ":/|#."); i >= 0 {
		k.prefix = string(c.Key[:min(i+1, maxName)])
	}
	n := s.by[k]
	if n == nil {
		if len(s.by) >= maxStats {
			k.prefix = "…"
		}
		if n = s.by[k]; n == nil {
			n = &Count{}
			s.by[k] = n
		}
	}
	for _, x := range []*Count{n, &s.total} {
		switch c.Op {
		case Added:
			x.Added++
		case Removed:
			x.Removed++
		default:
			x.Changed++
			s.last, s.value = n, false
		}
	}
}

// settle counts the changed key whose parts are over.
func (s *Stats) settle() {
	if s.last != nil && !s.value {
		s.last.Expiry++
		s.total.Expiry++
	}
	s.last = nil
}

// Total is the Count of all keys.
func (s *Stats) Total() Count {
	s.settle()
	return s.total
}

// By returns the Stats by prefix, those with the most changes first.
func (s *Stats) By() []Stat {
	s.settle()
	out := make([]Stat, 0, len(s.by))
	for _, k := range slices.SortedFunc(maps.Keys(s.by), func(a, b statKey) int {
		return cmp.Or(cmp.Compare(s.by[b].All(), s.by[a].All()), cmp.Compare(a.db, b.db), cmp.Compare(a.prefix, b.prefix))
	}) {
		out = append(out, Stat{k.db, k.prefix, *s.by[k]})
	}
	return out
}
