package carve

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// Writer writes the list of pieces.
type Writer interface {
	Piece(*Piece) error
	Summary(*Summary) error
}

// NewJSONL returns a Writer of one JSON object a line.
func NewJSONL(w io.Writer) Writer { return jsonl{report.NewLines(w)} }

type jsonl struct{ l *report.Lines }

func (j jsonl) Piece(p *Piece) error     { return j.l.Line(p) }
func (j jsonl) Summary(s *Summary) error { return j.l.Line(s) }

// NewText returns a Writer for a reader at a terminal of some width.
func NewText(w io.Writer, width int) Writer { return &text{p: report.NewPage(w, width)} }

type text struct {
	p     *report.Page
	begun bool
}

func (t *text) Piece(p *Piece) error {
	if !t.begun {
		t.p.Line(fmt.Sprintf("%15s %13s  %-17s %-10s  %s", "offset", "bytes", "kind", "confidence", "holds"))
		t.begun = true
	}
	holds := p.Inside
	if p.Kind != Packed {
		holds = counted(p.Records, nouns[p.Kind][0], nouns[p.Kind][1])
	}
	for _, s := range []string{p.Format, in("partition", p.Partition), in("stream", p.Stream), p.File} {
		if s != "" {
			holds += ", " + report.Escape(s)
		}
	}
	if p.Same != nil {
		holds += ", the same as at " + report.Count(uint64(*p.Same))
	}
	t.p.Line(fmt.Sprintf("%15s %13s  %-17s %-10s  %s", report.Count(uint64(p.Offset)), report.Count(uint64(p.Length)), p.Kind, p.Confidence, holds))
	return t.p.Flush()
}

// nouns are what records of a kind are called, one and several.
var nouns = map[Kind][2]string{Snapshot: {"key", "keys"}, Head: {"key", "keys"}, Fragment: {"key", "keys"}, Commands: {"command", "commands"}, Listpack: {"entry", "entries"}, String: {"value", "values"}}

func in(what, name string) string {
	if name == "" {
		return ""
	}
	return "in " + what + " " + name
}

func (t *text) Summary(s *Summary) error {
	var kinds []string
	for k, n := range s.Kinds {
		kinds = append(kinds, string(k)+" "+report.Count(n))
	}
	slices.Sort(kinds)
	line := report.Escape(s.Source) + ": " + report.Bytes(s.Size) + ", "
	if s.Read < s.Size {
		line += report.Bytes(s.Size-s.Read) + " of it holes, "
	}
	if s.Unread > 0 {
		line += report.Bytes(s.Unread) + " of it unreadable, "
	}
	if s.Pieces == 0 {
		line += "nothing was found"
	} else {
		line += fmt.Sprintf("%s, %s in all: %s", counted(s.Pieces, "piece", "pieces"), report.Bytes(s.Bytes), strings.Join(kinds, ", "))
	}
	t.p.Wrap("", "  ", line)
	return t.p.Flush()
}

func counted(n uint64, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return report.Count(n) + " " + several
}
