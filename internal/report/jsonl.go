package report

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/valkeyfs/valkeyfs/scan"
)

// Lines writes JSON, one value a line, that no terminal obeys.
type Lines struct {
	w   io.Writer
	buf bytes.Buffer
	enc *json.Encoder
	out []byte

	object []byte // the finding at hand
	keys   []string
}

// NewLines returns Lines that write to w.
func NewLines(w io.Writer) *Lines {
	l := &Lines{w: w}
	l.enc = json.NewEncoder(&l.buf)
	l.enc.SetEscapeHTML(false)
	return l
}

// Line writes v and a line end, in one Write.
func (l *Lines) Line(v any) error {
	l.buf.Reset()
	if err := l.enc.Encode(v); err != nil {
		return err
	}
	l.out = escapeJSON(l.out[:0], l.buf.Bytes())
	_, err := l.w.Write(l.out)
	return err
}

// Raw writes s as it is.
func (l *Lines) Raw(s string) error {
	_, err := io.WriteString(l.w, s)
	return err
}

// jsonl writes one JSON object a line, each as soon as it comes.
type jsonl struct{ l *Lines }

// NewJSONL returns a Writer of JSON lines to w. Field names are stable.
func NewJSONL(w io.Writer) Writer { return jsonl{NewLines(w)} }

func (j jsonl) Run(r *Run) error       { r.Type = "run"; return j.l.Line(r) }
func (j jsonl) File(f *File) error     { f.Type = "file"; return j.l.Line(f) }
func (j jsonl) Damage(d *Damage) error { return j.l.Line(d) }

func (j jsonl) Finding(f *scan.Finding) error    { return j.l.Finding(f) }
func (j jsonl) Excluded(e *scan.Exclusion) error { return j.l.Line(exclusionRecord(e)) }

func exclusionRecord(e *scan.Exclusion) any {
	return struct {
		Type string `json:"type"`
		*scan.Exclusion
	}{"excluded", e}
}

func (j jsonl) Summary(s *Summary) error { s.Type = "summary"; return j.l.Line(s) }
