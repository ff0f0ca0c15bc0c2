package fleet

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"testing"

	"modernc.org/sqlite"
)

// counted counts what its connections prepare.
type counted struct {
	driver.Connector
	prepared *int
}

type countedConn struct {
	liteConn
	of *counted
}

func (c counted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return countedConn{conn.(liteConn), &c}, nil
}

func (c countedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	*c.of.prepared++
	return c.liteConn.PrepareContext(ctx, query)
}

// A statement is prepared once, yields what it would if it were anew, and few are kept.
func TestStatementsAreKept(t *testing.T) {
	c, err := sqlite.NewConnector("file:" + filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	prepared := 0
	k := keeper{counted{Connector: c, prepared: &prepared}}
	db := sql.OpenDB(k)
	defer db.Close()
	db.SetMaxOpenConns(1)
	do := func(query string, args ...any) {
		t.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			t.Fatal(err)
		}
	}
	do(`CREATE TABLE t (n INTEGER PRIMARY KEY, word TEXT)`)
	prepared = 0
	for n := range 10 {
		do(`INSERT INTO t VALUES (?1, ?2)`, n, fmt.Sprint("word ", n))
		var word string
		if err := db.QueryRow(`SELECT word FROM t WHERE n = ?1`, n).Scan(&word); err != nil || word != fmt.Sprint("word ", n) {
			t.Fatalf("%q, %v", word, err)
		}
	}
	if prepared != 2 {
		t.Errorf("two statements were prepared %d times", prepared)
	}

	if _, err := db.Exec(`INSERT INTO t VALUES (?1, ?2)`, 1, "again"); err == nil {
		t.Error("a row is there twice")
	}
	do(`INSERT INTO t VALUES (?1, ?2)`, 10, "word 10")

	tx, err := db.Begin() // on one connection, a statement is run while it is run
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() // it does nothing after Commit
	const all = `SELECT n FROM t ORDER BY n`
	rows, err := tx.Query(all)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var outer, inner int
		if err := rows.Scan(&outer); err != nil {
			t.Fatal(err)
		}
		if err := tx.QueryRow(all).Scan(&inner); err != nil || outer != n || inner != 0 {
			t.Fatalf("row %d is %d, and the first %d, %v", n, outer, inner, err)
		}
	}
	if n != 11 || rows.Err() != nil {
		t.Errorf("%d rows, %v", n, rows.Err())
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}

	do(`DROP TABLE t`)
	do(`CREATE TABLE t (n INTEGER PRIMARY KEY, more TEXT DEFAULT 'more', word TEXT)`)
	do(`INSERT INTO t (n, word) VALUES (1, 'another')`)
	var word string
	if err := db.QueryRow(`SELECT word FROM t WHERE n = ?1`, 1).Scan(&word); err != nil || word != "another" {
		t.Errorf("of another table %q, %v", word, err)
	}

	for n := range 3 * maxIdle {
		do(fmt.Sprintf(`UPDATE t SET word = '%d'`, n))
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Raw(func(c any) error {
		if n := len(c.(*keeping).idle); n != maxIdle {
			return fmt.Errorf("%d statements are kept", n)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
