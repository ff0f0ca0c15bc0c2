package fleet_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/valkeyfs/valkeyfs/internal/fleet"
)

// Findings outlive the tables of the version before, and those of this one again:
// reports stay as they were.
func findingsMoved(t *testing.T, database string) {
	d := dumps(t, 12)
	h := newHost(t, database)
	h.global = []string{"--identity", d.identity}
	later := func(keys int) {
		write(t, filepath.Join(d.dir, "instance-9", "later.aof"), logOf(40, keys))
		h.run([]int{0}, "fleet", "submit", d.dir)
		h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	}
	later(10)
	later(20)
	report := func() [3]string {
		return [3]string{
			h.run(anyReport, "fleet", "report", "--format", "jsonl"),
			h.run(anyReport, "fleet", "report", "--format", "jsonl", "--new"),
			h.run(anyReport, "fleet", "report", "--format", "jsonl", "--secrets"),
		}
	}
	want := report()
	if len(findings(want[0])) <= len(findings(want[1])) || len(findings(want[1])) == 0 {
		t.Fatalf("%d findings, %d new ones", len(findings(want[0])), len(findings(want[1])))
	}
	for range 2 {
		db, err := fleet.Open(t.Context(), h.database, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range []int{3, 4, fleet.Latest, 4, 3, fleet.Latest} {
			if err := db.Migrate(context.Background(), version); err != nil {
				t.Fatalf("to version %d: %v", version, err)
			}
			if version == 4 && !slices.Equal(findings(unzipped(t, h.database)), findings(want[0])) {
				t.Error("version 4 does not have what the report has")
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if got := report(); got != want {
			t.Errorf("the reports changed: %d, %d and %d bytes, not %d, %d and %d", len(got[0]), len(got[1]), len(got[2]), len(want[0]), len(want[1]), len(want[2]))
		}
	}
	h.reported(d.dir)
	// What is known already is not new because it is scanned once more.
	later(21)
	if n := len(findings(h.run(anyReport, "fleet", "report", "--format", "jsonl", "--new"))); n != 1 {
		t.Errorf("%d findings are new, not 1", n)
	}
}

// unzipped is what a database of version 4 keeps: lines, compressed for each input.
func unzipped(t *testing.T, database string) string {
	driver, name := "pgx", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, name = "sqlite", path
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT body FROM fleet_findings ORDER BY input, seq`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all bytes.Buffer
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			t.Fatal(err)
		}
		all.Write(body)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	lines, err := io.ReadAll(s2.NewReader(&all))
	if err != nil {
		t.Fatal(err)
	}
	return string(lines)
}

// What is found in an input may take many rows.
func TestManyRows(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "many.aof"), logOf(1, 8000))
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	db, err := sql.Open("sqlite", strings.TrimPrefix(h.database, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows, longest int
	if err := db.QueryRow(`SELECT count(*), max(length(body)) FROM fleet_found`).Scan(&rows, &longest); err != nil {
		t.Fatal(err)
	}
	if rows < 2 || longest > 256<<10 {
		t.Errorf("%d rows of up to %d bytes", rows, longest)
	}
	h.reported(dir)
}

var damagedSaid = regexp.MustCompile(`^valkeyfs: input [12]: what is kept of an input is damaged\n$`)

// What is kept of an input is not reported where a bit of it is another, or a row is
// missing or elsewhere.
func TestDamagedRows(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "some.aof"), logOf(1, 20))
	write(t, filepath.Join(dir, "many.aof"), logOf(2, 8000))
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	report := []string{"fleet", "report", "--format", "jsonl"}
	whole := h.run(anyReport, report...)
	db, err := sql.Open("sqlite", strings.TrimPrefix(h.database, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const many = `input = (SELECT input FROM fleet_found WHERE seq = 1)`
	for _, c := range []struct{ name, damage string }{
		{"a bit", `UPDATE fleet_found SET body = CAST(substr(body, 1, 1999) AS BLOB) || x'7f' || substr(body, 2001) WHERE seq = 0 AND ` + many},
		{"cut off", `UPDATE fleet_found SET body = substr(body, 1, length(body) - 9) WHERE seq = 0 AND ` + many},
		{"nothing in a row", `UPDATE fleet_found SET body = x'' WHERE NOT ` + many},
		{"the first is missing", `DELETE FROM fleet_found WHERE seq = 0 AND ` + many},
		{"the last is missing", `DELETE FROM fleet_found WHERE seq = (SELECT max(seq) FROM fleet_found) AND ` + many},
		{"one behind the last", `INSERT INTO fleet_found SELECT input, seq + 99, body FROM fleet_found WHERE seq = 0 AND ` + many},
		{"the wrong order", `UPDATE fleet_found SET seq = 99 WHERE seq = 0 AND ` + many},
	} {
		for _, s := range []string{`CREATE TABLE kept AS SELECT * FROM fleet_found`, c.damage} {
			if _, err := db.Exec(s); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		cmd := h.command(report...)
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != 4 || !damagedSaid.Match(said.Bytes()) {
			t.Errorf("%s: %v: %.300q", c.name, err, said.Bytes())
		}
		for _, s := range []string{`DELETE FROM fleet_found`, `INSERT INTO fleet_found SELECT * FROM kept`, `DROP TABLE kept`} {
			if _, err := db.Exec(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	if h.run(anyReport, report...) != whole {
		t.Error("the report is another without damage")
	}
}

// Where the database has lost all that was found in an input, a report says so, and is
// partial.
func TestLostRows(t *testing.T) {
	dir := t.TempDir()
	lost := filepath.Join(dir, "many.aof")
	write(t, filepath.Join(dir, "none.aof"), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n")
	write(t, filepath.Join(dir, "some.aof"), logOf(1, 20))
	write(t, lost, logOf(2, 100))
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet")
	h.run([]int{1}, "fleet", "report", "--format", "jsonl")
	db, err := sql.Open("sqlite", strings.TrimPrefix(h.database, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const why = "of 3 inputs, 1 with findings that are kept no more"
	if _, err := db.Exec(`DELETE FROM fleet_found WHERE input = (SELECT id FROM fleet_inputs WHERE path = ?)`, lost); err != nil {
		t.Fatal(err)
	}
	got := h.run([]int{5}, "fleet", "report", "--format", "jsonl")
	for _, want := range []string{`{"type":"damage","source":"` + lost + `",`, `"complete":false`, `"stopped":"` + why + `"`, `"damages":1`} {
		if !strings.Contains(got, want) {
			t.Errorf("not said: %s", want)
		}
	}
	if len(findings(got)) == 0 {
		t.Error("nothing of the other input is reported")
	}
	for _, args := range [][]string{{"--secrets"}, {"--format", "parquet", "--partition", filepath.Join(t.TempDir(), "parts")}} {
		cmd := h.command(append([]string{"fleet", "report"}, args...)...)
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != 5 || !strings.Contains(said.String(), "incomplete: "+why+"\n") {
			t.Errorf("%v: %v: %.300q", args, err, said.Bytes())
		}
	}
	if _, err := db.Exec(`DELETE FROM fleet_found`); err != nil {
		t.Fatal(err)
	}
	h.run([]int{3}, "fleet", "report", "--format", "jsonl")
}

// A worker beside which a newer program has moved the tables ends, and counts nothing
// against an input.
func TestMovedTablesEndWork(t *testing.T) {
	dir := t.TempDir()
	for i := range 40 {
		write(t, filepath.Join(dir, strconv.Itoa(i)+".aof"), logOf(i, 400))
	}
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	db, err := sql.Open("sqlite", strings.TrimPrefix(h.database, "sqlite:")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	cmd := h.command("fleet", "work", "--drain", "--quiet")
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for done := 0; done == 0; time.Sleep(time.Millisecond) {
		if err := db.QueryRow(`SELECT count(*) FROM fleet_inputs WHERE status = 'done'`).Scan(&done); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(`BEGIN IMMEDIATE; UPDATE fleet_version SET version = version + 1; ALTER TABLE fleet_found RENAME TO fleet_newer; COMMIT`); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	want := fmt.Sprintf("its tables are of version %d, and this program knows %d\n", fleet.Latest+1, fleet.Latest)
	if cmd.ProcessState.ExitCode() != 4 || strings.Count(said.String(), "\n") != 1 || !strings.HasSuffix(said.String(), want) {
		t.Errorf("%v: %.500q", err, said.Bytes())
	}
	var queued, counted int
	if err := db.QueryRow(`SELECT count(*), sum(attempts) FROM fleet_inputs WHERE status <> 'done'`).Scan(&queued, &counted); err != nil {
		t.Fatal(err)
	}
	if queued == 0 || counted > 0 {
		t.Errorf("%d inputs are left, %d attempts at them count", queued, counted)
	}
}

func TestFindingsMoved(t *testing.T) { findingsMoved(t, "") }

func TestFindingsMovedPostgres(t *testing.T) {
	findingsMoved(t, newPostgres(t).url())
}
