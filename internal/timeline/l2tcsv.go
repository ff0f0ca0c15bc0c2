package timeline

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// l2tcsv is the CSV of log2timeline, 17 columns; text in it is made harmless for
// spreadsheets.
type l2tcsv struct {
	w     *csv.Writer
	begun bool
}

func newL2T(w io.Writer) *l2tcsv { return &l2tcsv{w: csv.NewWriter(w)} }

var l2tColumns = []string{"date", "time", "timezone", "MACB", "source", "sourcetype", "type", "user", "host", "short", "desc", "version", "filename", "inode", "notes", "format", "extra"}

// macb is the place of a file's time among the four, as mactime(1) has it.
var macb = map[string]string{"file-modified": "M...", "file-accessed": ".A..", "file-changed": "..C.", "file-born": "...B"}

func (l *l2tcsv) head() error {
	if l.begun {
		return nil
	}
	l.begun = true
	return l.w.Write(l2tColumns)
}

func (l *l2tcsv) Event(e *Event) error {
	if err := l.head(); err != nil {
		return err
	}
	letters := macb[e.Kind]
	if letters == "" {
		letters = "...."
	}
	message := report.Cell(e.Message)
	desc := message
	if n := e.name(); n != "" {
		desc = report.Cell(fmt.Sprintf("%s; db %d, key %s", e.Message, e.DB, n))
	}
	notes := "basis: " + string(e.Basis)
	if e.NotBefore != nil {
		notes += "; not before " + optional(e.NotBefore)
	}
	if e.NotAfter != nil {
		notes += "; not after " + optional(e.NotAfter)
	}
	extra := []string{"kind: " + e.Kind, fmt.Sprintf("offset: %d", e.Offset)}
	if e.Role != "" {
		extra = append(extra, "role: "+e.Role)
	}
	if e.Technique != "" {
		extra = append(extra, "technique: "+e.Technique)
	}
	return l.w.Write([]string{e.Time.Format("01/02/2006"), e.Time.Format("15:04:05"), "UTC", letters, "VALKEY", "Valkey " + e.Kind, e.Of, "-", "-",
		message, desc, "2", report.Cell(e.Source), "-", notes, "valkeyfs", strings.Join(extra, "; ")})
}

func (l *l2tcsv) End(*Summary) error {
	if err := l.head(); err != nil {
		return err
	}
	l.w.Flush()
	return l.w.Error()
}
