package sweep

import (
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

func TestMatchIsAskedOfTheEventsOwnKey(t *testing.T) {
	for _, before := range []string{"yes", "no"} {
		for _, c := range []struct {
			kind    keyspace.Kind
			key, to string
			want    bool
		}{
			{keyspace.Rename, "yes", "no", true}, {keyspace.Rename, "no", "yes", true}, {keyspace.Rename, "no", "no", false},
			{keyspace.Delete, "yes", "", true}, {keyspace.Delete, "no", "", false},
			{keyspace.Expire, "yes", "", true}, {keyspace.Expire, "no", "", false},
			{keyspace.Header, "", "", false}, {keyspace.Aux, "yes", "", false}, {keyspace.DB, "", "", false}, {keyspace.Slot, "", "", false},
			{keyspace.Function, "yes", "", false}, {keyspace.Flush, "", "", false}, {keyspace.SwapDB, "", "", false}, {keyspace.Command, "", "", false},
			{keyspace.Element, before, "", before == "yes"}, {keyspace.KeyEnd, before, "", before == "yes"},
		} {
			m := &meter{match: func(e *keyspace.Event) bool { return string(e.Key) == "yes" }}
			got := false
			for e := range m.seq(func(yield func(*keyspace.Event, error) bool) {
				_ = yield(&keyspace.Event{Kind: keyspace.Key, Key: []byte(before)}, nil) &&
					yield(&keyspace.Event{Kind: c.kind, Key: []byte(c.key), Value: []byte(c.to)}, nil)
			}) {
				got = got || e.Kind == c.kind
			}
			if got != c.want {
				t.Errorf("%v of %q to %q behind key %q: %v", c.kind, c.key, c.to, before, got)
			}
		}
	}
}
