package fleet

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/valkeyfs/valkeyfs/internal/s3"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/scan"
)

// WorkOptions say how a worker works.
type WorkOptions struct {
	Name     string // of the worker, in the database; others may have the same
	Scanner  *scan.Scanner
	Read     source.Options
	S3       s3.Place
	Names    *sweep.Names  // masks the names of files
	KeyID    string        // of the key behind ids, which all workers share
	Lease    time.Duration // how long a worker may be silent
	Attempts int64         // how often an input is tried before it is set aside
	Drain    bool          // end when nothing is queued or running
	Log      *slog.Logger
	Counts   *Counts
	// Spill names a directory for what is spilled that is neither the one given, where an
	// input lies, nor in it. Nil: Read.Tmp.
	Spill func(ctx context.Context, dir string) (string, error)
}

// Counts are what a worker has done since it began.
type Counts struct{ Done, Retried, Failed, Lost, Findings, Bytes atomic.Int64 }

const (
	fetchEvery = 5 * time.Millisecond   // while there is work
	pollEvery  = 250 * time.Millisecond // while there is none
	drainEvery = 50 * time.Millisecond  // whether there is work, for who ends when there is none
	// rescueAfter is when River forgets a job that was fetched: leases are what
	// tells a dead worker, so this only tidies up.
	rescueAfter = 7 * 24 * time.Hour
)

// scanner is a worker.
type scanner struct {
	river.WorkerDefaults[scanJob]
	db    *DB
	o     WorkOptions
	spare chan *recorder // of the input before
	stop  context.CancelCauseFunc
	busy  atomic.Bool   // there is a job
	ended chan struct{} // says that a job ended
}

// Work scans inputs, one at a time, until ctx ends or, if that is wanted, nothing
// is left to do. What it is at when ctx ends goes back into the queue, and so does what
// it is at when another program gives the tables another version, which ends it.
func (db *DB) Work(ctx context.Context, o WorkOptions) error {
	if err := db.sameKey(ctx, db.sql, o.KeyID); err != nil {
		return err
	}
	name, err := db.names.called(o.Name)
	if err != nil {
		return err
	}
	o.Name = name
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	w := &scanner{db: db, o: o, stop: end, spare: make(chan *recorder, 1), ended: make(chan struct{}, 1)}
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, w); err != nil {
		return err
	}
	c, err := river.NewClient(db.driver, &river.Config{
		Logger: silent, Workers: workers,
		PollOnly:             true, // to listen costs a poll, or a connection, of its own
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 1, FetchCooldown: fetchEvery, FetchPollInterval: pollEvery}},
		JobTimeout:           -1,
		RescueStuckJobsAfter: rescueAfter,
		RetryPolicy:          backoff{},
	})
	if err != nil {
		return err
	}
	if err := c.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	w.watch(ctx, c)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if ctx.Err() == nil {
		return c.Stop(stop) // the job that ended last is being ticked off
	}
	if err := c.StopAndCancel(stop); err != nil {
		return err
	}
	if v, old := context.Cause(ctx).(versionError); old {
		return v
	}
	return nil
}

// watch rescues what dead workers held, until it is time to stop.
func (w *scanner) watch(ctx context.Context, c *river.Client[*sql.Tx]) {
	late := time.NewTicker(min(w.o.Lease/3, time.Second))
	defer late.Stop()
	poll := time.NewTicker(drainEvery)
	defer poll.Stop()
	w.rescue(ctx, c)
	for !w.o.Drain || w.busy.Load() || !w.db.drained(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-late.C:
			w.rescue(ctx, c)
		case <-poll.C: // others may have ended theirs
		case <-w.ended:
		}
	}
}

// rescue does what db.rescue does, and says what kept it from that. It ends a worker that
// does not know the tables any more.
func (w *scanner) rescue(ctx context.Context, c *river.Client[*sql.Tx]) {
	if err := w.db.current(ctx); err != nil {
		w.stop(err)
		return
	}
	if err := w.db.rescue(ctx, c, w.o.Lease); err != nil && ctx.Err() == nil {
		w.o.Log.Warn("database", "error", w.o.Names.Mask(err.Error()))
	}
}

// drained reports whether nothing is queued or running, as far as is known.
func (db *DB) drained(ctx context.Context) bool {
	var left bool
	err := db.sql.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM fleet_inputs WHERE status IN ('queued', 'running'))`).Scan(&left)
	return err == nil && !left
}

// queryer is a database or a transaction of it.
type queryer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// sameKey refuses to mix what was made with different keys in one database.
func (db *DB) sameKey(ctx context.Context, in queryer, id string) error {
	if _, err := in.ExecContext(ctx, db.q(`INSERT INTO fleet_meta (name, value) VALUES ('id_key_id', $1) ON CONFLICT (name) DO NOTHING`), id); err != nil {
		return err
	}
	var first string
	if err := in.QueryRowContext(ctx, `SELECT value FROM fleet_meta WHERE name = 'id_key_id'`).Scan(&first); err != nil {
		return err
	}
	if first != id {
		return fmt.Errorf("the ids in this database come from the key %s, and this is %s: use the same --id-key everywhere", first, id)
	}
	return nil
}

// backoff waits 1, 2, 4 … seconds before an input is tried again, at most maxBackoff.
type backoff struct{}

const maxBackoff = 5 * time.Minute

// NextRetry says when that is.
func (backoff) NextRetry(job *rivertype.JobRow) time.Time {
	at := job.ScheduledAt
	if job.AttemptedAt != nil {
		at = *job.AttemptedAt
	}
	return at.Add(min(time.Second<<min(max(job.Attempt-1, 0), 9), maxBackoff))
}

// errGivenBack has River queue an input again whose worker ends.
var errGivenBack = errors.New("the worker ended")

// Work scans one input. An error has River try again, later.
func (w *scanner) Work(ctx context.Context, job *river.Job[scanJob]) error {
	w.busy.Store(true)
	defer func() {
		w.busy.Store(false)
		select {
		case w.ended <- struct{}{}:
		default: // it is said already
		}
	}()
	o := &w.o
	l, err := w.db.claim(ctx, job.Args, o.Name, o.Lease)
	if l == nil {
		return err
	}
	name := l.called
	after := context.WithoutCancel(ctx)
	if err != nil {
		return w.failed(after, l, err)
	}
	if l.attempts > o.Attempts {
		o.Counts.Failed.Add(1)
		o.Log.Warn("set aside", "input", name, "reason", "workers died on it")
		return w.db.setAside(after, l, "workers died on it")
	}
	held, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go w.db.beat(held, l, o.Lease, func() { cancel(errLost) })
	err = w.scan(held, l)
	switch {
	case err == nil:
		o.Counts.Done.Add(1)
		o.Log.Info("scanned", "input", name)
		return nil
	case err == errLost || context.Cause(held) == errLost:
		o.Counts.Lost.Add(1)
		o.Log.Warn("given up", "input", name, "reason", errLost.Error())
		return nil
	case ctx.Err() != nil:
		return w.giveBack(after, l)
	}
	return w.failed(after, l, err)
}

// giveBack has an input tried again that was not read to its end for no fault of its own.
func (w *scanner) giveBack(ctx context.Context, l *lease) error {
	w.o.Log.Info("given back", "input", l.called)
	if err := w.db.release(ctx, l, "", false); err != nil {
		return err
	}
	return errGivenBack
}

// failed gives an input another try, or sets it aside.
func (w *scanner) failed(ctx context.Context, l *lease, cause error) error {
	if err := w.db.current(ctx); err != nil {
		w.stop(err)
		return w.giveBack(ctx, l)
	}
	reason, name := text(w.o.Names.Mask(cause.Error())), l.called
	if l.attempts >= w.o.Attempts {
		w.o.Counts.Failed.Add(1)
		w.o.Log.Warn("set aside", "input", name, "reason", reason)
		return w.db.setAside(ctx, l, reason)
	}
	w.o.Counts.Retried.Add(1)
	w.o.Log.Warn("to be tried again", "input", name, "attempt", l.attempts, "reason", reason)
	if err := w.db.release(ctx, l, reason, true); err != nil {
		return err
	}
	return errors.New(reason)
}

// text is what a database takes for text: an error may quote any name.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// reading is how an input is read: nothing is spilled where it lies.
func (w *scanner) reading(ctx context.Context, l *lease) (read source.Options, err error) {
	read = w.o.Read
	read.Alone, read.Role = true, source.Role(l.role)
	if w.o.Spill == nil || strings.HasPrefix(l.path, s3.Scheme) {
		return read, nil
	}
	path, err := filepath.EvalSymlinks(l.path)
	if err != nil {
		return read, nil //nolint:nilerr // to open it says more
	}
	read.Tmp, err = w.o.Spill(ctx, filepath.Dir(path))
	return read, err
}

// open opens an input; of one in a bucket, remote tells later what failed.
func (w *scanner) open(ctx context.Context, l *lease, read source.Options, remote *objects) (in *source.Inputs, err error) {
	if !strings.HasPrefix(l.path, s3.Scheme) {
		return source.New(ctx, []string{l.path}, read)
	}
	if remote.c, err = w.o.S3.Client(); err != nil {
		return nil, err
	}
	return remote.inputs(ctx, l.path, read)
}

// recorder returns one that is empty, and spills to tmp.
func (w *scanner) recorder(tmp string) *recorder {
	select {
	case r := <-w.spare:
		if r.tmp == tmp {
			return r
		}
	default:
	}
	return newRecorder(tmp, w.o.Read.MaxMem)
}

// reuse keeps a recorder for the next input.
func (w *scanner) reuse(r *recorder) {
	r.empty()
	select {
	case w.spare <- r:
	default:
	}
}

// scan scans an input and stores what was found.
func (w *scanner) scan(ctx context.Context, l *lease) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("internal error: %v", p)
		}
	}()
	var remote objects
	read, err := w.reading(ctx, l)
	if err != nil {
		return err
	}
	in, err := w.open(ctx, l, read, &remote)
	if err != nil {
		return err
	}
	defer in.Close()
	r := w.recorder(read.Tmp)
	defer w.reuse(r)
	result, err := sweep.Run(ctx, in, w.o.Scanner, r, sweep.Options{Names: w.o.Names})
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := remote.failure(); err != nil {
		return err
	}
	if err := w.db.store(ctx, l, r); err != nil {
		return err
	}
	w.o.Counts.Findings.Add(int64(result.Summary.Findings))
	w.o.Counts.Bytes.Add(result.Summary.BytesRead)
	return nil
}
