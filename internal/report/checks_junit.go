package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/valkeyfs/valkeyfs/scan"
)

// WriteJUnit writes the answers as test results: a suite a group, a test an
// answer. What fails below failOn is told without failing, what is unknown,
// waived or does not apply is skipped.
func (c *Checks) WriteJUnit(w io.Writer, failOn scan.Severity) error {
	var order []string
	suites := map[string]*junitSuite{}
	rules := c.rules()
	for i := range c.Results {
		x := &c.Results[i]
		r := ruleOf(rules, x.Rule)
		s := suites[r.Group]
		if s == nil {
			s = &junitSuite{Name: Escape(r.Group)}
			suites[r.Group] = s
			order = append(order, r.Group)
		}
		s.add(x.junit(r, failOn))
	}
	evidence := &junitSuite{Name: "evidence"}
	complete := junitCase{Class: "evidence", Name: "complete"}
	if notes := Escape(strings.Join(c.Notes, "; ")); c.Complete {
		complete.Out = notes
	} else {
		complete.Error = &junitReason{Message: "not everything that counts could be read", Type: "incomplete", Text: notes}
	}
	evidence.add(complete)
	all := []*junitSuite{evidence}
	for _, name := range order {
		all = append(all, suites[name])
	}
	return writeJUnit(bufio.NewWriter(w), c.Verb, all)
}

func (c *Check) junit(r *CheckRule, failOn scan.Severity) junitCase {
	name := r.Title
	if c.Subject != "" {
		name += " (" + c.Subject + ")"
	}
	out := junitCase{Class: Escape(r.ID), Name: Escape(name)}
	text := c.sentence(r)
	if c.File != "" {
		text = fmt.Sprintf("%s:%d: %s", Escape(c.File), c.Line, text)
	}
	switch {
	case c.Status == CheckPasses:
		out.Out = text
	case c.Status == CheckFails && c.Severity >= failOn:
		out.Failure = &junitReason{Message: c.Severity.String() + ": " + Escape(r.Title), Type: c.Severity.String(), Text: text}
	case c.Status == CheckFails:
		out.Out = c.Severity.String() + ": " + text
	default:
		out.Skipped = &junitReason{Message: string(c.Status), Text: text}
	}
	return out
}
