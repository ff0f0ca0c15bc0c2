package report

import (
	"cmp"
	"hash/fnv"
	"maps"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// Bounds of a Tally.
const (
	maxGroups   = 4096    // groups by key pattern; past them, a group a rule, severity and state
	maxExamples = 3       // findings that are kept of a group, of a different secret each
	maxDistinct = 1 << 20 // secrets that are told apart
)

// A Tally gathers findings into what a summary says of them. The zero value is
// ready to use. It keeps three findings a group, and no more than some thousand
// groups.
type Tally struct {
	Findings   uint64
	ByRule     map[string]uint64
	ByCategory map[string]uint64
	BySeverity map[string]uint64
	ByState    map[string]uint64

	groups             map[groupKey]*Group
	key, pattern       string              // of the finding before: often the same key's
	distinct           map[uint64]struct{} // hashes of ids
	distinctByRule     map[string]uint64
	distinctByCategory map[string]uint64
}

type groupKey struct {
	rule     string
	severity scan.Severity
	state    string
	pattern  string
}

// A Group is the findings of one rule, severity, state and key pattern.
type Group struct {
	Rule       string          `json:"rule"`
	Category   scan.Category   `json:"category"`
	Severity   scan.Severity   `json:"severity"`
	Confidence scan.Confidence `json:"confidence"` // the highest in the group
	State      string          `json:"state"`
	Pattern    string          `json:"key_pattern"`
	Count      uint64          `json:"count"`
	Examples   []*scan.Finding `json:"examples"`
	Next       string          `json:"next,omitempty"`
}

// Add counts a finding. The Tally may keep it.
func (t *Tally) Add(f *scan.Finding) {
	t.Findings++
	count(&t.ByRule, f.Rule)
	count(&t.ByCategory, f.Category.String())
	count(&t.BySeverity, f.Severity.String())
	count(&t.ByState, f.State)
	if t.groups == nil {
		t.groups = map[groupKey]*Group{}
		t.distinct = map[uint64]struct{}{}
	}
	if len(t.distinct) < maxDistinct {
		h := fnv.New64a()
		h.Write([]byte(f.ID))
		if _, seen := t.distinct[h.Sum64()]; !seen {
			t.distinct[h.Sum64()] = struct{}{}
			count(&t.distinctByRule, f.Rule)
			count(&t.distinctByCategory, f.Category.String())
		}
	}
	if f.Key != t.key || t.Findings == 1 {
		t.key, t.pattern = f.Key, Pattern(f.Key)
	}
	k := groupKey{f.Rule, f.Severity, f.State, t.pattern}
	g := t.groups[k]
	if g == nil && len(t.groups) >= maxGroups {
		k.pattern = "*"
		g = t.groups[k]
	}
	if g == nil {
		g = &Group{Rule: f.Rule, Category: f.Category, Severity: f.Severity, State: f.State, Pattern: k.pattern}
		t.groups[k] = g
	}
	g.Count++
	g.Confidence = max(g.Confidence, f.Confidence)
	if len(g.Examples) < maxExamples && !slices.ContainsFunc(g.Examples, func(e *scan.Finding) bool { return e.ID == f.ID }) {
		g.Examples = append(g.Examples, f)
	}
}

func count(m *map[string]uint64, k string) {
	if *m == nil {
		*m = map[string]uint64{}
	}
	(*m)[k]++
}

// Distinct returns how many different secrets were counted.
func (t *Tally) Distinct() Distinct {
	d := Distinct{Secrets: uint64(len(t.distinct)), Exact: len(t.distinct) < maxDistinct, ByRule: map[string]uint64{}, ByCategory: map[string]uint64{}}
	maps.Copy(d.ByRule, t.distinctByRule)
	maps.Copy(d.ByCategory, t.distinctByCategory)
	return d
}

// Groups returns the groups in the order in which they matter: severe before
// slight, sure before doubtful, live before dead, rare before common.
func (t *Tally) Groups() []*Group {
	out := make([]*Group, 0, len(t.groups))
	for _, g := range t.groups {
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b *Group) int {
		return cmp.Or(
			cmp.Compare(b.Severity, a.Severity),
			cmp.Compare(b.Confidence, a.Confidence),
			cmp.Compare(stateRank(a.State), stateRank(b.State)),
			cmp.Compare(a.Count, b.Count),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Pattern, b.Pattern),
			cmp.Compare(a.State, b.State),
		)
	})
	return out
}

// stateRank orders states: what is in use, what may be, what was.
func stateRank(state string) int {
	for i, s := range []keyspace.State{keyspace.Live, keyspace.Unknown, keyspace.Recovered, keyspace.Expired, keyspace.Overwritten, keyspace.Deleted, keyspace.Flushed} {
		if s.String() == state {
			return i
		}
	}
	return 100
}
