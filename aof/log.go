package aof

import "github.com/valkeyfs/valkeyfs/keyspace"

// Commands that say how the log is to be read.

// applySelect is SELECT index. Behind one that names no database, which one it is
// is not known.
func applySelect(c *command) {
	n, ok := parseInt(c.word())
	if c.halted {
		return
	}
	if !ok || n < 0 || n > maxDB {
		c.r.db = noDB
		c.damaged("a SELECT of no database")
		return
	}
	c.r.db, c.r.presumed = int32(n), false
	e := c.event(keyspace.DB, keyspace.OpNone, keyspace.TypeNone)
	e.Index, e.Count = -1, -1
	c.emit()
}

// maxDB is the largest database number (config.c, "databases", INT_MAX).
const maxDB = 1<<31 - 1

// noDB is the database of what stands behind a SELECT that names none.
const noDB = -1

// applyMulti is MULTI: what follows becomes part of the data set at its EXEC.
func applyMulti(c *command) {
	if c.r.multi < 0 {
		c.r.multi = c.start
	}
}

// applyExec is EXEC, and DISCARD.
func applyExec(c *command) { c.r.multi = -1 }
