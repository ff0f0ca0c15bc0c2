package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// checksPage is what checks.html shows.
type checksPage struct {
	frame
	Of      *Checks
	Entries []checkEntry
}

// A checkEntry is one answer.
type checkEntry struct {
	*Check
	Rule  *CheckRule
	Class string // severity of what fails, else the status
	Place int
}

// WriteHTML writes one self-contained page: what fails first, the gravest before.
func (c *Checks) WriteHTML(w io.Writer) error {
	rules := c.rules()
	p := &checksPage{Of: c}
	bySeverity, byStatus, byGroup := map[string]uint64{}, map[string]uint64{}, map[string]uint64{}
	for i := range c.Results {
		x := &c.Results[i]
		r := ruleOf(rules, x.Rule)
		e := checkEntry{Check: x, Rule: r, Class: string(x.Status)}
		byStatus[string(x.Status)]++
		if x.Status == CheckFails {
			e.Class = x.Severity.String()
			bySeverity[e.Class]++
			byGroup[r.Group]++
		}
		p.Entries = append(p.Entries, e)
	}
	slices.SortStableFunc(p.Entries, func(a, b checkEntry) int {
		if n := slices.Index(checkStatuses, a.Status) - slices.Index(checkStatuses, b.Status); n != 0 {
			return n
		}
		return int(b.severity(b.Rule)) - int(a.severity(a.Rule))
	})
	for i := range p.Entries {
		p.Entries[i].Place = i
	}
	filters := severities(bySeverity)
	for _, s := range checkStatuses[1:] {
		filters = append(filters, bar{Name: string(s), Count: byStatus[string(s)]})
	}
	p.frame = frame{
		Title: fmt.Sprintf("valkeyfs %s: %s", c.Verb, plural(byStatus[string(CheckFails)], "failure")), Verb: c.Verb, Version: c.Version, Inputs: c.Inputs,
		Counted: "Failures", Severities: severities(bySeverity), Filters: filters, Facts: c.facts(byStatus),
		Searched: "check, server, file, evidence", Sorts: []string{"rule", "state"},
		Charts: []chart{{"Status", bars(byStatus, 8)}, {"Failures by threat", bars(byGroup, 10)}},
	}
	return checksTemplate.Execute(w, p)
}

func (c *Checks) facts(byStatus map[string]uint64) string {
	var parts []string
	for _, s := range checkStatuses {
		if n := byStatus[string(s)]; n > 0 {
			parts = append(parts, Count(n)+" "+string(s))
		}
	}
	return plural(uint64(len(c.Results)), "answer") + " to " + plural(uint64(len(c.Rules)), "check") + ": " + strings.Join(parts, ", ") + "."
}

// Search is what the page's search looks through.
func (e checkEntry) Search() string {
	return strings.ToLower(Escape(strings.Join([]string{e.Rule.ID, e.Rule.Title, e.Rule.Group, e.Class, string(e.Status), e.Subject, e.File, e.Evidence}, " ")))
}

// Where is the server, and the file if that is another one.
func (e checkEntry) Where() string {
	where := e.Subject
	if e.File != "" && e.File != e.Subject {
		where = strings.TrimPrefix(where+"; "+e.File, "; ")
	}
	if e.File != "" && e.Line > 0 {
		where += fmt.Sprintf(", line %d", e.Line)
	}
	return where
}
