package audit

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

// TextOptions say how text looks.
type TextOptions struct {
	Width int  // columns; 0: 80
	All   bool // what passes and what does not apply, too
}

var marks = map[Status]string{Pass: "pass", Fail: "FAIL", Unknown: "unknown", NA: "n/a", Waived: "waived"}

// WriteText writes a report for a reader: by server and threat, failures with
// what to do, and what the files cannot tell.
func WriteText(w io.Writer, h *Header, r *Report, o TextOptions) error {
	p := report.NewPage(w, o.Width)
	for _, s := range h.Servers {
		head := report.Escape(s.Name)
		if s.Version != "" {
			head += ", judged as " + s.Version + " (" + s.Basis + ")"
		}
		p.Wrap("", "    ", head)
		threat, title := 0, ""
		for i := range r.Results {
			x := &r.Results[i]
			if x.Server != s.Name || x.Status == Unknown || !o.All && (x.Status == Pass || x.Status == NA) {
				continue
			}
			if x.Check.Threat != threat {
				threat = x.Check.Threat
				p.Line("")
				p.Line(fmt.Sprintf("%d  %s", threat, Threats[threat]))
			}
			if t := x.title(); t != title { // of each file that a check is about, once for all
				title = t
				p.Wrap("  ", indent, title)
			}
			writeResult(p, x)
		}
		writeUnknown(p, r, s.Name)
		p.Line("")
	}
	sum := newSummary(r)
	var bySeverity []string
	for v := Critical; ; v-- {
		if n := sum.BySeverity[v.String()]; n > 0 {
			bySeverity = append(bySeverity, fmt.Sprintf("%d %s", n, v))
		}
		if v == Info {
			break
		}
	}
	line := fmt.Sprintf("%d failed", r.Counts[Fail])
	if len(bySeverity) > 0 {
		line += " (" + strings.Join(bySeverity, ", ") + ")"
	}
	p.Wrap("", "", fmt.Sprintf("%s, %d passed, %d unknown, %d do not apply, %d waived; catalogue %s", line, r.Counts[Pass], r.Counts[Unknown], r.Counts[NA], r.Counts[Waived], h.Catalogue))
	if r.Incomplete {
		p.Line("Not all files could be read or understood: see the unknown ones.")
	}
	return p.Flush()
}

// writeUnknown lists what the files cannot tell, by reason.
func writeUnknown(p *report.Page, r *Report, server string) {
	var reasons []string
	ids := map[string][]string{}
	for i := range r.Results {
		if x := &r.Results[i]; x.Server == server && x.Status == Unknown {
			if ids[x.Evidence] == nil {
				reasons = append(reasons, x.Evidence)
			}
			ids[x.Evidence] = append(ids[x.Evidence], x.Check.ID)
		}
	}
	if len(reasons) == 0 {
		return
	}
	p.Line("")
	p.Line("What the files cannot tell")
	for _, reason := range reasons {
		p.Wrap("  ", "      ", report.Escape(reason)+": "+strings.Join(ids[reason], ", "))
	}
}

// title is the line above a result: what came of which check.
func (x *Result) title() string {
	severity := ""
	if x.Status == Fail || x.Status == Waived {
		severity = " " + x.Severity.String()
	}
	return fmt.Sprintf("%s%s %s %s", marks[x.Status], severity, x.Check.ID, x.Check.Title)
}

const indent = "      " // of what stands below a title

func writeResult(p *report.Page, x *Result) {
	text := report.Escape(x.Evidence)
	if x.Place.File != "" && x.Status != NA {
		where := report.Escape(x.Place.File)
		if x.Place.Line > 0 {
			where += fmt.Sprintf(":%d", x.Place.Line)
		}
		text = where + ": " + text
	}
	p.Wrap(indent, indent, text)
	if x.Status == Fail && x.Remedy != "" {
		for line := range strings.SplitSeq(x.Remedy, "\n") {
			p.Line(indent + "> " + report.Escape(line))
		}
	}
	if x.Status == Waived {
		p.Wrap(indent, indent, "accepted: "+report.Escape(x.Waiver))
	}
}

// Failing reports whether anything fails at or above a severity.
func (r *Report) Failing(least scan.Severity) bool {
	return slices.ContainsFunc(r.Results, func(x Result) bool { return x.Status == Fail && x.Severity >= least })
}
