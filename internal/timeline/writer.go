package timeline

import (
	"io"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// Writer writes a timeline in one format.
type Writer interface {
	Event(*Event) error
	// End is called once, after the last event.
	End(*Summary) error
}

// Formats are the names of the formats.
var Formats = []string{"text", "jsonl", "timesketch", "l2tcsv", "bodyfile", "ecs"}

// NewWriter returns a writer of a format to w, nil if there is no such format.
func NewWriter(format string, w io.Writer) Writer {
	switch format {
	case "text":
		return &text{w: w}
	case "jsonl":
		return jsonl{report.NewLines(w)}
	case "timesketch":
		return timesketch{report.NewLines(w)}
	case "l2tcsv":
		return newL2T(w)
	case "bodyfile":
		return bodyfile{w}
	case "ecs":
		return ecs{report.NewLines(w)}
	}
	return nil
}

// Write writes all of t.
func Write(t *Timeline, w Writer) error {
	for e, err := range t.Events {
		if err != nil {
			return err
		}
		if err := w.Event(e); err != nil {
			return err
		}
	}
	return w.End(&t.Summary)
}

// name is the key of an event, as one line of text.
func (e *Event) name() string {
	if e.KeyB64 != nil {
		return report.Escape(string(e.KeyB64))
	}
	return report.Escape(e.Key)
}
