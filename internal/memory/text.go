package memory

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// Text writes the report for people.
func (r *Report) Text(w io.Writer) error {
	t := &lines{Writer: tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)}
	server := ""
	if r.Server != "" {
		server = " in " + report.Escape(r.Server)
	}
	together := ""
	if r.Sets > 1 {
		together = fmt.Sprintf("; %d data sets together", r.Sets)
	}
	t.printf("%s%s: %s, %s, %s of the keys expire%s\n", report.Bytes(r.Bytes), server, plural(r.Keys, "key"), plural(r.Elements, "element"), number(r.Expiring), together)
	for _, s := range r.sections() {
		if len(s.groups) == 0 {
			continue
		}
		t.printf("\n%s\n", s.title)
		for _, g := range s.groups {
			t.printf("%s\t%s\t%s\t  %s\n", report.Bytes(g.Bytes), share(g.Bytes, r.Bytes), column(g.Keys, "key"), g.Name)
		}
	}
	if len(r.Prefixes) > 0 {
		t.printf("\nprefixes\n")
		for _, p := range r.Prefixes {
			more := ""
			if p.Error > 0 {
				more = ", at least " + report.Bytes(p.Bytes-p.Error)
			}
			t.printf("%s\t%s\t%s\t  %s%s\n", report.Bytes(p.Bytes), share(p.Bytes, r.Bytes), column(p.Keys, "key"), p.label(), more)
		}
	}
	if len(r.Biggest) > 0 {
		t.printf("\nbiggest keys\n")
		for _, k := range r.Biggest {
			t.printf("%s\t%s\t%s\t  db %d %s %s\n", report.Bytes(k.Bytes), share(k.Bytes, r.Bytes), column(k.Elements, "element"), k.DB, k.Type, report.Escape(k.Name))
		}
	}
	return cmp.Or(t.err, t.Flush())
}

// lines remembers the first error.
type lines struct {
	*tabwriter.Writer
	err error
}

func (l *lines) printf(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.Writer, format, args...)
	}
}

// section is groups under a title.
type section struct {
	title, name string
	groups      []Group
}

func (r *Report) sections() []section {
	return []section{{"types", "type", r.Types}, {"encodings", "encoding", r.Encodings}, {"databases", "database", r.Databases},
		{"time to live", "ttl", r.TTL}, {"not asked for since", "idle", r.Idle}}
}

// label is the prefix as it is shown.
func (p *Prefix) label() string {
	if p.Name == "" {
		return "(none)"
	}
	return report.Escape(p.Name) + "*"
}

func share(part, whole int64) string {
	if whole == 0 {
		return "0.0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

// plural is a number of things.
func plural(n int64, noun string) string { return strings.TrimSuffix(column(n, noun), " ") }

// column is a number of things, in a column that is aligned to the right: numbers stand
// above each other whether one thing is counted or several.
func column(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun + " "
	}
	return number(n) + " " + noun + "s"
}

// number writes thousands apart.
func number(n int64) string {
	s := fmt.Sprint(n)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}
