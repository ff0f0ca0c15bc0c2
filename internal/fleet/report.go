package fleet

import (
	"context"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

// Selection says what of the fleet a report covers; zero values select all.
type Selection struct {
	Owner    string
	Instance string
	New      bool // only secrets that the last submission brought
	Gone     bool // inputs too that are no longer where they were submitted from
}

// selected are the inputs that all queries of a report ask for, and where is what was
// found in them.
const (
	selected = ` WHERE ($1 = '' OR i.owner = $1) AND ($2 = '' OR i.instance = $2) AND ($3 = 1 OR i.gone = 0)`
	where    = ` FROM fleet_found f JOIN fleet_inputs i ON i.id = f.input` + selected
)

// tags are the owner and the instance of a selection, as the database calls them.
func (db *DB) tags(s Selection) (owner, instance string, err error) {
	if owner, err = db.names.called(s.Owner); err == nil {
		instance, err = db.names.called(s.Instance)
	}
	return owner, instance, err
}

func (db *DB) args(s Selection) ([]any, error) {
	gone := 0
	if s.Gone {
		gone = 1
	}
	owner, instance, err := db.tags(s)
	return []any{owner, instance, gone}, err
}

// found asks for what was found in the inputs of a selection: of each its id, the
// columns that others names, and its rows, in an order.
func (db *DB) found(ctx context.Context, sel Selection, columns, order string, others ...any) (*unpacker, error) {
	args, err := db.args(sel)
	if err != nil {
		return nil, err
	}
	rows, err := db.sql.QueryContext(ctx, db.q(`SELECT f.input, `+columns+`f.body`+where+` ORDER BY `+order+`f.seq`), args...)
	if err != nil {
		return nil, err
	}
	return newUnpacker(rows, others...), nil
}

// Report writes the findings and damages to w and ends it with a summary.
func (db *DB) Report(ctx context.Context, sel Selection, run *report.Run, w report.Writer, next func(rule string) string) (*report.Summary, error) {
	status, err := db.Covered(ctx, sel)
	if err != nil {
		return nil, err
	}
	if err := w.Run(run); err != nil {
		return nil, err
	}
	sum := &report.Summary{Complete: status.Incomplete() == "", BytesRead: status.Bytes, Files: uint64(status.Done), Keys: status.keys, Values: status.values, Coverage: 1}
	var tally report.Tally
	record := func(f *scan.Finding, d *report.Damage) error {
		if f != nil {
			tally.Add(f)
			return w.Finding(f)
		}
		switch d.Type {
		case "torn":
			sum.Torn++
		case "limit":
			sum.Limits += 1 + d.More
		default:
			sum.Damages += 1 + d.More
			sum.NotUnderstood += d.Length
		}
		return w.Damage(d)
	}
	if err := db.each(ctx, sel, record); err != nil {
		return nil, err
	}
	for i, path := range status.lost {
		d := &report.Damage{Type: "damage", Source: path, What: "findings", Reason: "the database has lost what was found"}
		if i == len(status.lost)-1 {
			d.More = status.lostMore
		}
		if err := record(nil, d); err != nil {
			return nil, err
		}
	}
	if sum.BytesRead > 0 {
		sum.Coverage = max(0, float64(sum.BytesRead-sum.NotUnderstood)/float64(sum.BytesRead))
	}
	sum.Take(&tally)
	for _, g := range sum.Groups {
		g.Next = next(g.Rule)
	}
	if status.Done < max(status.Inputs, 1) || len(status.lost) > 0 {
		sum.Stopped = status.Incomplete()
	}
	return sum, w.Summary(sum)
}

// each calls do for each finding or damage, in the order of the inputs' paths.
func (db *DB) each(ctx context.Context, sel Selection, do func(*scan.Finding, *report.Damage) error) error {
	fresh, err := db.fresh(ctx, sel)
	if err != nil {
		return err
	}
	u, err := db.found(ctx, sel, "", "i.path {bytes}, ")
	if err != nil {
		return err
	}
	defer u.close() //nolint:errcheck // what is read is read
	for {
		more, err := u.next()
		if err != nil || !more {
			return err
		}
		if err := u.records(func(f *scan.Finding, d *report.Damage) error {
			if fresh != nil && (f == nil || !fresh.has(f.ID)) {
				return nil
			}
			return do(f, d)
		}); err != nil {
			return err
		}
	}
}
