package aof

import "github.com/valkeyfs/valkeyfs/keyspace"

// applyHSet is HSET, HMSET, HSETNX key field value [field value …].
func applyHSet(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.Hash)
	for c.more() {
		c.field()
		c.element(keyspace.OpPut)
	}
	c.end()
}

// applyHIncrBy is HINCRBY and HINCRBYFLOAT key field increment.
func applyHIncrBy(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.Hash)
	c.field()
	c.element(keyspace.OpAppend)
	c.end()
}

// applyHSetEX is HSETEX key [NX|XX|FNX|FXX] [EX …|KEEPTTL] FIELDS numfields
// field value [field value …].
func applyHSetEX(c *command) {
	c.readKey()
	expire, kept := keyspace.NoExpire, int64(0)
	for c.more() {
		w := c.word()
		if at, ok := c.deadline(w); ok {
			expire = at
		} else if is(w, "KEEPTTL") {
			kept = 1
		} else if is(w, "FIELDS") {
			c.skip(1)
			break
		}
	}
	c.begin(keyspace.OpUpdate, keyspace.Hash)
	c.r.ev.Expire, c.r.ev.Count = expire, kept
	for c.more() {
		c.field()
		c.element(keyspace.OpPut)
	}
	c.end()
}

// applyHDel is HDEL key field [field …].
func applyHDel(c *command) {
	c.readKey()
	c.deleteFields()
}

// applyHGetDel is HGETDEL key FIELDS numfields field [field …].
func applyHGetDel(c *command) {
	c.readKey()
	c.skip(2)
	c.deleteFields()
}

func (c *command) deleteFields() {
	for c.more() {
		e := c.event(keyspace.Delete, keyspace.OpDeleteElement, keyspace.Hash)
		c.named(&e.Field)
		c.emit()
	}
}

// applyHGetEX is HGETEX key [EX …|PERSIST] FIELDS numfields field [field …].
func applyHGetEX(c *command) {
	c.readKey()
	expire, known := keyspace.NoExpire, false
	for c.more() {
		w := c.word()
		if at, ok := c.deadline(w); ok {
			expire, known = at, at != keyspace.NoExpire
		} else if is(w, "PERSIST") {
			expire, known = keyspace.NoExpire, true
		} else if is(w, "FIELDS") {
			c.skip(1)
			break
		}
	}
	c.expireFields(keyspace.OpNone, expire, known)
}

// applyHPersist is HPERSIST key FIELDS numfields field [field …].
func applyHPersist(c *command) {
	c.readKey()
	c.skip(2)
	c.expireFields(keyspace.OpNone, keyspace.NoExpire, true)
}

// The HEXPIRE family: key time [NX|XX|GT|LT] FIELDS numfields field [field …].
func applyHExpire(c *command)    { c.readKey(); c.hexpire(c.after(1000)) }
func applyHPExpire(c *command)   { c.readKey(); c.hexpire(c.after(1)) }
func applyHExpireAt(c *command)  { c.readKey(); c.hexpire(times(c.integer(), 1000)) }
func applyHPExpireAt(c *command) { c.readKey(); c.hexpire(c.integer()) }

func (c *command) hexpire(at int64) {
	op := keyspace.OpNone
	for c.more() {
		w := c.word()
		if is(w, "FIELDS") {
			break
		}
		op = condition(w)
	}
	c.skip(1)
	c.expireFields(op, at, at != keyspace.NoExpire)
}

// condition is what must hold of a field whose expiry is to change. Servers log it with
// fields of which it does not hold, too.
func condition(w []byte) keyspace.Op {
	switch {
	case is(w, "NX"):
		return keyspace.OpIfNone
	case is(w, "XX"):
		return keyspace.OpIfSome
	case is(w, "GT"):
		return keyspace.OpIfLater
	case is(w, "LT"):
		return keyspace.OpIfSooner
	}
	return keyspace.OpNone
}

// expireFields reads the fields whose expiry becomes at. If it is not known
// they are only mentioned.
func (c *command) expireFields(op keyspace.Op, at int64, known bool) {
	if !known {
		c.mention()
	}
	for c.more() {
		e := c.event(keyspace.Expire, op, keyspace.Hash)
		c.named(&e.Field)
		e.Expire = at
		c.emit()
	}
}

// applyHSetC is HSETC key field value [field value …], which Redis 8.10 logs for
// HIMPORT SET: a hash in the place of what the key held.
func applyHSetC(c *command) {
	c.readKey()
	c.begin(keyspace.OpCreate, keyspace.Hash)
	for c.more() {
		c.field()
		c.element(keyspace.OpPut)
	}
	c.end()
}

// applyHImportSet is HIMPORT SET key fieldset value [value …], whose fields only
// the connection knew that sent it.
func applyHImportSet(c *command) {
	c.readKey()
	c.begin(keyspace.OpCreate, keyspace.Hash)
	c.element(keyspace.OpNone)
	for c.more() {
		c.element(keyspace.OpAppend)
	}
	c.end()
}

// Path hashes, Valkey 9.2: a hash under each path. Fields of the same name under
// two paths are different ones, so that none takes the place of another here.

// applyPHSet is PHSET key path [FNX|FXX] FIELDS numfields field value [field value …].
func applyPHSet(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.Hash)
	c.element(keyspace.OpNone)
	for c.more() && !is(c.word(), "FIELDS") {
	}
	c.skip(1)
	for c.more() {
		c.field()
		c.element(keyspace.OpAppend)
	}
	c.end()
}

// applyPHDel is PHDEL key path [field …], PHDELPREFIX key prefix and PHDELPATH
// key path [path …].
func applyPHDel(c *command) {
	c.readKey()
	for c.more() {
		e := c.event(keyspace.Delete, keyspace.OpDeleteSome, keyspace.Hash)
		c.named(&e.Field)
		c.emit()
	}
}
