package scan

import (
	"bytes"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A span is a stretch of a batch's text.
type span struct{ from, to uint32 }

func (s span) len() int { return int(s.to - s.from) }

// A batch is what one worker scans in one go: the names and values of some
// thousand elements, each followed by a separator, and where each belongs. It
// is reused.
type batch struct {
	text   []byte
	keys   []keyRecord
	leaves []leaf
	size   int64 // bytes of names and values

	findings   []*Finding
	exclusions []*Exclusion
	stats      Stats
	done       chan struct{} // buffered: scanned
}

// A keyRecord is what the leaves of one key share.
type keyRecord struct {
	source   string
	name     span           // of the key
	at       keyspace.Place // of the name
	record   int64
	expire   int64
	db       int32
	presumed bool // db is
	typ      keyspace.Type
	encoding keyspace.Encoding
	label    string // key_type where it is no type of value
}

// kind is the key_type of findings.
func (k *keyRecord) kind() string {
	switch {
	case k.label != "":
		return k.label
	case k.typ == keyspace.TypeNone && k.db < 0: // a line of a text file
		return "text"
	}
	return k.typ.String()
}

// A leaf is one name or value of the keyspace, or a value with the field that
// names it.
type leaf struct {
	key      uint32 // in keys
	field    span
	value    span
	where    Where
	fieldAt  Where
	encoding keyspace.Encoding
	state    keyspace.State
	fieldTTL bool           // expire is the field's own
	window   bool           // value is a piece of a longer one
	own      span           // of a window: where matches must begin to count
	seam     int            // length of an earlier value before this one: matches must end behind it
	at       keyspace.Place // of the value
	nameAt   keyspace.Place // of the field
	index    int64          // of a list's element, else -1
	expire   int64
	time     int64
	id       keyspace.StreamID
	stream   bool  // id is set
	judged   int32 // of a command that Config.Commands found: 1 + the rule's place
}

// Sizes of a batch. It is cut at the first key past the soft bounds, so that
// what belongs to one key is seen together, and in any case at the hard ones.
const (
	batchText       = 192 << 10
	batchLeaves     = 2000
	batchTextHard   = 4 * batchText
	batchLeavesHard = 4 * batchLeaves
)

// newBatch returns a batch without memory: many scans are of little.
func newBatch() *batch { return &batch{done: make(chan struct{}, 1)} }

// keptText is how much memory of an outsized batch outlives it.
const keptText = 2 << 20

func (b *batch) reset() {
	if cap(b.text) > keptText {
		b.text = make([]byte, 0, batchText)
	}
	b.text, b.keys, b.leaves, b.size = b.text[:0], b.keys[:0], b.leaves[:0], 0
	b.findings, b.exclusions, b.stats = nil, nil, Stats{}
}

// put copies p and the separator behind it.
func (b *batch) put(p []byte) span {
	from := uint32(len(b.text))
	b.text = append(append(b.text, p...), separator)
	b.size += int64(len(p))
	return span{from, uint32(len(b.text) - 1)}
}

func (b *batch) bytes(s span) []byte { return b.text[s.from:s.to:s.to] }

// full reports whether the batch is to be closed before another key.
func (b *batch) full() bool { return len(b.text) >= batchText || len(b.leaves) >= batchLeaves }

// overfull reports whether it is to be closed before another element.
func (b *batch) overfull() bool {
	return len(b.text) >= batchTextHard || len(b.leaves) >= batchLeavesHard
}

// A collector turns events into batches. It belongs to one goroutine.
type collector struct {
	cur  *batch
	next func(*batch) *batch // hands one over, gives an empty one; nil: stop

	key     []byte // the current key's name, kept across batches
	rec     keyRecord
	haveKey bool

	long     long
	keys     uint64
	score    []byte
	consumer []byte // the last that was named
	claim    int64  // the record of the command that named it
	major    int    // version of the server that wrote the file, 0: unknown
	recent   *recentStrings
	commands CommandJudge
	matched  []int // by commands
	joined   []byte
}

// add takes one event. It reports false when the scan is to stop.
func (c *collector) add(e *keyspace.Event) bool {
	switch e.Kind {
	case keyspace.Key:
		c.keys++
		if c.cur.full() && !c.flush() {
			return false
		}
		c.setKey(e)
		return c.leaf(e, WhereKey, WhereKey, nil, e.Key)
	case keyspace.Element:
		if c.long.active || e.Part != keyspace.Whole {
			return c.part(e)
		}
		return c.element(e, e.Value)
	case keyspace.Group:
		return c.in(e, "") && c.leaf(e, WhereGroup, WhereGroup, nil, e.Field)
	case keyspace.Consumer:
		c.consumer = append(c.consumer[:0], e.Value...)
		return c.in(e, "") && c.leaf(e, WhereConsumer, WhereConsumer, nil, e.Value)
	case keyspace.Pending: // in a log, the only event that names a consumer
		if len(e.Value) == 0 || bytes.Equal(e.Value, c.consumer) && (e.Encoding != keyspace.RESP || e.Record == c.claim) {
			return true
		}
		c.claim = e.Record
		c.consumer = append(c.consumer[:0], e.Value...)
		return c.in(e, "") && c.leaf(e, WhereConsumer, WhereConsumer, nil, e.Value)
	case keyspace.Function:
		return c.in(e, "function") && c.leaf(e, WhereFunction, WhereKey, nil, e.Value)
	case keyspace.Header:
		return c.header(e)
	case keyspace.Command:
		return c.command(e)
	case keyspace.Aux:
		c.version(e)
		return c.in(e, "aux") && c.leaf(e, WhereAux, WhereKey, nil, e.Value)
	case keyspace.Rename:
		if e.Op == keyspace.OpMoveMember || e.Op == keyspace.OpShare {
			return true
		}
		renamed := *e
		renamed.Kind, renamed.Key, renamed.Expire = keyspace.Key, e.Value, keyspace.NoExpire
		if e.Op == keyspace.OpMove {
			renamed.DB = int32(e.Index)
		}
		c.setKey(&renamed)
		return c.leaf(&renamed, WhereKey, WhereKey, nil, e.Value)
	}
	return true
}

// element files an Element whose value is p, whole or put together from parts.
func (c *collector) element(e *keyspace.Event, p []byte) bool {
	return c.value(e, p) && c.bareScore(e)
}

// value files the value of an Element, or a stretch of it, as the last leaf.
func (c *collector) value(e *keyspace.Event, p []byte) bool {
	if !c.in(e, "") {
		return false
	}
	where, field := placeOf(e.Type), e.Field
	switch e.Op {
	case keyspace.OpInsertBefore, keyspace.OpInsertAfter: // Field is another element of the list
		field = nil
	}
	if e.Type == keyspace.VectorSet && (len(p) == 0 || p[0] != '{') {
		where = WhereElement
	}
	p, seam := c.join(e, p)
	if !c.leaf(e, where, fieldPlaceOf(e.Type), field, p) {
		return false
	}
	c.cur.leaves[len(c.cur.leaves)-1].seam = seam
	return true
}

// bareScore files the score of a member if it is large enough to be something
// else than a score.
func (c *collector) bareScore(e *keyspace.Event) bool {
	if e.Type == keyspace.SortedSet && e.Score >= leastBare {
		c.score = strconv.AppendFloat(c.score[:0], e.Score, 'f', -1, 64)
		if !c.leaf(e, WhereScore, WhereField, nil, c.score) {
			return false
		}
		if e.Name != (keyspace.Place{}) {
			c.cur.leaves[len(c.cur.leaves)-1].at = e.Name
		}
	}
	return true
}

// in makes the event's key the current one.
func (c *collector) in(e *keyspace.Event, label string) bool {
	if c.cur.overfull() && !c.flush() {
		return false
	}
	if label != "" || !c.haveKey || c.rec.label != "" || c.rec.db != e.DB || c.rec.record != e.Record || !bytes.Equal(c.key, e.Key) {
		c.setKey(e)
		c.rec.label = label
		if label != "" {
			c.rec.db, c.rec.presumed = -1, false
			k := &c.cur.keys[len(c.cur.keys)-1]
			k.db, k.presumed, k.label = -1, false, label
		}
	}
	return true
}

func (c *collector) setKey(e *keyspace.Event) {
	c.key = append(c.key[:0], e.Key...)
	expire := keyspace.NoExpire
	var at keyspace.Place
	if e.Kind == keyspace.Key {
		expire, at = e.Expire, e.Name
	}
	c.rec = keyRecord{source: e.Pos.Source, at: at, record: e.Record, expire: expire, db: e.DB, presumed: e.Presumed, typ: e.Type, encoding: e.Encoding}
	c.haveKey = true
	c.rec.name = c.cur.put(c.key)
	c.cur.keys = append(c.cur.keys, c.rec)
}

// leaf appends one leaf. A key is its own value: where its text stands already.
func (c *collector) leaf(e *keyspace.Event, where, fieldAt Where, field, value []byte) bool {
	c.cur.leaves = append(c.cur.leaves, leaf{
		key: uint32(len(c.cur.keys) - 1), where: where, fieldAt: fieldAt, encoding: e.Encoding, state: e.State,
		at: keyspace.Place{Offset: e.Pos.Offset, Inner: e.Pos.Inner, Length: e.Length}, index: -1, expire: c.rec.expire, time: e.Time,
	})
	l := &c.cur.leaves[len(c.cur.leaves)-1]
	switch {
	case e.Kind == keyspace.Key:
		l.value = c.rec.name
		if c.rec.at != (keyspace.Place{}) {
			l.at = c.rec.at
		}
		return true
	case e.Kind != keyspace.Element:
	case e.Type == keyspace.List || e.Type == keyspace.Array || e.Type == keyspace.Module || e.Type == keyspace.TypeNone:
		l.index = e.Index
	case e.Type == keyspace.Hash && e.Expire != keyspace.NoExpire && e.Expire != 0:
		l.expire, l.fieldTTL = e.Expire, true
	case e.Type == keyspace.Stream:
		l.id, l.stream = e.ID, true
	}
	if len(field) > 0 {
		l.field, l.nameAt = c.cur.put(field), e.Name
	}
	l.value = c.cur.put(value)
	return true
}

// flush hands the batch over and goes on with the key in a new one.
func (c *collector) flush() bool {
	if c.cur = c.next(c.cur); c.cur == nil {
		return false
	}
	if c.haveKey {
		c.rec.name = c.cur.put(c.key)
		c.cur.size -= int64(len(c.key))
		c.cur.keys = append(c.cur.keys, c.rec)
	}
	return true
}
