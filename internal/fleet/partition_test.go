package fleet_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// A partitioned report has all findings, each below its owner, instance and date.
func TestPartitions(t *testing.T) {
	d := dumps(t, 12)
	h := newHost(t, "")
	h.global = []string{"--identity", d.identity}
	h.run([]int{0}, "fleet", "submit", filepath.Join(d.dir, "instance-1"), "--owner", "pay & ship")
	h.run([]int{0}, "fleet", "submit", filepath.Join(d.dir, "instance-2"))
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	all := strings.Count(h.run(anyReport, "fleet", "report", "--format", "jsonl"), `{"type":"finding"`)
	out := filepath.Join(t.TempDir(), "findings")
	h.run(anyReport, "fleet", "report", "--format", "parquet", "--partition", out)
	h.run([]int{2}, "fleet", "report", "--format", "parquet", "--partition", out) // is there already
	shape := regexp.MustCompile(`^owner=(pay%20%26%20ship/instance=instance-1|__HIVE_DEFAULT_PARTITION__/instance=instance-2)/date=\d{4}-\d\d-\d\d/findings-0\.parquet$`)
	rows, files := 0, 0
	err := filepath.WalkDir(out, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if rel, _ := filepath.Rel(out, path); !shape.MatchString(rel) {
			t.Errorf("a file %s", rel)
		}
		data, err := os.Open(path)
		if err != nil {
			return err
		}
		defer data.Close()
		info, err := data.Stat()
		if err != nil {
			return err
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		f, err := parquet.OpenFile(data, info.Size())
		if err != nil {
			return err
		}
		rows += int(f.NumRows())
		files++
		return nil
	})
	if err != nil || files != 2 || rows != all || all == 0 {
		t.Errorf("%d of %d findings in %d files, %v", rows, all, files, err)
	}
	t.Run("DuckDB", func(t *testing.T) { duckdb(t, out, all) })
}

// duckdb runs the example of the documentation.
func duckdb(t *testing.T, dir string, all int) {
	if !servertest.Node() {
		servertest.Lacks(t, "node with DuckDB, for the documentation's example")
	}
	doc, err := os.ReadFile("../../docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, ok := strings.Cut(string(doc), "```sql\n")
	query, _, _ := strings.Cut(example, "```")
	if !ok || !strings.Contains(query, "'findings/") {
		t.Fatal("the documentation has no example")
	}
	query = strings.ReplaceAll(query, "'findings/", "'"+dir+"/")
	out, err := servertest.Runtime(t, "node", "testdata/duckdb.js", query).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var rows []struct {
		Owner  string
		Places int `json:",string"`
	}
	if err := json.Unmarshal(out, &rows); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sum, named := 0, false
	for _, r := range rows {
		sum += r.Places
		named = named || r.Owner == "pay & ship"
	}
	if sum != all || !named {
		t.Errorf("%d of %d findings: %s", sum, all, out)
	}
}
