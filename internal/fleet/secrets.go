package fleet

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/scan"
)

// sortBudget is the memory in which a report sorts; what is more is spilled.
const sortBudget = 64 << 20

// lastRun is the number of the last submission, 0 if there is none.
func (db *DB) lastRun(ctx context.Context) (run int64, err error) {
	err = db.sql.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM fleet_runs`).Scan(&run)
	return run, err
}

// freshIDs are the ids of secrets that the last submission brought, sorted.
type freshIDs []secretID

func (f freshIDs) has(text string) bool {
	id, err := parseID(text)
	if err != nil {
		return false
	}
	_, ok := slices.BinarySearchFunc(f, id, compareIDs)
	return ok
}

func compareIDs(a, b secretID) int { return bytes.Compare(a[:], b[:]) }

// fresh returns the secrets that a selection keeps to: nil, if it keeps to none.
// They are held in memory, 16 bytes each.
func (db *DB) fresh(ctx context.Context, sel Selection) (freshIDs, error) {
	if !sel.New {
		return nil, nil
	}
	last, err := db.lastRun(ctx)
	if err != nil {
		return nil, err
	}
	s := spill.NewSorter(db.Tmp, sortBudget)
	defer s.Close()
	if err := db.addSeen(ctx, s); err != nil {
		return nil, err
	}
	out := freshIDs{}
	var before secretID
	first := true
	for record, err := range s.Sorted() {
		if err != nil {
			return nil, err
		}
		id, run := secretID(record), int64(binary.BigEndian.Uint64(record[idSize+1:]))
		if (first || id != before) && run == last {
			out = append(out, id)
		}
		first, before = false, id
	}
	return out, nil
}

// A place of a secret, or the run in which it was seen, is a record behind the
// secret's id.
const (
	seenRecord  = iota // and the run
	placeRecord        // and instance, owner and input as numbers, and what is said of it there
)

// addSeen adds, for each secret, the runs in which it was first seen in some input.
func (db *DB) addSeen(ctx context.Context, s *spill.Sorter) error {
	var record []byte
	return db.eachSeen(ctx, func(id secretID, run int64) error {
		record = append(append(record[:0], id[:]...), seenRecord)
		return s.Add(binary.BigEndian.AppendUint64(record, uint64(run)))
	})
}

// addPlaces adds where in a selection each secret is.
func (db *DB) addPlaces(ctx context.Context, sel Selection, s *spill.Sorter) error {
	var owner, instance string
	u, err := db.found(ctx, sel, "i.owner, i.instance, ", "i.id, ", &owner, &instance)
	if err != nil {
		return err
	}
	defer u.close() //nolint:errcheck // what is read is read
	owners, instances := numbers{}, numbers{}
	var record []byte
	for {
		more, err := u.next()
		if err != nil || !more {
			return err
		}
		where := [3]uint64{instances.of(instance), owners.of(owner), uint64(u.input)}
		if err := u.records(func(f *scan.Finding, _ *report.Damage) error {
			if f == nil || f.ID == "" {
				return nil
			}
			id, err := parseID(f.ID)
			if err != nil {
				return err
			}
			record = append(append(record[:0], id[:]...), placeRecord)
			for _, n := range where {
				record = binary.BigEndian.AppendUint64(record, n)
			}
			said, err := json.Marshal([]string{f.Rule, f.Severity.String(), f.Secret})
			if err != nil {
				return err
			}
			return s.Add(append(record, said...))
		}); err != nil {
			return err
		}
	}
}

// numbers counts names from 0.
type numbers map[string]uint64

func (n numbers) of(name string) uint64 {
	i, ok := n[name]
	if !ok {
		i = uint64(len(n))
		n[name] = i
	}
	return i
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

// counting counts the places of one secret, which come sorted.
type counting struct {
	id     secretID
	first  int64 // run
	secret Secret
	said   []byte    // rule, severity and masked secret, as JSON
	at     [3]uint64 // of the last place: instance, owner, input
	owners map[uint64]bool
}

// add counts a record.
func (c *counting) add(record []byte) {
	if record[idSize] == seenRecord {
		if run := int64(binary.BigEndian.Uint64(record[idSize+1:])); c.first == 0 {
			c.first = run // the earliest comes first
		}
		return
	}
	rest := record[idSize+1:]
	var at [3]uint64
	for i := range at {
		at[i], rest = binary.BigEndian.Uint64(rest), rest[8:]
	}
	s := &c.secret
	if s.Findings == 0 || at[0] != c.at[0] {
		s.Instances++
	}
	if s.Findings == 0 || at[2] != c.at[2] {
		s.Inputs++
	}
	if s.Findings == 0 || bytes.Compare(rest, c.said) < 0 {
		c.said = append(c.said[:0], rest...)
	}
	c.owners[at[1]] = true
	c.at = at
	s.Findings++
}

// Secrets calls do for each secret, those in the most inputs first.
func (db *DB) Secrets(ctx context.Context, sel Selection, do func(*Secret) error) error {
	last, err := db.lastRun(ctx)
	if err != nil {
		return err
	}
	places := spill.NewSorter(db.Tmp, sortBudget)
	defer places.Close()
	if err := db.addSeen(ctx, places); err != nil {
		return err
	}
	if err := db.addPlaces(ctx, sel, places); err != nil {
		return err
	}
	order := spill.NewSorter(db.Tmp, sortBudget)
	defer order.Close()
	if err := count(places, func(c *counting) error {
		if c.secret.Findings == 0 || sel.New && c.first != last {
			return nil
		}
		return c.put(order, last)
	}); err != nil {
		return err
	}
	for record, err := range order.Sorted() {
		if err != nil {
			return err
		}
		s := &Secret{}
		if err := json.Unmarshal(record[orderSize:], s); err != nil {
			return err
		}
		if err := do(s); err != nil {
			return err
		}
	}
	return nil
}

// count calls do for each secret.
func count(places *spill.Sorter, do func(*counting) error) error {
	var c *counting
	for record, err := range places.Sorted() {
		if err != nil {
			return err
		}
		if id := secretID(record); c == nil || c.id != id {
			if c != nil {
				if err := do(c); err != nil {
					return err
				}
			}
			c = &counting{id: id, owners: map[uint64]bool{}}
		}
		c.add(record)
	}
	if c == nil {
		return nil
	}
	return do(c)
}

// orderSize is how long what secrets are sorted by is: the number of inputs and of
// findings, the most first, and the id.
const orderSize = 8 + 8 + idSize

// put adds the secret to those to be ordered.
func (c *counting) put(order *spill.Sorter, last int64) error {
	s := &c.secret
	var said [3]string
	if err := json.Unmarshal(c.said, &said); err != nil {
		return err
	}
	s.Rule, s.Severity, s.Secret = said[0], said[1], said[2]
	s.Type, s.ID, s.Owners, s.FirstRun, s.New = "secret", c.id.String(), int64(len(c.owners)), c.first, c.first == last
	text, err := json.Marshal(s) //nolint:gosec // the secret is masked
	if err != nil {
		return err
	}
	record := binary.BigEndian.AppendUint64(nil, ^uint64(s.Inputs))
	record = binary.BigEndian.AppendUint64(record, ^uint64(s.Findings))
	return order.Add(append(append(record, c.id[:]...), text...))
}
