package report

import (
	"crypto/sha256"
	_ "embed" // the page, its style and its script
	"encoding/base64"
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
}

// How much a page lists; a browser bears no more.
const (
	maxEntries = 2000
	maxFiles   = 500
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string

	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
		"escape": Escape, "count": Count, "bytes": Bytes, "quoted": quoted, "place": place, "session": session,
	}).Parse(pageHTML))
)

// html writes one self-contained page. It is complete without its script, which
// adds search and sorting.
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

// A bar is one line of a chart.
type bar struct {
	Name  string
	Count uint64
	Share float64 // of the longest, in percent
}

func (h *html) Summary(s *Summary) error {
	entries, cut := h.entries(s)
	hash := sha256.Sum256([]byte(pageJS))
	data := map[string]any{
		"Run": h.run, "Summary": s, "Entries": entries, "Cut": cut, "All": h.o.All, "Reveal": h.o.Reveal,
		"Severities": severities(s), "Files": h.files, "HiddenFiles": h.hidden, "Damage": h.damage, "MoreDamage": h.more,
		"Charts": []struct {
			Title string
			Bars  []bar
		}{
			{"Kinds", bars(s.ByCategory, 8)},
			{"State", bars(s.ByState, 8)},
			{"Rules", bars(s.ByRule, 8)},
		},
		"CSS": template.CSS(pageCSS), "JS": template.JS(pageJS), //nolint:gosec // both are this package's own
		"Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'",
	}
	return pageTemplate.Execute(h.w, data)
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

// severities counts by severity, the worst first.
func severities(s *Summary) []bar {
	var out []bar
	var most uint64
	for v := scan.Critical; ; v-- {
		n := s.BySeverity[v.String()]
		most = max(most, n)
		out = append(out, bar{Name: v.String(), Count: n})
		if v == scan.Info {
			break
		}
	}
	for i := range out {
		out[i].Share = share(out[i].Count, most)
	}
	return out
}

// bars turns counts into a chart of the n highest.
func bars(counts map[string]uint64, n int) []bar {
	var out []bar
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, bar{Name: name, Count: counts[name]})
	}
	slices.SortStableFunc(out, func(a, b bar) int { return int(min(b.Count, 1<<40)) - int(min(a.Count, 1<<40)) })
	if len(out) > n {
		rest := bar{Name: fmt.Sprintf("%d others", len(out)-n+1)}
		for _, b := range out[n-1:] {
			rest.Count += b.Count
		}
		out = append(out[:n-1], rest)
	}
	var most uint64
	for _, b := range out {
		most = max(most, b.Count)
	}
	for i := range out {
		out[i].Share = share(out[i].Count, most)
	}
	return out
}

// share is a length in percent; what exists is never too short to be seen.
func share(n, of uint64) float64 {
	if n == 0 || of == 0 {
		return 0
	}
	return max(1.5, 100*float64(n)/float64(of))
}

// Search is what the page's search looks through.
func (e pageEntry) Search() string {
	parts := []string{e.Rule, e.Description, e.Category.String(), e.Severity.String(), e.Confidence.String(), e.State, e.In}
	for _, f := range e.Examples {
		parts = append(parts, Escape(f.Key), Escape(f.Field), Escape(f.Source), Escape(f.Framework))
	}
	return strings.ToLower(strings.Join(parts, " "))
}
