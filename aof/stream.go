package aof

import "github.com/valkeyfs/valkeyfs/keyspace"

// A trim is what XADD and XTRIM say of the entries to keep.
type trim struct {
	op     keyspace.Op // OpNone: no trimming
	length int64
	id     keyspace.StreamID
}

// trim reads [=|~] threshold behind MAXLEN or MINID. An approximate one says
// only that some entries went.
func (c *command) trim(option []byte) (t trim) {
	length := is(option, "MAXLEN")
	w := c.word()
	about := is(w, "~")
	if about || is(w, "=") {
		w = c.word()
	}
	switch {
	case about:
		t.op = keyspace.OpDeleteSome
	case length:
		t.op = keyspace.OpTrimLength
		t.length, _ = parseInt(w)
	default:
		t.op = keyspace.OpTrimID
		t.id = parseID(w)
	}
	return t
}

func (c *command) trimmed(t trim) {
	if t.op == keyspace.OpNone {
		return
	}
	e := c.event(keyspace.Delete, t.op, keyspace.Stream)
	e.Index, e.ID = t.length, t.id
	c.emit()
}

// applyXAdd is XADD key [NOMKSTREAM] [KEEPREF|DELREF|ACKED] [IDMPAUTO producer|
// IDMP producer id] [MAXLEN|MINID [=|~] threshold [LIMIT n]] ID field value
// [field value …].
func applyXAdd(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.Stream)
	var t trim
	var w []byte
options:
	for c.more() {
		switch w = c.word(); {
		case is(w, "NOMKSTREAM"), is(w, "KEEPREF"), is(w, "DELREF"), is(w, "ACKED"):
		case is(w, "MAXLEN"), is(w, "MINID"):
			t = c.trim(w)
		case is(w, "LIMIT"):
			c.skip(1)
		case is(w, "IDMPAUTO"):
			c.element(keyspace.OpNone)
		case is(w, "IDMP"):
			c.element(keyspace.OpNone)
			c.element(keyspace.OpNone)
		default:
			break options
		}
	}
	// Servers log the ID that they made of "*" (t_stream.c, xaddCommand).
	op := keyspace.OpPut
	if c.r.ev.ID = parseID(w); c.r.ev.ID == (keyspace.StreamID{}) {
		op = keyspace.OpAppend
	}
	for i := int64(0); c.more(); i++ {
		c.field()
		c.elementAt(op, i)
	}
	c.end()
	c.trimmed(t)
}

// applyXTrim is XTRIM key MAXLEN|MINID [=|~] threshold [LIMIT n] [KEEPREF|DELREF|ACKED].
func applyXTrim(c *command) {
	c.readKey()
	c.trimmed(c.trim(c.word()))
	c.skip(c.argc)
}

// applyXDel is XDEL key ID [ID …].
func applyXDel(c *command) {
	c.readKey()
	for c.more() {
		id := c.streamID()
		c.event(keyspace.Delete, keyspace.OpDeleteElement, keyspace.Stream).ID = id
		c.emit()
	}
}

// applyXSetID is XSETID key last-id [ENTRIESADDED n] [MAXDELETEDID id].
func applyXSetID(c *command) {
	c.readKey()
	last, added := c.streamID(), int64(-1)
	var deleted []byte
	for c.more() {
		switch w := c.word(); {
		case is(w, "ENTRIESADDED"):
			added = c.integer()
		case is(w, "MAXDELETEDID"):
			deleted, _ = c.name(otherSlot)
		}
	}
	c.begin(keyspace.OpUpdate, keyspace.Stream)
	e := c.event(keyspace.StreamMeta, keyspace.OpNone, keyspace.Stream)
	e.ID, e.Index, e.Count, e.Value = last, -1, added, deleted
	c.emit()
	c.end()
}

// applyXDelEX is XDELEX key [KEEPREF|DELREF|ACKED] IDS numids ID [ID …], the
// words in any order. With ACKED some of the entries may stay.
func applyXDelEX(c *command) {
	c.readKey()
	c.deleteIDs(nil)
}

// applyXAckDel is XACKDEL key group [KEEPREF|DELREF|ACKED] IDS numids ID [ID …].
func applyXAckDel(c *command) {
	c.readKey()
	group, _ := c.name(fieldSlot)
	c.deleteIDs(group)
}

func (c *command) deleteIDs(group []byte) {
	acked := false
	if from := c.next; c.whole { // the word may stand behind the IDs
		for c.more() {
			acked = is(c.word(), "ACKED") || acked
		}
		c.seek(from)
	}
	for c.more() {
		w := c.word()
		acked = is(w, "ACKED") || acked
		if !is(w, "IDS") {
			continue
		}
		for n := c.integer(); n > 0 && c.more(); n-- {
			id := c.streamID()
			if group != nil {
				c.ack(group, id)
			}
			op := keyspace.OpDeleteElement
			if acked {
				op = keyspace.OpDeleteSome
			}
			c.event(keyspace.Delete, op, keyspace.Stream).ID = id
			c.emit()
		}
	}
}

// applyXCfgSet is XCFGSET key [IDMP-DURATION s] [IDMP-MAXSIZE n].
func applyXCfgSet(c *command) {
	c.readKey()
	c.touch(keyspace.Stream)
	c.skip(c.argc)
}
