package fleet

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"modernc.org/sqlite"
)

// DB is the database of a fleet. It is safe for concurrent use, and so are
// several processes that have the same database open.
type DB struct {
	Tmp string // where reports spill what is much; "": the system's directory for temporary files

	sql    *sql.DB
	driver riverdriver.Driver[*sql.Tx]
	lite   bool
	names  *Names
	says   *strings.Replacer // of what the databases have different words for
}

// Open opens the database at sqlite:PATH or postgres://…, and brings its tables
// up to date. A SQLite file is made with mode 0600 if there is none.
func Open(ctx context.Context, location string, names *Names) (*DB, error) {
	db, err := connect(location)
	if err != nil {
		return nil, err
	}
	db.names = names
	if err := db.Migrate(ctx, Latest); err != nil {
		_ = db.Close()
		where := "database" // a URL may have a password
		if db.lite {
			where = FileOf(location)
		}
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return db, nil
}

// ErrLocation says that a database is named by what is none.
var ErrLocation = errors.New("database")

func connect(location string) (*DB, error) {
	scheme, _, _ := strings.Cut(location, ":")
	switch scheme + ":" {
	case liteScheme:
		return openSQLite(FileOf(location))
	case "postgres:", "postgresql:":
		return openPostgres(location)
	}
	return nil, fmt.Errorf("%w: neither sqlite:PATH nor postgres://…", ErrLocation)
}

// FileOf is the path of the file that a database is, or "" if it is none.
func FileOf(location string) string {
	path, ok := strings.CutPrefix(location, liteScheme)
	if !ok {
		return ""
	}
	return strings.TrimPrefix(path, "//")
}

// liteScheme begins the URL of a file.
const liteScheme = "sqlite:"

func openSQLite(path string) (*DB, error) {
	if path == "" {
		return nil, fmt.Errorf("%w: sqlite: names no file", ErrLocation)
	}
	path, err := filepath.Abs(path) // SQLite holds :memory: to be no file
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	// SQLite gives its logs the mode of the file.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	// The driver sorts what it is told by _pragma, and a file has its size of pages for
	// good once its journal is one of WAL: that comes behind them.
	o := url.Values{"_pragma": {"busy_timeout(30000)", "page_size(16384)", "synchronous(FULL)", "foreign_keys(1)"}, "_journal_mode": {"WAL"}, "_txlock": {"immediate"}}
	c, err := sqlite.NewConnector((&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: o.Encode()}).String())
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(keeper{c})
	pool.SetMaxOpenConns(1) // as River's driver wants it
	return &DB{sql: pool, driver: riversqlite.New(pool), lite: true, says: strings.NewReplacer(
		"{now}", "CAST((julianday('now')-2440587.5)*86400000 AS INTEGER)",
		"{bytes}", "",
		"{stuck}", "julianday(attempted_at) NOT BETWEEN julianday('now') - $1/86400000.0 AND julianday('now') + $1/86400000.0",
		"{time}", "datetime('now', 'subsec')",
		"{a minute ago}", "datetime('now', 'subsec', '-1 minute')",
		"{in six minutes}", "datetime('now', 'subsec', '+6 minutes')",
	)}, nil
}

// Close ends the use of the database.
func (db *DB) Close() error { return db.sql.Close() }

// q is a query in the dialect of the database: parameters are written $1. {now} is
// its clock, in milliseconds since 1970, and {time} as River writes times; {bytes}
// sorts text by its bytes; {stuck} is a job that was fetched more than a number of
// milliseconds ago, or after now.
func (db *DB) q(query string) string {
	query = db.says.Replace(query)
	if db.lite {
		query = strings.ReplaceAll(query, "$", "?")
	}
	return query
}

// values are rows of parameters, all that a statement has, each of the SQL type if
// one is named.
func (db *DB) values(rows, columns int, as string) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i%columns > 0:
			b.WriteString(", ")
		case i > 0:
			b.WriteString("), (")
		default:
			b.WriteString("(")
		}
		p := "?" // a number would cost SQLite a search
		if !db.lite {
			p = "$" + strconv.Itoa(i+1)
		}
		if as != "" {
			p = "CAST(" + p + " AS " + as + ")"
		}
		b.WriteString(p)
	}
	return b.String() + ")"
}

// tx does work in one transaction.
func (db *DB) tx(ctx context.Context, work func(*sql.Tx) error) error {
	tx, err := db.sql.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it does nothing after Commit
	if err := work(tx); err != nil {
		return err
	}
	return tx.Commit()
}
