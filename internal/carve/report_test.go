package carve

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestJSONL: a line is an object, and what a terminal obeys in a name reaches it in none.
func TestJSONL(t *testing.T) {
	const evil = "k\x1b[31m\u009b31m\u202e"
	var out bytes.Buffer
	w := NewJSONL(&out)
	if err := w.Piece(&Piece{Type: "piece", Kind: Fragment, Partition: evil, Stream: evil, File: evil}); err != nil {
		t.Fatal(err)
	}
	if err := w.Summary(&Summary{Type: "summary", Source: evil}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\u009b\u202e") {
		t.Errorf("not escaped: %+q", out.String())
	}
	piece, summary, _ := strings.Cut(out.String(), "\n")
	var p Piece
	var s Summary
	if err := json.Unmarshal([]byte(piece), &p); err != nil || p.Partition != evil || p.Stream != evil || p.File != evil {
		t.Errorf("%v: %s", err, piece)
	}
	if err := json.Unmarshal([]byte(summary), &s); err != nil || s.Source != evil {
		t.Errorf("%v: %s", err, summary)
	}
}
