package fleet

import (
	"context"
	"database/sql"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/scan"
)

// recorder keeps what a scan reports of one input until it is stored.
type recorder struct {
	tmp     string
	budget  int64
	spilled *spill.Store
	found   *packed
	ids     *idSet
	sums    []string
	summary *report.Summary
}

// recordBudget is how much of what was found is held in memory at most, and how much
// of the ids of what was found.
const recordBudget = 32 << 20

// newRecorder returns a recorder that takes up to half of maxMem.
func newRecorder(tmp string, maxMem int64) *recorder {
	budget := min(maxMem/4, recordBudget)
	r := &recorder{tmp: tmp, budget: budget, ids: newIDSet(tmp, budget)}
	r.begin()
	return r
}

// begin makes room for what is found.
func (r *recorder) begin() {
	r.spilled = spill.New(r.tmp, r.budget)
	r.found = newPacked(r.spilled)
}

// empty makes a recorder one of another input, which keeps little room, and no file.
func (r *recorder) empty() {
	_ = r.ids.close()
	r.sums, r.summary = nil, nil
	if r.spilled.Spilled() > 0 {
		_ = r.spilled.Close()
		r.begin()
		return
	}
	r.found.empty()
}

func (r *recorder) Run(*report.Run) error { return nil }

func (r *recorder) File(f *report.File) error {
	r.sums = append(r.sums, f.SHA256)
	return nil
}

func (r *recorder) Finding(f *scan.Finding) error {
	if err := r.ids.add(f.ID); err != nil {
		return err
	}
	return r.found.finding(f)
}

func (r *recorder) Damage(d *report.Damage) error { return r.found.damage(d) }

func (r *recorder) Summary(s *report.Summary) error {
	r.summary = s
	return nil
}

// store replaces what is known of an input, in one transaction, if its lease is
// still held; errLost if it is not.
func (db *DB) store(ctx context.Context, l *lease, r *recorder) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		s := r.summary
		complete := 0
		if s.Complete {
			complete = 1
		}
		var run int64
		err := tx.QueryRowContext(ctx, db.q(`UPDATE fleet_inputs SET status = 'done', lease = '', reason = '', sha256 = $1, complete = $2, findings = $3, bytes = $4, key_count = $5, value_count = $6
			WHERE id = $7 AND lease = $8 AND status = 'running' RETURNING run`), strings.Join(r.sums, ","), complete, int64(s.Findings), s.BytesRead, int64(s.Keys), int64(s.Values), l.input, l.token).Scan(&run)
		if err == sql.ErrNoRows {
			return errLost
		}
		if err != nil {
			return err
		}
		if err := r.found.store(ctx, db, tx, foundTable, l.input); err != nil {
			return err
		}
		return r.ids.store(ctx, db, tx, l.input, run)
	})
}

// held is errLost if a statement that asks for a lease found none.
func held(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		return errLost
	}
	return err
}
