package scan

import (
	"bytes"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Values that arrive in parts are put together again, so that decoders see them
// whole, up to maxWhole bytes. What is longer is scanned in windows that
// overlap: each position belongs to one window, in which at least overlap bytes
// follow it and lookBehind bytes go before it.
const (
	maxWhole   = 8 << 20
	windowSize = 1 << 20
	overlap    = 16 << 10
	lookBehind = 64
)

// long is the value that is arriving in parts.
type long struct {
	active bool
	event  keyspace.Event // of the first part, without its value
	field  []byte
	buf    []byte
	inside bool // windows went out already
}

// part takes an Element that carries a piece of a value.
func (c *collector) part(e *keyspace.Event) bool {
	l := &c.long
	if e.Part.Begins() || !l.active || !bytes.Equal(l.event.Key, e.Key) || l.event.Record != e.Record {
		if !c.endPart() {
			return false
		}
		if e.Part == keyspace.Whole {
			return c.element(e, e.Value)
		}
		l.active, l.inside = true, false
		l.field = append(l.field[:0], e.Field...)
		l.event = *e
		l.event.Key, l.event.Field, l.event.Value = bytes.Clone(e.Key), l.field, nil
		l.buf = l.buf[:0]
	}
	l.buf = append(l.buf, e.Value...)
	if e.Length >= 0 {
		l.event.Length = e.Length
	}
	if e.Part.Ends() {
		return c.endPart()
	}
	if l.inside && len(l.buf) >= windowSize || len(l.buf) >= maxWhole {
		return c.window(false)
	}
	return true
}

// endPart files what has arrived of the value; the rest, if there is one, will
// not come.
func (c *collector) endPart() bool {
	l := &c.long
	if !l.active {
		return true
	}
	l.active = false
	if l.inside {
		return c.window(true)
	}
	// A large value gets a batch of its own.
	if len(l.buf) > batchText && len(c.cur.leaves) > 0 && !c.flush() {
		return false
	}
	ok := c.element(&l.event, l.buf)
	c.shrink()
	return ok
}

// window files a stretch of the value and keeps its end for the next one.
func (c *collector) window(last bool) bool {
	l := &c.long
	if len(c.cur.leaves) > 0 && !c.flush() {
		return false
	}
	own := span{0, uint32(len(l.buf))}
	if l.inside {
		own.from = lookBehind
	}
	if !last {
		own.to -= overlap
	}
	if !c.value(&l.event, l.buf) {
		return false
	}
	w := &c.cur.leaves[len(c.cur.leaves)-1]
	w.window, w.own = true, own
	l.inside = true
	l.buf = append(l.buf[:0], l.buf[len(l.buf)-overlap-lookBehind:]...)
	if !last {
		return true
	}
	c.shrink()
	return c.bareScore(&l.event)
}

// shrink lets go of a large buffer.
func (c *collector) shrink() {
	if cap(c.long.buf) > keptText {
		c.long.buf = nil
	}
}
