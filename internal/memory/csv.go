package memory

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// CSV writes the report as comma-separated values (RFC 4180): a line a group, prefix
// or key. What a spreadsheet would take for a formula begins with an apostrophe.
func (r *Report) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	write := func(kind, name, db, typ, encoding string, keys, elements, bytes, most int64) error {
		n := func(v int64) string { return strconv.FormatInt(v, 10) }
		return c.Write([]string{kind, report.Cell(name), db, typ, encoding, n(keys), n(elements), n(bytes), n(most)})
	}
	if err := c.Write([]string{"kind", "name", "db", "type", "encoding", "keys", "elements", "bytes", "error"}); err != nil {
		return err
	}
	if err := write("total", r.Server, "", "", "", r.Keys, r.Elements, r.Bytes, 0); err != nil {
		return err
	}
	for _, s := range r.sections() {
		for _, g := range s.groups {
			if err := write(s.name, g.Name, "", "", "", g.Keys, g.Elements, g.Bytes, 0); err != nil {
				return err
			}
		}
	}
	for _, p := range r.Prefixes {
		if err := write("prefix", p.Name, "", "", "", p.Keys, 0, p.Bytes, p.Error); err != nil {
			return err
		}
	}
	for _, k := range r.Biggest {
		if err := write("key", k.Name, strconv.Itoa(int(k.DB)), k.Type, k.Encoding, 1, k.Elements, k.Bytes, 0); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
