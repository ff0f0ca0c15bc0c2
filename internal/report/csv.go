package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/scan"
)

// table writes findings as comma-separated values (RFC 4180), in the order of the
// input, each as soon as it comes.
type table struct{ w *csv.Writer }

// NewCSV returns a Writer of CSV to w: a line of names, then a line a finding.
// Text is escaped as for a terminal, and a cell that a spreadsheet would take
// for a formula begins with an apostrophe: exact bytes stand in JSON lines.
// Damage, files and totals have no place in it.
func NewCSV(w io.Writer) Writer { return &table{csv.NewWriter(w)} }

var columns = []string{"severity", "confidence", "rule", "category", "state", "source", "offset", "length", "record_offset", "db", "key", "key_b64",
	"key_type", "encoding", "where", "field", "index", "entry_id", "chain", "secret", "id", "fingerprint", "expires_at", "written_at", "ttl_basis",
	"framework", "identity", "technique", "also", "proof", "db_presumed"}

func (t *table) Run(*Run) error {
	if err := t.w.Write(columns); err != nil {
		return err
	}
	t.w.Flush()
	return t.w.Error()
}

func (t *table) Finding(f *scan.Finding) error {
	index := ""
	if f.Index != nil {
		index = strconv.FormatInt(*f.Index, 10)
	}
	integer := func(n int64) string { return strconv.FormatInt(n, 10) }
	if err := t.w.Write([]string{
		f.Severity.String(), f.Confidence.String(), Cell(f.Rule), f.Category.String(), f.State, Cell(f.Source), integer(f.Offset), integer(f.Length),
		integer(f.RecordOffset), integer(int64(f.DB)), Cell(f.Key), Cell(f.KeyB64), f.KeyType, f.Encoding, f.Where.String(), Cell(f.Field), index, f.EntryID,
		Cell(strings.Join(f.Chain, " > ")), Cell(f.Secret), f.ID, f.Fingerprint, f.ExpiresAt, f.WrittenAt, f.TTLBasis,
		Cell(f.Framework), Cell(pairs(f.Identity, "=")), f.Technique, strings.Join(f.Also, " "), Cell(pairs(f.Proof, "=")), strconv.FormatBool(f.Presumed),
	}); err != nil {
		return err
	}
	t.w.Flush()
	return t.w.Error()
}

func (t *table) File(*File) error       { return nil }
func (t *table) Damage(*Damage) error   { return nil }
func (t *table) Summary(*Summary) error { return nil }

// Cell makes text harmless for spreadsheets, which run what begins so (OWASP,
// "CSV Injection"); some look past spaces, or take full-width signs for plain ones.
func Cell(s string) string {
	s = Escape(s)
	switch first := strings.TrimLeft(s, " \u3000'\""); {
	case first == "":
	case strings.ContainsAny(first[:1], "=+-@|%") || strings.HasPrefix(first, `\t`) || strings.HasPrefix(first, `\r`) || strings.HasPrefix(first, `\n`),
		strings.HasPrefix(first, "＝"), strings.HasPrefix(first, "＋"), strings.HasPrefix(first, "－"), strings.HasPrefix(first, "＠"):
		return "'" + s
	}
	return s
}
