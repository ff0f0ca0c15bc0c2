package report

import (
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

func TestDamageNamesNoFileInItsReason(t *testing.T) {
	inner := &keyspace.FormatError{Pos: keyspace.Pos{Source: "private-name", Inner: -1}, What: "gzip", Err: keyspace.ErrTruncated}
	outer := &keyspace.FormatError{Pos: inner.Pos, What: "string", Err: inner}
	d := NewDamage(&keyspace.Event{Kind: keyspace.Damage, Pos: outer.Pos, Err: outer})
	if d.What != "string" || d.Reason != keyspace.ErrTruncated.Error() || strings.Contains(d.What+d.Reason, "private-name") {
		t.Errorf("what %q, reason %q", d.What, d.Reason)
	}
}

// A database that is only presumed is said to be so.
func TestPlaceOfPresumedDatabase(t *testing.T) {
	f := &scan.Finding{Source: "dump.rdb", Offset: 7, DB: 3, Presumed: true, Key: "k", KeyType: "string"}
	if got := place(f); !strings.HasPrefix(got, "dump.rdb byte 7, db 3 (presumed)") {
		t.Error(got)
	}
	if f.Presumed = false; strings.Contains(place(f), "presumed") {
		t.Error(place(f))
	}
}
