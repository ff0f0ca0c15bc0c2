package fleet

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/riverqueue/river"

	"github.com/valkeyfs/valkeyfs/internal/s3"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

// Submission says what is submitted, and for whom.
type Submission struct {
	Sources  []string // files, directories, patterns and s3://bucket/prefix
	Owner    string   // tag; "": as it was, or none
	Instance string   // tag; "": as it was, or the name of the directory that an input lies in
	Read     source.Options
	S3       s3.Place
}

// Submitted counts what became of the inputs.
type Submitted struct {
	Run       int64 `json:"run"`
	Inputs    int64 `json:"inputs"`
	Queued    int64 `json:"queued"`
	Unchanged int64 `json:"unchanged"`
	Gone      int64 `json:"gone"` // were submitted from there before
}

// batch is how many inputs or records are added by one statement.
const batch = 500

// input is what is known of an input before it is scanned.
type input struct {
	path, instance string
	called         string      // the path in the database
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
	pending map[string]input // by what they are called
	listed  *listing         // of the source at hand
}

// Submit queues the inputs that are new or that changed since they were last
// submitted. What is queued already stays as it is, also if an error follows, and is
// counted then, too; if none is, the submission before remains the last.
func (db *DB) Submit(ctx context.Context, o Submission) (*Submitted, error) {
	c, err := db.inserter()
	if err != nil {
		return nil, err
	}
	for _, name := range o.Sources {
		if err := unusable(name); err != nil {
			return nil, err
		}
	}
	s := &submit{db: db, c: c, o: o, pending: map[string]input{}}
	if s.o.Owner, err = db.names.called(o.Owner); err != nil {
		return nil, err
	}
	if err := db.sql.QueryRowContext(ctx, db.q(`INSERT INTO fleet_runs (submitted) VALUES ({now}) RETURNING id`)).Scan(&s.out.Run); err != nil {
		return nil, err
	}
	for _, name := range o.Sources {
		if err := s.source(ctx, name); err != nil {
			return &s.out, errors.Join(err, s.forget(ctx))
		}
	}
	return &s.out, nil
}

// forget removes a submission that failed, unless it has inputs.
func (s *submit) forget(ctx context.Context) error {
	if s.out.Queued > 0 {
		return nil
	}
	_, err := s.db.sql.ExecContext(context.WithoutCancel(ctx), s.db.q(`DELETE FROM fleet_runs WHERE id = $1`), s.out.Run)
	return err
}

// source submits what one argument stands for, and marks what is gone from there.
func (s *submit) source(ctx context.Context, name string) error {
	s.listed = newListing(s.o.Read.Tmp)
	defer s.listed.close() //nolint:errcheck // it is read by then
	named := s.named
	if strings.HasPrefix(name, s3.Scheme) {
		named = s.bucket
	}
	if err := named(ctx, name); err != nil {
		return err
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	gone, err := s.db.markGone(ctx, s.listed, s.out.Run)
	s.out.Gone += gone
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// unusable says why a name cannot be one of a source.
func unusable(name string) error {
	bucket, _ := s3.Split(name)
	switch {
	case name == "": // which filepath.Abs takes for the working directory
		return errors.New("a source without a name")
	case name == source.Stdin:
		return errors.New("standard input cannot be submitted: workers could not read it")
	case strings.HasPrefix(name, s3.Scheme) && bucket == "":
		return fmt.Errorf("%s: no bucket is named", name)
	}
	return nil
}

// Paths are those in the file system that a source stands for: none, if it is in a bucket.
// An error says that it cannot be one.
func Paths(name string) ([]string, error) {
	if err := unusable(name); err != nil || strings.HasPrefix(name, s3.Scheme) {
		return nil, err
	}
	paths, _, err := expand(name)
	return slices.DeleteFunc(paths, func(p string) bool {
		_, err := os.Stat(p)
		return err != nil
	}), err
}

// expand returns the paths that match a pattern, or name if it is none.
func expand(name string) (paths []string, pattern bool, err error) {
	if _, err := os.Lstat(name); err == nil || !strings.ContainsAny(name, patternLetters) {
		return []string{name}, false, nil
	}
	if paths, err = filepath.Glob(name); err != nil {
		return nil, true, fmt.Errorf("%s: %w", name, err)
	}
	return paths, true, nil
}

// named submits what lies at a path, or at those that match a pattern.
func (s *submit) named(ctx context.Context, name string) error {
	paths, pattern, err := expand(name)
	if err != nil {
		return err
	}
	for i, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			return err
		}
		paths[i] = abs
	}
	if name, err = filepath.Abs(name); err != nil {
		return err
	}
	s.listed.below(name, pattern)
	if s.listed.nothing = len(paths) == 0; s.listed.nothing {
		return nil // perhaps what matched is gone
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
		f := u.Files[0]
		if f.Err != nil || f.Mode.Type() != 0 { // a mount point, or a link, may be a source of its own
			s.listed.unread[u.Name()] = true
		}
		if f.Err == nil && (f.Skipped != "" || !u.Readable()) {
			if err := s.list(u.Name()); err != nil { // it is there
				return err
			}
			continue // what is sealed may be open to the workers
		}
		if err := s.add(ctx, s.local(u)); err != nil {
			return err
		}
	}
	return nil
}

// list notes that the source holds a file.
func (s *submit) list(path string) error {
	called, err := s.db.names.called(path)
	if err != nil {
		return err
	}
	return s.listed.names.Add([]byte(called))
}

// local is the input of a unit: of a log, the manifest stands for all of it.
func (s *submit) local(u *source.Unit) input {
	h := sha256.New()
	in := input{path: u.Name(), instance: filepath.Base(filepath.Dir(u.Name())), role: u.Files[0].Role}
	for _, f := range u.Files {
		in.size += max(f.Size, 0)
		h.Write(fmt.Appendf(nil, "%s\n%d\n%d\n", f.Path, f.Size, f.Modified.UnixNano()))
	}
	in.stamp = hex.EncodeToString(h.Sum(nil)[:16])
	read := s.o.Read
	read.Alone, read.Role = true, in.role
	in.hash = func(ctx context.Context) (string, error) { return hashOf(ctx, in.path, read) }
	return in
}

// hashOf is the hash that store keeps of an input.
func hashOf(ctx context.Context, path string, read source.Options) (string, error) {
	in, err := source.New(ctx, []string{path}, read)
	if err != nil {
		return "", err
	}
	defer in.Close()
	var sums []string
	for u, err := range in.Units(ctx) {
		if err == nil {
			err = u.Close(ctx)
		}
		if err != nil {
			return "", err
		}
		for _, f := range u.Files {
			sums = append(sums, f.SHA256)
		}
	}
	return strings.Join(sums, ","), nil
}

// add submits an input, with those that follow it.
func (s *submit) add(ctx context.Context, in input) (err error) {
	s.out.Inputs++
	if in.called, err = s.db.names.called(in.path); err != nil {
		return err
	}
	if s.o.Instance != "" {
		in.instance = s.o.Instance
	}
	if in.instance, err = s.db.names.called(in.instance); err != nil {
		return err
	}
	if err := s.listed.names.Add([]byte(in.called)); err != nil {
		return err
	}
	if _, ok := s.pending[in.called]; ok {
		s.out.Unchanged++
		return nil
	}
	s.pending[in.called] = in
	if len(s.pending) < batch {
		return nil
	}
	return s.flush(ctx)
}

// flush queues those of the pending inputs that are new or changed. All
// submissions go by the same order, so that none waits for one that waits for it.
func (s *submit) flush(ctx context.Context) error {
	if len(s.pending) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(s.pending))
	known, err := s.known(ctx, names)
	if err != nil {
		return err
	}
	var changed, touched []input
	for _, name := range names {
		in := s.pending[name]
		k, ok := known[name]
		is := isNew
		if ok {
			if is, err = k.now(ctx, in); err != nil {
				return err
			}
		}
		switch {
		case is == isNew:
			changed = append(changed, in)
		case is == isTouched || k.gone || s.retags(k, in):
			touched = append(touched, in)
		}
	}
	err = s.db.tx(ctx, func(tx *sql.Tx) error {
		for _, in := range touched {
			if _, err := tx.ExecContext(ctx, s.db.q(`UPDATE fleet_inputs SET stamp = $1, gone = 0, owner = CASE WHEN $2 = '' THEN owner ELSE $2 END, instance = CASE WHEN $3 = '' THEN instance ELSE $4 END
				WHERE path = $5`), in.stamp, s.o.Owner, s.o.Instance, in.instance, in.called); err != nil {
				return err
			}
		}
		jobs, err := s.put(ctx, tx, changed)
		if err != nil {
			return err
		}
		return s.db.enqueue(ctx, s.c, tx, jobs)
	})
	if err == nil {
		s.out.Queued += int64(len(changed))
		s.out.Unchanged += int64(len(names) - len(changed))
		clear(s.pending)
	}
	return err
}

// A submitted is what the database knows of an input.
type submitted struct {
	size               int64
	stamp, sum, status string
	owner, instance    string
	gone               bool
}

// retags reports whether the submission names tags that an input has not.
func (s *submit) retags(k submitted, in input) bool {
	return s.o.Owner != "" && s.o.Owner != k.owner || s.o.Instance != "" && in.instance != k.instance
}

// What became of an input since it was submitted.
const (
	isSame    = iota
	isTouched // its times changed, and not what it holds
	isNew
)

// now compares an input with what it was: by the size and times of its files and,
// where only times changed, by their hash.
func (k submitted) now(ctx context.Context, in input) (int, error) {
	switch {
	case k.stamp == in.stamp && (k.status == Done || k.status == Queued || k.status == Running):
		return isSame, nil
	case k.stamp == in.stamp || k.size != in.size || k.status != Done || k.sum == "":
		return isNew, nil
	}
	sum, err := in.hash(ctx)
	if err == nil && sum == k.sum {
		return isTouched, nil
	}
	return isNew, ctx.Err() // why it cannot be read is for a worker to say
}

// known returns what is known of inputs by what they are called.
func (s *submit) known(ctx context.Context, names []string) (map[string]submitted, error) {
	args := make([]any, len(names))
	for i, name := range names {
		args[i] = name
	}
	rows, err := s.db.sql.QueryContext(ctx, s.db.q(`SELECT path, size, stamp, sha256, status, owner, instance, gone > 0 FROM fleet_inputs WHERE path IN `+s.db.values(1, len(names), "")), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]submitted{}
	for rows.Next() {
		var name string
		var k submitted
		if err := rows.Scan(&name, &k.size, &k.stamp, &k.sum, &k.status, &k.owner, &k.instance, &k.gone); err != nil {
			return nil, err
		}
		out[name] = k
	}
	return out, rows.Err()
}

// tags sets, in SQL, those that the submission names.
func (s *submit) tags() (set string) {
	if s.o.Owner != "" {
		set = "owner = excluded.owner, "
	}
	if s.o.Instance != "" {
		set += "instance = excluded.instance, "
	}
	return set
}

// put makes inputs queued, and returns their jobs, those of the largest first: what is
// begun last should not be what takes longest.
func (s *submit) put(ctx context.Context, tx *sql.Tx, inputs []input) ([]scanJob, error) {
	if len(inputs) == 0 {
		return nil, nil
	}
	var args []any
	seals := false
	for _, in := range inputs {
		sealed, err := s.db.names.sealed(in.path, in.called)
		if err != nil {
			return nil, err
		}
		seals = seals || sealed != ""
		args = append(args, in.called, sealed, string(in.role), s.o.Owner, in.instance, in.size, in.stamp, s.out.Run, Queued)
	}
	if seals {
		_, id, err := s.db.names.Key()
		if err == nil {
			err = s.db.sameKey(ctx, tx, id)
		}
		if err != nil {
			return nil, err
		}
	}
	rows, err := tx.QueryContext(ctx, s.db.q(`INSERT INTO fleet_inputs (path, sealed, role, owner, instance, size, stamp, run, status) VALUES `+s.db.values(len(inputs), len(args)/len(inputs), "")+`
		ON CONFLICT (path) DO UPDATE SET role = excluded.role, `+s.tags()+`gone = 0, size = excluded.size, stamp = excluded.stamp, run = excluded.run,
		status = excluded.status, gen = fleet_inputs.gen + 1, attempts = 0, lease = '', reason = '' RETURNING id, gen, size`), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	jobs := make([]scanJob, 0, len(inputs))
	sizes := map[int64]int64{}
	for rows.Next() {
		var j scanJob
		var size int64
		if err := rows.Scan(&j.Input, &j.Gen, &size); err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
		sizes[j.Input] = size
	}
	slices.SortStableFunc(jobs, func(a, b scanJob) int { return cmp.Compare(sizes[b.Input], sizes[a.Input]) })
	return jobs, rows.Err()
}
