package fleet

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"iter"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/scan"
)

// recorder keeps what a scan reports of one input until it is stored: spilled,
// encrypted, if it is much.
type recorder struct {
	sorter  *spill.Sorter
	seq     uint64
	line    bytes.Buffer
	jsonl   report.Writer
	sums    []string
	summary *report.Summary
}

// recordBudget is how much of what was found is held in memory.
const recordBudget = 8 << 20

func newRecorder(tmp string) *recorder {
	r := &recorder{sorter: spill.NewSorter(tmp, recordBudget)}
	r.jsonl = report.NewJSONL(&r.line)
	return r
}

func (r *recorder) Run(*report.Run) error { return nil }

func (r *recorder) File(f *report.File) error {
	r.sums = append(r.sums, f.SHA256)
	return nil
}

func (r *recorder) Finding(f *scan.Finding) error {
	return r.keep("finding", f.ID, r.jsonl.Finding(f))
}

func (r *recorder) Damage(d *report.Damage) error {
	return r.keep("damage", "", r.jsonl.Damage(d))
}

func (r *recorder) Summary(s *report.Summary) error {
	r.summary = s
	return nil
}

// keep adds the line that was just written: behind its number, so that sorting
// keeps the order, its kind and the secret's id.
func (r *recorder) keep(kind, secret string, err error) error {
	if err != nil {
		return err
	}
	record := binary.BigEndian.AppendUint64(nil, r.seq)
	record = fmt.Appendf(record, "%s\x00%s\x00%s", kind, secret, bytes.TrimSuffix(r.line.Bytes(), []byte("\n")))
	r.seq++
	r.line.Reset()
	return r.sorter.Add(record)
}

// records yields kind, secret and line of each record, in order.
func (r *recorder) records() iter.Seq2[[3]string, error] {
	return func(yield func([3]string, error) bool) {
		for record, err := range r.sorter.Sorted() {
			if err != nil {
				yield([3]string{}, err)
				return
			}
			kind, rest, _ := strings.Cut(string(record[8:]), "\x00")
			secret, line, _ := strings.Cut(rest, "\x00")
			if !yield([3]string{kind, secret, line}, nil) {
				return
			}
		}
	}
}

func (r *recorder) close() { _ = r.sorter.Close() }

// store replaces what is known of an input, in one transaction, if its lease is
// still held; errLost if it is not.
func (db *DB) store(ctx context.Context, l *lease, r *recorder) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		s := r.summary
		complete := 0
		if s.Complete {
			complete = 1
		}
		res, err := tx.ExecContext(ctx, db.q(`UPDATE fleet_inputs SET status = 'done', lease = '', reason = '', sha256 = $1, complete = $2, findings = $3, bytes = $4, key_count = $5, value_count = $6
			WHERE id = $7 AND lease = $8 AND status = 'running'`), strings.Join(r.sums, ","), complete, int64(s.Findings), s.BytesRead, int64(s.Keys), int64(s.Values), l.input, l.token)
		if err := held(res, err); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, db.q(`DELETE FROM fleet_records WHERE input = $1`), l.input); err != nil {
			return err
		}
		if err := db.put(ctx, tx, l.input, r); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, db.q(`INSERT INTO fleet_secrets (id, run) SELECT DISTINCT r.secret, i.run FROM fleet_records r JOIN fleet_inputs i ON i.id = r.input
			WHERE r.input = $1 AND r.secret <> '' ORDER BY 1
			ON CONFLICT (id) DO UPDATE SET run = excluded.run WHERE excluded.run < fleet_secrets.run`), l.input)
		return err
	})
}

// put inserts the records of an input, many in a statement.
func (db *DB) put(ctx context.Context, tx *sql.Tx, input int64, r *recorder) error {
	const columns = 5
	insert := func(rows int) string {
		return `INSERT INTO fleet_records (input, seq, kind, secret, body) VALUES ` + db.values(rows, columns, "")
	}
	put, err := tx.PrepareContext(ctx, insert(batch))
	if err != nil {
		return err
	}
	defer put.Close()
	args := make([]any, 0, batch*columns)
	seq := 0
	for rec, err := range r.records() {
		if err != nil {
			return err
		}
		args = append(args, input, seq, rec[0], rec[1], rec[2])
		seq++
		if len(args) < cap(args) {
			continue
		}
		if _, err := put.ExecContext(ctx, args...); err != nil {
			return err
		}
		args = args[:0]
	}
	if len(args) > 0 {
		_, err = tx.ExecContext(ctx, insert(len(args)/columns), args...)
	}
	return err
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
