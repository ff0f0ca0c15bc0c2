package aof

import "github.com/valkeyfs/valkeyfs/keyspace"

// Commands that say how the log is to be read.

// applySelect is SELECT index.
func applySelect(c *command) {
	n := c.integer()
	if c.halted || n < 0 || n > maxDB {
		return
	}
	c.r.db = int32(n)
	e := c.event(keyspace.DB, keyspace.OpNone, keyspace.TypeNone)
	e.Index, e.Count = -1, -1
	c.emit()
}

// maxDB is the largest database number (config.c, "databases", INT_MAX).
const maxDB = 1<<31 - 1

// applyMulti is MULTI: what follows becomes part of the data set at its EXEC.
func applyMulti(c *command) {
	if c.r.multi < 0 {
		c.r.multi = c.start
	}
}

// applyExec is EXEC, and DISCARD.
func applyExec(c *command) { c.r.multi = -1 }
