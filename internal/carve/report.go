package carve

import (
	"encoding/json"
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
func NewJSONL(w io.Writer) Writer { return jsonl{json.NewEncoder(w)} }

type jsonl struct{ e *json.Encoder }

func (j jsonl) Piece(p *Piece) error     { return j.e.Encode(p) }
func (j jsonl) Summary(s *Summary) error { return j.e.Encode(s) }

// NewText returns a Writer for a reader at a terminal of some width.
func NewText(w io.Writer, width int) Writer { return &text{p: report.NewPage(w, width)} }

type text struct {
	p     *report.Page
	begun bool
}

func (t *text) Piece(p *Piece) error {
	if !t.begun {
		t.p.Line(fmt.Sprintf("%18s %14s  %-18s %-11s %s", "offset", "bytes", "kind", "confidence", "holds"))
		t.begun = true
	}
	holds := report.Count(p.Records) + " " + nouns[p.Kind]
	if p.Kind == Packed {
		holds = p.Inside
	}
	for _, s := range []string{p.Format, inPartition(p.Partition), p.File} {
		if s != "" {
			holds += ", " + report.Escape(s)
		}
	}
	if p.Same != nil {
		holds += ", the same as at " + report.Count(uint64(*p.Same))
	}
	t.p.Line(fmt.Sprintf("%18s %14s  %-18s %-11s %s", report.Count(uint64(p.Offset)), report.Count(uint64(p.Length)), p.Kind, p.Confidence, holds))
	return t.p.Flush()
}

var nouns = map[Kind]string{Snapshot: "keys", Head: "keys", Fragment: "keys", Commands: "commands", Listpack: "entries"}

func inPartition(name string) string {
	if name == "" {
		return ""
	}
	return "in partition " + name
}

func (t *text) Summary(s *Summary) error {
	var kinds []string
	for k, n := range s.Kinds {
		kinds = append(kinds, report.Count(n)+" "+string(k))
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
		line += fmt.Sprintf("%s of %s in all: %s", plural(s.Pieces), report.Bytes(s.Bytes), strings.Join(kinds, ", "))
	}
	t.p.Wrap("", "  ", line)
	return t.p.Flush()
}

func plural(n uint64) string {
	if n == 1 {
		return "1 piece"
	}
	return report.Count(n) + " pieces"
}
