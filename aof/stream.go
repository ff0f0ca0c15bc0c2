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
		t.id, _ = parseID(w, 0)
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
	c.r.ev.ID, _ = parseID(w, 0)
	for i := int64(0); c.more(); i++ {
		c.field()
		c.elementAt(keyspace.OpPut, i)
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
		id, _ := parseID(c.word(), 0)
		c.event(keyspace.Delete, keyspace.OpDeleteElement, keyspace.Stream).ID = id
		c.emit()
	}
}
