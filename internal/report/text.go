package report

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/scan"
)

// TextOptions say how text looks.
type TextOptions struct {
	Color  bool
	Width  int  // columns; 0: 80
	Reveal bool // secrets stand whole, however long
	All    bool // every finding by itself, in the order of the input, instead of groups
}

// How much is listed of what can be many.
const (
	maxNotes  = 20
	maxDamage = 20
	// of what one reason excluded
	maxExcluded = 10
)

// text writes for a reader at a terminal: what matters most comes first, so the
// groups wait for the summary.
type text struct {
	p       *Page
	o       TextOptions
	notes   []string
	omitted int
	damage  []*Damage
	more    uint64
	limits  uint64 // that are not among damage

	excluded map[string]*excluded
}

// excluded is what text says of all that a reason excluded.
type excluded struct {
	count    uint64
	examples []string
}

// NewText returns a Writer of text to w.
func NewText(w io.Writer, o TextOptions) Writer {
	return &text{p: NewPage(w, o.Width), o: o}
}

func (t *text) Run(*Run) error { return nil }

// File notes files that want the reader's attention.
func (t *text) File(f *File) error {
	if f.Unresolved != nil {
		t.note(Escape(f.Path) + ": " + f.Unresolved.String())
	}
	switch {
	case f.Next != "":
		t.note(fmt.Sprintf("%s: a volume (%s), not read. Open it: %s", Escape(f.Path), Escape(f.Format), f.Next))
	case f.Error != "": // it is among the damage
	case strings.HasSuffix(f.Skipped, "leaves the directory"):
		t.note(fmt.Sprintf("%s: %s, to %s", Escape(f.Path), f.Skipped, Escape(f.Target)))
	case f.Skipped == "another file system":
		t.note(fmt.Sprintf("%s: on another file system, not entered", Escape(f.Path)))
	case f.Basis == "none":
		t.note(fmt.Sprintf("%s: holds no time of its own, so that nothing in it is called expired; --as-of gives it one", Escape(f.Path)))
	}
	return nil
}

func (t *text) note(s string) {
	if len(t.notes) == maxNotes {
		t.omitted++
		return
	}
	t.notes = append(t.notes, s)
}

func (t *text) Damage(d *Damage) error {
	more := &t.more
	if d.Type == "limit" {
		more = &t.limits
	}
	if len(t.damage) < maxDamage {
		t.damage = append(t.damage, d)
	} else {
		*more++
	}
	*more += d.More
	return nil
}

func (t *text) Finding(f *scan.Finding) error {
	if !t.o.All {
		return nil
	}
	t.head(f.Severity, fmt.Sprintf("%s, %s, %s", f.Rule, f.Confidence, f.State))
	t.example(f)
	return t.p.Flush()
}

func (t *text) Excluded(e *scan.Exclusion) error {
	if t.excluded == nil {
		t.excluded = map[string]*excluded{}
	}
	x := t.excluded[e.Reason]
	if x == nil {
		x = &excluded{}
		t.excluded[e.Reason] = x
	}
	x.count += e.Count
	if len(x.examples) < maxExcluded {
		f := &scan.Finding{Source: e.Source, Offset: e.Offset, DB: e.DB, Presumed: e.Presumed, Key: e.Key, KeyType: e.KeyType, Where: e.Where, Field: e.Field}
		x.examples = append(x.examples, place(f))
	}
	return nil
}

// explain lists what was not reported.
func (t *text) explain() {
	for _, why := range slices.Sorted(maps.Keys(t.excluded)) {
		x := t.excluded[why]
		t.list(fmt.Sprintf("Not reported: %s, %s", Escape(why), plural(x.count, "time")), x.examples, max(0, int(min(x.count, 1<<30))-len(x.examples)))
	}
}

func (t *text) Summary(s *Summary) error {
	if !t.o.All {
		said := map[string]bool{}
		for _, g := range condense(s.Groups) {
			t.cluster(g, !said[g.Rule])
			said[g.Rule] = true
		}
	}
	t.totals(s)
	t.explain()
	t.list("Notes:", t.notes, t.omitted)
	var damage, torn, limits []string
	for _, d := range t.damage {
		line := d.String()
		switch d.Type {
		case "torn":
			torn = append(torn, line)
		case "limit":
			limits = append(limits, line)
		default:
			damage = append(damage, line)
		}
	}
	t.list("Damage:", damage, int(t.more))
	t.list("Stopped by a limit:", limits, int(t.limits))
	t.list("Unfinished end of a log, as a crash leaves it:", torn, 0)
	return t.p.Flush()
}

// maxPatterns is how many key patterns of a rule, severity and state text tells
// apart.
const maxPatterns = 8

// A cluster is a group as text shows it, or several that differ in the pattern.
type cluster struct {
	*Group
	in string // the pattern, or how many there are
}

// condense puts the patterns of a rule, severity and state beyond the first few
// into one cluster, so that none buries the others. It keeps the order.
func condense(groups []*Group) []cluster {
	type kind struct {
		rule     string
		severity scan.Severity
		state    string
	}
	patterns := map[kind]int{}
	for _, g := range groups {
		patterns[kind{g.Rule, g.Severity, g.State}]++
	}
	var out []cluster
	seen := map[kind]int{}
	rest := map[kind]*Group{}
	for _, g := range groups {
		k := kind{g.Rule, g.Severity, g.State}
		seen[k]++
		switch r := rest[k]; {
		case patterns[k] <= maxPatterns || seen[k] < maxPatterns:
			out = append(out, cluster{g, quoted(g.Pattern)})
		case r == nil:
			c := *g
			c.Examples = slices.Clone(g.Examples[:1])
			rest[k] = &c
			out = append(out, cluster{&c, plural(uint64(patterns[k]-maxPatterns+1), "other key pattern")})
		default:
			r.Count += g.Count
			if len(r.Examples) < maxExamples {
				r.Examples = append(r.Examples, g.Examples[0])
			}
		}
	}
	return out
}

// cluster writes one; next says whether to tell how to revoke.
func (t *text) cluster(g cluster, next bool) {
	t.head(g.Severity, fmt.Sprintf("%s, %s, %s: %s in %s", g.Rule, g.Confidence, g.State, plural(g.Count, "finding"), g.in))
	for _, f := range g.Examples {
		t.example(f)
	}
	if n := g.Count - uint64(len(g.Examples)); n > 0 {
		fmt.Fprintf(t.p.w, "  … and %s more (--all shows each)\n", Count(n))
	}
	if next && g.Next != "" {
		t.p.Wrap("  next: ", "        ", g.Next)
	}
	t.p.Line("")
}

var colors = map[scan.Severity]string{
	scan.Critical: "\x1b[1;37;41m",
	scan.High:     "\x1b[1;31m",
	scan.Medium:   "\x1b[1;33m",
	scan.Low:      "\x1b[1;36m",
	scan.Info:     "\x1b[1m",
}

func (t *text) head(sev scan.Severity, what string) {
	word := strings.ToUpper(sev.String())
	if t.o.Color {
		fmt.Fprintf(t.p.w, "%s%s\x1b[0m ", colors[sev], word)
		t.p.wrapAt(len(word)+1, "    ", what)
		return
	}
	t.p.Wrap(word+" ", "    ", what)
}

// example writes a finding: the secret, and where it stands. A secret that is
// shown whole has a line of its own, which nothing breaks.
func (t *text) example(f *scan.Finding) {
	secret := Escape(f.Secret)
	if !t.o.Reveal {
		secret = clip(secret, t.p.width/2)
	}
	where := place(f)
	if f.Framework != "" || len(f.Identity) > 0 {
		where += "; " + session(f)
	}
	if f.ExpiresAt != "" {
		where += "; expires " + f.ExpiresAt
	}
	if p := proof(f); p != "" {
		where += "; " + p
	}
	start, end := "", ""
	if t.o.Color {
		start, end = "\x1b[1m", "\x1b[0m"
	}
	fmt.Fprintf(t.p.w, "  %s%s%s", start, secret, end)
	if t.o.Reveal {
		t.p.Line("")
		t.p.Wrap("    ", "    ", where)
		return
	}
	t.p.w.WriteString("  ")
	t.p.wrapAt(4+width(secret), "    ", where)
}

func session(f *scan.Finding) string {
	var parts []string
	if f.Framework != "" {
		parts = append(parts, Escape(f.Framework))
	}
	for k, v := range f.Identity {
		parts = append(parts, Escape(k)+" "+Escape(v))
	}
	if n := len(parts) - len(f.Identity); n < len(parts) {
		slices.Sort(parts[n:])
	}
	return strings.Join(parts, ", ")
}

// place says where a finding stands.
func place(f *scan.Finding) string {
	var b strings.Builder
	if ofFile(f) {
		return "in the name of " + Escape(f.Source)
	}
	fmt.Fprintf(&b, "%s byte %d", Escape(f.Source), f.Offset)
	if f.DB >= 0 {
		fmt.Fprintf(&b, ", db %d", f.DB)
	}
	if f.Presumed {
		b.WriteString(" (presumed)")
	}
	if f.KeyType == "text" && f.Key == filepath.Base(f.Source) && f.Where == scan.WhereValue {
		if f.Field != "" {
			fmt.Fprintf(&b, ", line %s", Escape(f.Field))
		}
		through(&b, f)
		return b.String()
	}
	what := Escape(f.KeyType)
	switch {
	case f.KeyType != "none":
	case f.Where == scan.WhereArgument: // of a command that stores nothing
		what = "argument of"
	default:
		what = "key"
	}
	fmt.Fprintf(&b, ", %s %s", what, quoted(f.Key))
	switch {
	case f.Field != "":
		fmt.Fprintf(&b, ", %s %s", fieldWord(f), quoted(f.Field))
	case f.Index != nil && f.Where == scan.WhereElement:
		fmt.Fprintf(&b, ", element %d", *f.Index)
	case f.Where != scan.WhereValue && f.Where != scan.WhereArgument:
		fmt.Fprintf(&b, ", in the %s", f.Where)
	}
	if f.EntryID != "" {
		fmt.Fprintf(&b, ", entry %s", f.EntryID)
	}
	through(&b, f)
	return b.String()
}

// through names the containers around a finding.
func through(b *strings.Builder, f *scan.Finding) {
	if len(f.Chain) > 0 {
		fmt.Fprintf(b, ", through %s", Escape(strings.Join(f.Chain, " > ")))
	}
}

// ofFile reports whether a finding stands in the name of a file or directory.
func ofFile(f *scan.Finding) bool { return f.KeyType == "file" && f.Where == scan.WhereKey }

// Brief says in a few words where a finding stands.
func Brief(f *scan.Finding) string {
	if ofFile(f) {
		return "the name of " + clip(Escape(f.Source), 60)
	}
	file := clip(Escape(filepath.Base(f.Source)), 60)
	s := quoted(f.Key)
	if f.KeyType == "text" && f.Key == filepath.Base(f.Source) {
		s = ""
	}
	if f.Field != "" {
		s += " " + fieldWord(f) + " " + quoted(f.Field)
	}
	if s == "" {
		return file
	}
	return strings.TrimPrefix(s, " ") + " of " + file
}

func fieldWord(f *scan.Finding) string {
	if f.KeyType == "text" {
		return "line"
	}
	return "field"
}

// quoted is a name as part of a sentence: clipped, and quoted if it has spaces
// or is empty.
func quoted(s string) string {
	s = clip(Escape(s), 60)
	if s == "" || strings.ContainsAny(s, " ,\"") {
		return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"`
	}
	return s
}

func (t *text) totals(s *Summary) {
	switch {
	case s.Findings == 0 && len(s.Suppressed) > 0:
		fmt.Fprintln(t.p.w, "No new findings.")
	case s.Findings == 0:
		fmt.Fprintln(t.p.w, "No findings.")
	default:
		var sev []string
		for i := scan.Critical; ; i-- {
			if n := s.BySeverity[i.String()]; n > 0 {
				sev = append(sev, Count(n)+" "+i.String())
			}
			if i == scan.Info {
				break
			}
		}
		secrets := plural(s.Distinct.Secrets, "different secret")
		if s.Distinct.Secrets == 1 {
			secrets = "all of one secret"
		}
		if !s.Distinct.Exact {
			secrets = "at least " + secrets
		}
		t.p.Wrap("", "", fmt.Sprintf("%s: %s; %s.", plural(s.Findings, "finding"), strings.Join(sev, ", "), secrets))
	}
	if n := s.Suppressed[Baselined] + s.Suppressed[Ignored]; n > 0 {
		t.p.Wrap("", "", fmt.Sprintf("Not listed: %s of the baseline, %s to be ignored.", Count(s.Suppressed[Baselined]), Count(s.Suppressed[Ignored])))
	}
	files := ""
	if s.Files > 0 { // of an image that was carved there are none
		files = plural(s.Files, "file") + ", "
	}
	t.p.Wrap("", "", fmt.Sprintf("Read %s, %s%s, %s.", Bytes(s.BytesRead), files, plural(s.Keys, "key"), plural(s.Values, "value")))
	switch {
	case s.Stopped != "":
		t.p.Wrap("", "", "Incomplete: "+s.Stopped+". What stands above is what was found until then.")
	case !s.Complete:
		t.p.Wrap("", "", "Incomplete: "+s.Gaps()+"."+s.understood())
	}
}

// understood says how much of the input was, if not all of it.
func (s *Summary) understood() string {
	if s.NotUnderstood == 0 {
		return ""
	}
	others := "were not scanned"
	switch {
	case s.RawBytes >= s.NotUnderstood:
		others = "were scanned as they are"
	case s.RawBytes > 0:
		others = "were scanned as they are in part"
	}
	return fmt.Sprintf(" %.4g %% of the bytes were understood, the others %s.", s.Percent(), others)
}

func (t *text) list(title string, lines []string, more int) {
	if len(lines) == 0 && more == 0 {
		return
	}
	fmt.Fprintf(t.p.w, "\n%s\n", title)
	for _, l := range lines {
		t.p.Wrap("  ", "    ", l)
	}
	if more > 0 {
		fmt.Fprintf(t.p.w, "  … and %d more\n", more)
	}
}
