package fleet

import (
	"context"
	"errors"
	"fmt"
)

// Cancel takes inputs out of the queue, and from workers that scan them, which
// notice within a third of their lease. No paths: all. It returns how many, also with
// an error: of paths, for each that was never submitted.
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
		called, err := db.names.called(p)
		if err != nil {
			return n, err
		}
		r, err := db.sql.ExecContext(ctx, db.q(cancel+` AND path = $1`), called)
		if err != nil {
			return n, err
		}
		one, err := r.RowsAffected()
		if err != nil {
			return n, err
		}
		n += one
		var known bool
		if err := db.sql.QueryRowContext(ctx, db.q(`SELECT EXISTS (SELECT 1 FROM fleet_inputs WHERE path = $1)`), called).Scan(&known); err != nil {
			return n, err
		}
		if !known {
			unknown = append(unknown, fmt.Errorf("%s: was never submitted", p))
		}
	}
	return n, errors.Join(unknown...)
}
