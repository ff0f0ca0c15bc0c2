package scan

import "slices"

// An Exclusion says why something that looked like a secret was not reported:
// what excluded it, and where it stands. It never holds the value itself. Its
// JSON names are stable; names in it are masked as those of a Finding.
type Exclusion struct {
	Reason string `json:"reason"` // see Stats.Excluded; "not-opened:" and a kind of Stats.Failures
	Count  uint64 `json:"count"`  // in this value

	Source       string `json:"source"`
	Offset       int64  `json:"offset"`
	RecordOffset int64  `json:"record_offset"`
	DB           int32  `json:"db"`
	Presumed     bool   `json:"db_presumed,omitempty"` // DB is
	Key          string `json:"key"`
	KeyB64       string `json:"key_b64,omitempty"`
	KeyType      string `json:"key_type"`
	Where        Where  `json:"where"`
	Field        string `json:"field,omitempty"`
	FieldB64     string `json:"field_b64,omitempty"`
	State        string `json:"state"`
}

// note remembers why something in the leaf is no finding.
func (w *worker) note(why string) {
	if w.s.config.Explain != nil {
		w.noted = append(w.noted, why)
	}
}

// explain files what was noted of the leaf, once it is known what is to be
// masked in the names around it.
func (w *worker) explain(file bool) {
	if file && w.key != nil {
		if w.stopped != "" {
			w.stats.stop(w.exclusion(w.stopped, 1))
		}
		slices.Sort(w.noted)
		for from, to := 0, 0; from < len(w.noted); from = to {
			for to < len(w.noted) && w.noted[to] == w.noted[from] {
				to++
			}
			w.b.exclusions = append(w.b.exclusions, w.exclusion(w.noted[from], uint64(to-from)))
		}
	}
	w.noted, w.stopped = w.noted[:0], ""
}

// exclusion says where the leaf stands.
func (w *worker) exclusion(reason string, n uint64) *Exclusion {
	l := w.leaf
	e := &Exclusion{
		Reason: reason, Count: n,
		Source: w.key.source, Offset: l.at.Offset, RecordOffset: w.key.record, DB: w.key.db, Presumed: w.key.presumed, KeyType: w.key.kind(), Where: l.where, State: l.state.String(),
	}
	e.Key, e.KeyB64 = w.nameText(w.b.bytes(w.key.name), w.masks)
	e.Field, e.FieldB64 = w.nameText(w.b.bytes(l.field), w.fieldMasks)
	return e
}
