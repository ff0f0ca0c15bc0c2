package timeline

import "github.com/valkeyfs/valkeyfs/internal/report"

// jsonl is one object an event, and a last one that sums up.
type jsonl struct{ l *report.Lines }

func (j jsonl) Event(e *Event) error {
	return j.l.Line(struct {
		Type string `json:"type"`
		*Event
	}{"event", e})
}

func (j jsonl) End(s *Summary) error {
	return j.l.Line(struct {
		Type string `json:"type"`
		*Summary
	}{"summary", s})
}
