package diff_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/diff"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// TestFormats: what a terminal or a spreadsheet obeys reaches it in no format, and a
// document is one, with differences or without.
func TestFormats(t *testing.T) {
	const evil = "=k\x1b[31m\u009b31m\u202e<b>"
	for _, format := range diff.Formats {
		for n := range 3 {
			var out bytes.Buffer
			w := diff.NewWriter(format, &out, diff.Show{Values: true})
			state := diff.State{Type: keyspace.Hash, Size: 3, Count: 1, Expire: keyspace.NoExpire}
			value := diff.State{Size: 3, Expire: keyspace.NoExpire, Value: []byte(evil)}
			for range n {
				for _, c := range []diff.Change{
					{Op: diff.Changed, Key: []byte(evil), Type: keyspace.Hash, Whole: true, Old: state, New: state},
					{Op: diff.Added, Key: []byte(evil), Type: keyspace.Hash, Kind: diff.Field, Name: []byte(evil), New: value},
				} {
					if err := w.Change(&c); err != nil {
						t.Fatal(err)
					}
				}
			}
			total := diff.Count{Changed: int64(n)}
			if err := w.Close(total, []diff.Stat{{Prefix: evil, Count: total}}, n != 1); err != nil {
				t.Fatal(err)
			}
			text := out.String()
			if strings.ContainsAny(text, "\x1b\u009b\u202e") || format == "csv" && strings.Contains(text, ",=") {
				t.Errorf("%s: not escaped: %+q", format, text)
			}
			switch format {
			case "json":
				var d struct {
					Differences []struct{ Key, Name string }
					Summary     struct{ Complete bool }
				}
				if err := json.Unmarshal(out.Bytes(), &d); err != nil || len(d.Differences) != 2*n || d.Summary.Complete != (n != 1) || n > 0 && d.Differences[1].Name != evil {
					t.Errorf("%v: %s", err, text)
				}
			case "jsonl":
				lines := 0
				for d := json.NewDecoder(&out); d.More(); lines++ {
					var o map[string]any
					if err := d.Decode(&o); err != nil {
						t.Fatal(err)
					}
				}
				if lines != 2*n+1 || strings.Count(text, "\n") != lines {
					t.Errorf("%d lines: %s", lines, text)
				}
			case "csv":
				r := csv.NewReader(&out)
				r.FieldsPerRecord = -1 // the prefixes have columns of their own
				if rows, err := r.ReadAll(); err != nil || len(rows) < 2*n+1 {
					t.Errorf("%v: %s", err, text)
				}
			case "text":
				if strings.Contains(text, "INCOMPLETE") != (n == 1) {
					t.Error(text)
				}
			}
		}
	}
}
