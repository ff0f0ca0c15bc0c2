package report

import (
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/scan"
)

// HTMLOptions say what a page shows.
type HTMLOptions struct {
	Rules  []scan.RuleInfo // for their descriptions
	All    bool            // an entry a finding instead of an entry a group
	Reveal bool            // secrets stand whole
	// Sections, if not nil, is asked for what else the page holds, behind the findings.
	Sections func() ([]Section, error)
}

// Section is a part of a page that comes from elsewhere.
type Section struct {
	ID    string // a word, for links
	Title string
	HTML  template.HTML // made by package html/template
}

// How much a page lists; a browser bears no more.
const (
	maxEntries = 2000
	maxFiles   = 500
)

// html writes one self-contained page.
type html struct {
	w      io.Writer
	o      HTMLOptions
	run    *Run
	files  []*File
	hidden uint64 // files that are not listed
	damage []*Damage
	more   uint64
	pick   pick
}

// NewHTML returns a Writer of a page to w. It keeps what the page shows, which is
// bounded, and says what it leaves out. All is written by Summary.
func NewHTML(w io.Writer, o HTMLOptions) Writer { return &html{w: w, o: o} }

func (h *html) Run(r *Run) error {
	h.run = r
	return nil
}

func (h *html) File(f *File) error {
	if len(h.files) < maxFiles {
		h.files = append(h.files, f)
	} else {
		h.hidden++
	}
	return nil
}

func (h *html) Damage(d *Damage) error {
	h.more += d.More
	if len(h.damage) < maxDamage {
		h.damage = append(h.damage, d)
	} else {
		h.more++
	}
	return nil
}

func (h *html) Finding(f *scan.Finding) error {
	if h.o.All {
		h.pick.add(f)
	}
	return nil
}

// A pageEntry is what a page lists: a group, or a finding.
type pageEntry struct {
	*Group
	In          string // the pattern, or how many there are
	Description string
	Rest        uint64 // findings that are not among the examples
	Place       int    // in the order of weight
}

// htmlPage is what page.html shows.
type htmlPage struct {
	frame
	Run         *Run
	Summary     *Summary
	Entries     []pageEntry
	Cut         uint64
	All, Reveal bool
	Files       []*File
	HiddenFiles uint64
	Damage      []*Damage
	MoreDamage  uint64
	Sections    []Section
}

// Damages reports whether there is a list of damage.
func (p *htmlPage) Damages() bool { return len(p.Damage) > 0 || p.MoreDamage > 0 }

func (h *html) Summary(s *Summary) error {
	p := &htmlPage{Run: h.run, Summary: s, All: h.o.All, Reveal: h.o.Reveal, Files: h.files, HiddenFiles: h.hidden, Damage: h.damage, MoreDamage: h.more}
	if h.o.Sections != nil {
		var err error
		if p.Sections, err = h.o.Sections(); err != nil {
			return err
		}
	}
	p.frame = frame{
		Title: "valkeyfs " + h.run.Verb + ": " + plural(s.Findings, "finding"), Verb: h.run.Verb, Version: h.run.Version, Inputs: h.run.Inputs,
		Counted: "Findings", Severities: severities(s.BySeverity), Filters: severities(s.BySeverity), Facts: facts(s),
		Searched: "rule, key, field, file, state", Sorts: []string{"count", "rule", "state"},
	}
	if s.Findings > 0 {
		p.Charts = []chart{{"Kinds", bars(s.ByCategory, 8)}, {"State", bars(s.ByState, 8)}, {"Rules", bars(s.ByRule, 8)}}
	}
	p.Entries, p.Cut = h.entries(s)
	return pageTemplate.Execute(h.w, p)
}

// facts says in a sentence what was found where.
func facts(s *Summary) string {
	what := "No findings"
	if s.Findings > 0 {
		what = plural(s.Findings, "finding") + " of "
		if !s.Distinct.Exact {
			what += "at least "
		}
		what += plural(s.Distinct.Secrets, "different secret")
	}
	what += fmt.Sprintf(" in %s, %s, %s.", plural(s.Keys, "key"), plural(s.Files, "file"), Bytes(s.BytesRead))
	for _, why := range slices.Sorted(maps.Keys(s.Suppressed)) {
		what += " Not listed: " + Count(s.Suppressed[why]) + ", " + string(why) + "."
	}
	return what
}

// entries returns what is listed, the gravest first, and how many there are more.
func (h *html) entries(s *Summary) ([]pageEntry, uint64) {
	descriptions := map[string]string{}
	for _, r := range h.o.Rules {
		descriptions[r.ID] = r.Description
	}
	var out []pageEntry
	var cut uint64
	add := func(g *Group, in string) {
		if len(out) == maxEntries {
			cut++
			return
		}
		out = append(out, pageEntry{g, in, descriptions[g.Rule], g.Count - uint64(len(g.Examples)), len(out)})
	}
	if !h.o.All {
		for _, c := range condense(s.Groups) {
			add(c.Group, c.in)
		}
		return out, cut
	}
	next := map[string]string{}
	for _, g := range s.Groups {
		next[g.Rule] = g.Next
	}
	for _, f := range h.pick.list(s.Groups) {
		add(&Group{Rule: f.Rule, Category: f.Category, Severity: f.Severity, Confidence: f.Confidence, State: f.State, Pattern: f.Key, Count: 1,
			Examples: []*scan.Finding{f}, Next: next[f.Rule]}, quoted(f.Key))
	}
	return out, h.pick.seen - uint64(len(out))
}

// Search is what the page's search looks through.
func (e pageEntry) Search() string {
	parts := []string{e.Rule, e.Description, e.Category.String(), e.Severity.String(), e.Confidence.String(), e.State, e.In}
	for _, f := range e.Examples {
		parts = append(parts, Escape(f.Key), Escape(f.Field), Escape(f.Source), Escape(f.Framework))
	}
	return strings.ToLower(strings.Join(parts, " "))
}
