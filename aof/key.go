package aof

import "github.com/valkeyfs/valkeyfs/keyspace"

// applyDel is DEL and UNLINK key [key …], and GETDEL key.
func applyDel(c *command) {
	for c.more() {
		c.readKey()
		c.deleteKey()
	}
}

func (c *command) deleteKey() {
	c.event(keyspace.Delete, keyspace.OpDeleteKey, keyspace.TypeNone)
	c.emit()
}

// applyDelEX is DELEX key [IFEQ|IFNE value|IFDEQ|IFDNE digest].
func applyDelEX(c *command) {
	c.readKey()
	c.deleteKey()
	c.compared(keyspace.Deleted)
}

// applyDelIfEq is DELIFEQ key value.
func applyDelIfEq(c *command) {
	c.readKey()
	c.deleteKey()
	c.mentionOne(keyspace.Deleted)
}

// The EXPIRE family: key time [NX|XX|GT|LT].
func applyExpire(c *command)    { c.readKey(); c.expireAt(c.after(1000)); c.skip(c.argc) }
func applyPExpire(c *command)   { c.readKey(); c.expireAt(c.after(1)); c.skip(c.argc) }
func applyExpireAt(c *command)  { c.readKey(); c.expireAt(times(c.integer(), 1000)); c.skip(c.argc) }
func applyPExpireAt(c *command) { c.readKey(); c.expireAt(c.integer()); c.skip(c.argc) }

// touch yields an update of the key that names no data.
func (c *command) touch(typ keyspace.Type) {
	c.begin(keyspace.OpUpdate, typ)
	c.end()
}

// expireAt yields the Expire event of the key; if the time is not known, an
// update that names no data.
func (c *command) expireAt(at int64) {
	if at == keyspace.NoExpire {
		c.touch(keyspace.TypeNone)
		return
	}
	c.event(keyspace.Expire, keyspace.OpNone, keyspace.TypeNone).Expire = at
	c.emit()
}

// applyPersist is PERSIST key.
func applyPersist(c *command) {
	c.readKey()
	c.persist()
}

func (c *command) persist() {
	c.event(keyspace.Expire, keyspace.OpNone, keyspace.TypeNone)
	c.emit()
}

// applyRename is RENAME and RENAMENX key newkey.
func applyRename(c *command) {
	c.readKey()
	to, at := c.name(otherSlot)
	c.rename(keyspace.OpRename, to, at, int64(c.r.db))
}

// applyCopy is COPY source destination [DB n] [REPLACE].
func applyCopy(c *command) {
	c.readKey()
	to, at := c.name(otherSlot)
	db := int64(c.r.db)
	for c.more() {
		if is(c.word(), "DB") {
			db = c.integer()
		}
	}
	c.rename(keyspace.OpCopy, to, at, db)
}

// applyMove is MOVE key db [REPLACE].
func applyMove(c *command) {
	c.readKey()
	c.rename(keyspace.OpMove, c.key, c.keyAt, c.integer())
	c.skip(c.argc)
}

func (c *command) rename(op keyspace.Op, to []byte, at, db int64) {
	e := c.event(keyspace.Rename, op, keyspace.TypeNone)
	e.Value, e.Name, e.Index = to, placeOf(to, at), db
	c.emit()
}

// applySwapDB is SWAPDB index1 index2.
func applySwapDB(c *command) {
	a, b := c.integer(), c.integer()
	e := c.event(keyspace.SwapDB, keyspace.OpNone, keyspace.TypeNone)
	e.DB, e.Index = int32(a), b
	c.emit()
}

// applyFlushDB is FLUSHDB [ASYNC|SYNC].
func applyFlushDB(c *command) {
	if c.r.db == noDB {
		c.skip(c.argc)
		return
	}
	c.flush(c.r.db)
}

// applyFlushAll is FLUSHALL [ASYNC|SYNC].
func applyFlushAll(c *command) { c.flush(-1) }

func (c *command) flush(db int32) {
	c.event(keyspace.Flush, keyspace.OpNone, keyspace.TypeNone).DB = db
	c.emit()
	c.skip(c.argc)
}

// applyBitOp is BITOP operation destination key [key …].
func applyBitOp(c *command) {
	c.skip(1)
	c.computed(keyspace.String)
}

// applySort is SORT key [BY pattern] [LIMIT offset count] [GET pattern …]
// [ASC|DESC] [ALPHA] [STORE destination], which is logged only with the last.
func applySort(c *command) {
	c.readKey()
	c.storeInto(keyspace.List)
}

// storeInto reads options for the key that takes the result, and for the member
// that one of them names. The key read so far is what the result is computed from.
func (c *command) storeInto(typ keyspace.Type) {
	for c.more() {
		switch w := c.word(); {
		case is(w, "STORE"), is(w, "STOREDIST"):
			c.shareWith()
			c.replaceSome(typ)
		case is(w, "BY"), is(w, "GET"):
			c.skip(1)
		case is(w, "LIMIT"):
			c.skip(2)
		}
	}
}

// shareWith reads a key that may hold elements of the key from now on, and goes
// on with that.
func (c *command) shareWith() {
	to, at := c.name(otherSlot)
	e := c.event(keyspace.Rename, keyspace.OpShare, keyspace.TypeNone)
	e.Value, e.Index = to, int64(c.r.db)
	c.emit()
	c.key, c.keyAt = to, at
}
