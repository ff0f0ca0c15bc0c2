package fleet

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Cancel takes inputs out of the queue, and from workers that scan them, which
// notice within a third of their lease. A path that is none stands for all below it. No
// paths: all. It returns how many, also with an error: of paths, for each of which nothing
// was ever submitted.
func (db *DB) Cancel(ctx context.Context, paths []string) (n int64, err error) {
	const cancel = `UPDATE fleet_inputs SET status = 'cancelled', lease = '' WHERE status IN ('queued', 'running')`
	if len(paths) == 0 {
		r, err := db.sql.ExecContext(ctx, cancel)
		if err != nil {
			return 0, err
		}
		return r.RowsAffected()
	}
	var unknown []error
	for _, p := range paths {
		ids, err := db.named(ctx, p)
		if err != nil {
			return n, err
		}
		if len(ids) == 0 {
			unknown = append(unknown, fmt.Errorf("%s: was never submitted", p))
		}
		var some int64
		err = db.tx(ctx, func(tx *sql.Tx) error {
			for _, id := range ids {
				r, err := tx.ExecContext(ctx, db.q(cancel+` AND id = $1`), id)
				if err != nil {
					return err
				}
				one, err := r.RowsAffected()
				if err != nil {
					return err
				}
				some += one
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		n += some
	}
	return n, errors.Join(unknown...)
}

// named returns the input of a path, or all below it if that is none.
func (db *DB) named(ctx context.Context, path string) (ids []int64, err error) {
	called, err := db.names.called(path)
	if err != nil {
		return nil, err
	}
	var id int64
	switch err := db.sql.QueryRowContext(ctx, db.q(`SELECT id FROM fleet_inputs WHERE path = $1`), called).Scan(&id); {
	case err == nil:
		return []int64{id}, nil
	case !errors.Is(err, sql.ErrNoRows):
		return nil, err
	}
	dir := strings.TrimSuffix(path, "/") + "/"
	prefix, err := db.names.prefix(dir)
	if err != nil {
		return nil, err
	}
	rows, err := db.sql.QueryContext(ctx, db.q(`SELECT id, path, sealed FROM fleet_inputs WHERE sealed <> '' OR substr(path, 1, length(CAST($1 AS TEXT))) = $1`), prefix)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var called, sealed string
		if err := rows.Scan(&id, &called, &sealed); err != nil {
			return nil, err
		}
		at, err := db.names.path(called, sealed)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(at, dir) {
			ids = append(ids, id)
		}
	}
	return ids, rows.Err()
}
