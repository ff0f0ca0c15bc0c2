package cli

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/replay"
)

// changeSummary counts changes, which come key by key.
type changeSummary struct {
	changes, keys int64
	gone          map[replay.What]int64 // tombstones
	first, last   int64                 // ms; of the changes whose time is known; 0: of none

	db  int32 // of the key at hand
	key []byte
}

func (s *changeSummary) note(c *replay.Change) {
	s.changes++
	if s.keys == 0 || c.DB != s.db || !bytes.Equal(c.Key, s.key) {
		s.keys++
		s.db, s.key = c.DB, append(s.key[:0], c.Key...)
	}
	if c.What.Tombstone() {
		if s.gone == nil {
			s.gone = map[replay.What]int64{}
		}
		s.gone[c.What]++
	}
	if c.Time != 0 {
		if s.first == 0 || c.Time < s.first {
			s.first = c.Time
		}
		s.last = max(s.last, c.Time)
	}
}

// String is one line: changes and keys, what is gone and how, and the time of all that.
func (s *changeSummary) String() string {
	var b strings.Builder
	b.WriteString(plural(s.changes, "change") + " of " + plural(s.keys, "key"))
	lead := "; "
	for _, what := range []replay.What{replay.Removed, replay.Overwritten, replay.Deleted, replay.Expired, replay.Flushed, replay.MovedAway} {
		if n := s.gone[what]; n > 0 {
			fmt.Fprintf(&b, "%s%d %s", lead, n, what)
			lead = ", "
		}
	}
	if s.last != 0 {
		utc := func(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
		fmt.Fprintf(&b, "; from %s to %s", utc(s.first), utc(s.last))
	}
	return b.String()
}
