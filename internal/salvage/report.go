package salvage

import (
	"fmt"
	"io"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// textDamage is how many damaged ranges text lists one by one.
const textDamage = 40

// result is what JSON has beside the map.
type result struct {
	*Map
	Clean *Cleaned `json:"clean,omitempty"`
}

// WriteJSON writes a map, and what the clean file holds if there is one.
func WriteJSON(w io.Writer, m *Map, c *Cleaned) error {
	return report.NewLines(w).Line(result{m, c})
}

// WriteText writes the same for a reader at a terminal of some width.
func WriteText(w io.Writer, width int, m *Map, c *Cleaned) error {
	p := report.NewPage(w, width)
	var what []string
	for _, part := range m.Parts {
		what = append(what, describe(part))
	}
	what = append(what, report.Bytes(m.Size))
	p.Wrap("", "  ", report.Escape(m.Source)+": "+strings.Join(what, "; "))
	if len(m.Types) > 0 || m.Keys.All() > 0 {
		p.Wrap(label("survive"), rest, survivors(m))
		for _, t := range m.Types {
			p.Line(fmt.Sprintf("%-10s %-12s%16s", database(t), t.Name, report.Count(t.Keys)))
		}
	}
	if m.Presumed > 0 {
		p.Wrap(label("database"), rest, "presumed, of "+plural(m.Presumed, "key")+": behind damage it is that of what comes before")
	}
	if m.Commands > 0 {
		p.Wrap(label("survive"), rest, plural(m.Commands, "command")+", whole; nothing vouches for the bytes of their arguments")
	}
	p.Wrap(label("damaged"), rest, losses(m))
	for i, d := range m.Damage {
		if i == textDamage {
			p.Line(fmt.Sprintf("  … and %s more places", report.Count(uint64(len(m.Damage)-i)+m.Damage[len(m.Damage)-1].More)))
			break
		}
		p.Wrap(fmt.Sprintf("  %14s %12s  ", report.Count(uint64(d.Offset)), report.Count(uint64(d.Length))), strings.Repeat(" ", 31), cause(d))
	}
	if c != nil {
		p.Wrap(label("clean file"), rest, contents(c))
		if c.Databases > 0 {
			p.Wrap(label("needs"), rest, fmt.Sprintf("databases %d in the server's configuration (%d unless it says so): with fewer it refuses a snapshot, and puts keys of a log into other databases", c.Databases, usualDatabases))
		}
	}
	return p.Flush()
}

const rest = "             "

func label(s string) string { return fmt.Sprintf("  %-11s", s) }

func database(t TypeCount) string {
	if t.DB < 0 {
		return "    other"
	}
	return fmt.Sprintf("    db %d", t.DB)
}

// describe is a part in a few words.
func describe(p *Part) string {
	s := p.Format
	switch {
	case p.log:
		return "append-only commands"
	case p.NoHead:
		s = "a snapshot whose header is lost, read as " + fmt.Sprintf("%s %d", p.version.Magic, p.version.Number)
	}
	if p.NoEnd {
		s += ", its end lost"
	}
	s += ", checksum " + p.Checksum
	if p.Salvaged {
		s += " of what was salvaged"
	}
	return s
}

// survivors says how many keys there are, and how far they can be believed.
func survivors(m *Map) string {
	s := plural(m.Keys.All(), "key") + ":"
	var kinds []string
	for _, k := range []struct {
		n    uint64
		what string
	}{
		{m.Keys.Intact, "intact"},
		{m.Keys.Unverified, "unverified (whole, but no checksum vouches for them)"},
		{m.Keys.Partial, "partial (a part of the value is lost)"},
	} {
		if k.n > 0 {
			kinds = append(kinds, report.Count(k.n)+" "+k.what)
		}
	}
	return s + " " + strings.Join(kinds, ", ")
}

func losses(m *Map) string {
	torn := ""
	if m.Torn > 0 {
		torn = "; " + plural(m.Torn, "torn end") + ", as a crash leaves it"
	}
	switch {
	case m.Damages == 0:
		return "nothing" + torn
	case m.Damaged == 0:
		return "nothing that can be told by place" + torn
	}
	share := 0.0
	if m.Size > 0 {
		share = 100 * float64(m.Damaged) / float64(m.Size)
	}
	return fmt.Sprintf("%s (%.2f %% of the file) in %s%s", plural(uint64(m.Damaged), "byte"), share, plural(m.Damages, "place"), torn)
}

// cause is what is damaged in one place, and whose.
func cause(d *report.Damage) string {
	s := report.Escape(d.What) + ": " + report.Escape(d.Reason)
	if d.Key != "" {
		s += " (key " + report.Escape(d.Key) + ")"
	}
	return s
}

func contents(c *Cleaned) string {
	s := report.Bytes(c.Bytes)
	for _, x := range []struct {
		n    uint64
		noun string
		what string
	}{
		{c.Rebuilt, "key", "encoded anew from what is left of its value"},
		{c.Left, "damaged key", "left out: nothing of it can be encoded"},
		{c.Twice, "record", "left out: its key has another record, and a server refuses two"},
		{c.Balanced, "MULTI or EXEC", "left out: its counterpart is lost"},
	} {
		if x.n > 0 {
			s += "; " + plural(x.n, x.noun) + " " + x.what
		}
	}
	return s
}

func plural(n uint64, noun string) string {
	s := report.Count(n) + " " + noun
	if n != 1 {
		s += "s"
	}
	return s
}
