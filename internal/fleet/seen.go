package fleet

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"

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
type idSet struct {
	tmp    string
	most   int           // ids in memory
	found  []secretID    // once sorted, once each
	known  []bool        // of found
	sorter *spill.Sorter // of all ids, if they are more; nil until then
}

// What stands behind an id in the sorter: those known before come first.
const (
	knownID = iota
	foundID
)

// newIDSet returns a set that takes up to budget, or a little more once it spills.
func newIDSet(tmp string, budget int64) *idSet {
	return &idSet{tmp: tmp, most: int(max(budget/(2*idSize+1), 1))} // what grows is there twice
}

// keptIDs is for how many ids the room is kept when a set is emptied.
const keptIDs = 64 << 10

// close empties the set.
func (s *idSet) close() error {
	if s.found = s.found[:0]; cap(s.found) > keptIDs {
		s.found = nil
	}
	if s.sorter == nil {
		return nil
	}
	err := s.sorter.Close()
	s.sorter = nil
	return err
}

// add adds the id of a finding, which may have none.
func (s *idSet) add(text string) error {
	if text == "" {
		return nil
	}
	id, err := parseID(text)
	if err != nil {
		return err
	}
	switch n := len(s.found); {
	case n == s.most:
		if err := s.spill(); err != nil {
			return err
		}
	case n == cap(s.found):
		s.found = slices.Grow(s.found, min(max(n, 64), s.most-n))
	}
	s.found = append(s.found, id)
	return nil
}

// sort orders what was found.
func (s *idSet) sort() {
	sortIDs(s.found)
	s.found = slices.Compact(s.found)
}

// spill moves what was found to where there is more room.
func (s *idSet) spill() error {
	if s.sorter == nil {
		s.sorter = spill.NewSorter(s.tmp, int64(s.most)*idSize)
	}
	s.sort()
	for _, id := range s.found {
		if err := s.shelve(id, foundID); err != nil {
			return err
		}
	}
	s.found = s.found[:0]
	return nil
}

func (s *idSet) shelve(id secretID, as byte) error {
	var record [idSize + 1]byte
	copy(record[:], id[:])
	record[idSize] = as
	return s.sorter.Add(record[:])
}

// sortIDs sorts ids. They are parts of sums, which spread evenly: by its first bits
// each goes to a heap of few.
func sortIDs(ids []secretID) {
	const heaps = 1 << 12
	if len(ids) < heaps {
		slices.SortFunc(ids, compareIDs)
		return
	}
	heap := func(id secretID) int { return int(binary.BigEndian.Uint16(id[:]) >> 4) }
	var next, end [heaps]int
	for _, id := range ids {
		end[heap(id)]++
	}
	at := 0
	for h := range heaps {
		next[h], at = at, at+end[h]
		end[h] = at
	}
	at = 0
	for h := range heaps {
		for next[h] < end[h] { // an id goes to its own heap, until one of this has come
			i := next[h]
			own := heap(ids[i])
			ids[i], ids[next[own]] = ids[next[own]], ids[i]
			next[own]++
		}
		slices.SortFunc(ids[at:end[h]], compareIDs)
		at = end[h]
	}
}

// store adds the ids to those that are known of an input, as seen first in a run.
func (s *idSet) store(ctx context.Context, db *DB, tx *sql.Tx, input, run int64) error {
	if s.sorter != nil {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.sort()
	s.known = append(s.known[:0], make([]bool, len(s.found))...)
	seq, err := s.addKnown(ctx, db, tx, input)
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

// addKnown adds the ids that are known of an input, and returns the number of the row
// behind theirs.
func (s *idSet) addKnown(ctx context.Context, db *DB, tx *sql.Tx, input int64) (seq int64, err error) {
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
				err = s.note(id)
			}
			if err != nil {
				return 0, err
			}
		}
	}
}

// note notes that an id is known.
func (s *idSet) note(id secretID) error {
	if s.sorter != nil {
		return s.shelve(id, knownID)
	}
	if i, ok := slices.BinarySearchFunc(s.found, id, compareIDs); ok {
		s.known[i] = true
	}
	return nil
}

// fresh yields the ids that were found and not known, once each, in order.
func (s *idSet) fresh() iter.Seq2[secretID, error] {
	return func(yield func(secretID, error) bool) {
		if s.sorter == nil {
			for i, id := range s.found {
				if !s.known[i] && !yield(id, nil) {
					return
				}
			}
			return
		}
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
