package aof

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// applyRestore is RESTORE and RESTORE-ASKING key ttl payload [REPLACE] [ABSTTL]
// [IDLETIME s] [FREQ n].
func applyRestore(c *command) {
	c.readKey()
	ttl := c.integer()
	if c.whole {
		payload := c.next
		c.skip(1)
		expire := c.restoreOptions(ttl)
		c.seek(payload)
		b, at := c.name(otherSlot)
		c.restore(b, at, expire)
		c.seek(c.argc)
		return
	}
	b, at, ok := c.take()
	if !ok {
		a, ok := c.open()
		if !ok {
			return
		}
		if a.size > int64(c.r.o.Limits.MaxKey) {
			c.restoreRaw(a)
			c.expireAt(c.restoreOptions(ttl))
			return
		}
		b, at = c.collect(a, otherSlot), a.at
	}
	b = append(c.names[otherSlot][:0], b...)
	c.restore(b, at, c.restoreOptions(ttl))
}

// restoreRaw yields a payload too large to be decoded as it is.
func (c *command) restoreRaw(a opened) {
	const what = "a serialized value"
	if !c.r.o.Resync {
		c.fail(fault{err: keyspace.ErrLimit, what: what, at: a.at, size: a.size})
		return
	}
	c.r.note(keyspace.Damage, a.at, a.size, &keyspace.FormatError{Pos: c.r.pos(a.at), What: what, Err: keyspace.ErrLimit})
	c.begin(keyspace.OpCreate, keyspace.TypeNone)
	c.r.ev.Kind, c.r.ev.Op = keyspace.Element, keyspace.OpPut
	c.streamData(a)
	c.end()
}

// restoreOptions reads what is left of the arguments for the expiry.
func (c *command) restoreOptions(ttl int64) (expire int64) {
	absolute := false
	for c.more() {
		switch w := c.word(); {
		case is(w, "ABSTTL"):
			absolute = true
		case is(w, "IDLETIME"), is(w, "FREQ"):
			c.skip(1)
		}
	}
	switch {
	case ttl <= 0, !absolute && c.r.time == 0:
		return keyspace.NoExpire
	case absolute:
		return ttl
	}
	return plus(c.r.time, ttl)
}

// restore yields what a serialized value at offset at holds.
func (c *command) restore(payload []byte, at, expire int64) {
	if !c.halted {
		c.embed(rdb.Dump(payload, c.key, c.r.db, expire, c.embedded(at)), at, payload)
	}
}

// restoreFunctions yields the libraries of FUNCTION DUMP: the records that a
// snapshot has of them, and the footer of a serialized value (functions.c,
// functionDumpCommand).
func (c *command) restoreFunctions(payload []byte, at int64) {
	const footer = 2 + 8 // RDB version, CRC64
	if c.halted || len(payload) < footer {
		return
	}
	version := binary.LittleEndian.Uint16(payload[len(payload)-footer:])
	header := fmt.Appendf(nil, "REDIS%04d", version)
	if version >= 80 { // rdb.h, RDB_FOREIGN_VERSION_MAX
		header = fmt.Appendf(nil, "VALKEY%03d", version)
	}
	snapshot := io.MultiReader(bytes.NewReader(header), bytes.NewReader(payload[:len(payload)-footer]),
		bytes.NewReader([]byte{opEOF, 0, 0, 0, 0, 0, 0, 0, 0}))
	c.embed(func(yield func(*keyspace.Event, error) bool) {
		for e, err := range rdb.NewReader(snapshot, c.embedded(at-int64(len(header)))).Events(context.Background()) {
			if err == nil && e.Kind != keyspace.Function {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}, at, payload)
}

// opEOF ends a snapshot (rdb.h, RDB_OPCODE_EOF); eight zeros behind it say that
// it has no checksum.
const opEOF = 255

// embedded are the options for what stands at offset at of the file.
func (c *command) embedded(at int64) rdb.Options {
	return rdb.Options{Source: c.r.o.Source, Offset: at, Limits: c.r.o.Limits}
}

// embed yields the events of a payload. What of it cannot be read is damage, and
// then the payload is mentioned as it is.
func (c *command) embed(events keyspace.Seq, at int64, payload []byte) {
	for e, err := range events {
		if err != nil {
			if !c.r.o.Resync {
				c.halted = true
				c.r.fail(err)
				return
			}
			c.r.note(keyspace.Damage, at, int64(len(payload)), err)
			c.begin(keyspace.OpNone, keyspace.TypeNone)
			c.r.ev.Kind, c.r.ev.Op = keyspace.Element, keyspace.OpNone
			c.parts(payload, at)
			c.end()
			return
		}
		c.r.ev = *e
		c.r.ev.Record, c.r.ev.Time, c.r.ev.Presumed = c.start, c.r.time, c.r.presumed
		if e.Kind == keyspace.Key { // a payload does not hold it
			c.r.ev.Name = placeOf(c.key, c.keyAt)
		}
		if e.State != keyspace.Deleted { // an entry that a stream keeps, and marks
			c.r.ev.State = c.state
		}
		if c.emit(); c.halted {
			return
		}
	}
}
