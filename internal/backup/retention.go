package backup

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"
)

// Policy says which sets of a label are kept: the newest ones, and the newest of
// each of so many days, weeks, months and years that have one (in UTC).
type Policy struct{ Last, Daily, Weekly, Monthly, Yearly int }

// Plan is what pruning keeps and removes.
type Plan struct {
	Keep    []Kept
	Remove  []*Set
	Garbage []Info // objects of sets that never were complete, or that nothing refers to any more
	listing *Listing
}

// Kept is a set that is kept, and why.
type Kept struct {
	Set *Set
	Why []string
}

// garbageAge is how old an incomplete set has to be before it counts as given up.
const garbageAge = 24 * time.Hour

// PlanPrune says what the policy would do to the sets in a store, or under a
// label. Nothing is changed.
func PlanPrune(ctx context.Context, s Store, label string, p Policy, now time.Time) (*Plan, error) {
	if p == (Policy{}) {
		return nil, errors.New("a policy that keeps nothing is none")
	}
	l, err := List(ctx, s, label)
	if err != nil {
		return nil, err
	}
	plan := &Plan{listing: l}
	byLabel := map[string][]*Set{}
	var labels []string
	for _, r := range l.Sets {
		set, err := OpenSet(ctx, s, r)
		if err != nil {
			return nil, err
		}
		if byLabel[r.Label] == nil {
			labels = append(labels, r.Label)
		}
		byLabel[r.Label] = append(byLabel[r.Label], set)
	}
	for _, label := range labels {
		plan.label(byLabel[label], p)
	}
	plan.garbage(now)
	return plan, nil
}

// label decides on the sets of one label, given oldest first.
func (plan *Plan) label(sets []*Set, p Policy) {
	rules := []struct {
		name string
		left int
		of   func(time.Time) string
	}{
		{"last", p.Last, func(t time.Time) string { return t.Format(time.RFC3339Nano) }},
		{"daily", p.Daily, func(t time.Time) string { return t.Format("2006-01-02") }},
		{"weekly", p.Weekly, func(t time.Time) string { y, w := t.ISOWeek(); return fmt.Sprint(y, w) }},
		{"monthly", p.Monthly, func(t time.Time) string { return t.Format("2006-01") }},
		{"yearly", p.Yearly, func(t time.Time) string { return t.Format("2006") }},
	}
	seen := make([]string, len(rules))
	for _, set := range slices.Backward(sets) {
		var why []string
		for i := range rules {
			r := &rules[i]
			period := r.of(set.Manifest.Started.UTC())
			if r.left > 0 && period != seen[i] {
				r.left--
				seen[i] = period
				why = append(why, r.name)
			}
		}
		if why == nil {
			plan.Remove = append(plan.Remove, set)
		} else {
			plan.Keep = append(plan.Keep, Kept{set, why})
		}
	}
}

// garbage finds the objects that no set needs.
func (plan *Plan) garbage(now time.Time) {
	l := plan.listing
	for _, r := range l.Incomplete {
		old := true
		for _, o := range l.Objects[r] {
			old = old && now.Sub(o.Modified) > garbageAge
		}
		if old {
			plan.Garbage = append(plan.Garbage, l.Objects[r]...)
		}
	}
	needed := plan.needed()
	for _, r := range l.Pruned {
		for _, o := range l.Objects[r] {
			if file := path.Base(o.Name); file != prunedName && file != signatureName && !needed[o.Name] {
				plan.Garbage = append(plan.Garbage, o)
			}
		}
	}
}

// needed returns the members that the kept sets consist of.
func (plan *Plan) needed() map[string]bool {
	needed := map[string]bool{}
	for _, k := range plan.Keep {
		for i := range k.Set.Manifest.Members {
			needed[k.Set.Manifest.key(&k.Set.Manifest.Members[i])] = true
		}
	}
	return needed
}

// Spare moves sets from Remove to Keep until, of every label that loses sets, one
// that is kept is whole: the last set that verifies is never removed. It needs no
// key and reads those sets.
func (plan *Plan) Spare(ctx context.Context, o VerifyOptions) error {
	o.Identities = nil
	whole := map[string]bool{}
	check := func(set *Set) (bool, error) {
		problems, err := set.Verify(ctx, o)
		return len(problems) == 0, err
	}
	losing := map[string]bool{}
	for _, set := range plan.Remove {
		losing[set.Manifest.Label] = true
	}
	for _, k := range plan.Keep {
		label := k.Set.Manifest.Label
		if !losing[label] || whole[label] {
			continue
		}
		ok, err := check(k.Set)
		if err != nil {
			return err
		}
		whole[label] = ok
	}
	var remove []*Set
	for _, set := range plan.Remove { // newest first within a label
		label := set.Manifest.Label
		if !whole[label] {
			ok, err := check(set)
			if err != nil {
				return err
			}
			if ok {
				whole[label] = true
				plan.Keep = append(plan.Keep, Kept{set, []string{"the last set that verifies"}})
				continue
			}
		}
		remove = append(remove, set)
	}
	plan.Remove = remove
	needed := plan.needed() // by what was spared, too
	plan.Garbage = slices.DeleteFunc(plan.Garbage, func(o Info) bool { return needed[o.Name] })
	return nil
}

// Apply does what the plan says. Of a set that is removed, manifest and signature
// stay, so that the chain can be followed; members that kept sets refer to stay,
// too. A set stops being one before its members go.
func (plan *Plan) Apply(ctx context.Context, s Store) error {
	needed := plan.needed()
	for _, set := range plan.Remove {
		m := set.Manifest
		dir := path.Join(m.Label, m.ID)
		if err := put(ctx, s, path.Join(dir, prunedName), set.Text); err != nil {
			return err
		}
		if err := s.Remove(ctx, path.Join(dir, manifestName)); err != nil {
			return err
		}
		for _, o := range plan.listing.Objects[Ref{m.Label, m.ID}] {
			switch path.Base(o.Name) {
			case manifestName, signatureName:
				continue
			}
			if needed[o.Name] {
				continue
			}
			if err := s.Remove(ctx, o.Name); err != nil {
				return err
			}
		}
	}
	for _, o := range plan.Garbage {
		if err := s.Remove(ctx, o.Name); err != nil {
			return err
		}
	}
	return nil
}
