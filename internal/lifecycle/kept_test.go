package lifecycle

import (
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// An entry that a stream keeps, and marks as deleted, stays deleted; it does not
// take the place of another.
func TestKeptEntries(t *testing.T) {
	events := func(yield func(*keyspace.Event, error) bool) {
		key := keyspace.Event{Kind: keyspace.Key, Op: keyspace.OpCreate, Type: keyspace.Stream, Key: []byte("k"), Expire: keyspace.NoExpire}
		entry := func(ms uint64, state keyspace.State) keyspace.Event {
			e := key
			e.Kind, e.Op, e.ID.MS, e.State, e.Value = keyspace.Element, keyspace.OpPut, ms, state, []byte("v")
			return e
		}
		end := key
		end.Kind = keyspace.KeyEnd
		for _, e := range []keyspace.Event{key, entry(1, keyspace.Deleted), entry(2, keyspace.Unknown), end} {
			if !yield(&e, nil) {
				return
			}
		}
	}
	var got []keyspace.State
	for e, err := range Resolve(t.Context(), func() keyspace.Seq { return events }, Options{Tmp: t.TempDir()}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == keyspace.Element {
			got = append(got, e.State)
		}
	}
	if len(got) != 2 || got[0] != keyspace.Deleted || got[1] != keyspace.Live {
		t.Errorf("%v, want deleted and live", got)
	}
}
