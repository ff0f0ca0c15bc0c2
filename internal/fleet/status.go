package fleet

import (
	"context"
	"fmt"
	"strings"
)

// Status is how far the fleet has come.
type Status struct {
	Type      string   `json:"type"` // "status"
	Inputs    int64    `json:"inputs"`
	Queued    int64    `json:"queued"`
	Running   int64    `json:"running"`
	Done      int64    `json:"done"`
	Failed    int64    `json:"failed"`
	Cancelled int64    `json:"cancelled"`
	Gone      int64    `json:"gone"`    // beside these, unless a selection has them: no longer where they were submitted from
	Damaged   int64    `json:"damaged"` // of those done, not read whole
	Findings  int64    `json:"findings"`
	Bytes     int64    `json:"bytes"` // of the inputs done
	SetAside  []Reason `json:"set_aside,omitempty"`

	keys, values uint64
	lost         []string // the first of those with findings of which none is kept
	lostMore     uint64   // how many there are beside these
}

// Incomplete says what keeps a report from covering all inputs, "" if nothing does.
func (s *Status) Incomplete() string {
	if s.Inputs == 0 {
		return "there are no inputs"
	}
	var why []string
	for _, w := range []struct {
		n    int64
		what string
	}{
		{s.Queued + s.Running, "not scanned yet"}, {s.Failed, "set aside"}, {s.Cancelled, "cancelled"}, {s.Damaged, "not read whole"}, {int64(len(s.lost)) + int64(s.lostMore), "with findings that are kept no more"},
	} {
		if w.n > 0 {
			why = append(why, fmt.Sprintf("%d %s", w.n, w.what))
		}
	}
	if why == nil {
		return ""
	}
	return fmt.Sprintf("of %d inputs, %s", s.Inputs, strings.Join(why, ", "))
}

// Reason says why an input was set aside.
type Reason struct {
	Input  string `json:"input"`
	Reason string `json:"reason"`
}

// maxReasons is how many inputs that were set aside a status lists.
const maxReasons = 100

// Status asks the database about all inputs.
func (db *DB) Status(ctx context.Context) (*Status, error) {
	s, err := db.Progress(ctx, Selection{})
	if err != nil {
		return nil, err
	}
	return s, db.reasons(ctx, s)
}

// Progress is Status, of a selection and without reasons.
func (db *DB) Progress(ctx context.Context, sel Selection) (*Status, error) {
	owner, instance, err := db.tags(sel)
	if err != nil {
		return nil, err
	}
	s := &Status{Type: "status"}
	rows, err := db.sql.QueryContext(ctx, db.q(`SELECT status, gone > 0, count(*), sum(findings), sum(bytes), sum(1 - complete), sum(key_count), sum(value_count) FROM fleet_inputs i
		WHERE ($1 = '' OR i.owner = $1) AND ($2 = '' OR i.instance = $2) GROUP BY status, gone > 0`), owner, instance)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var state string
		var gone bool
		var n, findings, bytes, incomplete, keys, values int64
		if err := rows.Scan(&state, &gone, &n, &findings, &bytes, &incomplete, &keys, &values); err != nil {
			return nil, err
		}
		if gone {
			s.Gone += n
			if !sel.Gone {
				continue
			}
		}
		s.keys += uint64(keys)
		s.values += uint64(values)
		s.Inputs += n
		s.Findings += findings
		s.Bytes += bytes
		switch state {
		case Queued:
			s.Queued += n
		case Running:
			s.Running += n
		case Done:
			s.Done += n
			s.Damaged += incomplete
		case Failed:
			s.Failed += n
		case Cancelled:
			s.Cancelled += n
		}
	}
	return s, rows.Err()
}

// Covered is Progress, and which inputs have lost what was found in them: that their
// number of findings is kept, and no row of them.
func (db *DB) Covered(ctx context.Context, sel Selection) (*Status, error) {
	s, err := db.Progress(ctx, sel)
	if err != nil {
		return nil, err
	}
	args, err := db.args(sel)
	if err != nil {
		return nil, err
	}
	rows, err := db.sql.QueryContext(ctx, db.q(`SELECT i.path FROM fleet_inputs i`+selected+` AND i.findings > 0
		AND NOT EXISTS (SELECT 1 FROM fleet_found f WHERE f.input = i.id) ORDER BY i.path {bytes}`), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var path string
		if err := rows.Scan(&path); err != nil {
			return nil, err
		}
		if len(s.lost) < maxReasons {
			s.lost = append(s.lost, path)
		} else {
			s.lostMore++
		}
	}
	return s, rows.Err()
}

func (db *DB) reasons(ctx context.Context, s *Status) error {
	rows, err := db.sql.QueryContext(ctx, db.q(`SELECT path, reason FROM fleet_inputs WHERE status = 'failed' AND gone = 0 ORDER BY path {bytes} LIMIT $1`), maxReasons)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r Reason
		if err := rows.Scan(&r.Input, &r.Reason); err != nil {
			return err
		}
		s.SetAside = append(s.SetAside, r)
	}
	return rows.Err()
}
