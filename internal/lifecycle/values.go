package lifecycle

import "github.com/valkeyfs/valkeyfs/keyspace"

// record is the key's record, in an RDB or of a command, that is being read.
type record struct {
	id    uint64
	db    uint32
	skip  bool // nothing of it counts: a mention, or the command is broken
	value bool // its op stands for its string, too
	fate  fate

	// What one op stands for though it comes in several events.
	entry entry
	group group
}

// entry is an entry of a stream, which comes in fields.
type entry struct {
	id   keyspace.StreamID
	open bool
	fate fate
}

// group is a consumer group or a consumer, which pending entries name again.
type group struct {
	name uint64
	fate fate
}

func (r *recorder) key(ev *keyspace.Event) error {
	rec := &r.record
	*rec = record{}
	if rec.skip = ev.State == keyspace.Recovered || ev.Op == keyspace.OpNone && ev.Kind == keyspace.Key; rec.skip {
		return nil
	}
	rec.db = functionsDB
	if ev.Kind == keyspace.Key {
		rec.db = r.db(ev.DB)
	}
	rec.id, _ = r.object(rec.db, ev.Key)
	o := op{kind: opCreate, id: rec.id, db: rec.db, a: ev.Expire}
	switch {
	case ev.Kind == keyspace.Function:
		o.kind, o.a = opCreateValue, keyspace.NoExpire
	case ev.Op == keyspace.OpUpdate:
		o.kind, o.a = opTouch, 0
	case ev.Type == keyspace.String:
		o.kind, rec.value = opCreateValue, true
	}
	r.deadline(o.a)
	var err error
	rec.fate, err = r.emit(o)
	ev.State = rec.fate.state
	return err
}

// recordEvent takes what a key's record holds beside its values, and its end.
func (r *recorder) recordEvent(ev *keyspace.Event) {
	if r.record.skip {
		return
	}
	ev.State = r.record.fate.state
	r.record.skip = ev.Kind == keyspace.KeyEnd
}

// value takes an Element.
func (r *recorder) value(ev *keyspace.Event) error {
	rec := &r.record
	// Entries that were deleted are kept by streams, which mark them. Of other
	// types, State may still be what the element before was given here.
	kept := ev.Type == keyspace.Stream && ev.State == keyspace.Deleted && ev.Part.Begins()
	if rec.skip || ev.Op == keyspace.OpNone || kept {
		return nil
	}
	var err error
	switch {
	case !ev.Part.Begins():
	case rec.value && ev.Op != keyspace.OpAppend:
		r.element = rec.fate
	case ev.Type == keyspace.Stream && rec.entry.open && ev.ID == rec.entry.id:
		r.element = rec.entry.fate
	default:
		r.element, err = r.write(ev)
		if ev.Type == keyspace.Stream {
			rec.entry = entry{ev.ID, true, r.element}
		}
	}
	ev.State = r.element.state
	if r.element.index >= 0 {
		ev.Index = r.element.index
	}
	return err
}

// write emits the op of an Element.
func (r *recorder) write(ev *keyspace.Event) (fate, error) {
	rec := &r.record
	o := op{id: rec.id, db: rec.db}
	switch ev.Op {
	case keyspace.OpPushHead:
		o.kind, o.name = opPushHead, r.hash(ev.Value)
	case keyspace.OpPushTail:
		o.kind, o.name = opPushTail, r.hash(ev.Value)
	case keyspace.OpSetIndex:
		o.kind, o.name, o.a = opSetIndex, r.hash(ev.Value), ev.Index
	case keyspace.OpInsertBefore:
		o.kind, o.name, o.a = opInsertBefore, r.hash(ev.Value), int64(r.hash(ev.Field))
	case keyspace.OpInsertAfter:
		o.kind, o.name, o.a = opInsertAfter, r.hash(ev.Value), int64(r.hash(ev.Field))
	case keyspace.OpAppend:
		return r.change(ev)
	default:
		return r.put(ev)
	}
	return r.emit(o)
}

// put emits the op of an Element that replaces what bears its name.
func (r *recorder) put(ev *keyspace.Event) (fate, error) {
	rec := &r.record
	o := op{kind: opPut, id: rec.id, db: rec.db, a: keyspace.NoExpire}
	switch ev.Type {
	case keyspace.String:
		o.kind, o.a = opReplace, 0
	case keyspace.SortedSet:
		o.kind, o.name, o.a, o.b = opScore, r.name(ev), scoreBits(ev.Score), scoreIs
		if ev.Count > 0 {
			o.b = scoreVague
		}
	case keyspace.List:
		o.kind, o.name, o.a = opPushTail, r.hash(ev.Value), 0
	case keyspace.Stream:
		o.kind, o.name, o.a, o.b = opEntry, r.name(ev), int64(ev.ID.MS), int64(ev.ID.Seq)
		r.clock.hint(int64(min(ev.ID.MS, endOfTime)))
	case keyspace.Hash:
		if o.name, o.a = r.name(ev), ev.Expire; ev.Count > 0 {
			o.a = keepExpiry
		}
		r.deadline(o.a)
	case keyspace.Module:
		if ev.Field == nil {
			return r.unnamed()
		}
		// A path of a document: what it held before may be part of an older value.
		if _, err := r.emit(op{kind: opDoubt, id: rec.id, db: rec.db}); err != nil {
			return fate{}, err
		}
		o.name = r.name(ev)
	default:
		o.name = r.name(ev)
	}
	return r.emit(o)
}

// change emits the op of an Element that becomes part of a value. Where that has a
// name, and is no more than a number, it takes its place.
func (r *recorder) change(ev *keyspace.Event) (fate, error) {
	if ev.Type != keyspace.Hash && ev.Type != keyspace.SortedSet {
		return r.unnamed()
	}
	o := op{kind: opPut, id: r.record.id, db: r.record.db, name: r.name(ev), a: keepExpiry}
	if ev.Type == keyspace.SortedSet {
		o.kind, o.a, o.b = opScore, scoreBits(ev.Score), scoreGrows
		if ev.Count > 0 {
			o.b = scoreVague
		}
	}
	return r.emit(o)
}

// unnamed emits the op of a value that nothing can name.
func (r *recorder) unnamed() (fate, error) {
	rec := &r.record
	return r.emit(op{kind: opAppend, id: rec.id, db: rec.db, name: mix(rec.id, r.seq)})
}

// groups takes what a stream holds beside its entries: consumer groups, consumers
// and pending entries, which stand for the consumer or group that they name.
func (r *recorder) groups(ev *keyspace.Event) error {
	if ev.Kind != keyspace.Group {
		r.clock.hint(ev.Time)
	}
	rec := &r.record
	if rec.skip {
		return nil
	}
	g := r.hash(ev.Field)
	name := consumer(g, g)
	if ev.Value != nil && ev.Kind != keyspace.Group {
		name = consumer(g, r.hash(ev.Value))
	}
	var err error
	if ev.Kind != keyspace.Pending || rec.group.name != name {
		rec.group.name = name
		rec.group.fate, err = r.emit(op{kind: opGroup, id: rec.id, db: rec.db, name: name, a: int64(g)})
	}
	ev.State = rec.group.fate.state
	return err
}
