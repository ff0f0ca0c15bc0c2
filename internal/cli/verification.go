package cli

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/report"
)

// verification is one run of verify.
type verification struct {
	*app
	f                 *verifySetFlags
	o                 backup.VerifyOptions
	sets              int
	bytes             int64
	label             string
	head              bool // the set that --head names was there
	violated, damaged bool
	records           []any // for json and jsonl
}

// verified is a set as JSON.
type verified struct {
	Type     string    `json:"type"` // "set"
	Label    string    `json:"label"`
	ID       string    `json:"id"`
	Members  int       `json:"members"`
	Bytes    int64     `json:"bytes"`
	Signed   bool      `json:"signed"` // it bears a signature, which was looked at if the summary says so
	Opened   bool      `json:"opened"` // its contents were read
	Keys     *int64    `json:"keys_loaded,omitempty"`
	OK       bool      `json:"ok"`
	Problems []problem `json:"problems,omitempty"`
}

// problem is what is wrong with a set, or, standing alone, with a chain.
type problem struct {
	Type  string `json:"type"` // "problem"
	Label string `json:"label,omitempty"`
	ID    string `json:"id,omitempty"`
	Kind  string `json:"kind"` // damaged, signature, chain, commands; unopened: no identity opens it
	What  string `json:"what"`
}

// verifySummary is the last record.
type verifySummary struct {
	Type       string `json:"type"` // "summary"
	Sets       int    `json:"sets"`
	Bytes      int64  `json:"bytes"`
	Signatures bool   `json:"signatures"` // they were looked at
	Violated   bool   `json:"violated"`   // signature, chain, age, commands
	Damaged    bool   `json:"damaged"`    // or not opened
}

// location checks the sets that a location names, and the chains that they are in.
func (v *verification) location(ctx context.Context, location string) error {
	s, at, err := v.f.dest.openSets(ctx, location)
	if err != nil {
		return err
	}
	defer s.Close()
	refs, err := named(ctx, s, at)
	if err != nil {
		return err
	}
	if v.f.newest {
		refs = (&backup.Listing{Sets: refs}).Newest()
	}
	labels, err := v.bare(ctx, s, at)
	if err != nil {
		return err
	}
	for _, r := range refs {
		opened, err := v.set(ctx, s, r)
		if err != nil {
			return err
		}
		if opened {
			labels = append(labels, r.Label)
		}
	}
	slices.Sort(labels)
	for _, label := range slices.Compact(labels) {
		if err := v.chain(ctx, s, label); err != nil {
			return err
		}
	}
	return nil
}

// bare returns labels that may have lost all their sets: those of pruned ones and, where
// a set of some age has to be there, of incomplete ones.
func (v *verification) bare(ctx context.Context, s backup.Store, at backup.Ref) (labels []string, err error) {
	if at.ID != "" {
		return nil, nil
	}
	l, err := backup.List(ctx, s, at.Label)
	if err != nil {
		return nil, err
	}
	refs := l.Pruned
	if v.f.maxAge > 0 {
		refs = append(refs, l.Incomplete...)
	}
	for _, r := range refs {
		labels = append(labels, r.Label)
	}
	return labels, nil
}

// set checks one set. That it has no manifest which can be read is a problem, and it
// is not opened.
func (v *verification) set(ctx context.Context, s backup.Store, r backup.Ref) (opened bool, err error) {
	done := &verified{Type: "set", Label: r.Label, ID: r.ID}
	v.records = append(v.records, done)
	set, err := backup.OpenSet(ctx, s, r)
	if errors.Is(err, backup.ErrManifest) || errors.Is(err, fs.ErrNotExist) {
		done.Problems = v.tell([]backup.Problem{{Ref: r, Kind: backup.Damaged, What: err.Error()}})
		return false, nil
	}
	if err != nil {
		return false, err
	}
	v.sets++
	v.bytes += set.Manifest.Bytes()
	v.label = r.Label
	done.Members, done.Bytes, done.Signed = len(set.Manifest.Members), set.Manifest.Bytes(), set.Signature != nil
	problems, err := set.Verify(ctx, v.o)
	done.Problems = v.tell(problems)
	if why := unopened(err); why != nil {
		v.stderr.errorf("%s: %v", r, why)
		v.damaged = true
		done.Problems = append(done.Problems, v.problem(r, unopenedSet, why.Error()))
		return true, nil
	}
	if err != nil {
		return true, err
	}
	done.Opened = len(v.o.Identities) > 0
	if v.f.deep && len(problems) == 0 {
		if err := v.drill(ctx, r, set, done); err != nil {
			return true, err
		}
	}
	done.OK = len(done.Problems) == 0
	return true, nil
}

// chain checks the chain of a label. The set that --head names need not be in it.
func (v *verification) chain(ctx context.Context, s backup.Store, label string) error {
	o := backup.ChainOptions{MaxAge: time.Duration(v.f.maxAge), Now: time.Now()}
	if v.f.head != "" {
		l, err := backup.List(ctx, s, label)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(append(l.Sets, l.Pruned...), func(r backup.Ref) bool { return r.Label == label && r.ID == v.f.head }) {
			o.Head, v.head = v.f.head, true
		}
	}
	problems, err := backup.CheckChain(ctx, s, label, o)
	v.say(problems)
	return err
}

// drill has a server load the set.
func (v *verification) drill(ctx context.Context, r backup.Ref, set *backup.Set, done *verified) error {
	o := backup.DrillOptions{Identities: v.o.Identities, Tmp: v.global.tmp, Now: time.Now()}
	if v.f.server != "" {
		o.Server = []string{v.f.server}
	}
	d, err := set.Drill(ctx, o)
	switch {
	case errors.Is(err, backup.ErrDrill):
		done.Problems = v.tell([]backup.Problem{{Ref: r, Kind: backup.Damaged, What: err.Error()}})
	case err != nil:
		return err
	case d.Skipped != "":
		v.stderr.printf("%s: it was restored and read, but no server has loaded it: %s", r, d.Skipped)
	default:
		v.stderr.printf("%s: a server has loaded it: %s", r, plural(d.Keys, "key"))
		done.Keys = &d.Keys
	}
	return nil
}

// say takes what is wrong with no one set.
func (v *verification) say(problems []backup.Problem) {
	for _, p := range v.tell(problems) {
		v.records = append(v.records, p)
	}
}

// tell prints what is wrong, and returns it for the records.
func (v *verification) tell(problems []backup.Problem) (out []problem) {
	for _, p := range problems {
		v.stderr.errorf("%s", p)
		if p.Kind == backup.Damaged {
			v.damaged = true
		} else {
			v.violated = true
		}
		out = append(out, v.problem(p.Ref, p.Kind, p.What))
	}
	return out
}

// unopenedSet is the kind of problem that no identity opens a set.
const unopenedSet backup.ProblemKind = "unopened"

func (a *app) problem(r backup.Ref, kind backup.ProblemKind, what string) problem {
	return problem{Type: "problem", Label: r.Label, ID: r.ID, Kind: string(kind), What: a.names.Mask(what)}
}

func (v *verification) wrong() bool { return v.violated || v.damaged }

// metrics says when nothing was wrong last.
func (v *verification) metrics() error {
	if v.f.metrics == "" || v.wrong() {
		return nil
	}
	return writeMetrics(v.f.metrics, v.label, []metric{
		{"valkeyfs_backup_last_verified_timestamp_seconds", "When sets were verified last, and nothing was wrong.", float64(time.Now().Unix())},
		{"valkeyfs_backup_verified_sets", "Sets that were verified then.", float64(v.sets)},
	})
}

// report writes the records, or tells a person that all is well.
func (v *verification) report() error {
	code := status(v.violated, v.damaged)
	if v.f.format.word != "text" {
		all := append(v.records, &verifySummary{Type: "summary", Sets: v.sets, Bytes: v.bytes, Signatures: len(v.o.Keys) > 0, Violated: v.violated, Damaged: v.damaged})
		return v.result(func(out *output) (int, error) { return code, report.WriteRecords(out, v.f.format.word, all) })
	}
	if v.stderr.terminal && !v.wrong() {
		unsigned := ""
		if len(v.o.Keys) == 0 {
			unsigned = "; signatures were not looked at: name the key by --sign-pub"
		}
		v.stderr.printf("%s, %s: nothing is wrong%s", plural(int64(v.sets), "set"), report.Bytes(v.bytes), unsigned)
	}
	return exit(code)
}
