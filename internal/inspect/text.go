package inspect

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// How many lines text spends on what can be many.
const (
	textDBs      = 16
	textCommands = 20
	textDamage   = 20
	textAux      = 40
)

// text writes a report for a reader at a terminal.
type text struct {
	p    *report.Page
	last string // path of the file that was written last
}

// NewText returns a Writer of text to w.
func NewText(w io.Writer, width int) Writer { return &text{p: report.NewPage(w, width)} }

func (t *text) File(f *report.File) error {
	if f.Kind == "rdb" || f.Kind == "aof" {
		if f.Error == "" && f.Same == "" {
			return nil // its Report says more
		}
	}
	var what []string
	if f.Error == "" || f.Kind != "other" {
		what = append(what, f.Kind)
	}
	if f.Role != "" {
		what = append(what, f.Role)
	}
	if f.Format != "" {
		what = append(what, report.Escape(f.Format))
	}
	if len(f.Layers) > 0 {
		what = append(what, "in "+strings.Join(f.Layers, ", "))
	}
	if f.Size >= 0 {
		what = append(what, report.Bytes(f.Size))
	}
	switch {
	case f.Next != "":
		what = append(what, "not read. Open it: "+f.Next)
	case f.Error != "": // its Report says why
	case f.Same != "":
		what = append(what, "the same file as "+report.Escape(f.Same))
	case f.Target != "":
		what = append(what, f.Skipped+": "+report.Escape(f.Target))
	case f.Skipped != "" && f.Skipped != f.Kind:
		what = append(what, f.Skipped)
	}
	t.last = f.Path
	t.p.Wrap("", "  ", report.Escape(f.Path)+": "+strings.Join(what, ", "))
	return t.p.Flush()
}

func (t *text) Report(r *Report) error {
	if len(r.Headers) == 0 { // nothing of it was read
		if r.Path != t.last {
			t.p.Line(report.Escape(r.Path) + ":")
		}
		t.damage(r)
		t.p.Line("")
		return t.p.Flush()
	}
	head := []string{}
	for _, h := range r.Headers {
		switch h.Magic {
		case "RESP":
			head = append(head, "append-only commands")
		default:
			head = append(head, fmt.Sprintf("%s version %d", report.Escape(h.Magic), h.Version))
		}
	}
	if r.Role != "" {
		head = append(head, r.Role)
	}
	if len(r.Layers) > 0 {
		head = append(head, "in "+strings.Join(r.Layers, ", "))
	}
	if r.Server != "" {
		head = append(head, r.Server+" "+report.Escape(r.Version))
	}
	if r.Saved != "" {
		head = append(head, "saved "+r.Saved)
	}
	t.p.Wrap("", "  ", report.Escape(r.Path)+": "+strings.Join(head, ", "))
	t.verdict(r)
	if len(r.Types) > 0 || r.Log == nil {
		keys := count(r.Keys, "key") + ", " + count(r.Elements, "element")
		if r.Expires > 0 {
			keys += fmt.Sprintf("; %s expire", report.Count(r.Expires))
			if r.Expired > 0 {
				keys += fmt.Sprintf(", %s of them had expired", report.Count(r.Expired))
			}
		}
		t.row("holds", keys)
		for i, db := range r.DBs {
			if i == textDBs {
				t.row("", fmt.Sprintf("… and %d more databases", len(r.DBs)-i))
				break
			}
			t.row(fmt.Sprintf("db %d", db.DB), database(db))
		}
		if o := r.OtherDBs; o != nil {
			t.row("other dbs", count(o.Keys, "key")+", too many databases to tell apart")
		}
		for _, ty := range r.Types {
			t.p.Line(fmt.Sprintf("  %-*s %-13s %16s %20s", rowLabel, ty.Type, ty.Encoding, count(ty.Keys, "key"), count(ty.Elements, "element")))
		}
	}
	for _, m := range r.Modules {
		t.row("module", report.Escape(m.Name)+", "+count(m.Keys, "key"))
	}
	if len(r.Functions) > 0 {
		names := make([]string, len(r.Functions))
		for i, f := range r.Functions {
			names[i] = report.Escape(f)
		}
		t.row("functions", strings.Join(names, ", "))
	}
	if r.Groups > 0 {
		t.row("streams", count(r.Groups, "group")+", "+count(r.Consumers, "consumer")+", "+report.Count(r.Pending)+" pending")
	}
	if s := r.Slots; s != nil {
		t.row("slots", fmt.Sprintf("%s, %d to %d, which claim %s", report.Count(s.Count), s.First, s.Last, count(s.Keys, "key")))
	}
	t.log(r.Log)
	for i, a := range r.Aux {
		if i == textAux {
			t.row("", fmt.Sprintf("… and %d more aux fields", len(r.Aux)-i))
			break
		}
		value := auxValue(a)
		if a.Value == "" {
			value = "(" + count(uint64(a.Length), "byte") + ")"
		}
		t.row("aux", report.Escape(a.Name)+" = "+value)
	}
	t.damage(r)
	t.p.Line("")
	return t.p.Flush()
}

func (t *text) verdict(r *Report) {
	switch {
	case r.Intact && r.Checksum == "ok":
		t.row("intact", report.Bytes(r.Size)+", checksum ok")
	case r.Intact && r.Log != nil && r.Checksum == "unchecked":
		t.row("intact", report.Bytes(r.Size)+", unchecked: no checksum in this format")
	case r.Intact:
		t.row("intact", report.Bytes(r.Size)+", unchecked (checksum "+r.Checksum+"): changed bytes inside values would not show")
	default:
		what := []string{report.Bytes(r.Size), "checksum " + r.Checksum}
		if r.Damages > 0 {
			what = append(what, count(r.Damages, "place")+" of damage")
		}
		if !r.Ended {
			what = append(what, "no end marker")
		}
		t.row("DAMAGED", strings.Join(what, ", "))
	}
	if r.Trailing > 0 {
		t.row("trailing", count(uint64(r.Trailing), "byte")+" behind the end marker, not read")
	}
}

func (t *text) log(l *Log) {
	if l == nil {
		return
	}
	t.row("log", count(l.Commands, "command")+", "+count(l.Transactions, "transaction"))
	if l.First != "" {
		t.row("dated", l.First+" to "+l.Last)
	} else {
		t.row("dated", "no: it holds no timestamps")
	}
	var names []string
	for i, c := range l.ByName {
		if i == textCommands {
			names = append(names, fmt.Sprintf("… and %d more", len(l.ByName)-i))
			break
		}
		names = append(names, report.Escape(c.Name)+" "+report.Count(c.Count))
	}
	if len(names) > 0 {
		t.row("commands", strings.Join(names, ", "))
	}
}

func (t *text) damage(r *Report) {
	for i, d := range r.Damage {
		if i == textDamage {
			t.row("", fmt.Sprintf("… and %d more places", r.Damages-uint64(i)))
			break
		}
		t.row("damage", d.Place())
	}
	for _, d := range r.Torn {
		t.row("torn", d.Place()+" (as a crash leaves it)")
	}
}

func (t *text) Summary(s *Summary) error {
	if s.Files > 1 {
		state := "all of it intact"
		if !s.Complete {
			state = "not all of it intact"
		}
		t.p.Wrap("", "", fmt.Sprintf("%s, %s, %s: %s.", count(s.Files, "file"), count(s.Keys, "key"), count(s.Commands, "command"), state))
	}
	if s.Stopped != "" {
		t.p.Wrap("", "", "Incomplete: "+s.Stopped+".")
	}
	return t.p.Flush()
}

const rowLabel = 10

func (t *text) row(label, value string) {
	t.p.Wrap(fmt.Sprintf("  %-*s ", rowLabel, label), strings.Repeat(" ", rowLabel+5), value)
}

func database(db DB) string {
	s := count(db.Keys, "key")
	if db.Expires > 0 {
		s += fmt.Sprintf(", %s with an expiry", report.Count(db.Expires))
	}
	if db.ClaimedKeys >= 0 && uint64(db.ClaimedKeys) != db.Keys {
		s += fmt.Sprintf(" (the file claims %s)", count(uint64(db.ClaimedKeys), "key"))
	}
	return s
}

// auxValue adds to times and sizes what they mean.
func auxValue(a Aux) string {
	v := report.Escape(a.Value)
	var n int64
	if _, err := fmt.Sscanf(a.Value, "%d", &n); err != nil || fmt.Sprint(n) != a.Value {
		return v
	}
	switch a.Name {
	case "ctime":
		return v + " (" + time.Unix(n, 0).UTC().Format(time.RFC3339) + ")"
	case "used-mem":
		return v + " (" + report.Bytes(n) + ")"
	}
	return v
}

func count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "y") && noun != "key" {
		return report.Count(n) + " " + noun[:len(noun)-1] + "ies"
	}
	return report.Count(n) + " " + noun + "s"
}
