package report

import (
	"crypto/sha256"
	_ "embed" // the pages, their style and their script
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"slices"

	"github.com/valkeyfs/valkeyfs/scan"
)

var (
	//go:embed parts.html
	partsHTML string
	//go:embed page.html
	pageHTML string
	//go:embed checks.html
	checksHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string

	pageTemplate   = newPageTemplate(pageHTML)
	checksTemplate = newPageTemplate(checksHTML)
)

func newPageTemplate(text string) *template.Template {
	t := template.New("page").Funcs(template.FuncMap{
		"escape": Escape, "count": Count, "bytes": Bytes, "quoted": quoted, "place": place, "session": session, "proof": proof,
	})
	return template.Must(template.Must(t.Parse(partsHTML)).Parse(text))
}

// A frame is what all pages have in common. A page is one file that loads
// nothing, and complete without its script, which adds search and sorting.
type frame struct {
	Title, Verb, Version string
	Inputs               []string

	Counted    string // what the tiles count
	Severities []bar  // the worst first
	Filters    []bar  // classes of entries that can be hidden
	Facts      string // in a sentence
	Charts     []chart
	Searched   string // what the search looks through
	Sorts      []string
}

// A chart is a title and its lines, the longest first.
type chart struct {
	Title string
	Bars  []bar
}

// A bar is one line of a chart.
type bar struct {
	Name  string
	Count uint64
	Share float64 // of the longest, in percent
}

// An arc is a part of a ring.
type arc struct {
	Name        string
	Count       uint64
	Share, From float64 // percent of the ring, and where it begins, counted backwards
}

// CSS is this package's own, and so is JS.
func (f *frame) CSS() template.CSS { return template.CSS(pageCSS) } //nolint:gosec // no input is in it

// JS is the script.
func (f *frame) JS() template.JS { return template.JS(pageJS) } //nolint:gosec // no input is in it

// Policy lets a browser use this style and this script and nothing else.
func (f *frame) Policy() string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(pageCSS) + "; script-src " + hash(pageJS) + "; base-uri 'none'; form-action 'none'"
}

// Ring divides a ring by severity; nil if there is nothing to divide.
func (f *frame) Ring() []arc {
	var total, before uint64
	for _, s := range f.Severities {
		total += s.Count
	}
	var out []arc
	for _, s := range f.Severities {
		if s.Count > 0 {
			out = append(out, arc{s.Name, s.Count, 100 * float64(s.Count) / float64(total), -100 * float64(before) / float64(total)})
			before += s.Count
		}
	}
	return out
}

// severities makes bars of counts by severity, the worst first.
func severities(counts map[string]uint64) []bar {
	var out []bar
	for v := scan.Critical; ; v-- {
		out = append(out, bar{Name: v.String(), Count: counts[v.String()]})
		if v == scan.Info {
			return out
		}
	}
}

// bars turns counts into a chart of the n highest.
func bars(counts map[string]uint64, n int) []bar {
	var out []bar
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] > 0 {
			out = append(out, bar{Name: name, Count: counts[name]})
		}
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
