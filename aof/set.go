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

// applySPop is SPOP key [count], which servers log as SREM.
func applySPop(c *command) {
	c.readKey()
	c.event(keyspace.Delete, keyspace.OpDeleteSome, keyspace.Set)
	c.emit()
	c.skip(c.argc)
}

// applySetStore is SINTERSTORE, SUNIONSTORE and SDIFFSTORE destination key [key …].
func applySetStore(c *command) { c.computed(keyspace.Set) }

// applyZStore is ZINTERSTORE, ZUNIONSTORE and ZDIFFSTORE destination numkeys key
// [key …] and options.
func applyZStore(c *command) { c.computedOf(keyspace.SortedSet) }

// computed reads the key that now holds the result of a computation, and what is
// left of the arguments as the keys that it was computed from.
func (c *command) computed(typ keyspace.Type) {
	c.readKey()
	for c.more() {
		c.share()
	}
	c.replaceSome(typ)
}

// computedOf is computed where a number says how many keys follow.
func (c *command) computedOf(typ keyspace.Type) {
	c.readKey()
	for n := c.integer(); n > 0 && c.more(); n-- {
		c.share()
	}
	c.replaceSome(typ)
	c.skip(c.argc)
}

// share reads a key whose elements the key may hold from now on.
func (c *command) share() {
	from, at := c.name(otherSlot)
	to := c.key
	e := c.event(keyspace.Rename, keyspace.OpShare, keyspace.TypeNone)
	e.Key, e.Value, e.Index, e.Length, e.Pos.Offset = from, to, int64(c.r.db), int64(len(from)), at
	c.emit()
}

// replaceSome says that the key now holds what the file does not name.
func (c *command) replaceSome(typ keyspace.Type) {
	c.event(keyspace.Delete, keyspace.OpReplaceSome, typ)
	c.emit()
}
