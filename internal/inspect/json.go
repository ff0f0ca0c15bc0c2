package inspect

import (
	"io"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// A Writer writes what was found out about the inputs: each file, a Report for
// each snapshot and each file of a log, and a Summary at the end.
type Writer interface {
	File(*report.File) error
	Report(*Report) error
	Summary(*Summary) error
}

// Summary ends what is written.
type Summary struct {
	Type     string `json:"type"` // "summary"
	Files    uint64 `json:"files"`
	Keys     uint64 `json:"keys"`
	Commands uint64 `json:"commands"`
	Damages  uint64 `json:"damages"`
	Torn     uint64 `json:"torn"`
	Complete bool   `json:"complete"`
	Stopped  string `json:"stopped,omitempty"`
}

// json writes an object a record: a line each, or the elements of one array.
type json struct {
	l     *report.Lines
	array bool
	any   bool
}

// NewJSONL returns a Writer of JSON lines to w.
func NewJSONL(w io.Writer) Writer { return &json{l: report.NewLines(w)} }

// NewJSON returns a Writer of one JSON array to w.
func NewJSON(w io.Writer) Writer { return &json{l: report.NewLines(w), array: true} }

func (j *json) write(v any) error {
	if j.array {
		sep := "["
		if j.any {
			sep = ","
		}
		if err := j.l.Raw(sep); err != nil {
			return err
		}
		j.any = true
	}
	return j.l.Line(v)
}

func (j *json) File(f *report.File) error { f.Type = "file"; return j.write(f) }
func (j *json) Report(r *Report) error    { return j.write(r) }

func (j *json) Summary(s *Summary) error {
	s.Type = "summary"
	if err := j.write(s); err != nil || !j.array {
		return err
	}
	return j.l.Raw("]\n")
}
