package aof

import "github.com/valkeyfs/valkeyfs/keyspace"

// Consumer groups of streams.

// applyXGroupCreate is XGROUP CREATE and SETID key group ID|$ [MKSTREAM]
// [ENTRIESREAD n]. The ID that "$" stands for is not known: it counts as 0-0.
func applyXGroupCreate(c *command) {
	c.readKey()
	group, at := c.name(fieldSlot)
	id, read := c.streamID(), int64(-1)
	for c.more() {
		if is(c.word(), "ENTRIESREAD") {
			read = c.integer()
		}
	}
	c.begin(keyspace.OpUpdate, keyspace.Stream)
	e := c.event(keyspace.Group, keyspace.OpNone, keyspace.Stream)
	e.Field, e.Pos.Offset, e.Length, e.ID, e.Index = group, at, int64(len(group)), id, read
	c.emit()
	c.end()
}

// applyXGroupConsumer is XGROUP CREATECONSUMER key group consumer.
func applyXGroupConsumer(c *command) {
	c.readKey()
	group, _ := c.name(fieldSlot)
	c.begin(keyspace.OpUpdate, keyspace.Stream)
	c.consumer(group)
	c.end()
}

// consumer reads a consumer's name.
func (c *command) consumer(group []byte) {
	name, at := c.name(otherSlot)
	e := c.event(keyspace.Consumer, keyspace.OpNone, keyspace.Stream)
	e.Field, e.Value, e.Pos.Offset, e.Length = group, name, at, int64(len(name))
	c.emit()
}

// applyXGroupDestroy is XGROUP DESTROY key group and DELCONSUMER key group consumer.
func applyXGroupDestroy(c *command) {
	c.readKey()
	e := c.event(keyspace.Delete, keyspace.OpDeleteGroup, keyspace.Stream)
	c.named(&e.Field)
	if c.more() {
		e.Value, _ = c.name(otherSlot)
	}
	c.emit()
}

// applyXAck is XACK key group ID [ID …].
func applyXAck(c *command) {
	c.readKey()
	group, _ := c.name(fieldSlot)
	for c.more() {
		c.ack(group, c.streamID())
	}
}

func (c *command) ack(group []byte, id keyspace.StreamID) {
	e := c.event(keyspace.Delete, keyspace.OpAck, keyspace.Stream)
	e.Field, e.ID = group, id
	c.emit()
}

// applyXNack is XNACK key group SILENT|FAIL|FATAL IDS numids ID [ID …]
// [RETRYCOUNT n] [FORCE]: the entries stay pending, of no consumer.
func applyXNack(c *command) {
	c.readKey()
	group, _ := c.name(fieldSlot)
	c.begin(keyspace.OpUpdate, keyspace.Stream)
	c.skip(2)
	for n := c.integer(); n > 0 && c.more(); n-- {
		c.pending(group, name{}, c.streamID(), 0, 0)
	}
	c.end()
	c.skip(c.argc)
}

// applyXClaim is XCLAIM key group consumer min-idle-time ID [ID …] [IDLE ms]
// [TIME ms] [RETRYCOUNT n] [FORCE] [JUSTID] [LASTID id].
func applyXClaim(c *command) {
	c.readKey()
	group, _ := c.name(fieldSlot)
	who, at := c.name(otherSlot)
	consumer := name{who, at}
	c.skip(1)
	ids, options := c.next, c.argc
	var time, count int64
	if c.whole {
		for options = ids; options < c.argc && isID(c.args[options]); options++ {
		}
		c.seek(options)
		time, count = c.claimOptions()
		c.seek(ids)
	}
	c.begin(keyspace.OpUpdate, keyspace.Stream)
	for c.more() && c.next < options {
		w := c.word()
		if !isID(w) {
			break
		}
		c.pending(group, consumer, parseID(w), time, count)
	}
	c.end()
	c.skip(c.argc)
}

func (c *command) claimOptions() (time, count int64) {
	for c.more() {
		switch w := c.word(); {
		case is(w, "TIME"):
			time = c.integer()
		case is(w, "IDLE"):
			if idle := c.integer(); c.r.time > 0 {
				time = c.r.time - idle
			}
		case is(w, "RETRYCOUNT"):
			count = c.integer()
		case is(w, "LASTID"):
			c.skip(1)
		}
	}
	return time, count
}

// isID reports whether a word is a stream ID rather than an option.
func isID(w []byte) bool { return len(w) > 0 && '0' <= w[0] && w[0] <= '9' }

// A name is an argument and where it stands.
type name struct {
	arg []byte
	at  int64
}

func (c *command) pending(group []byte, consumer name, id keyspace.StreamID, time, count int64) {
	e := c.event(keyspace.Pending, keyspace.OpPut, keyspace.Stream)
	if consumer.arg != nil {
		e.Pos.Offset, e.Length = consumer.at, int64(len(consumer.arg))
	}
	e.Field, e.Value, e.ID, e.Index, e.Time = group, consumer.arg, id, count, max(0, time)
	c.emit()
}

// applyXAutoClaim is XAUTOCLAIM key group consumer min-idle-time start [COUNT n]
// [JUSTID]: servers log what it does as XCLAIM.
func applyXAutoClaim(c *command) {
	applyXGroupConsumer(c)
	c.skip(c.argc)
}

// applyXReadGroup is XREADGROUP GROUP group consumer [COUNT n] [BLOCK ms]
// [NOACK] STREAMS key [key …] ID [ID …], which servers log as XCLAIM.
func applyXReadGroup(c *command) {
	for c.more() {
		if is(c.word(), "GROUP") {
			c.begin(keyspace.OpNone, keyspace.Stream)
			c.element(keyspace.OpNone)
			c.element(keyspace.OpNone)
			c.end()
			break
		}
	}
	for c.more() && !is(c.word(), "STREAMS") {
	}
	for n := (c.argc - c.next) / 2; n > 0 && c.more(); n-- {
		c.readKey()
		c.touch(keyspace.Stream)
	}
	c.skip(c.argc)
}
