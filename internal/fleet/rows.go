package fleet

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"io"

	"github.com/klauspost/compress/s2"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/scan"
)

// Up to version 3 each finding was a row, and so was each secret, with the run in
// which it was first seen; in version 4 what was found was kept as JSON lines,
// compressed by S2. A connection does one thing at a time: of what is moved, a row is
// read, and then what it becomes is written.

// zippedTable is where version 4 had what was found.
const zippedTable = "fleet_findings"

// anyInput is what secrets of version 3 are filed under: in which input one was seen
// was not kept.
const anyInput = 0

// packRecords packs the rows of version 3.
func packRecords(ctx context.Context, db *DB, tx *sql.Tx) error {
	inputs, err := numbersOf(ctx, tx, `SELECT DISTINCT input FROM fleet_records ORDER BY input`)
	if err != nil {
		return err
	}
	for _, input := range inputs {
		if err := db.packRecordsOf(ctx, tx, input); err != nil {
			return err
		}
	}
	runs, err := numbersOf(ctx, tx, `SELECT DISTINCT run FROM fleet_secrets ORDER BY run`)
	if err != nil {
		return err
	}
	seq := int64(0)
	for _, run := range runs {
		if err := db.packSecretsOf(ctx, tx, run, &seq); err != nil {
			return err
		}
	}
	return nil
}

// numbersOf returns what a query for numbers says.
func numbersOf(ctx context.Context, tx *sql.Tx, query string) (out []int64, err error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

func (db *DB) packRecordsOf(ctx context.Context, tx *sql.Tx, input int64) error {
	spilled := spill.New(db.Tmp, recordBudget)
	defer spilled.Close()
	found := newPacked(spilled)
	lines := s2.NewWriter(found.out, s2.WriterConcurrency(1))
	rows, err := tx.QueryContext(ctx, db.q(`SELECT body FROM fleet_records WHERE input = $1 ORDER BY seq`), input)
	if err != nil {
		return err
	}
	defer rows.Close()
	var body []byte
	for rows.Next() {
		if err := rows.Scan(&body); err != nil {
			return err
		}
		if _, err := lines.Write(append(body, '\n')); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := cmp.Or(rows.Close(), lines.Close()); err != nil {
		return err
	}
	return found.store(ctx, db, tx, zippedTable, input)
}

// packSecretsOf files the secrets of a run, a row at a time, at *seq and behind.
func (db *DB) packSecretsOf(ctx context.Context, tx *sql.Tx, run int64, seq *int64) error {
	for last := ""; ; *seq++ {
		ids, err := db.idsBehind(ctx, tx, run, &last)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := db.putSeen(ctx, tx, anyInput, *seq, run, ids); err != nil {
			return err
		}
	}
}

// idsBehind returns a row's worth of the ids of a run that sort behind *last.
func (db *DB) idsBehind(ctx context.Context, tx *sql.Tx, run int64, last *string) (ids []byte, err error) {
	rows, err := tx.QueryContext(ctx, db.q(`SELECT id FROM fleet_secrets WHERE run = $1 AND id > $2 ORDER BY id LIMIT $3`), run, *last, idsARow)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(last); err != nil {
			return nil, err
		}
		id, err := parseID(*last)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id[:]...)
	}
	return ids, rows.Err()
}

// codeFindings makes records of the lines of version 4.
func codeFindings(ctx context.Context, db *DB, tx *sql.Tx) error {
	return db.recode(ctx, tx, zippedTable, foundTable, func(in io.Reader, to *packed) error {
		lines := bufio.NewReader(s2.NewReader(in))
		for {
			line, err := lines.ReadBytes('\n')
			if err == io.EOF {
				return nil
			}
			if err == nil {
				err = codeLine(line, to)
			}
			if err != nil {
				return err
			}
		}
	})
}

func codeLine(line []byte, to *packed) error {
	if bytes.HasPrefix(line, []byte(`{"type":"finding"`)) {
		var f scan.Finding
		if err := json.Unmarshal(line, &f); err != nil {
			return err
		}
		return to.finding(&f)
	}
	var d report.Damage
	if err := json.Unmarshal(line, &d); err != nil {
		return err
	}
	return to.damage(&d)
}

// uncodeFindings makes the lines of version 4.
func uncodeFindings(ctx context.Context, db *DB, tx *sql.Tx) error {
	return db.recode(ctx, tx, foundTable, zippedTable, func(in io.Reader, to *packed) error {
		lines := s2.NewWriter(to.out, s2.WriterConcurrency(1))
		w := report.NewJSONL(lines)
		found := &decoder{in: bufio.NewReader(in)}
		for {
			f, d, err := found.next()
			switch {
			case err == io.EOF:
				return lines.Close()
			case err != nil:
				return err
			case f != nil:
				err = w.Finding(f)
			default:
				err = w.Damage(d)
			}
			if err != nil {
				return err
			}
		}
	})
}

// recode writes what was found in each input anew, from rows as one table has them to
// rows as another has them: the one that is there has been given the name of the latter.
func (db *DB) recode(ctx context.Context, tx *sql.Tx, from, to string, do func(io.Reader, *packed) error) error {
	inputs, err := numbersOf(ctx, tx, `SELECT DISTINCT input FROM `+to+` ORDER BY input`)
	if err != nil {
		return err
	}
	spilled := spill.New(db.Tmp, recordBudget)
	defer spilled.Close()
	found := newPacked(spilled)
	for _, input := range inputs {
		err := do(&bodies{ctx: ctx, db: db, tx: tx, table: to, summed: from == foundTable, input: input}, found)
		if err == nil {
			err = found.store(ctx, db, tx, to, input)
		}
		if err != nil {
			return ofInput(input, err)
		}
		found.empty()
	}
	return nil
}

// unpackRecords makes the rows of version 3.
func unpackRecords(ctx context.Context, db *DB, tx *sql.Tx) error {
	inputs, err := numbersOf(ctx, tx, `SELECT DISTINCT input FROM fleet_findings ORDER BY input`)
	if err != nil {
		return err
	}
	for _, input := range inputs {
		if err := db.unpackRecordsOf(ctx, tx, input); err != nil {
			return err
		}
	}
	inputs, err = numbersOf(ctx, tx, `SELECT DISTINCT input FROM fleet_seen ORDER BY input`)
	if err != nil {
		return err
	}
	for _, input := range inputs {
		if err := db.unpackSecretsOf(ctx, tx, input); err != nil {
			return err
		}
	}
	return nil
}

// bodies reads the rows of an input one after the other.
type bodies struct {
	ctx    context.Context //nolint:containedctx // io.Reader has no place for it
	db     *DB
	tx     *sql.Tx
	table  string
	summed bool // the rows have sums
	sums   sums
	input  int64
	seq    int64
	body   []byte
}

func (b *bodies) Read(p []byte) (int, error) {
	for len(b.body) == 0 {
		err := b.tx.QueryRowContext(b.ctx, b.db.q(`SELECT body FROM `+b.table+` WHERE input = $1 AND seq = $2`), b.input, b.seq).Scan(&b.body)
		if err == sql.ErrNoRows {
			if b.summed {
				return 0, b.sums.end()
			}
			return 0, io.EOF
		}
		if err == nil && b.summed {
			b.body, err = b.sums.check(b.body)
		}
		if err != nil {
			return 0, err
		}
		b.seq++
	}
	n := copy(p, b.body)
	b.body = b.body[n:]
	return n, nil
}

func (db *DB) unpackRecordsOf(ctx context.Context, tx *sql.Tx, input int64) error {
	lines := bufio.NewReader(s2.NewReader(&bodies{ctx: ctx, db: db, tx: tx, table: zippedTable, input: input}))
	for seq := 0; ; seq++ {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var r struct{ Type, ID string }
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		kind := "finding"
		if r.Type != kind {
			kind = "damage"
		}
		if _, err := tx.ExecContext(ctx, db.q(`INSERT INTO fleet_records (input, seq, kind, secret, body) VALUES ($1, $2, $3, $4, $5)`), input, seq, kind, r.ID, string(line[:len(line)-1])); err != nil {
			return err
		}
	}
}

func (db *DB) unpackSecretsOf(ctx context.Context, tx *sql.Tx, input int64) error {
	for seq := 0; ; seq++ {
		var run int64
		var ids []byte
		err := tx.QueryRowContext(ctx, db.q(`SELECT run, ids FROM fleet_seen WHERE input = $1 AND seq = $2`), input, seq).Scan(&run, &ids)
		if err == sql.ErrNoRows {
			return nil
		}
		if err != nil {
			return err
		}
		for id, err := range idsOf(ids) {
			if err == nil {
				_, err = tx.ExecContext(ctx, db.q(`INSERT INTO fleet_secrets (id, run) VALUES ($1, $2)
					ON CONFLICT (id) DO UPDATE SET run = excluded.run WHERE excluded.run < fleet_secrets.run`), id.String(), run)
			}
			if err != nil {
				return err
			}
		}
	}
}
