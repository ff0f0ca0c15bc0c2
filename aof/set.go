package aof

import "github.com/valkeyfs/valkeyfs/keyspace"

// applySAdd is SADD key member [member …].
func applySAdd(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.Set)
	for c.more() {
		c.element(keyspace.OpPut)
	}
	c.end()
}

// SREM and ZREM key member [member …].
func applySRem(c *command) { c.readKey(); c.deleteMembers(keyspace.Set) }
func applyZRem(c *command) { c.readKey(); c.deleteMembers(keyspace.SortedSet) }

func (c *command) deleteMembers(typ keyspace.Type) {
	for c.more() {
		e := c.event(keyspace.Delete, keyspace.OpDeleteElement, typ)
		c.named(&e.Value)
		c.emit()
	}
}

// applySMove is SMOVE source destination member.
func applySMove(c *command) {
	c.readKey()
	to, _ := c.name(otherSlot)
	e := c.event(keyspace.Rename, keyspace.OpMoveMember, keyspace.Set)
	c.named(&e.Field)
	e.Value, e.Index = to, int64(e.DB)
	c.emit()
}

// SPOP key [count], ZPOPMIN and ZPOPMAX key [count].
func applySPop(c *command) { c.deleteSome(keyspace.Set) }
func applyZPop(c *command) { c.deleteSome(keyspace.SortedSet) }

func (c *command) deleteSome(typ keyspace.Type) {
	c.readKey()
	c.event(keyspace.Delete, keyspace.OpDeleteSome, typ)
	c.emit()
	c.skip(c.argc)
}

// SINTERSTORE and its like: destination and what it is computed from.
func applySetStore(c *command) { c.replaced(keyspace.Set) }
func applyZStore(c *command)   { c.replaced(keyspace.SortedSet) }

// replaced reads the key that now holds the result of a computation.
func (c *command) replaced(typ keyspace.Type) {
	c.readKey()
	c.event(keyspace.Delete, keyspace.OpReplaceSome, typ)
	c.emit()
	c.skip(c.argc)
}
