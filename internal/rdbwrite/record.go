package rdbwrite

import (
	"encoding/binary"
	"fmt"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Types, RDB_TYPE_* of both servers' src/rdb.h.
const (
	typeString       = 0
	typeList         = 1
	typeSet          = 2
	typeZSetText     = 3
	typeHash         = 4
	typeZSet         = 5
	typeModule       = 7
	typeStream       = 15
	typeStream2      = 19
	typeStream3      = 21
	typeHashExValkey = 22
	typeHashExRedis  = 24
)

// record is the key that is being built. Its elements are written as they come;
// how many they are is written before them once the last has come.
type record struct {
	open   bool
	key    keyspace.Event // what its Key event said; Key and Field are copies
	typ    byte
	n      uint64 // elements
	body   body
	long   body   // a string that arrives in parts
	field  []byte // the field that it belongs to
	small  small
	names  names
	stream stream
}

func (r *record) init(s *spill.Store, maxMem int64) {
	r.names.init(s, maxMem)
	for _, b := range []*body{&r.body, &r.long, &r.stream.groups, &r.stream.pending, &r.stream.consumers, &r.stream.owned} {
		b.store = s
	}
}

// Event takes the next event of a key: Key, Element, StreamMeta, Group, Consumer,
// Pending and KeyEnd, in the order of package keyspace, in which a stream's
// StreamMeta stands before its groups. The record is written at KeyEnd, behind a
// SELECT where its database is another than that before; a collection without
// elements is not, since servers refuse one. A Key that comes before the KeyEnd of
// the one before it drops that. Other kinds are passed over.
//
// The fields of a hash expire if the encoding of its Key event says so, and may if it
// has none. A collection that holds the same member or field twice, which no server
// loads, is an error that wraps [keyspace.ErrUnsupported], too. Deleted
// entries of streams are left out, as are the idempotent producers of Redis 8.6. A
// value that the version does not know is an error that wraps
// [keyspace.ErrUnsupported] and leaves the key out; the Writer goes on.
func (w *Writer) Event(e *keyspace.Event) error {
	if w.err != nil {
		return w.err
	}
	r := &w.rec
	switch e.Kind {
	case keyspace.Key:
		return w.begin(e)
	case keyspace.Element:
		if r.open {
			return w.element(e)
		}
	case keyspace.StreamMeta, keyspace.Group, keyspace.Consumer, keyspace.Pending:
		if r.open {
			return w.streamEvent(e)
		}
	case keyspace.KeyEnd:
		if r.open {
			return w.End()
		}
	}
	return nil
}

// Drop forgets the key whose end has not come.
func (w *Writer) Drop() { w.rec.open = false }

// begin takes up a key.
func (w *Writer) begin(e *keyspace.Event) error {
	r := &w.rec
	r.open = false
	typ, what := w.typeOf(e)
	if what != "" {
		return &keyspace.FormatError{Pos: e.Pos, What: what, Err: keyspace.ErrUnsupported}
	}
	name := append(r.key.Key[:0], e.Key...)
	module := append(r.key.Field[:0], e.Field...)
	r.key = *e
	r.key.Key, r.key.Field, r.key.Value, r.key.Args = name, module, nil, nil
	r.open, r.typ, r.n = true, typ, 0
	r.body.reset()
	r.long.reset()
	r.small.reset(w.librarian(e.Type))
	r.names.body.reset()
	r.stream.reset()
	return nil
}

// typeOf chooses how a key is stored, or says what the version does not know.
func (w *Writer) typeOf(e *keyspace.Event) (typ byte, unknown string) {
	v := w.version
	since := func(typ byte, n int) (byte, string) {
		if !v.valkey() && v.Number < n {
			return 0, fmt.Sprintf("a %s in a snapshot of version %d", e.Type, v.Number)
		}
		return typ, ""
	}
	switch e.Type {
	case keyspace.String:
		return typeString, ""
	case keyspace.List:
		return typeList, ""
	case keyspace.Set:
		return typeSet, ""
	case keyspace.SortedSet:
		if !v.valkey() && v.Number < sinceBinary {
			return typeZSetText, ""
		}
		return typeZSet, ""
	case keyspace.Hash:
		expire := fieldsExpire(e)
		known := v.valkey() || v.Number >= sinceFieldTTL
		switch {
		case !expire && (e.Encoding != keyspace.EncodingNone || !known):
			return typeHash, ""
		case v.valkey():
			return typeHashExValkey, ""
		}
		return since(typeHashExRedis, sinceFieldTTL)
	case keyspace.Stream:
		switch {
		case v.valkey() || v.Number >= sinceStreams3:
			return typeStream3, ""
		case v.Number >= sinceStreams2:
			return typeStream2, ""
		}
		return since(typeStream, sinceStreams)
	case keyspace.Module, keyspace.VectorSet:
		if len(e.Field) != moduleNameSize { // a vector set that commands have made
			return 0, fmt.Sprintf("a %s whose module is not known", e.Type)
		}
		return since(typeModule, sinceBinary)
	}
	return 0, fmt.Sprintf("a value of type %s cannot be encoded anew", e.Type)
}

// fieldsExpire reports whether fields of the hash that e begins have expiries of
// their own.
func fieldsExpire(e *keyspace.Event) bool {
	return e.Encoding == keyspace.ListpackEx || e.Encoding == keyspace.HashtableEx
}

// element adds one element, or a part of one.
func (w *Writer) element(e *keyspace.Event) error {
	r := &w.rec
	if e.Part == keyspace.Whole {
		return w.add(e, e.Field, nonNil(e.Value))
	}
	if e.Part == keyspace.First {
		r.long.reset()
		r.field = append(r.field[:0], e.Field...)
	}
	if r.key.Type == keyspace.Stream && r.long.len()+int64(len(e.Value)) > maxEntry {
		return w.refuse(e, "an entry of a stream longer than a server takes")
	}
	if err := r.long.write(e.Value); err != nil || e.Part != keyspace.Last {
		return err
	}
	return w.add(e, r.field, nil)
}

// nonNil is p, which lies in no parts.
func nonNil(p []byte) []byte {
	if p == nil {
		return []byte{}
	}
	return p
}

// maxEntry bounds the entries of streams, which are held whole.
const maxEntry = 1 << 30

// add adds an element whose strings are field and value; value is nil where the
// parts of it lie in long.
func (w *Writer) add(e *keyspace.Event, field, value []byte) error {
	r := &w.rec
	switch r.key.Type {
	case keyspace.Hash:
		if err := r.names.add(nonNil(field), nil); err != nil {
			return err
		}
	case keyspace.Set, keyspace.SortedSet:
		if err := r.names.add(value, &r.long); err != nil {
			return err
		}
	}
	if r.small.active {
		if value != nil && r.small.take(value, e.Score) {
			return nil
		}
		if err := w.overflow(); err != nil {
			return err
		}
	}
	b := &r.body
	switch r.typ {
	case typeHashExRedis:
		// The smallest expiry, from which others are counted, is not known yet: 1
		// makes them absolute.
		b.buf = appendLength(b.buf, uint64(max(e.Expire, 0)))
		b.buf = appendString(b.buf, field)
	case typeHash, typeHashExValkey:
		b.buf = appendString(b.buf, field)
	case typeModule:
		return w.moduleElement(e, value)
	case typeStream, typeStream2, typeStream3:
		return w.entryField(e, field, value)
	}
	if err := w.text(value); err != nil {
		return err
	}
	switch r.typ {
	case typeZSet, typeZSetText:
		b.buf = w.appendScore(b.buf, e.Score)
	case typeHashExValkey:
		b.buf = binary.LittleEndian.AppendUint64(b.buf, uint64(e.Expire)) // NoExpire is -1 there, too
	}
	r.n++
	return b.shelve()
}

// text appends a string to the body: value, or the parts in long.
func (w *Writer) text(value []byte) error {
	r := &w.rec
	if value == nil {
		r.body.buf = appendLength(r.body.buf, uint64(r.long.len()))
		return r.body.take(&r.long)
	}
	if len(value) <= maxDigits {
		r.body.buf = appendString(r.body.buf, value)
		return r.body.shelve()
	}
	r.body.buf = appendLength(r.body.buf, uint64(len(value)))
	return r.body.write(value)
}

// overflow writes what the library would have encoded, because it becomes too much
// to be held.
func (w *Writer) overflow() error {
	r := &w.rec
	r.small.active = false
	for i := range r.small.len() {
		if err := w.text(r.small.value(i)); err != nil {
			return err
		}
		if r.key.Type == keyspace.SortedSet {
			r.body.buf = w.appendScore(r.body.buf, r.small.scores[i])
		}
		r.n++
	}
	return r.body.shelve()
}

// End writes the key as far as its elements have come, as KeyEnd does: a value that
// was read in part, where that is wanted. It reports nothing of a key that is empty.
func (w *Writer) End() error {
	r := &w.rec
	if !r.open || w.err != nil {
		return w.err
	}
	r.open = false
	if again, err := r.names.repeat(); err != nil {
		return err
	} else if again {
		return w.refuse(&r.key, fmt.Sprintf("a %s that holds the same name twice", r.key.Type))
	}
	if r.small.active && r.small.len() > 0 {
		return w.byLibrary()
	}
	switch r.typ {
	case typeString:
		if r.n == 0 {
			return nil
		}
	case typeStream, typeStream2, typeStream3:
		return w.endStream()
	case typeModule:
		r.body.buf = append(r.body.buf, moduleEOF)
	default:
		if r.n == 0 {
			return nil
		}
	}
	if err := w.head(); err != nil {
		return err
	}
	w.buf = w.appendCount(w.buf[:0])
	if err := w.write(w.buf); err != nil {
		return err
	}
	return r.body.each(w.write)
}

// appendCount writes what stands between a key and its elements.
func (w *Writer) appendCount(b []byte) []byte {
	r := &w.rec
	switch r.typ {
	case typeString:
		return b
	case typeModule:
		return appendLength(b, moduleID(r.key.Field, r.key.Index))
	case typeHashExRedis:
		b = binary.LittleEndian.AppendUint64(b, 1)
	}
	return appendLength(b, r.n)
}

// head writes what stands before a value: the database, the expiry, the age, the
// type and the key.
func (w *Writer) head() error {
	if err := w.prefix(); err != nil {
		return err
	}
	w.buf = appendString(append(w.buf[:0], w.rec.typ), w.rec.key.Key)
	return w.write(w.buf)
}

// prefix writes what stands before the type of the open key.
func (w *Writer) prefix() error {
	k := &w.rec.key
	if err := w.Select(max(k.DB, 0)); err != nil {
		return err
	}
	if err := w.enter(); err != nil {
		return err
	}
	b := w.buf[:0]
	if k.Expire != keyspace.NoExpire {
		b = binary.LittleEndian.AppendUint64(append(b, opExpireMS), uint64(k.Expire))
	}
	if w.version.valkey() || w.version.Number >= sinceStreams { // rdbSaveKeyValuePair
		switch {
		case k.Freq >= 0:
			b = append(b, opFreq, byte(k.Freq))
		case k.Idle >= 0:
			b = appendLength(append(b, opIdle), uint64(k.Idle))
		}
	}
	w.buf = b
	return w.write(b)
}

// refuse leaves the open key out.
func (w *Writer) refuse(e *keyspace.Event, what string) error {
	w.rec.open = false
	return &keyspace.FormatError{Pos: e.Pos, What: what, Err: keyspace.ErrUnsupported}
}

// unsupported says that the version cannot hold what was to be written.
func (w *Writer) unsupported(what string) error {
	if w.err != nil {
		return w.err
	}
	return fmt.Errorf("%s in a snapshot of version %d: %w", what, w.version.Number, keyspace.ErrUnsupported)
}
