package fleet

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"iter"

	"github.com/valkeyfs/valkeyfs/internal/spill"
)

// In which run a secret was first seen is kept by input: a row has up to idsARow
// ids, as bytes, that were found in the input first when it was submitted in the
// row's run. What is no longer found there stays known.
const (
	idSize  = 16
	idsARow = 2048
)

type secretID [idSize]byte

func (s secretID) String() string { return hex.EncodeToString(s[:]) }

func parseID(text string) (s secretID, err error) {
	if hex.DecodedLen(len(text)) != idSize {
		return s, fmt.Errorf("an id of %d characters", len(text))
	}
	_, err = hex.Decode(s[:], []byte(text))
	return s, err
}

// idSet is the ids of the secrets of one input: spilled, encrypted, if they are
// many.
type idSet struct{ sorter *spill.Sorter }

// What stands behind an id in the sorter: those known before come first.
const (
	knownID = iota
	foundID
)

func newIDSet(tmp string, budget int64) *idSet { return &idSet{spill.NewSorter(tmp, budget)} }

func (s *idSet) close() error { return s.sorter.Close() }

// add adds the id of a finding, which may have none.
func (s *idSet) add(text string) error {
	if text == "" {
		return nil
	}
	id, err := parseID(text)
	if err != nil {
		return err
	}
	return s.put(id, foundID)
}

func (s *idSet) put(id secretID, as byte) error {
	var record [idSize + 1]byte
	copy(record[:], id[:])
	record[idSize] = as
	return s.sorter.Add(record[:])
}

// store adds the ids to those that are known of an input, as seen first in a run.
func (s *idSet) store(ctx context.Context, db *DB, tx *sql.Tx, input, run int64) error {
	seq, err := s.known(ctx, db, tx, input)
	if err != nil {
		return err
	}
	var ids []byte
	put := func() error {
		err := db.putSeen(ctx, tx, input, seq, run, ids)
		seq++
		ids = ids[:0]
		return err
	}
	for id, err := range s.fresh() {
		if err != nil {
			return err
		}
		if ids = append(ids, id[:]...); len(ids) == idsARow*idSize {
			if err := put(); err != nil {
				return err
			}
		}
	}
	if len(ids) > 0 {
		return put()
	}
	return nil
}

// putSeen files a row of ids.
func (db *DB) putSeen(ctx context.Context, tx *sql.Tx, input, seq, run int64, ids []byte) error {
	_, err := tx.ExecContext(ctx, db.q(`INSERT INTO fleet_seen (input, seq, run, ids) VALUES ($1, $2, $3, $4)`), input, seq, run, ids)
	return err
}

// known adds the ids that are known of an input, and returns the number of the row
// behind theirs.
func (s *idSet) known(ctx context.Context, db *DB, tx *sql.Tx, input int64) (seq int64, err error) {
	for ; ; seq++ { // a row at a time, since what follows writes beside
		var ids []byte
		err := tx.QueryRowContext(ctx, db.q(`SELECT ids FROM fleet_seen WHERE input = $1 AND seq = $2`), input, seq).Scan(&ids)
		if err == sql.ErrNoRows {
			return seq, nil
		}
		if err != nil {
			return 0, err
		}
		for id, err := range idsOf(ids) {
			if err == nil {
				err = s.put(id, knownID)
			}
			if err != nil {
				return 0, err
			}
		}
	}
}

// fresh yields the ids that were found and not known, once each, in order.
func (s *idSet) fresh() iter.Seq2[secretID, error] {
	return func(yield func(secretID, error) bool) {
		var last secretID
		first := true
		for record, err := range s.sorter.Sorted() {
			if err != nil {
				yield(last, err)
				return
			}
			id := secretID(record[:idSize])
			if !first && id == last {
				continue
			}
			first, last = false, id
			if record[idSize] == foundID && !yield(id, nil) {
				return
			}
		}
	}
}

// idsOf yields the ids of a row.
func idsOf(row []byte) iter.Seq2[secretID, error] {
	return func(yield func(secretID, error) bool) {
		for ; len(row) >= idSize; row = row[idSize:] {
			if !yield(secretID(row), nil) {
				return
			}
		}
		if len(row) > 0 {
			yield(secretID{}, fmt.Errorf("an id of %d bytes", len(row)))
		}
	}
}

// eachSeen calls do for each id and each run in which it was first seen in some input.
func (db *DB) eachSeen(ctx context.Context, do func(id secretID, run int64) error) error {
	rows, err := db.sql.QueryContext(ctx, `SELECT run, ids FROM fleet_seen`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var run int64
		var ids []byte
		if err := rows.Scan(&run, &ids); err != nil {
			return err
		}
		for id, err := range idsOf(ids) {
			if err == nil {
				err = do(id, run)
			}
			if err != nil {
				return err
			}
		}
	}
	return rows.Err()
}
