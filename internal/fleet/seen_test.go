package fleet

import (
	"crypto/rand"
	"path/filepath"
	"slices"
	"testing"
)

// What is found is sorted, once each and without what is known, spilled or not.
func TestIDs(t *testing.T) {
	sum := func(int) (id secretID) {
		rand.Read(id[:])
		return id
	}
	alike := func(n int) (id secretID) { // as sums are not
		id[idSize-1], id[idSize-2], id[idSize-3] = byte(n), byte(n>>8), byte(n>>16)
		return id
	}
	for name, c := range map[string]struct {
		n      int
		budget int64
		id     func(int) secretID
		spills bool
	}{
		"none":          {0, 1 << 20, sum, false},
		"few":           {300, 1 << 20, sum, false},
		"many":          {30_000, 4 << 20, sum, false},
		"many alike":    {30_000, 4 << 20, alike, false},
		"spilled":       {30_000, 1 << 16, sum, true},
		"spilled alike": {30_000, 1 << 16, alike, true},
		"one by one":    {100, 1, sum, true},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "db"), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			set := newIDSet(t.TempDir(), c.budget)
			ids := make([]secretID, c.n)
			for i := range ids {
				ids[i] = c.id(i)
			}
			// One set does for two scans, the second of which finds more.
			for run, found := range [][]secretID{ids[:c.n/2], ids} {
				for range 2 { // each secret is in two places
					for _, id := range found {
						if err := set.add(id.String()); err != nil {
							t.Fatal(err)
						}
					}
				}
				tx, err := db.sql.Begin()
				if err != nil {
					t.Fatal(err)
				}
				if err := set.store(t.Context(), db, tx, 1, int64(run)); err != nil {
					t.Fatal(err)
				}
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
				if (set.sorter != nil) != c.spills {
					t.Errorf("%d ids in %d bytes: spilled is %v", len(found), c.budget, set.sorter != nil)
				}
				if err := set.close(); err != nil {
					t.Fatal(err)
				}
			}
			var got [2][]secretID
			if err := db.eachSeen(t.Context(), func(id secretID, run int64) error {
				got[run] = append(got[run], id)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			for run, want := range [][]secretID{ids[:c.n/2], ids[c.n/2:]} {
				want = slices.Clone(want)
				slices.SortFunc(want, compareIDs)
				if !slices.Equal(got[run], want) {
					t.Errorf("run %d: %d ids are not the %d in order", run, len(got[run]), len(want))
				}
			}
		})
	}
}
