package rdb

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Names that are bombs end the reading, and are one place of damage; those that are
// merely compressed do not.
func TestNamesThatAreBombs(t *testing.T) {
	servertest.Long(t)
	name := func(b *build, runs int) {
		b.op(0).op(0xc3).len(uint64(9 + 3*runs)).len(uint64(8 + lzfMaxCopy*runs))
		b.op(7).WriteString("01234567")
		b.WriteString(strings.Repeat("\xe0\xff\x07", runs))
		b.str("value")
	}
	for _, c := range []struct {
		keys, runs int
		bomb       bool
	}{{40, 3800, false}, {400, 3800, true}, {2000, 1, false}} {
		p := file("REDIS0011", func(b *build) {
			for range c.keys {
				name(b, c.runs)
			}
		})
		for _, resync := range []bool{false, true} {
			keys, fault := 0, error(nil)
			for e, err := range NewReader(bytes.NewReader(p), Options{Resync: resync}).Events(t.Context()) {
				if fault = err; err != nil {
					break
				}
				switch e.Kind {
				case keyspace.KeyEnd:
					keys++
				case keyspace.Damage:
					t.Errorf("%d keys: damage: %v", c.keys, e.Err)
				}
			}
			switch {
			case !c.bomb && (fault != nil || keys != c.keys):
				t.Errorf("%d keys of %d: %v", keys, c.keys, fault)
			case c.bomb && (!errors.Is(fault, keyspace.ErrLimit) || keys*c.runs*lzfMaxCopy > namesFree):
				t.Errorf("%d keys of %d are read: %v", keys, c.keys, fault)
			}
		}
	}
}
