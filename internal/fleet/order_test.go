package fleet_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The largest of what was submitted is scanned first.
func TestLargestFirst(t *testing.T) {
	dir := t.TempDir()
	for i, keys := range []int{20, 5, 90, 40} {
		write(t, filepath.Join(dir, fmt.Sprint(i)+".aof"), logOf(i, keys))
	}
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", dir)
	db, err := sql.Open("sqlite", strings.TrimPrefix(h.database, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT i.path FROM fleet_inputs i JOIN river_job j ON j.id = i.job ORDER BY j.priority, j.scheduled_at, j.id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var order []string
	for rows.Next() {
		var path string
		if err := rows.Scan(&path); err != nil {
			t.Fatal(err)
		}
		order = append(order, filepath.Base(path))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(order, []string{"2.aof", "3.aof", "0.aof", "1.aof"}) {
		t.Errorf("%v", order)
	}
}
