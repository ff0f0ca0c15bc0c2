package salvage

import (
	"bufio"
	"bytes"

	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
)

// choice is a database that is selected once something follows that is in it. Bytes among
// damage may select one, with its size, that the server has not: for a file that selects it
// the server would load nothing.
type choice struct {
	w    *rdbwrite.Writer
	db   int32
	size []byte // the size that was said of it
	open bool   // it is not selected yet
}

func (c *choice) choose(db int32) { c.db, c.size, c.open = db, c.size[:0], true }

// copy copies n bytes, before which the database is selected unless its size is all they are.
func (c *choice) copy(from *bufio.Reader, n int64) error {
	if c.open && len(c.size) == 0 {
		head, _ := from.Peek(int(min(n, maxSize)))
		if m := sizeOfDatabase(head); m > 0 {
			c.size = append(c.size, head[:m]...)
			if _, err := from.Discard(m); err != nil {
				return err
			}
			n -= int64(m)
		}
	}
	if n == 0 {
		return nil
	}
	if err := c.make(); err != nil {
		return err
	}
	return c.w.Raw(from, n)
}

// make selects the database if it is not.
func (c *choice) make() error {
	if !c.open {
		return nil
	}
	c.open = false
	if err := c.w.Select(c.db); err != nil || len(c.size) == 0 {
		return err
	}
	return c.w.Raw(bytes.NewReader(c.size), int64(len(c.size)))
}

// RDB_OPCODE_RESIZEDB, and what it takes with two lengths of 64 bits (rdb.h).
const (
	opResizeDB = 251
	maxSize    = 1 + 2*9
)

// sizeOfDatabase returns how long what says the size of a database is, at the start of b, or 0.
func sizeOfDatabase(b []byte) int {
	if len(b) == 0 || b[0] != opResizeDB {
		return 0
	}
	n := 1
	for range 2 { // keys, and those that expire
		if n >= len(b) {
			return 0
		}
		switch first := b[n]; {
		case first < 1<<6:
			n++
		case first < 2<<6:
			n += 2
		case first == 0x80:
			n += 5
		case first == 0x81:
			n += 9
		default:
			return 0
		}
	}
	if n > len(b) {
		return 0
	}
	return n
}
