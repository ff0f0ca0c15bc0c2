package scan

import (
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Where damage may have held what selects another database, a finding says so.
func TestPresumedDatabase(t *testing.T) {
	password := "Vq7" + random("presumed", 6, lowerAlphabet) + "#29"
	var events []keyspace.Event
	for _, presumed := range []bool{false, true, false} {
		for _, e := range hashKey("k", "password", password) {
			e.DB, e.Presumed = 3, presumed
			e.Record = int64(len(events))
			events = append(events, e)
		}
	}
	found, _ := scanAll(t, newTestScanner(t), events)
	if len(found) != 3 {
		t.Fatalf("found %s", brief(found))
	}
	for i, f := range found {
		if f.DB != 3 || f.Presumed != (i == 1) {
			t.Errorf("finding %d: database %d, presumed %v", i, f.DB, f.Presumed)
		}
	}
}
