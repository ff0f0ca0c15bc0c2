package replay

import (
	"errors"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A string that a command too long to be computed makes longer is not copied where
// there is no room for both copies.
func TestLongCommandsHaveNoMoreRoom(t *testing.T) {
	const limit = 1 << 20
	for _, c := range []struct {
		had, more int
		full      bool
	}{{limit / 4, limit / 8, false}, {limit * 7 / 10, limit / 5, true}} {
		m := newMachine(limit, limit)
		o := &object{typ: keyspace.String, str: make([]byte, c.had)}
		m.held = int64(c.had)
		m.open.o = o
		err := m.element(&keyspace.Event{Kind: keyspace.Element, Op: keyspace.OpUpdate, Type: keyspace.String, Value: make([]byte, c.more)})
		if errors.Is(err, errFull) != c.full {
			t.Errorf("%d bytes more for %d, of %d: %v", c.more, c.had, limit, err)
		}
	}
}
