package timeline

import (
	"fmt"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// text is a line an event for a person: when, how that is known, what, where.
type text struct{ w io.Writer }

const textTime = "2006-01-02 15:04:05.000Z"

func (t *text) Event(e *Event) error {
	key := ""
	if n := e.name(); n != "" {
		key = fmt.Sprintf("  db %d %s", e.DB, n)
	}
	when := e.Time.Format(textTime)
	switch {
	case e.Basis != Bounded:
	case e.NotBefore != nil && e.NotAfter != nil:
		when += " to " + e.NotAfter.Format(textTime)
	case e.NotBefore != nil:
		when += " or later"
	default:
		when += " or earlier"
	}
	where := report.Escape(e.Source)
	if e.Offset >= 0 {
		where = fmt.Sprintf("%s:%d", where, e.Offset)
	}
	if e.Role != "" {
		where += "  [" + e.Role + "]"
	}
	basis := string(e.Basis)
	if e.Basis == Recorded {
		basis = "" // the rule
	} else {
		basis = "  (" + basis + ": " + e.Of + ")"
	}
	technique := ""
	if e.Technique != "" {
		technique = "  " + e.Technique
	}
	_, err := fmt.Fprintf(t.w, "%s  %s%s  %s%s%s\n", when, report.Escape(e.Message), key, where, basis, technique)
	return err
}

func (t *text) End(s *Summary) error {
	note := ""
	if s.Undated > 0 {
		note = fmt.Sprintf("; nothing dates %d more", s.Undated)
	}
	if s.Damaged == 1 {
		note += "; 1 range could not be understood"
	} else if s.Damaged > 1 {
		note += fmt.Sprintf("; %d ranges could not be understood", s.Damaged)
	}
	if !s.Complete {
		note += "; not complete"
	}
	_, err := fmt.Fprintf(t.w, "%d events%s\n", s.Events, note)
	return err
}
