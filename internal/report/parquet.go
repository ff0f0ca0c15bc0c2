package report

import (
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/valkeyfs/valkeyfs/scan"
)

// columnar writes findings as Apache Parquet, in the order of the input.
type columnar struct {
	w   *parquet.GenericWriter[findingRow]
	one [1]findingRow
}

// findingRow is a row: the fields of a scan.Finding under their names in JSON.
type findingRow struct {
	Severity     string            `parquet:"severity,dict"`
	Confidence   string            `parquet:"confidence,dict"`
	Rule         string            `parquet:"rule,dict"`
	Category     string            `parquet:"category,dict"`
	State        string            `parquet:"state,dict"`
	Source       string            `parquet:"source,dict"`
	Offset       int64             `parquet:"offset"`
	Length       int64             `parquet:"length"`
	RecordOffset int64             `parquet:"record_offset"`
	DB           int32             `parquet:"db"`
	Key          string            `parquet:"key"`
	KeyB64       string            `parquet:"key_b64"`
	KeyType      string            `parquet:"key_type,dict"`
	Encoding     string            `parquet:"encoding,dict"`
	Where        string            `parquet:"where,dict"`
	Field        string            `parquet:"field"`
	FieldB64     string            `parquet:"field_b64"`
	Index        *int64            `parquet:"index,optional"`
	EntryID      string            `parquet:"entry_id"`
	Chain        []string          `parquet:"chain,list"`
	Secret       string            `parquet:"secret"`
	ID           string            `parquet:"id"`
	Fingerprint  string            `parquet:"fingerprint"`
	ExpiresAt    string            `parquet:"expires_at"`
	WrittenAt    string            `parquet:"written_at"`
	TTLBasis     string            `parquet:"ttl_basis,dict"`
	Framework    string            `parquet:"framework,dict"`
	Identity     map[string]string `parquet:"identity"`
	Technique    string            `parquet:"technique,dict"`
	Also         []string          `parquet:"also,list"`
	Proof        map[string]string `parquet:"proof"`
	Presumed     bool              `parquet:"db_presumed"`
}

// groupRows is how many findings are held until they are written.
const groupRows = 1 << 15

// NewParquet returns a Writer of Parquet to w. Damage, files and totals have no place
// in it.
func NewParquet(w io.Writer) Writer {
	return &columnar{w: parquet.NewGenericWriter[findingRow](w, parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}), parquet.MaxRowsPerRowGroup(groupRows), parquet.CreatedBy("valkeyfs", "", ""))}
}

func (c *columnar) Finding(f *scan.Finding) error {
	chain := make([]string, len(f.Chain))
	for i, s := range f.Chain {
		chain[i] = valid(s)
	}
	c.one[0] = findingRow{
		f.Severity.String(), f.Confidence.String(), f.Rule, f.Category.String(), f.State, valid(f.Source), f.Offset, f.Length, f.RecordOffset, f.DB, f.Key, f.KeyB64,
		f.KeyType, f.Encoding, f.Where.String(), f.Field, f.FieldB64, f.Index, f.EntryID, chain, valid(f.Secret), f.ID, f.Fingerprint, f.ExpiresAt, f.WrittenAt,
		f.TTLBasis, f.Framework, f.Identity, f.Technique, f.Also, f.Proof, f.Presumed,
	}
	_, err := c.w.Write(c.one[:])
	return err
}

// valid is text as a column of text may have it.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func (c *columnar) Run(*Run) error         { return nil }
func (c *columnar) File(*File) error       { return nil }
func (c *columnar) Damage(*Damage) error   { return nil }
func (c *columnar) Summary(*Summary) error { return c.w.Close() }
