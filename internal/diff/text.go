package diff

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// textWriter writes a line a key, + added, - removed, ~ changed, and below it a line
// for each part of it that differs.
type textWriter struct {
	w io.Writer
	s Show
}

var signs = [ops]string{"+", "-", "~"}

func (t *textWriter) Change(c *Change) error {
	r := t.s.row(c)
	var b strings.Builder
	if c.Whole {
		where := fmt.Sprintf("db %d ", c.DB)
		if c.DB < 0 {
			where = ""
		}
		fmt.Fprintf(&b, "%s %s%s %s", signs[c.Op], where, r.KeyType, report.Escape(r.Key))
		if c.Op != Changed {
			fmt.Fprintf(&b, "  (%s)", amount(r.either()))
		}
	} else {
		fmt.Fprintf(&b, "    %s %s", signs[c.Op], r.What)
		for _, name := range []string{r.Name, r.Consumer} {
			if name != "" {
				b.WriteString(" " + report.Escape(name))
			}
		}
		b.WriteString(r.both(c))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(t.w, b.String())
	return err
}

func (r *Row) either() *Part {
	if r.New != nil {
		return r.New
	}
	return r.Old
}

// amount says how much a key holds.
func amount(p *Part) string {
	s := report.Bytes(p.Bytes)
	if p.Elements != 1 {
		s += fmt.Sprintf(", %d elements", p.Elements)
	}
	if p.ExpireMS > 0 {
		s += ", expires " + moment(p.ExpireMS)
	}
	return s
}

func moment(ms int64) string {
	if ms <= 0 {
		return "never"
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z")
}

// both says what a part was and is.
func (r *Row) both(c *Change) string {
	switch c.Kind {
	case Expiry:
		return ": " + moment(r.Old.ExpireMS) + " → " + moment(r.New.ExpireMS)
	case Type:
		return ": " + r.Old.Type + " → " + r.New.Type
	case Meta, Group, Consumer, Pending:
		return ""
	}
	switch {
	case r.Old == nil:
		return ": " + r.New.shape()
	case r.New == nil:
		return ": " + r.Old.shape()
	}
	return ": " + r.Old.shape() + " → " + r.New.shape()
}

// shape is a value as it may be shown.
func (p *Part) shape() string {
	s := fmt.Sprintf("%d bytes", p.Bytes)
	if p.Bytes == 1 {
		s = "1 byte"
	}
	switch {
	case p.Value != "":
		s += " " + report.Escape(p.Value)
	case p.ValueB64 != "":
		s += " base64:" + p.ValueB64
	case p.ID != "":
		s += " #" + p.ID[:8]
	}
	if p.Score != "" {
		s += " score " + p.Score
	}
	if p.ExpireMS > 0 {
		s += " expires " + moment(p.ExpireMS)
	}
	return s
}

func (t *textWriter) Close(total Count, by []Stat, complete bool) error {
	if len(by) > 0 {
		table := tabwriter.NewWriter(t.w, 0, 8, 2, ' ', tabwriter.AlignRight)
		rows := "added\tremoved\tchanged\texpiry only\t  \n"
		for _, s := range by {
			name := report.Escape(t.s.prefix(s.Prefix)) + "*"
			if s.Prefix == "" {
				name = "(no prefix)"
			}
			where := fmt.Sprintf("db %d", s.DB)
			if s.DB < 0 {
				where = "functions"
			}
			rows += fmt.Sprintf("%d\t%d\t%d\t%d\t  %s %s\n", s.Added, s.Removed, s.Changed-s.Expiry, s.Expiry, where, name)
		}
		if _, err := io.WriteString(table, rows); err != nil {
			return err
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	text := "No differences.\n"
	if total.All() > 0 {
		text = fmt.Sprintf("%s: %d added, %d removed, %d changed%s.\n", differ(total.All()), total.Added, total.Removed, total.Changed, onlyExpiry(total.Expiry))
	}
	if !complete {
		text += "INCOMPLETE: what one side lacks may be what could not be read of it.\n"
	}
	_, err := io.WriteString(t.w, text)
	return err
}

func differ(n int64) string {
	if n == 1 {
		return "1 key differs"
	}
	return report.Count(uint64(n)) + " keys differ"
}

// onlyExpiry says of how many changed keys nothing but the expiry differs.
func onlyExpiry(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of them in nothing but the expiry", n)
}

// prefix is the start of a name as it may be shown.
func (s Show) prefix(p string) string {
	if s.Name == nil {
		return p
	}
	return s.Name(p)
}
