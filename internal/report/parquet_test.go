package report

import (
	"bytes"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/valkeyfs/valkeyfs/scan"
)

// TestParquet: findings come back as they were written.
func TestParquet(t *testing.T) {
	var out bytes.Buffer
	w := NewParquet(&out)
	index := int64(7)
	in := []*scan.Finding{
		{Rule: "github-pat", Severity: scan.Critical, Offset: 12, DB: -1, Source: "dump\xff.rdb", Index: &index, Chain: []string{"lzf", "base64"}, Secret: "****", Identity: map[string]string{"user": "7"}},
		{Rule: "email", Severity: scan.Low, Key: "=x", DB: 3, Presumed: true},
	}
	for _, f := range in {
		if err := w.Finding(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Summary(&Summary{}); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.Read[findingRow](bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil || len(rows) != len(in) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	r := rows[0]
	if r.Rule != "github-pat" || r.Source != "dump\uFFFD.rdb" || r.Severity != "critical" || r.DB != -1 || r.Offset != 12 || *r.Index != 7 || len(r.Chain) != 2 || r.Chain[1] != "base64" || r.Identity["user"] != "7" || rows[1].Index != nil || rows[1].Key != "=x" || rows[0].Presumed || !rows[1].Presumed {
		t.Errorf("%+v", rows)
	}
}
