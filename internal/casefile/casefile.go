// Package casefile puts what the verbs tell of one case on one page: findings,
// files, what happened when, what takes the memory, how the server stood; and
// makes the manifest that ties the page to its inputs.
//
//	casefile.go  the sections of the page
//	collect.go   the readings that they come from
//	manifest.go  what is signed
package casefile

import (
	_ "embed" // the sections
	"html/template"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/audit"
	"github.com/valkeyfs/valkeyfs/internal/inspect"
	"github.com/valkeyfs/valkeyfs/internal/memory"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/timeline"
)

//go:embed sections.html
var sectionsHTML string

var sections = template.Must(template.New("").Funcs(template.FuncMap{
	"escape": report.Escape, "count": count, "plural": plural, "bytes": report.Bytes, "key": eventKey, "when": eventTime,
}).Parse(sectionsHTML))

// count is report.Count for any of the integers that reports hold.
func count(n any) string {
	switch n := n.(type) {
	case uint64:
		return report.Count(n)
	case int64:
		return report.Count(uint64(max(n, 0)))
	case int:
		return report.Count(uint64(max(n, 0)))
	}
	return ""
}

// plural is a count with its noun.
func plural(n any, noun string) string {
	if c := count(n); c != "1" {
		return c + " " + noun + "s"
	}
	return "1 " + noun
}

func eventKey(e *timeline.Event) string {
	if e.KeyB64 != nil {
		return report.Escape(string(e.KeyB64))
	}
	return report.Escape(e.Key)
}

// eventTime returns when something was, in a line, or two for its bounds.
func eventTime(e *timeline.Event) []string {
	const layout = "2006-01-02 15:04:05"
	switch {
	case e.Basis != timeline.Bounded:
		return []string{e.Time.UTC().Format(layout)}
	case e.NotBefore == nil:
		return []string{"until " + e.NotAfter.UTC().Format(layout)}
	case e.NotAfter == nil:
		return []string{"since " + e.NotBefore.UTC().Format(layout)}
	}
	return []string{"from " + e.NotBefore.UTC().Format(layout), "to " + e.NotAfter.UTC().Format(layout)}
}

// Case is what a page holds beside the findings. What was not read is nil.
type Case struct {
	Facts    []Fact
	Files    []*inspect.Report
	Left     int // files that are not in Files
	Timeline *Timeline
	Sets     []memory.Group // data sets: what each would be in a server
	Memory   *memory.Report
	Audit    *Audit
}

// Fact is a line about the case.
type Fact struct{ Name, Value string }

// Timeline is what stands out of a timeline, and how much there is.
type Timeline struct {
	Events, Undated int64
	Left            int64 // events that are not in List
	List            []*timeline.Event
	Days            []Day
}

// Day counts the events of a day, a month or a year.
type Day struct {
	Name  string
	Count int64
	Share float64 // of the fullest, in percent
}

// Audit is the checks that fail.
type Audit struct {
	Why     string // there is none, if there is none
	Passes  int
	Unknown int
	List    []Failure
}

// Failure is a check that fails in a directory among the inputs.
type Failure struct {
	*audit.Result
	Dir string
}

// Lines are those of the remedy. It names the file as it lies in the directory: of what
// was copied or mounted, nothing may stand there that would change it.
func (f Failure) Lines() []string {
	if rel := strings.TrimPrefix(f.Place.File, "/"); rel != "" {
		return strings.Split(strings.ReplaceAll(f.Remedy, f.Place.File, rel), "\n")
	}
	return strings.Split(f.Remedy, "\n")
}

// Sections returns the parts of the page.
func (c *Case) Sections() ([]report.Section, error) {
	var out []report.Section
	for _, s := range []struct {
		id, title string
		data      any
		there     bool
	}{
		{"case", "Case", c.Facts, true},
		{"files", "Snapshots and logs", c, len(c.Files) > 0},
		{"timeline", "Timeline", c.Timeline, c.Timeline != nil},
		{"memory", "Memory", c.Memory, c.Memory != nil},
		{"audit", "Audit", c.Audit, c.Audit != nil},
	} {
		if !s.there {
			continue
		}
		var b strings.Builder
		if err := sections.ExecuteTemplate(&b, s.id, s.data); err != nil {
			return nil, err
		}
		out = append(out, report.Section{ID: s.id, Title: s.title, HTML: template.HTML(b.String())}) //nolint:gosec // html/template made it
	}
	return out, nil
}

// How much of each kind a page lists; a browser bears no more.
const (
	maxFiles  = 200
	maxEvents = 2000
	maxDays   = 31
)

// days groups counts by day or, if there are many days, by month or year.
func days(counts map[time.Time]int64) []Day {
	for _, layout := range []string{"2006-01-02", "2006-01", "2006"} {
		if out := group(counts, layout); len(out) <= maxDays || layout == "2006" {
			return out[:min(len(out), maxDays)]
		}
	}
	return nil
}
