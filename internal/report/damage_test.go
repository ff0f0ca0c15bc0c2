package report

import (
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

func TestDamageNamesNoFileInItsReason(t *testing.T) {
	inner := &keyspace.FormatError{Pos: keyspace.Pos{Source: "private-name", Inner: -1}, What: "gzip", Err: keyspace.ErrTruncated}
	outer := &keyspace.FormatError{Pos: inner.Pos, What: "string", Err: inner}
	d := NewDamage(&keyspace.Event{Kind: keyspace.Damage, Pos: outer.Pos, Err: outer})
	if d.What != "string" || d.Reason != keyspace.ErrTruncated.Error() || strings.Contains(d.What+d.Reason, "private-name") {
		t.Errorf("what %q, reason %q", d.What, d.Reason)
	}
}
