package backup

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ChainOptions say what the newest set of a label has to be.
type ChainOptions struct {
	MaxAge time.Duration // it is not older than this; 0: any age
	Head   string        // it is this set, or a later one; "": any
	Now    time.Time
}

// CheckChain follows the sets under a label, pruned ones included: each names the
// one before it, by its ID and the hash of its manifest.
//
// What it cannot see is that the newest sets are gone: they are named by nobody.
// MaxAge and Head are for that.
func CheckChain(ctx context.Context, s Store, label string, o ChainOptions) ([]Problem, error) {
	l, err := List(ctx, s, label)
	if err != nil {
		return nil, err
	}
	var problems []Problem
	broken := func(r Ref, format string, args ...any) {
		problems = append(problems, Problem{r, Broken, fmt.Sprintf(format, args...)})
	}
	known := map[string]string{} // hash of each manifest
	named := map[string]string{} // by which set
	head := false
	var newest *Set
	for _, r := range l.chain() {
		set, err := openSet(ctx, s, r.Ref, r.file)
		if errors.Is(err, ErrManifest) {
			problems = append(problems, Problem{r.Ref, Damaged, err.Error()})
			known[r.ID] = ""
			continue
		}
		if err != nil {
			return problems, err
		}
		switch p := set.Manifest.Previous; {
		case p == nil && len(known) > 0:
			broken(r.Ref, "it names no set before it, and there are older ones")
		case p == nil:
		case known[p.ID] == "":
			broken(r.Ref, "the set before it, %s, is gone", p.ID)
		case known[p.ID] != p.SHA256:
			broken(r.Ref, "the set before it, %s, is not the one that it names", p.ID)
		case named[p.ID] != "":
			broken(r.Ref, "the set before it, %s, has another after it, %s", p.ID, named[p.ID])
		}
		if set.Manifest.Previous != nil {
			named[set.Manifest.Previous.ID] = r.ID
		}
		known[r.ID] = hashOf(set.Text)
		head = head || r.ID == o.Head
		if r.file == manifestName {
			newest = set
		}
	}
	top := Ref{Label: label}
	switch {
	case newest == nil:
		broken(top, "there is no set")
	case o.MaxAge > 0 && newest.Age(o.Now) > o.MaxAge:
		broken(Ref{label, newest.Manifest.ID}, "the newest set is %s old", newest.Age(o.Now).Round(time.Second))
	}
	if o.Head != "" && !head {
		broken(top, "the set %s is gone", o.Head)
	}
	return problems, nil
}

// A chained set is one whose manifest is in the store, under one of two names.
type chained struct {
	Ref
	file string
}

// chain returns sets and pruned ones, oldest first.
func (l *Listing) chain() []chained {
	var all []chained
	a, b := l.Sets, l.Pruned
	for len(a)+len(b) > 0 {
		if len(b) == 0 || len(a) > 0 && compareRefs(a[0], b[0]) < 0 {
			all, a = append(all, chained{a[0], manifestName}), a[1:]
		} else {
			all, b = append(all, chained{b[0], prunedName}), b[1:]
		}
	}
	return all
}
