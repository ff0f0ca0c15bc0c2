package diff

import (
	"io"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// summary is the last object.
type summary struct {
	Type string `json:"type"`
	Count
	Complete bool   `json:"complete"`
	Prefixes []Stat `json:"prefixes,omitempty"`
}

func (s Show) summary(total Count, by []Stat, complete bool) summary {
	for i := range by {
		by[i].Prefix = s.prefix(by[i].Prefix)
	}
	return summary{"summary", total, complete, by}
}

// line is a Row under the type of its line.
type line struct {
	Type string `json:"type"`
	Row
}

// jsonlWriter writes an object a line: a difference each, and a summary.
type jsonlWriter struct {
	l *report.Lines
	s Show
}

func newJSONL(w io.Writer, s Show) Writer { return &jsonlWriter{report.NewLines(w), s} }

func (j *jsonlWriter) Change(c *Change) error { return j.l.Line(line{"difference", j.s.row(c)}) }

func (j *jsonlWriter) Close(total Count, by []Stat, complete bool) error {
	return j.l.Line(j.s.summary(total, by, complete))
}

// jsonWriter writes one object: the differences, and a summary.
type jsonWriter struct {
	l     *report.Lines
	s     Show
	began bool
}

func newJSON(w io.Writer, s Show) Writer { return &jsonWriter{l: report.NewLines(w), s: s} }

// put writes what stands before a value, and the value.
func (j *jsonWriter) put(before string, v any) error {
	if err := j.l.Raw(before); err != nil {
		return err
	}
	return j.l.Line(v)
}

func (j *jsonWriter) separator() string {
	if j.began {
		return ","
	}
	j.began = true
	return "{\"differences\":[\n"
}

func (j *jsonWriter) Change(c *Change) error { return j.put(j.separator(), j.s.row(c)) }

func (j *jsonWriter) Close(total Count, by []Stat, complete bool) error {
	before := "],\"summary\":"
	if !j.began {
		before = j.separator() + before
	}
	if err := j.put(before, j.s.summary(total, by, complete)); err != nil {
		return err
	}
	return j.l.Raw("}\n")
}
