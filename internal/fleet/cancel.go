package fleet

import "context"

// Cancel takes inputs out of the queue, and from workers that scan them, which
// notice within a third of their lease. No paths: all. It returns how many.
func (db *DB) Cancel(ctx context.Context, paths []string) (n int64, err error) {
	const cancel = `UPDATE fleet_inputs SET status = 'cancelled', lease = '' WHERE status IN ('queued', 'running')`
	if len(paths) == 0 {
		r, err := db.sql.ExecContext(ctx, cancel)
		if err != nil {
			return 0, err
		}
		return r.RowsAffected()
	}
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
	}
	return n, nil
}
