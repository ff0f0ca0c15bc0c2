package fleet

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// errLost says that another worker holds the input, or that it was cancelled.
var errLost = errors.New("the lease of the input was lost")

// lease is an input in the hands of a worker, which shows now and then that it
// lives.
type lease struct {
	input    int64
	token    string
	path     string
	called   string // the path in the database
	role     string // that the file plays beside others
	attempts int64
}

// claim takes an input, or returns nil if there is nothing to do about it: it was
// queued anew, cancelled or taken. A lease that comes with an error is of an input
// whose path is not known.
func (db *DB) claim(ctx context.Context, j scanJob, worker string, d time.Duration) (*lease, error) {
	l := &lease{input: j.Input, token: rand.Text()}
	var sealed string
	err := db.sql.QueryRowContext(ctx, db.q(`UPDATE fleet_inputs SET status = 'running', attempts = attempts + 1, lease = $1, worker = $2, lease_for = $3, lease_until = {now} + $3
		WHERE id = $4 AND gen = $5 AND status = 'queued' RETURNING path, sealed, role, attempts`), l.token, worker, d.Milliseconds(), j.Input, j.Gen).Scan(&l.called, &sealed, &l.role, &l.attempts)
	if err == sql.ErrNoRows {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l.path, err = db.names.path(l.called, sealed)
	return l, err
}

// beat extends a lease until ctx ends, and calls lost once it is lost. While the
// database does not answer, it tries again: whether the lease still holds is
// asked once more when the input is stored.
func (db *DB) beat(ctx context.Context, l *lease, d time.Duration, lost func()) {
	t := time.NewTicker(d / 3)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		r, err := db.sql.ExecContext(ctx, db.q(`UPDATE fleet_inputs SET lease_until = {now} + $1 WHERE id = $2 AND lease = $3`), d.Milliseconds(), l.input, l.token)
		if held(r, err) == errLost {
			lost()
			return
		}
	}
}

// release gives an input back that was not scanned to its end; uncounted, if that
// says nothing about the input.
func (db *DB) release(ctx context.Context, l *lease, reason string, counted bool) error {
	uncount := 1
	if counted {
		uncount = 0
	}
	return held(db.sql.ExecContext(ctx, db.q(`UPDATE fleet_inputs SET status = 'queued', lease = '', reason = $1, attempts = attempts - $2 WHERE id = $3 AND lease = $4`), reason, uncount, l.input, l.token))
}

// setAside ends the work on an input that cannot be scanned.
func (db *DB) setAside(ctx context.Context, l *lease, reason string) error {
	return held(db.sql.ExecContext(ctx, db.q(`UPDATE fleet_inputs SET status = 'failed', lease = '', reason = $1 WHERE id = $2 AND lease = $3`),
		fmt.Sprintf("%s (%d attempts)", reason, l.attempts), l.input, l.token))
}
