package replay

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// recorder watches a machine and writes down what changes.
type recorder struct {
	l      *Log
	m      *machine
	out    *ledger
	number uint64 // of the next change
	// attempt is the number of the machine. What one has told that turns out to have no
	// room for a partition is told anew.
	attempt uint32
	// The last changes of one key by one command become one record.
	of     Change // says which
	group  []byte // empty: there are none
	head   int    // of group
	one    []byte
	change Change    // used for each that is complete at once
	open   []*Change // of a computed command, whose result is not there yet
}

// before is called by the machine.
func (r *recorder) before(db int32, key string, o *object, e *keyspace.Event) {
	if r.l.o.Want != nil && !r.l.o.Want(db, []byte(key)) {
		return
	}
	if r.l.o.Tombstones && !takes(e, o) {
		return
	}
	c := &r.change
	if e.Kind == keyspace.Command {
		c = &Change{}
	}
	*c = Change{DB: db, Key: append(c.Key[:0], key...), Source: e.Pos.Source, Offset: e.Record, Time: e.Time, Expire: keyspace.NoExpire, Presumed: e.Presumed, Inexact: r.m.headless}
	if o != nil {
		c.Type, c.Inexact = o.typ, o.inexact
	}
	switch e.Kind {
	case keyspace.Command:
		c.What = Changed
		switch name := commandName(e); {
		case combined[name]:
			c.What = Stored
			r.whole(c, o)
		case name == "hincrby":
			c.Element = bytes.Clone(e.Args[2])
			c.Before = o.elementText(c.Element)
		case name == "zincrby":
			c.Element = bytes.Clone(e.Args[3])
			c.Before = o.elementText(c.Element)
		case removes(name):
			c.What = Removed
			r.whole(c, o)
		default:
			r.whole(c, o)
		}
		c.Before = bytes.Clone(c.Before) // the command may change it in place
		r.open = append(r.open, c)
		return
	case keyspace.Key:
		if e.Op != keyspace.OpCreate || o == nil {
			return // its elements tell
		}
		c.What = Overwritten
		c.Expire = o.expire
		r.whole(c, o)
	case keyspace.Element:
		if !r.element(c, o, e) {
			return
		}
	case keyspace.Expire:
		c.What, c.Expire, c.Element = Expiry, e.Expire, e.Field
	case keyspace.Flush:
		r.gone(c, o, Flushed)
	case keyspace.Rename:
		r.renamed(c, o, db, key, e)
	case keyspace.Delete:
		r.deleted(c, o, e)
	}
	r.add(c)
}

// takes reports whether an event may take a value away.
func takes(e *keyspace.Event, o *object) bool {
	switch e.Kind {
	case keyspace.Command:
		name := commandName(e)
		return combined[name] || removes(name)
	case keyspace.Key:
		return o != nil
	case keyspace.Element:
		return o.typ == keyspace.String && len(o.str) > 0
	case keyspace.Expire:
		return false
	}
	return true
}

// removes reports whether a command that is computed removes elements.
func removes(name string) bool {
	return strings.HasPrefix(name, "zpop") || strings.HasPrefix(name, "zremrange")
}

// whole takes the whole value into Before.
func (r *recorder) whole(c *Change, o *object) {
	if o != nil {
		c.Before, c.Cut = o.text()
	}
}

func (r *recorder) gone(c *Change, o *object, what What) {
	c.What = what
	r.whole(c, o)
	if o != nil {
		c.Expire = o.expire
	}
}

// element describes an element that is put; false if that is no news.
func (r *recorder) element(c *Change, o *object, e *keyspace.Event) bool {
	c.Type = o.typ
	c.What, c.After = Added, e.Value
	switch o.typ {
	case keyspace.String:
		c.What = Written
		if len(o.str) > 0 {
			c.What = Overwritten
			c.Before, c.Cut = o.text()
		}
	case keyspace.Hash:
		c.Element = e.Field
		if f, ok := o.hash[string(e.Field)]; ok {
			c.What, c.Before = Changed, f.value
			if bytes.Equal(f.value, e.Value) && f.expire == e.Expire {
				return false
			}
		}
	case keyspace.Set:
		if _, ok := o.set[string(e.Value)]; ok {
			return false
		}
		c.Element = e.Value
	case keyspace.SortedSet:
		c.Element, c.After = e.Value, appendScore(e.Score)
		if s, ok := o.zset[string(e.Value)]; ok {
			if s == e.Score {
				return false
			}
			c.What, c.Before = Changed, appendScore(s)
		}
	case keyspace.List:
		if i := o.list.at(e.Index); e.Op == keyspace.OpSetIndex && i >= 0 {
			c.What, c.Before, c.Element = Changed, o.list.items[i], strconv.AppendInt(nil, e.Index, 10)
		}
	case keyspace.Stream:
		c.ID, c.Element = idText(e.ID), e.Field
	default:
		c.Element = e.Field
	}
	return true
}

func (r *recorder) renamed(c *Change, o *object, db int32, key string, e *keyspace.Event) {
	switch {
	case e.Op == keyspace.OpMoveMember && key == string(e.Key):
		c.What, c.Element, c.Before = Removed, e.Field, e.Field
	case e.Op == keyspace.OpMoveMember:
		c.What, c.Element, c.After = Added, e.Field, e.Field
	case db == e.DB && key == string(e.Key):
		r.gone(c, o, MovedAway)
		c.After = []byte(fmt.Sprintf("db %d, %s", e.Index, e.Value))
	case o != nil:
		r.gone(c, o, Overwritten)
	default:
		c.What = Stored
		if from := r.m.get(e.DB, string(e.Key)); from != nil {
			c.Type = from.typ
			c.After, c.Cut = from.text()
		}
	}
}

func (r *recorder) deleted(c *Change, o *object, e *keyspace.Event) {
	c.What = Removed
	switch e.Op {
	case keyspace.OpDeleteKey:
		r.gone(c, o, Deleted)
		// Before the first #TS of a log it is at least as late as its base was saved.
		if now := cmp.Or(e.Time, r.l.s.saved); o != nil && o.expire != keyspace.NoExpire && now != 0 && o.expire <= now+tick {
			c.What = Expired
		}
	case keyspace.OpDeleteElement:
		r.removed(c, o, e)
	case keyspace.OpPopHead, keyspace.OpPopTail, keyspace.OpMoveEnd:
		if e.Index == 1 || e.Op == keyspace.OpMoveEnd {
			i := int64(0)
			if e.Op == keyspace.OpPopTail || e.Op == keyspace.OpMoveEnd && e.Index&fromTail != 0 {
				i = -1
			}
			if at := o.list.at(i); at >= 0 {
				c.Before, c.Element = o.list.items[at], strconv.AppendInt(nil, i, 10)
			}
			return
		}
		r.whole(c, o)
	case keyspace.OpRemove:
		c.Before = e.Value
	case keyspace.OpReplaceSome:
		if o == nil {
			c.What, c.Type, c.Inexact = Stored, e.Type, true
			return
		}
		r.gone(c, o, Overwritten)
	case keyspace.OpAck:
		c.What, c.ID, c.Element = Changed, idText(e.ID), e.Field
	case keyspace.OpDeleteGroup:
		c.Element = e.Field
	default:
		r.whole(c, o)
	}
}

// tick is how far a #TS line, which counts seconds, may be behind (aof.c,
// genAofTimestampAnnotationIfNeeded).
const tick = 1000

func (r *recorder) removed(c *Change, o *object, e *keyspace.Event) {
	switch o.typ {
	case keyspace.Hash:
		c.Element = e.Field
		if f, ok := o.hash[string(e.Field)]; ok {
			c.Before = f.value
		}
	case keyspace.Set:
		c.Element, c.Before = e.Value, e.Value
	case keyspace.SortedSet:
		c.Element = e.Value
		if s, ok := o.zset[string(e.Value)]; ok {
			c.Before = appendScore(s)
		}
	case keyspace.Stream:
		c.ID = idText(e.ID)
		if i, ok := o.stream.find(e.ID); ok {
			c.Before = entryText(&o.stream.entries[i])
		}
	default:
		c.Element = e.Value
	}
}

// end is called once the machine has applied all.
func (r *recorder) end() {
	r.flush()
	r.out.end(r.attempt)
}

// after is called by the machine: it takes the results of a computed command.
func (r *recorder) after() {
	for _, c := range r.open {
		if o := r.m.get(c.DB, string(c.Key)); o != nil {
			var cut bool
			c.Type, c.Inexact = o.typ, o.inexact
			if c.What == Stored && c.Before != nil {
				c.What = Overwritten
			}
			if c.Element != nil {
				c.After = o.elementText(c.Element)
			} else if c.After, cut = o.text(); cut {
				c.Cut = true
			}
		} else if c.What == Stored && c.Before != nil { // the result is nothing
			c.What = Deleted
		}
		if c.Cut || !bytes.Equal(c.Before, c.After) || c.What == Stored || c.What.Tombstone() && r.m.headless {
			r.add(c)
		}
	}
	r.open = r.open[:0]
}

func (r *recorder) add(c *Change) {
	if r.l.o.Tombstones && !c.What.Tombstone() {
		return
	}
	if o := &r.of; len(r.group) == 0 || o.Offset != c.Offset || o.DB != c.DB || o.Source != c.Source || !bytes.Equal(o.Key, c.Key) {
		r.flush()
		r.begin(c)
	}
	c.cut(maxValue)
	if r.one = r.encode(r.one[:0], c); r.head+len(r.one) > maxGroup {
		c.cut(maxValue / 2)
		r.one = r.encode(r.one[:0], c)
	}
	if len(r.group)+len(r.one) > maxGroup {
		r.flush()
		r.begin(c)
	}
	r.group = append(r.group, r.one...)
	r.number++
}

// cut leaves the beginning of what is longer than n.
func (c *Change) cut(n int) {
	for _, v := range []*[]byte{&c.Before, &c.After, &c.Element} {
		if len(*v) > n {
			*v, c.Cut = (*v)[:n], true
		}
	}
}

// maxGroup is how long a record may be, but for its tail.
const maxGroup = spill.MaxSorted - tailSize

// begin begins a record: sorted by database, key, place; a 0 ends the key, and one in it
// is escaped.
func (r *recorder) begin(c *Change) {
	r.of = Change{DB: c.DB, Key: append(r.of.Key[:0], c.Key...), Source: c.Source, Offset: c.Offset}
	b := binary.BigEndian.AppendUint32(r.group[:0], uint32(c.DB)^1<<31)
	for _, x := range c.Key[:min(len(c.Key), maxValue/2)] {
		if b = append(b, x); x == 0 {
			b = append(b, 255)
		}
	}
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint64(b, r.l.s.order[c.Source])
	b = binary.BigEndian.AppendUint64(b, uint64(c.Offset))
	b = binary.BigEndian.AppendUint64(b, r.number)
	r.group, r.head = b, len(b)
}

// flush hands over the last record.
func (r *recorder) flush() {
	if len(r.group) <= r.head {
		return
	}
	b := binary.BigEndian.AppendUint32(r.group, r.attempt)
	b = binary.BigEndian.AppendUint32(b, uint32(r.head))
	r.out.add(b)
	r.group = b[:0]
}
