package fleet

import "context"

// Status is how far the fleet has come.
type Status struct {
	Type      string   `json:"type"` // "status"
	Inputs    int64    `json:"inputs"`
	Queued    int64    `json:"queued"`
	Running   int64    `json:"running"`
	Done      int64    `json:"done"`
	Failed    int64    `json:"failed"`
	Cancelled int64    `json:"cancelled"`
	Damaged   int64    `json:"damaged"` // of those done, not read whole
	Findings  int64    `json:"findings"`
	Bytes     int64    `json:"bytes"` // of the inputs done
	SetAside  []Reason `json:"set_aside,omitempty"`
}

// Reason says why an input was set aside.
type Reason struct {
	Input  string `json:"input"`
	Reason string `json:"reason"`
}

// maxReasons is how many inputs that were set aside a status lists.
const maxReasons = 100

// Status asks the database.
func (db *DB) Status(ctx context.Context) (*Status, error) {
	s := &Status{Type: "status"}
	rows, err := db.sql.QueryContext(ctx, `SELECT status, count(*), sum(findings), sum(bytes), sum(1 - complete) FROM fleet_inputs GROUP BY status`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var state string
		var n, findings, bytes, incomplete int64
		if err := rows.Scan(&state, &n, &findings, &bytes, &incomplete); err != nil {
			return nil, err
		}
		s.Inputs += n
		s.Findings += findings
		s.Bytes += bytes
		switch state {
		case Queued:
			s.Queued = n
		case Running:
			s.Running = n
		case Done:
			s.Done, s.Damaged = n, incomplete
		case Failed:
			s.Failed = n
		case Cancelled:
			s.Cancelled = n
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return s, db.reasons(ctx, s)
}

func (db *DB) reasons(ctx context.Context, s *Status) error {
	rows, err := db.sql.QueryContext(ctx, db.q(`SELECT path, reason FROM fleet_inputs WHERE status = 'failed' ORDER BY path LIMIT $1`), maxReasons)
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
