package diff

import (
	"encoding/json"
	"io"
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
	e *json.Encoder
	s Show
}

func newJSONL(w io.Writer, s Show) Writer { return &jsonlWriter{json.NewEncoder(w), s} }

func (j *jsonlWriter) Change(c *Change) error { return j.e.Encode(line{"difference", j.s.row(c)}) }

func (j *jsonlWriter) Close(total Count, by []Stat, complete bool) error {
	return j.e.Encode(j.s.summary(total, by, complete))
}

// jsonWriter writes one object: the differences, and a summary.
type jsonWriter struct {
	w     io.Writer
	s     Show
	began bool
}

func newJSON(w io.Writer, s Show) Writer { return &jsonWriter{w: w, s: s} }

func (j *jsonWriter) put(before string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = j.w.Write(append([]byte(before), text...))
	return err
}

func (j *jsonWriter) separator() string {
	if j.began {
		return ",\n"
	}
	j.began = true
	return "{\"differences\":[\n"
}

func (j *jsonWriter) Change(c *Change) error { return j.put(j.separator(), j.s.row(c)) }

func (j *jsonWriter) Close(total Count, by []Stat, complete bool) error {
	before := "\n],\"summary\":"
	if !j.began {
		before = j.separator() + before[1:]
	}
	if err := j.put(before, j.s.summary(total, by, complete)); err != nil {
		return err
	}
	_, err := io.WriteString(j.w, "}\n")
	return err
}
