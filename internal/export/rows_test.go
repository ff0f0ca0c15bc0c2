package export_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// exported is a snapshot in a format.
func exported(t testing.TB, data []byte, f export.Format) []byte {
	t.Helper()
	var out bytes.Buffer
	seq := rdb.NewReader(bytes.NewReader(data), rdb.Options{}).Events(context.Background())
	if err := export.Run(context.Background(), seq, &out, export.Options{Format: f}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// elementsOf lists the elements of a snapshot: database, key, field, value and part.
func elementsOf(t testing.TB, data []byte) (lines []string) {
	t.Helper()
	part := 0
	for e, err := range rdb.NewReader(bytes.NewReader(data), rdb.Options{}).Events(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != keyspace.Element {
			continue
		}
		if e.Part.Begins() {
			part = 0
		}
		at := ""
		if e.Part != keyspace.Whole {
			at = fmt.Sprint(part)
			part++
		}
		field := ""
		if e.Type == keyspace.Hash || e.Type == keyspace.Stream {
			field = string(e.Field)
		}
		lines = append(lines, fmt.Sprintf("%d %q %q %q %s", e.DB, e.Key, field, e.Value, at))
	}
	return lines
}

func dumpFiles(t testing.TB) []string {
	t.Helper()
	names, _ := filepath.Glob("../../testdata/dumps/*.rdb")
	if len(names) == 0 {
		t.Fatal("no snapshots")
	}
	return names
}

// TestCSV: every element is a line, from which its bytes can be had, and no cell is a
// formula.
func TestCSV(t *testing.T) {
	for _, name := range dumpFiles(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(exported(t, data, export.CSV))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		column := func(r []string, name string) string { return r[slices.Index(rows[0], name)] }
		exact := func(r []string, name string) string {
			if b64 := column(r, name+"_b64"); b64 != "" {
				p, err := base64.StdEncoding.DecodeString(b64)
				if err != nil {
					t.Fatal(err)
				}
				return string(p)
			}
			return column(r, name)
		}
		var got []string
		for _, r := range rows[1:] {
			for _, cell := range r {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@") || strings.ContainsAny(cell, "\x1b\r\n") {
					t.Errorf("%s: cell %q", name, cell)
				}
			}
			switch column(r, "what") {
			case "key", "meta", "group", "consumer", "pending":
				continue
			}
			got = append(got, fmt.Sprintf("%s %q %q %q %s", column(r, "db"), exact(r, "key"), exact(r, "field"), exact(r, "value"), column(r, "part")))
		}
		if want := elementsOf(t, data); !slices.Equal(got, want) {
			t.Errorf("%s: %d rows, want %d", name, len(got), len(want))
		}
	}
}

// TestParquet: the library reads back every element.
func TestParquet(t *testing.T) {
	type text struct {
		Text string `parquet:"text"`
		Raw  []byte `parquet:"raw,optional"`
	}
	type row struct {
		DB    int32  `parquet:"db"`
		Key   text   `parquet:"key"`
		What  string `parquet:"what"`
		Field text   `parquet:"field"`
		Value text   `parquet:"value"`
		Part  *int32 `parquet:"part,optional"`
	}
	exact := func(x text) string {
		if x.Raw != nil {
			return string(x.Raw)
		}
		return x.Text
	}
	for _, name := range dumpFiles(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file := exported(t, data, export.Parquet)
		rows, err := parquet.Read[row](bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			switch r.What {
			case "key", "meta", "group", "consumer", "pending":
				continue
			}
			part := ""
			if r.Part != nil {
				part = fmt.Sprint(*r.Part)
			}
			got = append(got, fmt.Sprintf("%d %q %q %q %s", r.DB, exact(r.Key), exact(r.Field), exact(r.Value), part))
		}
		if want := elementsOf(t, data); !slices.Equal(got, want) {
			t.Errorf("%s: %d rows, want %d", name, len(got), len(want))
		}
	}
}

// TestTablesSayPresumed: whether a database is one that is only presumed.
func TestTablesSayPresumed(t *testing.T) {
	keys := func(yield func(*keyspace.Event, error) bool) {
		for _, presumed := range []bool{false, true} {
			_ = yield(&keyspace.Event{Kind: keyspace.Key, Type: keyspace.String, DB: 3, Presumed: presumed, Key: []byte("k"), Expire: keyspace.NoExpire}, nil) &&
				yield(&keyspace.Event{Kind: keyspace.Element, Type: keyspace.String, DB: 3, Presumed: presumed, Value: []byte("v"), Expire: keyspace.NoExpire}, nil) &&
				yield(&keyspace.Event{Kind: keyspace.KeyEnd}, nil)
		}
	}
	table := func(f export.Format) []byte {
		var out bytes.Buffer
		if err := export.Run(t.Context(), keys, &out, export.Options{Format: f}); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	lines, err := csv.NewReader(bytes.NewReader(table(export.CSV))).ReadAll()
	if err != nil || len(lines) != 3 {
		t.Fatalf("%q, %v", lines, err)
	}
	at := slices.Index(lines[0], "db_presumed")
	if at < 0 || lines[1][at] != "false" || lines[2][at] != "true" {
		t.Errorf("CSV: %q", lines)
	}
	type row struct {
		Presumed bool `parquet:"db_presumed"`
	}
	data := table(export.Parquet)
	rows, err := parquet.Read[row](bytes.NewReader(data), int64(len(data)))
	if err != nil || !slices.Equal(rows, []row{{false}, {true}}) {
		t.Errorf("Parquet: %+v, %v", rows, err)
	}
}
