package fleet

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/riverqueue/river/rivermigrate"
)

// A migration leads from the version before it to its own, and back: by statements
// and, between those that make and those that remove, by what moves the data.
type migration struct {
	up, down         []string
	moveUp, moveDown func(context.Context, *DB, *sql.Tx) error
	upAfter          []string
	downAfter        []string
}

// Latest is the version of the tables that this program works with.
const Latest = 5

// migrations are those of this package's own tables: version n is at n-1.
// {serial} is a primary key that the database counts, and {bytes} the type of bytes;
// what begins with {postgres} is for PostgreSQL alone.
var migrations = [Latest]migration{{
	up: []string{
		`CREATE TABLE fleet_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)`,
		`CREATE TABLE fleet_runs (id {serial}, submitted BIGINT NOT NULL)`,
		`CREATE TABLE fleet_inputs (
			id {serial}, path TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, instance TEXT NOT NULL,
			size BIGINT NOT NULL, stamp TEXT NOT NULL, sha256 TEXT NOT NULL DEFAULT '',
			run BIGINT NOT NULL, status TEXT NOT NULL, gen BIGINT NOT NULL DEFAULT 1, job BIGINT NOT NULL DEFAULT 0,
			attempts BIGINT NOT NULL DEFAULT 0, lease TEXT NOT NULL DEFAULT '', lease_until BIGINT NOT NULL DEFAULT 0, worker TEXT NOT NULL DEFAULT '',
			reason TEXT NOT NULL DEFAULT '', complete BIGINT NOT NULL DEFAULT 0, findings BIGINT NOT NULL DEFAULT 0, bytes BIGINT NOT NULL DEFAULT 0)`,
		`CREATE INDEX fleet_inputs_status ON fleet_inputs (status)`,
		createRecords, createRecordsIndex, createSecrets,
	},
	down: []string{`DROP TABLE fleet_secrets`, `DROP TABLE fleet_records`, `DROP TABLE fleet_inputs`, `DROP TABLE fleet_runs`, `DROP TABLE fleet_meta`},
}, {
	up:   []string{`ALTER TABLE fleet_inputs ADD COLUMN role TEXT NOT NULL DEFAULT ''`},
	down: []string{`ALTER TABLE fleet_inputs DROP COLUMN role`},
}, {
	up: []string{
		`ALTER TABLE fleet_inputs ADD COLUMN sealed TEXT NOT NULL DEFAULT ''`,
		`ALTER TABLE fleet_inputs ADD COLUMN key_count BIGINT NOT NULL DEFAULT 0`,
		`ALTER TABLE fleet_inputs ADD COLUMN value_count BIGINT NOT NULL DEFAULT 0`,
	},
	down: []string{
		`ALTER TABLE fleet_inputs DROP COLUMN value_count`,
		`ALTER TABLE fleet_inputs DROP COLUMN key_count`,
		`ALTER TABLE fleet_inputs DROP COLUMN sealed`,
	},
}, {
	up: []string{
		`CREATE TABLE fleet_findings (input BIGINT NOT NULL REFERENCES fleet_inputs (id), seq BIGINT NOT NULL, body {bytes} NOT NULL, PRIMARY KEY (input, seq))`,
		`CREATE TABLE fleet_seen (input BIGINT NOT NULL, seq BIGINT NOT NULL, run BIGINT NOT NULL, ids {bytes} NOT NULL, PRIMARY KEY (input, seq))`,
		`{postgres}ALTER TABLE fleet_findings ALTER COLUMN body SET STORAGE EXTERNAL`, // it would try to compress what is compressed
		`{postgres}ALTER TABLE fleet_seen ALTER COLUMN ids SET STORAGE EXTERNAL`,
		`ALTER TABLE fleet_inputs ADD COLUMN gone BIGINT NOT NULL DEFAULT 0`,
		`ALTER TABLE fleet_inputs ADD COLUMN lease_for BIGINT NOT NULL DEFAULT 0`,
	},
	moveUp:    packRecords,
	upAfter:   []string{`DROP TABLE fleet_secrets`, `DROP TABLE fleet_records`},
	down:      []string{createRecords, createRecordsIndex, createSecrets},
	moveDown:  unpackRecords,
	downAfter: []string{`ALTER TABLE fleet_inputs DROP COLUMN lease_for`, `ALTER TABLE fleet_inputs DROP COLUMN gone`, `DROP TABLE fleet_seen`, `DROP TABLE fleet_findings`},
}, {
	up:       []string{`ALTER TABLE fleet_findings RENAME TO fleet_found`},
	moveUp:   codeFindings,
	down:     []string{`ALTER TABLE fleet_found RENAME TO fleet_findings`},
	moveDown: uncodeFindings,
}}

const (
	createRecords = `CREATE TABLE fleet_records (
		input BIGINT NOT NULL REFERENCES fleet_inputs (id), seq BIGINT NOT NULL, kind TEXT NOT NULL, secret TEXT NOT NULL, body TEXT NOT NULL,
		PRIMARY KEY (input, seq))`
	createRecordsIndex = `CREATE INDEX fleet_records_secret ON fleet_records (secret)`
	createSecrets      = `CREATE TABLE fleet_secrets (id TEXT PRIMARY KEY, run BIGINT NOT NULL)`
)

// Migrate brings the tables to a version, upwards or downwards; 0 removes them
// all, with everything in them.
func (db *DB) Migrate(ctx context.Context, version int) error {
	if at, err := db.version(ctx); err == nil && at == version {
		return nil
	}
	m, err := rivermigrate.New(db.driver, &rivermigrate.Config{Logger: silent})
	if err != nil {
		return err
	}
	if db.lite { // whose transactions keep others out
		return db.tx(ctx, func(tx *sql.Tx) error {
			return db.migrate(ctx, tx, version, func(d rivermigrate.Direction, o *rivermigrate.MigrateOpts) error {
				_, err := m.MigrateTx(ctx, tx, d, o) //nolint:staticcheck // only PostgreSQL has migrations that need a transaction each
				return err
			})
		})
	}
	lock, err := db.sql.Conn(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := lock.ExecContext(ctx, `SELECT pg_advisory_lock(7021961238)`); err != nil {
		return err
	}
	defer lock.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(7021961238)`) //nolint:errcheck // a session that fails has no locks
	return db.tx(ctx, func(tx *sql.Tx) error {
		return db.migrate(ctx, tx, version, func(d rivermigrate.Direction, o *rivermigrate.MigrateOpts) error {
			_, err := m.Migrate(ctx, d, o)
			return err
		})
	})
}

// versionError is a version of the tables that this program does not know.
type versionError int

func (v versionError) Error() string {
	return fmt.Sprintf("its tables are of version %d, and this program knows %d", int(v), Latest)
}

// current says whether the tables are of another version than when they were opened.
func (db *DB) current(ctx context.Context) error {
	at, err := db.version(ctx)
	if err == nil && at != Latest {
		return versionError(at)
	}
	return nil // a database that does not answer may do so later
}

func (db *DB) version(ctx context.Context) (version int, err error) {
	err = db.sql.QueryRowContext(ctx, `SELECT version FROM fleet_version`).Scan(&version)
	return version, err
}

// migrate brings the tables of this package to a version in tx, and by queue those of River.
func (db *DB) migrate(ctx context.Context, tx *sql.Tx, version int, queue func(rivermigrate.Direction, *rivermigrate.MigrateOpts) error) error {
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS fleet_version (version BIGINT NOT NULL)`); err != nil {
		return err
	}
	at := 0
	err := tx.QueryRowContext(ctx, `SELECT version FROM fleet_version`).Scan(&at)
	if err == sql.ErrNoRows {
		_, err = tx.ExecContext(ctx, `INSERT INTO fleet_version VALUES (0)`)
	}
	if err != nil {
		return err
	}
	if at > Latest {
		return versionError(at)
	}
	if at == 0 && version > 0 {
		if err := queue(rivermigrate.DirectionUp, nil); err != nil {
			return err
		}
	}
	for ; at != version; at += step(at, version) {
		m := migrations[min(at, at+step(at, version))]
		before, move, after := m.up, m.moveUp, m.upAfter
		if version < at {
			before, move, after = m.down, m.moveDown, m.downAfter
		}
		if err := db.define(ctx, tx, before); err != nil {
			return err
		}
		if move != nil {
			if err := move(ctx, db, tx); err != nil {
				return err
			}
		}
		if err := db.define(ctx, tx, after); err != nil {
			return err
		}
	}
	if version == 0 {
		if err := queue(rivermigrate.DirectionDown, &rivermigrate.MigrateOpts{TargetVersion: -1}); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, db.q(`UPDATE fleet_version SET version = $1`), version)
	return err
}

// define makes and removes tables.
func (db *DB) define(ctx context.Context, tx *sql.Tx, statements []string) error {
	types := strings.NewReplacer("{serial}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "{bytes}", "BYTEA")
	if db.lite {
		types = strings.NewReplacer("{serial}", "INTEGER PRIMARY KEY AUTOINCREMENT", "{bytes}", "BLOB")
	}
	for _, s := range statements {
		s, only := strings.CutPrefix(s, "{postgres}")
		if only && db.lite {
			continue
		}
		if _, err := tx.ExecContext(ctx, types.Replace(s)); err != nil {
			return err
		}
	}
	return nil
}

func step(at, version int) int {
	if at < version {
		return 1
	}
	return -1
}
