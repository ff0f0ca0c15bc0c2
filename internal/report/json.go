package report

import (
	"io"

	"github.com/valkeyfs/valkeyfs/scan"
)

// document writes one JSON object: the run, the records in the order of the
// input, the summary. The objects are those of JSON lines.
type document struct {
	l     *Lines
	comma string
}

// NewJSON returns a Writer of one JSON object to w, which streams: it never holds
// more than a record. Without a Summary the object is not closed.
func NewJSON(w io.Writer) Writer { return &document{l: NewLines(w)} }

func (d *document) Run(r *Run) error {
	r.Type = "run"
	if err := d.l.Raw(`{"run":`); err != nil {
		return err
	}
	if err := d.l.Line(r); err != nil {
		return err
	}
	return d.l.Raw(`,"records":[` + "\n")
}

func (d *document) record(v any) error {
	if err := d.next(); err != nil {
		return err
	}
	return d.l.Line(v)
}

// next separates a record from the one before.
func (d *document) next() error {
	comma := d.comma
	d.comma = ","
	return d.l.Raw(comma)
}

func (d *document) File(f *File) error {
	f.Type = "file"
	return d.record(f)
}

func (d *document) Finding(f *scan.Finding) error {
	if err := d.next(); err != nil {
		return err
	}
	return d.l.Finding(f)
}

func (d *document) Damage(m *Damage) error           { return d.record(m) }
func (d *document) Excluded(e *scan.Exclusion) error { return d.record(exclusionRecord(e)) }

func (d *document) Summary(s *Summary) error {
	s.Type = "summary"
	if err := d.l.Raw(`],"summary":`); err != nil {
		return err
	}
	if err := d.l.Line(s); err != nil {
		return err
	}
	return d.l.Raw("}\n")
}
