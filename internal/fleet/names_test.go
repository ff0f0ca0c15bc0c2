package fleet_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// named is a directory whose name holds a token, in which a file's name is no text.
func named(t testing.TB) (dir, token string) {
	token = "gh" + "p_A1b2C3d4E5f6G7h8" + "I9j0K1l2M3n4O5p6Q7r8"
	dir = filepath.Join(t.TempDir(), token)
	write(t, filepath.Join(dir, "a.aof"), logOf(1, 3))
	write(t, filepath.Join(dir, "b\xff.aof"), logOf(2, 3))
	return dir, token
}

// Secrets in the names of directories, owners and instances do not enter the
// database, and all that goes by a name finds it.
func oddNames(t *testing.T, h *host) {
	dir, token := named(t)
	h.run([]int{0}, "fleet", "submit", dir, "--owner", token)
	h.run([]int{0}, "fleet", "cancel", filepath.Join(dir, "a.aof"))
	if s := h.status(); s.Inputs != 2 || s.Cancelled != 1 {
		t.Errorf("%+v", s)
	}
	h.run([]int{0}, "fleet", "submit", dir, dir+"/*", "--owner", token)
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	h.run([]int{0}, "fleet", "submit", dir, "--owner", token)
	if s := h.status(); s.Inputs != 2 || s.Done != 2 {
		t.Errorf("%+v", s)
	}
	want := findings(h.run([]int{1}, "scan", dir, "--format", "jsonl", "--quiet"))
	want = slices.DeleteFunc(want, func(line string) bool { return strings.Contains(line, `"where":"key"`) })
	for _, flags := range [][]string{nil, {"--owner", token}, {"--instance", token}} {
		got := findings(h.run([]int{1}, append([]string{"fleet", "report", "--format", "jsonl"}, flags...)...))
		if !slices.Equal(got, want) || len(got) == 0 {
			t.Errorf("%d findings, not the %d of one process", len(got), len(want))
			differ(t, got, want)
		}
	}
	out := filepath.Join(t.TempDir(), "findings")
	h.run([]int{1}, "fleet", "report", "--format", "parquet", "--partition", out)
	if err := filepath.WalkDir(out, func(path string, _ os.DirEntry, err error) error {
		if strings.Contains(path, token) {
			t.Error("a directory of the report is named by the token")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "b\xff.aof")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "a.aof"), logOf(1, 4))
	h.run([]int{0}, "fleet", "submit", dir)
	if s := h.status(); s.Gone != 1 || s.Inputs != 1 {
		t.Errorf("one is gone: %+v", s)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet", "--attempts", "1")
	if s := h.status(); s.Failed != 1 || strings.Contains(s.SetAside[0].Input+s.SetAside[0].Reason, token) {
		t.Errorf("%+v", s)
	}
	// With another key, the names would be others.
	write(t, filepath.Join(dir, "c.aof"), logOf(3, 1))
	h.run([]int{4}, "fleet", "submit", dir, "--id-key", filepath.Join(t.TempDir(), "key"))
}

func TestOddNamesSQLite(t *testing.T) {
	h := newHost(t, "")
	oddNames(t, h)
	h.noToken(strings.TrimPrefix(h.database, "sqlite:") + "*")
	_, token := named(t)
	if lines := h.run(anyReport, "fleet", "report", "--format", "jsonl"); len(findings(lines)) == 0 || strings.Contains(lines, token) {
		t.Error("the token is kept with the findings")
	}
}

func TestOddNamesPostgres(t *testing.T) {
	p := newPostgres(t)
	h := newHost(t, p.url())
	oddNames(t, h)
	p.stop()
	h.noToken(filepath.Join(p.dir, "data", "base", "*", "*"))
	h.noToken(filepath.Join(p.dir, "data", "pg_wal", "0*"))
}

// noToken fails the test if the token stands in one of the files.
func (h *host) noToken(pattern string) {
	_, token := named(h.t)
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		h.t.Fatal(pattern, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			h.t.Fatal(err)
		}
		if strings.Contains(string(data), token) {
			h.t.Errorf("the token is in %s", filepath.Base(name))
		}
	}
}

// What keeps a report from covering all is told by all of them, and of what they cover.
func TestIncompleteReports(t *testing.T) {
	dir := dumps(t, 5).dir // 0004 is sealed
	h := newHost(t, "")
	h.run([]int{2}, "fleet", "report") // there is no database
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	h.run([]int{3}, "fleet", "report") // there are no inputs
	h.run([]int{0}, "fleet", "submit", filepath.Join(dir, "instance-1"), "--owner", "whole")
	h.run([]int{0}, "fleet", "submit", filepath.Join(dir, "instance-4"), "--owner", "sealed")
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	for owner, status := range map[string]int{"whole": 1, "sealed": 3, "": 5} {
		for _, flags := range [][]string{{}, {"--format", "jsonl"}, {"--secrets"}, {"--format", "parquet", "--partition", filepath.Join(t.TempDir(), "p")}} {
			h.run([]int{status}, append([]string{"fleet", "report", "--owner", owner}, flags...)...)
		}
	}
	if out := h.run([]int{1}, "fleet", "report", "--owner", "whole"); !strings.Contains(out, "1 file, 3") {
		t.Errorf("%s", out[max(0, len(out)-200):])
	}
}

// An input whose sealed path does not open is set aside as any that cannot be read.
func TestSealedPathIsDamaged(t *testing.T) {
	dir, _ := named(t)
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	db, err := sql.Open("sqlite", strings.TrimPrefix(h.database, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE fleet_inputs SET sealed = 'AAAA'`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet", "--attempts", "1")
	if s := h.status(); s.Failed != 2 || !strings.Contains(s.SetAside[0].Reason, "sealed path") {
		t.Errorf("%+v", s)
	}
}
