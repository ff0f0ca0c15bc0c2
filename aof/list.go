package aof

import "github.com/valkeyfs/valkeyfs/keyspace"

// LPUSH, LPUSHX, RPUSH, RPUSHX key element [element …].
func applyPushHead(c *command) { c.push(keyspace.OpPushHead) }
func applyPushTail(c *command) { c.push(keyspace.OpPushTail) }

func (c *command) push(op keyspace.Op) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.List)
	for c.more() {
		c.element(op)
	}
	c.end()
}

// applyLSet is LSET key index element.
func applyLSet(c *command) {
	c.readKey()
	at := c.integer()
	c.begin(keyspace.OpUpdate, keyspace.List)
	c.elementAt(keyspace.OpSetIndex, at)
	c.end()
}

// applyLInsert is LINSERT key BEFORE|AFTER pivot element.
func applyLInsert(c *command) {
	c.readKey()
	op := keyspace.OpInsertAfter
	if is(c.word(), "BEFORE") {
		op = keyspace.OpInsertBefore
	}
	c.begin(keyspace.OpUpdate, keyspace.List)
	c.field()
	c.element(op)
	c.end()
}

// LPOP and RPOP key [count].
func applyLPop(c *command) { c.pop(keyspace.OpPopHead) }
func applyRPop(c *command) { c.pop(keyspace.OpPopTail) }

func (c *command) pop(op keyspace.Op) {
	c.readKey()
	n := int64(1)
	if c.more() {
		n = c.integer()
	}
	c.event(keyspace.Delete, op, keyspace.List).Index = n
	c.emit()
}

// applyLRem is LREM key count element.
func applyLRem(c *command) {
	c.readKey()
	n := c.integer()
	e := c.event(keyspace.Delete, keyspace.OpRemove, keyspace.List)
	e.Index = n
	c.named(&e.Value)
	c.emit()
}

// applyLTrim is LTRIM key start stop.
func applyLTrim(c *command) {
	c.readKey()
	start, stop := c.integer(), c.integer()
	e := c.event(keyspace.Delete, keyspace.OpTrim, keyspace.List)
	e.Index, e.Count = start, stop
	c.emit()
}

// The bits of the Index of an OpMoveEnd event.
const (
	fromTail = 1 << iota
	toTail
)

// applyRPopLPush is RPOPLPUSH source destination and BRPOPLPUSH with a timeout.
func applyRPopLPush(c *command) {
	c.readKey()
	to, _ := c.name(otherSlot)
	c.moveEnd(to, fromTail)
	c.skip(1)
}

// applyLMove is LMOVE source destination LEFT|RIGHT LEFT|RIGHT and BLMOVE with a
// timeout.
func applyLMove(c *command) {
	c.readKey()
	to, _ := c.name(otherSlot)
	c.moveEnd(to, c.ends())
	c.skip(1)
}

// ends reads LEFT|RIGHT LEFT|RIGHT.
func (c *command) ends() (ends int64) {
	if is(c.word(), "RIGHT") {
		ends |= fromTail
	}
	if is(c.word(), "RIGHT") {
		ends |= toTail
	}
	return ends
}

func (c *command) moveEnd(to []byte, ends int64) {
	e := c.event(keyspace.Delete, keyspace.OpMoveEnd, keyspace.List)
	e.Value, e.Index = to, ends
	c.emit()
}

// BLPOP and BRPOP key [key …] timeout, BZPOPMIN and BZPOPMAX: which of several
// keys lost an element is not said. Servers log them as LPOP, RPOP, ZPOPMIN and
// ZPOPMAX.
func applyBLPop(c *command)    { c.popAny(keyspace.OpPopHead, keyspace.List) }
func applyBRPop(c *command)    { c.popAny(keyspace.OpPopTail, keyspace.List) }
func applyBZPopMin(c *command) { c.bzpop(true) }
func applyBZPopMax(c *command) { c.bzpop(false) }

func (c *command) bzpop(least bool) {
	if c.argc > 3 {
		c.popAny(keyspace.OpDeleteSome, keyspace.SortedSet)
		return
	}
	c.readKey()
	c.zpop(least, 1)
	c.skip(1)
}

func (c *command) popAny(op keyspace.Op, typ keyspace.Type) {
	n := int64(1)
	if c.argc > 3 {
		op, n = keyspace.OpDeleteSome, 0
	}
	for c.more() && c.next < c.argc-1 {
		c.popped(op, typ, n)
	}
	c.skip(1)
}

// LMPOP, ZMPOP numkeys key [key …] LEFT|RIGHT|MIN|MAX [COUNT n], and BLMPOP and
// BZMPOP behind a timeout. Servers log them as LPOP and its like.
func applyLMPop(c *command)  { c.mpop(keyspace.List) }
func applyZMPop(c *command)  { c.mpop(keyspace.SortedSet) }
func applyBLMPop(c *command) { c.skip(1); c.mpop(keyspace.List) }
func applyBZMPop(c *command) { c.skip(1); c.mpop(keyspace.SortedSet) }

func (c *command) mpop(typ keyspace.Type) {
	n := c.integer()
	if n != 1 {
		for ; n > 0 && c.more(); n-- {
			c.popped(keyspace.OpDeleteSome, typ, 0)
		}
		c.skip(c.argc)
		return
	}
	c.readKey()
	w := c.word()
	first, count := is(w, "LEFT") || is(w, "MIN"), int64(1)
	if c.more() && is(c.word(), "COUNT") {
		count = c.integer()
	}
	if typ == keyspace.SortedSet {
		c.zpop(first, count)
		return
	}
	op := keyspace.OpPopTail
	if first {
		op = keyspace.OpPopHead
	}
	c.event(keyspace.Delete, op, typ).Index = count
	c.emit()
}

// popped reads a key that lost elements.
func (c *command) popped(op keyspace.Op, typ keyspace.Type, n int64) {
	c.readKey()
	c.event(keyspace.Delete, op, typ).Index = n
	c.emit()
}

// applyLMoveM is LMOVEM source destination LEFT|RIGHT LEFT|RIGHT [COUNT|EXACTLY n
// OBO|BULK], Redis 8.10, and BLMOVEM with a timeout before the count. What moves
// more than one element at a time leaves the order of both lists open.
func applyLMoveM(c *command) {
	c.readKey()
	to, at := c.name(otherSlot)
	ends := c.ends()
	n := int64(1)
	for c.more() {
		if w := c.word(); is(w, "COUNT") || is(w, "EXACTLY") {
			n = c.integer()
		}
	}
	if n == 1 {
		c.moveEnd(to, ends)
		return
	}
	for range 2 {
		c.event(keyspace.Delete, keyspace.OpDeleteSome, keyspace.List)
		c.emit()
		c.key, c.keyAt = to, at
	}
}
