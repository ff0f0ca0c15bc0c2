package replay

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Change is one step in the life of a key: what a command did to it, or to one
// element of it.
type Change struct {
	DB     int32
	Key    []byte
	Source string
	Offset int64 // of the command
	Time   int64 // ms, of the #TS before it; 0: none
	What   What
	Type   keyspace.Type
	// Which element: field, member or index, and entry ID; nil or "" of the whole key.
	Element []byte
	ID      string
	// Before and After are the value of the element, or of the whole; nil: none. Of a
	// collection as a whole they are a text that names its first elements. With
	// Options.Lengths they are nil, and their lengths are here alone.
	Before, After       []byte
	BeforeLen, AfterLen int   // -1: none
	Expire              int64 // What is Expiry: the new one; of a key that goes: the one it had
	Inexact             bool  // the value before is not known exactly
	Cut                 bool  // a value was too long, and is cut
}

// What says what happened.
type What string

// What can happen to a key. The last five are tombstones: the value before is gone.
const (
	Written     What = "written"
	Changed     What = "changed"
	Added       What = "added"
	Expiry      What = "expiry"
	Stored      What = "stored"      // a result, of other keys
	Removed     What = "removed"     // an element
	Overwritten What = "overwritten" // the whole key, by a new value
	Deleted     What = "deleted"     // the whole key
	Expired     What = "expired"     // the whole key, once its time had come
	Flushed     What = "flushed"
	MovedAway   What = "moved" // the key has another name or database now
)

// Tombstone reports whether something was there before and is gone.
func (w What) Tombstone() bool {
	switch w {
	case Removed, Overwritten, Deleted, Expired, Flushed, MovedAway:
		return true
	}
	return false
}

// The most of a value that a change holds, and how many elements of a collection
// it names.
const (
	maxValue    = 12 << 10
	maxElements = 64
	maxSorted   = 256
)

// whats are all that can happen to a key, by the number that is stored.
var whats = [...]What{Written, Changed, Added, Expiry, Stored, Removed, Overwritten, Deleted, Expired, Flushed, MovedAway}

// History yields the changes of all wanted keys: by database and key, of one key
// in the order of the log. Each Change is valid until the next.
func (l *Log) History(ctx context.Context) iter.Seq2[*Change, error] {
	return func(yield func(*Change, error) bool) {
		sorter := spill.NewSorter(l.o.Tmp, l.o.MaxMem/sorterShare)
		defer sorter.Close()
		out := &ledger{sorter: sorter}
		err := l.run(ctx, func(m *machine) func() {
			r := &recorder{l: l, m: m, out: out}
			m.before = r.before
			return r.finish
		}, func(*machine) bool { return out.failed() == nil })
		if err == nil {
			err = out.failed()
		}
		if err != nil {
			yield(nil, err)
			return
		}
		c := &Change{}
		var last []byte
		for b, err := range sorter.Sorted() {
			if err == nil && bytes.Equal(b, last) {
				continue // of a partition that was replayed anew
			}
			last = append(last[:0], b...)
			if err == nil {
				err = l.decode(b, c)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// sorterShare is how many times MaxMem is what changes take in memory before they
// are spilled.
const sorterShare = 8

// ledger takes the records of all recorders.
type ledger struct {
	mu     sync.Mutex
	sorter *spill.Sorter
	err    error
}

func (l *ledger) add(record []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = l.sorter.Add(record)
	}
}

func (l *ledger) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// recorder watches a machine and writes down what changes.
type recorder struct {
	l      *Log
	m      *machine
	out    *ledger
	number uint64 // of the change
	buf    []byte
	change Change    // used for each that is complete at once
	open   []*Change // of a computed command, whose result is not there yet
	opened struct {
		source string
		record int64
	}
}

// before is called by the machine.
func (r *recorder) before(db int32, key string, e *keyspace.Event) {
	if len(r.open) > 0 && (r.opened.record != e.Record || r.opened.source != e.Pos.Source) {
		r.finish()
	}
	if r.l.o.Want != nil && !r.l.o.Want(db, []byte(key)) {
		return
	}
	o := r.m.get(db, key)
	if r.l.o.Tombstones && !takes(e, o) {
		return
	}
	c := &r.change
	if e.Kind == keyspace.Command {
		c = &Change{}
	}
	*c = Change{DB: db, Key: append(c.Key[:0], key...), Source: e.Pos.Source, Offset: e.Record, Time: e.Time, Expire: keyspace.NoExpire}
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
		r.opened.source, r.opened.record = e.Pos.Source, e.Record
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
		if now := cmp.Or(e.Time, r.l.s.saved); o.expire != keyspace.NoExpire && now != 0 && o.expire <= now+tick {
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

// finish takes the results of computed commands.
func (r *recorder) finish() {
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
		if c.Cut || !bytes.Equal(c.Before, c.After) || c.What == Stored {
			r.add(c)
		}
	}
	r.open = r.open[:0]
}

func (r *recorder) add(c *Change) {
	if r.l.o.Tombstones && !c.What.Tombstone() {
		return
	}
	for _, v := range []*[]byte{&c.Before, &c.After, &c.Element} {
		if len(*v) > maxValue {
			*v, c.Cut = (*v)[:maxValue], true
		}
	}
	// Sorted by database, key, place; a 0 ends the key, and one in it is escaped.
	b := binary.BigEndian.AppendUint32(r.buf[:0], uint32(c.DB)^1<<31)
	for _, x := range c.Key[:min(len(c.Key), maxValue/2)] {
		if b = append(b, x); x == 0 {
			b = append(b, 255)
		}
	}
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint64(b, r.l.s.order[c.Source])
	b = binary.BigEndian.AppendUint64(b, uint64(c.Offset))
	b = binary.BigEndian.AppendUint64(b, r.number)
	head := len(b)
	r.number++
	b = r.encode(b, c)
	b = binary.BigEndian.AppendUint32(b, uint32(head))
	r.buf = b
	r.out.add(b)
}

// encode appends what the head of a record does not say of a change.
func (r *recorder) encode(b []byte, c *Change) []byte {
	b = append(b, byte(slices.Index(whats[:], c.What)), byte(c.Type), byte(flag(c.Inexact)|flag(c.Cut)<<1))
	b = binary.AppendVarint(b, c.Time)
	b = binary.AppendVarint(b, c.Expire)
	b = appendBytes(b, c.Element)
	b = appendBytes(b, []byte(c.ID))
	for _, v := range [][]byte{c.Before, c.After} {
		if !r.l.o.Lengths {
			b = appendBytes(b, v)
		} else if v == nil {
			b = append(b, 0)
		} else {
			b = binary.AppendUvarint(b, uint64(len(v))+1)
		}
	}
	return b
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// placeSize is what ends the head of a record: the end of the key, and three numbers.
const placeSize = 2 + 3*8

// decode reads a record into c, which is valid as long as the record is.
func (l *Log) decode(b []byte, c *Change) error {
	if len(b) < 4 {
		return errTape
	}
	head := int64(binary.BigEndian.Uint32(b[len(b)-4:]))
	if head < 4+placeSize || head+3 > int64(len(b)-4) {
		return errTape
	}
	key, place := b[4:head-placeSize], b[head-placeSize+2:head]
	rest := b[head : len(b)-4]
	n := binary.BigEndian.Uint64(place)
	if n >= uint64(len(l.s.paths)) || int(rest[0]) >= len(whats) {
		return errTape
	}
	if bytes.IndexByte(key, 0) >= 0 {
		key = bytes.ReplaceAll(key, []byte{0, 255}, []byte{0})
	}
	d := decoder{b: rest[3:]}
	*c = Change{DB: int32(binary.BigEndian.Uint32(b) ^ 1<<31), Key: key, Source: l.s.paths[n], Offset: int64(binary.BigEndian.Uint64(place[8:])),
		What: whats[rest[0]], Type: keyspace.Type(rest[1]), Inexact: rest[2]&1 != 0, Cut: rest[2]&2 != 0,
		Time: d.varint(), Expire: d.varint(), Element: d.bytes(), ID: string(d.bytes())}
	if l.o.Lengths {
		c.BeforeLen, c.AfterLen = int(d.uvarint())-1, int(d.uvarint())-1
	} else {
		c.Before, c.After = d.bytes(), d.bytes()
		c.BeforeLen, c.AfterLen = length(c.Before), length(c.After)
	}
	if d.bad {
		return errTape
	}
	return nil
}

// length is that of a value, -1 of none.
func length(v []byte) int {
	if v == nil {
		return -1
	}
	return len(v)
}

func idText(id keyspace.StreamID) string { return fmt.Sprintf("%d-%d", id.MS, id.Seq) }

func appendScore(f float64) []byte {
	if math.IsInf(f, 0) {
		return []byte(strings.ToLower(strconv.FormatFloat(f, 'f', -1, 64)))
	}
	return strconv.AppendFloat(nil, f, 'g', 17, 64)
}

// elementText is the value of a field, or the score of a member; nil if there is
// none, or no object.
func (o *object) elementText(name []byte) []byte {
	if o == nil {
		return nil
	}
	if f, ok := o.hash[string(name)]; ok {
		return f.value
	}
	if s, ok := o.zset[string(name)]; ok {
		return appendScore(s)
	}
	return nil
}

// text is a value for a person to read: a string as it is; of a collection the
// first elements as JSON, and how many more there are. It is valid until the value
// changes.
func (o *object) text() (text []byte, cut bool) {
	if o.typ == keyspace.String { // its beginning: what is longer is cut anyway
		return o.str[:min(len(o.str), maxValue)], len(o.str) > maxValue
	}
	if n := len(o.hash) + len(o.set); n > maxSorted { // putting them in order each time would cost more than telling
		return fmt.Appendf(nil, "… %d in all", n), true
	}
	var b []byte
	n := 0
	item := func(parts ...string) bool {
		if n++; n > maxElements || len(b) > maxValue {
			return false
		}
		for i, p := range parts {
			if i > 0 {
				b = append(b, ':')
			} else if len(b) > 0 {
				b = append(b, ',')
			}
			q, _ := json.Marshal(p) //nolint:errchkjson // a string has no error
			b = append(b, q...)
		}
		return true
	}
	total := o.each(item)
	if n > maxElements || n < total {
		b = fmt.Appendf(b, ", … %d in all", total)
		cut = true
	}
	return b, cut
}

// each calls item with the elements until it has enough, and returns how many
// there are.
func (o *object) each(item func(...string) bool) int {
	switch o.typ {
	case keyspace.List:
		for _, v := range o.list.all() {
			if !item(string(v)) {
				break
			}
		}
		return o.list.len()
	case keyspace.Hash:
		for _, name := range o.fields() {
			if !item(name, string(o.hash[name].value)) {
				break
			}
		}
		return len(o.hash)
	case keyspace.Set:
		for _, v := range o.members() {
			if !item(v) {
				break
			}
		}
		return len(o.set)
	case keyspace.SortedSet:
		for _, v := range o.ranked() {
			if !item(v, string(appendScore(o.zset[v]))) {
				break
			}
		}
		return len(o.zset)
	case keyspace.Stream:
		for i := range o.stream.entries {
			if !item(idText(o.stream.entries[i].id), string(entryText(&o.stream.entries[i]))) {
				break
			}
		}
		return len(o.stream.entries)
	}
	for _, x := range o.other {
		if !item(string(x.field), string(x.value)) {
			break
		}
	}
	return len(o.other)
}

func entryText(e *entry) []byte {
	var b []byte
	for i, f := range e.fields {
		if len(b) > maxValue {
			break
		}
		if i > 0 {
			b = append(b, ' ')
		}
		b = fmt.Appendf(b, "%s=%s", f[0], f[1])
	}
	return b
}
