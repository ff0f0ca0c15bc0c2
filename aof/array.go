package aof

import "github.com/valkeyfs/valkeyfs/keyspace"

// Arrays, Redis 8.8 (t_array.c). An Index is that of the slot, as an unsigned
// number that may take all 64 bits.

// applyARSet is ARSET key index value [value …].
func applyARSet(c *command) {
	c.readKey()
	at := c.slot()
	c.begin(keyspace.OpUpdate, keyspace.Array)
	for ; c.more(); at++ {
		c.elementAt(keyspace.OpPut, at)
	}
	c.end()
}

// applyARMSet is ARMSET key index value [index value …].
func applyARMSet(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.Array)
	for c.more() {
		c.elementAt(keyspace.OpPut, c.slot())
	}
	c.end()
}

// applyARInsert is ARINSERT key value [value …]: where the cursor of the array
// stands is not said.
func applyARInsert(c *command) {
	c.readKey()
	c.insert()
}

// applyARRing is ARRING key size value [value …], which takes the place of the
// oldest once the ring is full.
func applyARRing(c *command) {
	c.readKey()
	c.skip(1)
	c.event(keyspace.Delete, keyspace.OpDeleteSome, keyspace.Array)
	c.emit()
	c.insert()
}

func (c *command) insert() {
	c.begin(keyspace.OpUpdate, keyspace.Array)
	for c.more() {
		c.elementAt(keyspace.OpAppend, -1)
	}
	c.end()
}

// applyARDel is ARDEL key index [index …].
func applyARDel(c *command) {
	c.readKey()
	for c.more() {
		at := c.slot()
		c.event(keyspace.Delete, keyspace.OpDeleteElement, keyspace.Array).Index = at
		c.emit()
	}
}

// applyARDelRange is ARDELRANGE key start end [start end …]: Index and Count are
// the bounds.
func applyARDelRange(c *command) {
	c.readKey()
	for c.more() {
		start, end := c.slot(), c.slot()
		e := c.event(keyspace.Delete, keyspace.OpDeleteSome, keyspace.Array)
		e.Index, e.Count = start, end
		c.emit()
	}
}

// applyARSeek is ARSEEK key index.
func applyARSeek(c *command) {
	c.readKey()
	c.touch(keyspace.Array)
	c.skip(c.argc)
}

// slot reads the index of a slot.
func (c *command) slot() int64 {
	n, _ := parseUint(c.word())
	return int64(n)
}
