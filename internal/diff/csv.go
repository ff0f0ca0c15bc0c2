package diff

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// csvWriter writes a line a difference (RFC 4180), and with Stats a line a prefix. What
// a spreadsheet would take for a formula begins with an apostrophe.
type csvWriter struct {
	w     *csv.Writer
	s     Show
	began bool
}

func newCSV(w io.Writer, s Show) Writer { return &csvWriter{w: csv.NewWriter(w), s: s} }

var columns = []string{"change", "db", "key", "key_b64", "key_type", "what", "name", "consumer",
	"old_type", "old_bytes", "old_elements", "old_id", "old_expire_ms", "old_score", "old_value",
	"new_type", "new_bytes", "new_elements", "new_id", "new_expire_ms", "new_score", "new_value"}

func (c *csvWriter) Change(x *Change) error {
	if err := c.begin(columns); err != nil {
		return err
	}
	r := c.s.row(x)
	cells := []string{r.Change, strconv.Itoa(int(r.DB)), report.Cell(r.Key), r.KeyB64, r.KeyType, r.What, report.Cell(r.Name), report.Cell(r.Consumer)}
	for _, p := range []*Part{r.Old, r.New} {
		cells = append(cells, p.cells()...)
	}
	return c.w.Write(cells)
}

func (c *csvWriter) begin(columns []string) error {
	if c.began {
		return nil
	}
	c.began = true
	return c.w.Write(columns)
}

func (p *Part) cells() []string {
	if p == nil {
		return make([]string, 7)
	}
	n := func(v int64) string {
		if v == 0 {
			return ""
		}
		return strconv.FormatInt(v, 10)
	}
	value := report.Cell(p.Value)
	if p.ValueB64 != "" {
		value = "base64:" + p.ValueB64
	}
	return []string{p.Type, strconv.FormatInt(p.Bytes, 10), n(p.Elements), p.ID, n(p.ExpireMS), report.Cell(p.Score), value}
}

func (c *csvWriter) Close(_ Count, by []Stat, _ bool) error {
	if len(by) > 0 {
		if err := c.begin([]string{"db", "prefix", "added", "removed", "changed", "expiry"}); err != nil {
			return err
		}
	}
	for _, s := range by {
		n := func(v int64) string { return strconv.FormatInt(v, 10) }
		if err := c.w.Write([]string{n(int64(s.DB)), report.Cell(c.s.prefix(s.Prefix)), n(s.Added), n(s.Removed), n(s.Changed), n(s.Expiry)}); err != nil {
			return err
		}
	}
	if err := c.begin(columns); err != nil {
		return err
	}
	c.w.Flush()
	return c.w.Error()
}
