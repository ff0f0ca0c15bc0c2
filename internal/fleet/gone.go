package fleet

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/spill"
)

// listing is what a source holds now. Inputs that were submitted from there before
// and are not in it are gone: they stay, with what was found in them, and the time.
type listing struct {
	names  *spill.Sorter // what the inputs are called
	prefix string        // of the paths of all that the source could hold
	holds  func(path string) bool
	unread map[string]bool // paths that were not read: what is there and below is not known
	// globbed says that directories were read that are not in unread if they failed.
	globbed bool
	nothing bool // matched the pattern
}

// listingBudget is how much of a listing is held in memory.
const listingBudget = 8 << 20

func newListing(tmp string) *listing {
	return &listing{names: spill.NewSorter(tmp, listingBudget), unread: map[string]bool{}}
}

func (l *listing) close() error { return l.names.Close() }

// below says that the source is a path, or all that match a pattern, and what lies
// below.
func (l *listing) below(path string, pattern bool) {
	l.prefix, l.globbed = path, pattern
	same := func(p string) bool { return p == path }
	if pattern {
		l.prefix = path[:strings.IndexAny(path, patternLetters+`\`)]
		same = func(p string) bool {
			ok, err := filepath.Match(path, p)
			return ok && err == nil
		}
	}
	l.holds = func(p string) bool {
		for !same(p) {
			up := filepath.Dir(p)
			if up == p {
				return false
			}
			p = up
		}
		return true
	}
}

// patternLetters make a path a pattern.
const patternLetters = "*?["

// within says that the source is the objects whose names begin so.
func (l *listing) within(location string) {
	l.prefix = location
	l.holds = func(path string) bool { return strings.HasPrefix(path, location) }
}

// lacks reports whether there is no input any more at a path that is not listed.
func (l *listing) lacks(path string) bool {
	if !l.holds(path) {
		return false
	}
	for p := path; len(p) >= len(l.prefix); p = filepath.Dir(p) {
		if l.unread[p] {
			return false
		}
		if p == filepath.Dir(p) {
			break
		}
	}
	if l.globbed {
		_, err := os.Lstat(path)
		return errors.Is(err, fs.ErrNotExist)
	}
	return true
}

// missing is what is known from a source and not in its listing.
type missing struct {
	ids     []int64 // of inputs that are gone
	before  bool    // some were already
	perhaps bool    // some may be there
}

// markGone marks the inputs that a source no longer holds, and takes them out of the
// queue; but not those that a later submission than run has met since. It returns how
// many. A pattern that matches nothing is an error, unless all that it matched is gone.
func (db *DB) markGone(ctx context.Context, l *listing, run int64) (n int64, err error) {
	m, err := db.missing(ctx, l, run)
	if err != nil {
		return 0, err
	}
	if l.nothing && (m.perhaps || len(m.ids) == 0 && !m.before) {
		return 0, errors.New("matches nothing")
	}
	err = db.tx(ctx, func(tx *sql.Tx) error {
		for _, id := range m.ids {
			if _, err := tx.ExecContext(ctx, db.q(`UPDATE fleet_inputs SET gone = {now}, status = CASE WHEN status = 'queued' THEN 'cancelled' ELSE status END WHERE id = $1 AND gone = 0 AND run <= $2`), id, run); err != nil {
				return err
			}
		}
		return nil
	})
	return int64(len(m.ids)), err
}

// missing finds what a source no longer holds, by going through what it holds and
// what is known of it in the same order.
func (db *DB) missing(ctx context.Context, l *listing, run int64) (m missing, err error) {
	prefix, err := db.names.prefix(l.prefix)
	if err != nil {
		return m, err
	}
	next, stop := iter.Pull2(l.names.Sorted())
	defer stop()
	rows, err := db.sql.QueryContext(ctx, db.q(`SELECT id, path, sealed, gone > 0 FROM fleet_inputs WHERE run <= $2 AND (sealed <> '' OR substr(path, 1, length(CAST($1 AS TEXT))) = $1) ORDER BY path {bytes}`), prefix, run)
	if err != nil {
		return m, err
	}
	defer rows.Close()
	name, err, more := next()
	for rows.Next() {
		var id int64
		var called, sealed string
		var gone bool
		if err := rows.Scan(&id, &called, &sealed, &gone); err != nil {
			return m, err
		}
		for more && err == nil && string(name) < called {
			name, err, more = next()
		}
		if err != nil {
			return m, err
		}
		if more && string(name) == called {
			continue
		}
		path, err := db.names.path(called, sealed)
		if err != nil {
			return m, err
		}
		m.note(l, id, path, gone)
	}
	return m, rows.Err()
}

// note counts an input that is not in the listing.
func (m *missing) note(l *listing, id int64, path string, gone bool) {
	switch {
	case !l.holds(path):
	case gone:
		m.before = true
	case l.lacks(path):
		m.ids = append(m.ids, id)
	default:
		m.perhaps = true
	}
}

// Gone calls do for each input that is gone, with the time since when it is known to
// be, in milliseconds since 1970.
func (db *DB) Gone(ctx context.Context, do func(input string, since int64) error) error {
	rows, err := db.sql.QueryContext(ctx, db.q(`SELECT path, gone FROM fleet_inputs WHERE gone > 0 ORDER BY path {bytes}`))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var input string
		var since int64
		if err := rows.Scan(&input, &since); err != nil {
			return err
		}
		if err := do(input, since); err != nil {
			return err
		}
	}
	return rows.Err()
}
