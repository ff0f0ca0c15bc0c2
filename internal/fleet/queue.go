package fleet

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
)

// scanJob is what the queue holds of an input. Gen is counted up when an input is
// queued anew, so that a job which a dead worker left behind does nothing.
type scanJob struct {
	Input int64 `json:"input"`
	Gen   int64 `json:"gen"`
}

// Kind is the name that River knows the job by.
func (scanJob) Kind() string { return "valkeyfs_scan" }

// The states of an input.
const (
	Queued    = "queued"
	Running   = "running"
	Done      = "done"
	Failed    = "failed" // set aside, with a reason
	Cancelled = "cancelled"
)

// riverAttempts is more than an input is ever given: fleet_inputs counts them.
const riverAttempts = 1000

var silent = slog.New(slog.DiscardHandler)

// inserter returns a client of the queue that only adds to it.
func (db *DB) inserter() (*river.Client[*sql.Tx], error) {
	return river.NewClient(db.driver, &river.Config{Logger: silent})
}

// enqueue adds jobs, in the transaction that made their inputs queued.
func (db *DB) enqueue(ctx context.Context, c *river.Client[*sql.Tx], tx *sql.Tx, jobs []scanJob) error {
	if len(jobs) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		params[i] = river.InsertManyParams{Args: j, InsertOpts: &river.InsertOpts{MaxAttempts: riverAttempts}}
	}
	rows, err := c.InsertManyTx(ctx, tx, params)
	if err != nil {
		return err
	}
	var args []any
	for i, r := range rows {
		args = append(args, jobs[i].Input, r.Job.ID)
	}
	_, err = tx.ExecContext(ctx, db.q(`WITH v (id, job) AS (VALUES `+db.values(len(rows), 2, "BIGINT")+`) UPDATE fleet_inputs SET job = v.job FROM v WHERE fleet_inputs.id = v.id`), args...)
	return err
}

// rescue queues again what dead workers held: inputs whose lease ran out, and
// those whose job was fetched and never begun. Times that lie too far ahead are of
// before the clock of the database was set back.
func (db *DB) rescue(ctx context.Context, c *river.Client[*sql.Tx], lease time.Duration) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		if err := db.hasten(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, db.q(`SELECT id, gen FROM fleet_inputs WHERE status = 'running' AND lease_until NOT BETWEEN {now} AND {now} + 2 * lease_for
			UNION ALL SELECT id, gen FROM fleet_inputs WHERE status = 'queued' AND job IN (SELECT id FROM river_job WHERE state = 'running' AND {stuck})`), lease.Milliseconds())
		if err != nil {
			return err
		}
		defer rows.Close()
		var found []scanJob
		for rows.Next() {
			var j scanJob
			if err := rows.Scan(&j.Input, &j.Gen); err != nil {
				return err
			}
			found = append(found, j)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		var jobs []scanJob
		for _, j := range found {
			r, err := tx.ExecContext(ctx, db.q(`UPDATE fleet_inputs SET status = 'queued', gen = gen + 1, lease = '', worker = '' WHERE id = $1 AND gen = $2 AND status IN ('running', 'queued')`), j.Input, j.Gen)
			if err != nil {
				return err
			}
			if n, err := r.RowsAffected(); err != nil || n == 0 {
				continue // another worker was faster
			}
			jobs = append(jobs, scanJob{j.Input, j.Gen + 1})
		}
		return db.enqueue(ctx, c, tx, jobs)
	})
}

// hasten has the queue come to jobs at once that it would come to only when a clock
// has made up for what it was set back: no job waits longer than maxBackoff. River's
// leader has those wait for it that are to be tried again, and may be away as long.
func (db *DB) hasten(ctx context.Context, tx *sql.Tx) error {
	for _, late := range []string{
		"state IN ('available', 'retryable', 'scheduled') AND queue = $1 AND priority = $2 AND scheduled_at > {in six minutes}",
		"state = 'retryable' AND queue = $1 AND priority = $2 AND scheduled_at < {a minute ago}",
	} {
		if _, err := tx.ExecContext(ctx, db.q(`UPDATE river_job SET state = 'available', scheduled_at = {time} WHERE `+late), river.QueueDefault, river.PriorityDefault); err != nil {
			return err
		}
	}
	return nil
}
