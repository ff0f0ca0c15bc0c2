package fleet

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/riverqueue/river"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

// Submission says what is submitted, and for whom.
type Submission struct {
	Sources  []string // files, directories, patterns and s3://bucket/prefix
	Owner    string   // tag; "" is none
	Instance string   // tag; "": the name of the directory that an input lies in
	Read     source.Options
	S3       S3Options
}

// Submitted counts what became of the inputs.
type Submitted struct {
	Run       int64 `json:"run"`
	Inputs    int64 `json:"inputs"`
	Queued    int64 `json:"queued"`
	Unchanged int64 `json:"unchanged"`
}

// batch is how many inputs are added in one transaction.
const batch = 500

// input is what is known of an input before it is scanned.
type input struct {
	path, instance string
	role           source.Role // that a file plays beside others
	size           int64
	stamp          string                                // changes when size or times of its files do
	hash           func(context.Context) (string, error) // of what it holds
}

// submit is a submission at work.
type submit struct {
	db      *DB
	c       *river.Client[*sql.Tx]
	o       Submission
	out     Submitted
	pending []input
}

// Submit queues the inputs that are new or that changed since they were last
// submitted. What is queued already stays as it is, also if an error follows.
func (db *DB) Submit(ctx context.Context, o Submission) (*Submitted, error) {
	c, err := db.inserter()
	if err != nil {
		return nil, err
	}
	s := &submit{db: db, c: c, o: o}
	if err := db.sql.QueryRowContext(ctx, db.q(`INSERT INTO fleet_runs (submitted) VALUES ({now}) RETURNING id`)).Scan(&s.out.Run); err != nil {
		return nil, err
	}
	for _, name := range o.Sources {
		if err := s.named(ctx, name); err != nil {
			return nil, err
		}
	}
	return &s.out, s.flush(ctx)
}

// named submits what one argument stands for.
func (s *submit) named(ctx context.Context, name string) error {
	if strings.HasPrefix(name, scheme) {
		return s.bucket(ctx, name)
	}
	paths := []string{name}
	if strings.ContainsAny(name, "*?[") {
		var err error
		if paths, err = filepath.Glob(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(paths) == 0 {
			return fmt.Errorf("%s: matches nothing", name)
		}
	}
	for i, p := range paths {
		if p == source.Stdin {
			return errors.New("standard input cannot be submitted: workers could not read it")
		}
		abs, err := filepath.Abs(p)
		if err != nil {
			return err
		}
		paths[i] = abs
	}
	in, err := source.New(ctx, paths, s.o.Read)
	if err != nil {
		return err
	}
	defer in.Close()
	for u, err := range in.Units(ctx) {
		if err != nil {
			return err
		}
		if f := u.Files[0]; f.Err == nil && (f.Skipped != "" || !u.Readable()) {
			continue // what is sealed may be open to the workers
		}
		if err := s.add(ctx, local(u)); err != nil {
			return err
		}
	}
	return nil
}

// local is the input of a unit: of a log, the manifest stands for all of it.
func local(u *source.Unit) input {
	h := sha256.New()
	in := input{path: u.Name(), instance: filepath.Base(filepath.Dir(u.Name())), role: u.Files[0].Role}
	for _, f := range u.Files {
		in.size += max(f.Size, 0)
		h.Write(fmt.Appendf(nil, "%s\n%d\n%d\n", f.Path, f.Size, f.Modified.UnixNano()))
	}
	in.stamp = hex.EncodeToString(h.Sum(nil)[:16])
	in.hash = func(ctx context.Context) (string, error) {
		err := u.Close(ctx)
		var sums []string
		for _, f := range u.Files {
			sums = append(sums, f.SHA256)
		}
		return strings.Join(sums, ","), err
	}
	return in
}

// add submits an input. It is looked at at once if its hash may be wanted, since a
// unit lives only while its directory is walked.
func (s *submit) add(ctx context.Context, in input) error {
	s.out.Inputs++
	same, err := s.unchanged(ctx, in)
	if err != nil {
		return err
	}
	if same {
		s.out.Unchanged++
		return nil
	}
	s.pending = append(s.pending, in)
	if len(s.pending) < batch {
		return nil
	}
	return s.flush(ctx)
}

// unchanged reports whether an input was submitted before as it is now: by the
// size and times of its files and, where only times changed, by their hash.
func (s *submit) unchanged(ctx context.Context, in input) (bool, error) {
	var size int64
	var stamp, sum, status string
	err := s.db.sql.QueryRowContext(ctx, s.db.q(`SELECT size, stamp, sha256, status FROM fleet_inputs WHERE path = $1`), in.path).Scan(&size, &stamp, &sum, &status)
	switch {
	case err == sql.ErrNoRows:
		return false, nil
	case err != nil:
		return false, err
	case stamp == in.stamp:
		return status == Done || status == Queued || status == Running, nil
	case size != in.size || status != Done || sum == "":
		return false, nil
	}
	now, err := in.hash(ctx)
	if err != nil || now != sum {
		return false, err
	}
	_, err = s.db.sql.ExecContext(ctx, s.db.q(`UPDATE fleet_inputs SET stamp = $1 WHERE path = $2`), in.stamp, in.path)
	return err == nil, err
}

// flush queues the pending inputs.
func (s *submit) flush(ctx context.Context) error {
	err := s.db.tx(ctx, func(tx *sql.Tx) error {
		put, err := tx.PrepareContext(ctx, s.db.q(`INSERT INTO fleet_inputs (path, role, owner, instance, size, stamp, run, status) VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued')
			ON CONFLICT (path) DO UPDATE SET role = excluded.role, owner = excluded.owner, instance = excluded.instance, size = excluded.size, stamp = excluded.stamp, run = excluded.run,
			status = 'queued', gen = fleet_inputs.gen + 1, attempts = 0, lease = '', reason = '' RETURNING id, gen`))
		if err != nil {
			return err
		}
		defer put.Close()
		jobs := make([]scanJob, len(s.pending))
		for i, in := range s.pending {
			instance := in.instance
			if s.o.Instance != "" {
				instance = s.o.Instance
			}
			if err := put.QueryRowContext(ctx, in.path, string(in.role), s.o.Owner, instance, in.size, in.stamp, s.out.Run).Scan(&jobs[i].Input, &jobs[i].Gen); err != nil {
				return err
			}
		}
		return s.db.enqueue(ctx, s.c, tx, jobs)
	})
	if err == nil {
		s.out.Queued += int64(len(s.pending))
		s.pending = s.pending[:0]
	}
	return err
}

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
		r, err := db.sql.ExecContext(ctx, db.q(cancel+` AND path = $1`), p)
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
