package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// WriteCSV writes the answers as comma-separated values (RFC 4180) that no
// spreadsheet takes for formulas.
func (c *Checks) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"id", "group", "title", "severity", "status", "subject", "file", "line", "evidence", "remedy", "references", "waiver"}); err != nil {
		return err
	}
	rules := c.rules()
	for i := range c.Results {
		x := &c.Results[i]
		r := ruleOf(rules, x.Rule)
		line := ""
		if x.Line > 0 {
			line = strconv.Itoa(x.Line)
		}
		row := []string{x.Rule, r.Group, r.Title, x.severity(r).String(), string(x.Status), x.Subject, x.File, line, x.Evidence, x.Remedy, strings.Join(r.References, "; "), x.Waiver}
		for k := range row {
			row[k] = Cell(row[k])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
