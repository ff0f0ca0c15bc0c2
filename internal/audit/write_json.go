package audit

import (
	"io"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// WriteJSONL writes a report as one JSON object a line: the run, the files read,
// each check, the summary.
func WriteJSONL(w io.Writer, h *Header, r *Report) error {
	l := report.NewLines(w)
	if err := l.Line(h); err != nil {
		return err
	}
	for _, f := range r.Files {
		if err := l.Line(fileRecord{"file", f.Path, f.SHA256}); err != nil {
			return err
		}
	}
	for i := range r.Results {
		if err := l.Line(newRecord(&r.Results[i])); err != nil {
			return err
		}
	}
	return l.Line(newSummary(r))
}

// WriteJSON writes a report as one JSON object.
func WriteJSON(w io.Writer, h *Header, r *Report) error {
	checks := make([]*record, len(r.Results))
	for i := range r.Results {
		checks[i] = newRecord(&r.Results[i])
	}
	files := make([]fileRecord, len(r.Files))
	for i, f := range r.Files {
		files[i] = fileRecord{"file", f.Path, f.SHA256}
	}
	return report.NewLines(w).Line(map[string]any{"run": h, "files": files, "checks": checks, "summary": newSummary(r)})
}
