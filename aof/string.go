package aof

import "github.com/valkeyfs/valkeyfs/keyspace"

// applySet is SET key value [NX|XX|IFEQ value|…] [GET] [EX s|PX ms|EXAT s|PXAT ms|KEEPTTL].
// If its options lie behind a value too large to look past, the value is an
// update of the key, and an Expire event behind it says the rest.
func applySet(c *command) {
	c.readKey()
	switch {
	case c.argc == 3:
		c.store(keyspace.OpCreate, keyspace.NoExpire)
	case c.whole:
		c.seek(3)
		o := c.setOptions()
		c.seek(2)
		c.store(o.op(), o.expire)
		c.seek(3)
		c.compared(keyspace.Overwritten)
	default:
		c.store(keyspace.OpUpdate, keyspace.NoExpire)
		c.setLate()
	}
}

// setLate reads the options of SET behind its value.
func (c *command) setLate() {
	expire, known := keyspace.NoExpire, true
	for c.more() {
		w := c.word()
		switch at, ok := c.deadline(w); {
		case ok:
			expire, known = at, at != keyspace.NoExpire
		case is(w, "KEEPTTL"):
			known = false
		default:
			c.comparison(w, keyspace.Overwritten)
		}
	}
	if known {
		c.event(keyspace.Expire, keyspace.OpNone, keyspace.String).Expire = expire
		c.emit()
	}
}

// store reads the string that the key holds from now on.
func (c *command) store(op keyspace.Op, expire int64) {
	c.beginUntil(op, keyspace.String, expire)
	c.element(keyspace.OpPut)
	c.end()
}

// setOptions are what SET, MSETEX and their like say of the expiry.
type setOptions struct {
	expire int64 // NoExpire also where it is relative and the file says no time
	keep   bool  // KEEPTTL
}

func (o setOptions) op() keyspace.Op {
	if o.keep {
		return keyspace.OpUpdate
	}
	return keyspace.OpCreate
}

// setOptions reads what is left of the arguments (t_string.c,
// parseExtendedStringArgumentsOrReply).
func (c *command) setOptions() setOptions {
	o := setOptions{expire: keyspace.NoExpire}
	for c.more() {
		w := c.word()
		if at, ok := c.deadline(w); ok {
			o.expire = at
		} else if is(w, "KEEPTTL") {
			o.keep = true
		} else if compares(w) {
			c.skip(1)
		}
	}
	return o
}

// compared reads what is left of the arguments, options that have been read or
// say nothing more, for the value that one of them compares the key's with.
func (c *command) compared(state keyspace.State) {
	for c.more() {
		c.comparison(c.word(), state)
	}
}

// comparison mentions the value behind option w, if there is one. What the key
// was found equal to it held, until that was put into state.
func (c *command) comparison(w []byte, state keyspace.State) {
	if !compares(w) {
		return
	}
	if !is(w, "IFEQ") {
		state = keyspace.Unknown
	}
	c.mentionOne(state)
}

// compares reports whether an option is followed by a value or digest that the
// key's is compared with (Valkey 8.1 IFEQ, Redis 8.4 the others).
func compares(w []byte) bool {
	return is(w, "IFEQ") || is(w, "IFNE") || is(w, "IFDEQ") || is(w, "IFDNE")
}

// deadline reads the number of an option that sets an expiry, and reports
// whether w is one.
func (c *command) deadline(w []byte) (at int64, ok bool) {
	switch {
	case is(w, "EX"):
		return c.after(1000), true
	case is(w, "PX"):
		return c.after(1), true
	case is(w, "EXAT"):
		return times(c.integer(), 1000), true
	case is(w, "PXAT"):
		return c.integer(), true
	}
	return keyspace.NoExpire, false
}

// after reads a time to live in units of so many ms. Where the file holds no
// time to count from it is NoExpire.
func (c *command) after(unit int64) int64 {
	n := times(c.integer(), unit)
	if c.r.time == 0 {
		return keyspace.NoExpire
	}
	return plus(c.r.time, n)
}

// applySetNX is SETNX key value and GETSET key value.
func applySetNX(c *command) {
	c.readKey()
	c.store(keyspace.OpCreate, keyspace.NoExpire)
}

// applySetEX is SETEX key seconds value.
func applySetEX(c *command) {
	c.readKey()
	c.store(keyspace.OpCreate, c.after(1000))
}

// applyPSetEX is PSETEX key ms value.
func applyPSetEX(c *command) {
	c.readKey()
	c.store(keyspace.OpCreate, c.after(1))
}

// applyMSet is MSET and MSETNX key value [key value …].
func applyMSet(c *command) {
	for c.more() {
		c.readKey()
		c.store(keyspace.OpCreate, keyspace.NoExpire)
	}
}

// applyMSetEX is MSETEX numkeys key value [key value …] [NX|XX] [EX …|KEEPTTL].
// If its options lie behind more than can be held in memory, the expiry of its
// keys is not known.
func applyMSetEX(c *command) {
	n := c.integer()
	o := setOptions{expire: keyspace.NoExpire, keep: true}
	if pairs := c.next; c.whole && n >= 0 && n <= (c.argc-pairs)/2 {
		c.seek(pairs + 2*n)
		o = c.setOptions()
		c.seek(pairs)
	}
	for ; n > 0 && c.more(); n-- {
		c.readKey()
		c.store(o.op(), o.expire)
	}
	c.setOptions()
}

// applyAppend is APPEND key value and INCRBY, DECRBY, INCRBYFLOAT key increment.
func applyAppend(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.String)
	c.element(keyspace.OpAppend)
	c.end()
}

// applyIncr is INCR and DECR key.
func applyIncr(c *command) {
	c.readKey()
	c.touch(keyspace.String)
}

// applyPFMerge is PFMERGE destination [source …].
func applyPFMerge(c *command) {
	c.readKey()
	c.touch(keyspace.String)
	for c.more() {
		c.share()
	}
}

// applySetRange is SETRANGE and SETBIT key offset value.
func applySetRange(c *command) {
	c.readKey()
	at := c.integer()
	c.begin(keyspace.OpUpdate, keyspace.String)
	c.elementAt(keyspace.OpAppend, at)
	c.end()
}

// applyBitField is BITFIELD key [GET type offset|SET type offset value|INCRBY
// type offset increment|OVERFLOW word …].
func applyBitField(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.String)
	for c.more() {
		switch w := c.word(); {
		case is(w, "SET"), is(w, "INCRBY"):
			c.skip(2)
			c.element(keyspace.OpAppend)
		case is(w, "GET"):
			c.skip(2)
		case is(w, "OVERFLOW"):
			c.skip(1)
		}
	}
	c.end()
}

// applyGetEX is GETEX key [EX …|PERSIST].
func applyGetEX(c *command) {
	c.readKey()
	for c.more() {
		w := c.word()
		if at, ok := c.deadline(w); ok {
			c.expireAt(at)
		} else if is(w, "PERSIST") {
			c.persist()
		}
	}
}

// applyPFAdd is PFADD key [element …]: the elements are counted, not stored. The
// log is all that holds them, whatever becomes of the key.
func applyPFAdd(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.String)
	for c.more() {
		c.r.ev.State = keyspace.Recovered
		c.element(keyspace.OpNone)
	}
	c.end()
}

// applyPFCount is PFCOUNT key [key …], which servers log because it may refresh
// what the key caches (hyperloglog.c, pfcountCommand).
func applyPFCount(c *command) { c.skip(c.argc) }

// applyIncrEX is INCREX key [NX|XX] [EX …|PERSIST] [ENX] [BYINT|BYFLOAT increment]
// [LBOUND n] [UBOUND n] [SATURATE], Redis 8.8 and Valkey 9.2. With ENX the expiry
// is set only if there was none, which is not said.
func applyIncrEX(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.String)
	expire, known := keyspace.NoExpire, false
	for c.more() {
		w := c.word()
		if at, ok := c.deadline(w); ok {
			expire, known = at, at != keyspace.NoExpire
			continue
		}
		switch {
		case is(w, "BYINT"), is(w, "BYFLOAT"):
			c.element(keyspace.OpAppend)
		case is(w, "PERSIST"):
			expire, known = keyspace.NoExpire, true
		case is(w, "ENX"):
			known = false
		case is(w, "LBOUND"), is(w, "UBOUND"):
			c.skip(1)
		}
	}
	c.end()
	if known {
		c.event(keyspace.Expire, keyspace.OpNone, keyspace.TypeNone).Expire = expire
		c.emit()
	}
}
