package fleet

import (
	"context"
	"encoding/json"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

// Selection says what of the fleet a report covers; zero values select all.
type Selection struct {
	Owner    string
	Instance string
	New      bool // secrets that the last submission brought
}

// where is what all queries of a report ask for. A run is the last one if no
// later one was submitted.
const where = ` FROM fleet_records r JOIN fleet_inputs i ON i.id = r.input LEFT JOIN fleet_secrets s ON s.id = r.secret
	WHERE ($1 = '' OR i.owner = $1) AND ($2 = '' OR i.instance = $2) AND ($3 = 0 OR s.run = (SELECT max(id) FROM fleet_runs))`

// tags are the owner and the instance of a selection, as the database calls them.
func (db *DB) tags(s Selection) (owner, instance string, err error) {
	if owner, err = db.names.called(s.Owner); err == nil {
		instance, err = db.names.called(s.Instance)
	}
	return owner, instance, err
}

func (db *DB) args(s Selection) ([]any, error) {
	n := 0
	if s.New {
		n = 1
	}
	owner, instance, err := db.tags(s)
	return []any{owner, instance, n}, err
}

// verbatim is a Writer of JSON lines that takes recorded lines as they are: what
// is not UTF-8 would not be the same once more.
type verbatim struct {
	report.Writer
	w io.Writer
}

// Verbatim returns a Writer of JSON lines to w that has the findings byte for
// byte as a scan of the input itself.
func Verbatim(w io.Writer) report.Writer { return verbatim{report.NewJSONL(w), w} }

// Finding and Damage do nothing: Report has written the line already.
func (verbatim) Finding(*scan.Finding) error { return nil }

// Damage does nothing, as Finding.
func (verbatim) Damage(*report.Damage) error { return nil }

// Report writes the findings and damages to w and ends it with a summary.
func (db *DB) Report(ctx context.Context, sel Selection, run *report.Run, w report.Writer, next func(rule string) string) (*report.Summary, error) {
	status, err := db.Progress(ctx, sel)
	if err != nil {
		return nil, err
	}
	if err := w.Run(run); err != nil {
		return nil, err
	}
	sum := &report.Summary{Complete: status.Incomplete() == "", BytesRead: status.Bytes, Files: uint64(status.Done), Keys: status.keys, Values: status.values, Coverage: 1}
	var tally report.Tally
	lines, plain := w.(verbatim)
	err = db.each(ctx, sel, func(kind, body string) error {
		if plain {
			if _, err := io.WriteString(lines.w, body+"\n"); err != nil {
				return err
			}
		}
		if kind == "damage" {
			d := &report.Damage{}
			if err := json.Unmarshal([]byte(body), d); err != nil {
				return err
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
		f := &scan.Finding{}
		if err := json.Unmarshal([]byte(body), f); err != nil {
			return err
		}
		tally.Add(f)
		return w.Finding(f)
	})
	if err != nil {
		return nil, err
	}
	if sum.BytesRead > 0 {
		sum.Coverage = max(0, float64(sum.BytesRead-sum.NotUnderstood)/float64(sum.BytesRead))
	}
	sum.Take(&tally)
	for _, g := range sum.Groups {
		g.Next = next(g.Rule)
	}
	if status.Done < max(status.Inputs, 1) {
		sum.Stopped = status.Incomplete()
	}
	return sum, w.Summary(sum)
}

func (db *DB) each(ctx context.Context, sel Selection, do func(kind, body string) error) error {
	args, err := db.args(sel)
	if err != nil {
		return err
	}
	rows, err := db.sql.QueryContext(ctx, db.q(`SELECT r.kind, r.body`+where+` ORDER BY i.path {bytes}, r.seq`), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var kind, body string
		if err := rows.Scan(&kind, &body); err != nil {
			return err
		}
		if err := do(kind, body); err != nil {
			return err
		}
	}
	return rows.Err()
}

// A Secret is one secret wherever in the fleet it stands.
type Secret struct {
	Type      string `json:"type"` // "secret"
	ID        string `json:"id"`
	Rule      string `json:"rule"`
	Severity  string `json:"severity"`
	Secret    string `json:"secret"` // masked
	Findings  int64  `json:"findings"`
	Inputs    int64  `json:"inputs"`
	Instances int64  `json:"instances"`
	Owners    int64  `json:"owners"`
	FirstRun  int64  `json:"first_run"`
	New       bool   `json:"new"` // since the last submission
}

// Secrets calls do for each secret, those in the most inputs first.
func (db *DB) Secrets(ctx context.Context, sel Selection, do func(*Secret) error) error {
	args, err := db.args(sel)
	if err != nil {
		return err
	}
	rows, err := db.sql.QueryContext(ctx, db.q(`SELECT r.secret, min(r.body), count(*), count(DISTINCT r.input), count(DISTINCT i.instance), count(DISTINCT i.owner), min(s.run),
		(SELECT max(id) FROM fleet_runs)`+where+` AND r.secret <> '' GROUP BY r.secret ORDER BY 4 DESC, 3 DESC, 1`), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		s := &Secret{Type: "secret"}
		var body string
		var last int64
		if err := rows.Scan(&s.ID, &body, &s.Findings, &s.Inputs, &s.Instances, &s.Owners, &s.FirstRun, &last); err != nil {
			return err
		}
		f := &scan.Finding{}
		if err := json.Unmarshal([]byte(body), f); err != nil {
			return err
		}
		s.Rule, s.Severity, s.Secret, s.New = f.Rule, f.Severity.String(), f.Secret, s.FirstRun == last
		if err := do(s); err != nil {
			return err
		}
	}
	return rows.Err()
}
