package export

import (
	"bytes"
	"encoding/csv"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// harmless is text that no spreadsheet takes for a formula and no terminal obeys.
func harmless(s string) string { return report.Cell(s) }

// csvTable writes rows as comma-separated values (RFC 4180), under a line of names.
type csvTable struct {
	out   *output
	buf   bytes.Buffer
	w     *csv.Writer
	cells []string
}

func newCSVTable(out *output) (*csvTable, error) {
	t := &csvTable{out: out}
	t.w = csv.NewWriter(&t.buf)
	return t, t.w.Write(cellNames)
}

func (t *csvTable) row(r *row) error {
	t.cells = r.cells(t.cells)
	if err := t.w.Write(t.cells); err != nil {
		return err
	}
	if t.w.Flush(); t.buf.Len() < flushSize {
		return t.w.Error()
	}
	return t.flush()
}

// written is how many bytes it has written.
func (t *csvTable) written() int64 { return t.out.taken + int64(t.buf.Len()) }

func (t *csvTable) flush() error {
	_, err := t.out.write(append([]byte(nil), t.buf.Bytes()...))
	t.buf.Reset()
	return err
}

func (t *csvTable) close() error {
	t.w.Flush()
	if err := t.w.Error(); err != nil {
		return err
	}
	return t.flush()
}
