package scan

import (
	"bytes"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// In a log a value may come by pieces, a SET and then APPENDs, and a secret may
// stand across the seam of two of them. recentStrings remembers the ends of
// strings that were written not long ago, so that a piece can be read together
// with what it continues. A slot is overwritten by the next key that falls
// into it: memory is bounded, and what is remembered depends on the input alone.
type recentStrings [recentSlots]recentString

type recentString struct {
	db  int32
	key []byte
	end []byte
}

const (
	recentSlots = 256
	recentEnd   = 8 << 10 // bytes of a value's end that are remembered
)

// slot finds the place of a key (FNV-1a).
func (r *recentStrings) slot(db int32, key []byte) *recentString {
	h := uint32(2166136261) ^ uint32(db)
	for _, b := range key {
		h = (h ^ uint32(b)) * 16777619
	}
	return &r[(h^h>>16)%recentSlots]
}

// join returns the value of an Element of a log's string, put behind the end of
// what it was appended to if that is remembered, and the length of that end.
func (c *collector) join(e *keyspace.Event, value []byte) (joined []byte, seam int) {
	if e.Type != keyspace.String || e.Encoding != keyspace.RESP || len(e.Key) > recentEnd {
		return value, 0
	}
	if c.recent == nil {
		c.recent = new(recentStrings)
	}
	s := c.recent.slot(e.DB, e.Key)
	known := s.db == e.DB && bytes.Equal(s.key, e.Key)
	if e.Op == keyspace.OpAppend && e.Index == 0 && known {
		seam = len(s.end)
		c.joined = append(append(c.joined[:0], s.end...), value...)
		value = c.joined
	}
	if !known {
		s.db, s.key = e.DB, append(s.key[:0], e.Key...)
	}
	s.end = append(s.end[:0], value[max(0, len(value)-recentEnd):]...)
	return value, seam
}
