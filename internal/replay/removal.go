package replay

import "github.com/valkeyfs/valkeyfs/keyspace"

// delete applies what removes a key or elements of it.
func (m *machine) delete(e *keyspace.Event) {
	if e.Op == keyspace.OpDeleteLibrary {
		if e.Key == nil {
			clear(m.libs)
		}
		delete(m.libs, string(e.Key))
		return
	}
	key := string(e.Key)
	o := m.get(e.DB, key)
	if o == nil {
		switch {
		case e.Op == keyspace.OpReplaceSome, // there is something now; what, is not known
			e.Op == keyspace.OpDeleteSome && e.Type == keyspace.List: // or there may be: LMOVEM gives one list what it takes from another
			m.changing(e.DB, key, e)
			m.unknown(e, key)
			return
		case !m.headless:
			return
		case e.Op == keyspace.OpDeleteKey || e.Type == keyspace.TypeNone: // there was something, and may be no more
			m.changing(e.DB, key, e)
			return
		}
		o = m.unknown(e, key)
	}
	if e.Op == keyspace.OpMoveEnd && !m.free(e.DB, string(e.Value), keyspace.List) {
		return
	}
	m.changing(e.DB, key, e)
	switch e.Op {
	case keyspace.OpDeleteKey:
		m.remove(e.DB, key)
		return
	case keyspace.OpDeleteElement:
		o.deleteElement(e)
	case keyspace.OpPopHead, keyspace.OpPopTail:
		for range min(e.Index, int64(o.list.len())) {
			o.list.pop(e.Op == keyspace.OpPopTail)
		}
	case keyspace.OpTrim:
		o.list.trim(e.Index, e.Count)
	case keyspace.OpRemove:
		o.list.remove(e.Value, e.Index)
	case keyspace.OpMoveEnd:
		m.moveEnd(e, o)
	case keyspace.OpTrimLength:
		if o.stream != nil {
			o.stream.trimLength(e.Index)
		}
	case keyspace.OpTrimID:
		if o.stream != nil {
			o.stream.trimID(e.ID)
		}
	case keyspace.OpDeleteGroup:
		if o.stream != nil {
			o.stream.deleteGroup(e.Field, e.Value)
		}
	case keyspace.OpAck:
		if o.stream != nil {
			delete(o.stream.group(e.Field).pending, e.ID)
		}
	default: // some, in a way that no event tells
		o.inexact = true
	}
	m.tidy(e.DB, key)
}

// unknown makes a key hold a value of an event's type of which nothing is known.
func (m *machine) unknown(e *keyspace.Event, key string) *object {
	o := newObject(e.Type)
	o.inexact = true
	m.put(e, e.DB, key, o)
	m.held += int64(len(key)) + perKey
	return o
}

func (o *object) deleteElement(e *keyspace.Event) {
	switch o.typ {
	case keyspace.Hash:
		delete(o.hash, string(e.Field))
	case keyspace.Set:
		delete(o.set, string(e.Value))
	case keyspace.SortedSet:
		o.unscore(string(e.Value))
	case keyspace.Stream:
		o.stream.delete(e.ID)
	default:
		o.inexact = true
	}
}

func (s *stream) deleteGroup(name, of []byte) {
	if of == nil {
		delete(s.groups, string(name))
		return
	}
	g := s.groups[string(name)]
	if g == nil {
		return
	}
	delete(g.consumers, string(of))
	for id, p := range g.pending {
		if p.consumer == string(of) {
			delete(g.pending, id)
		}
	}
}

// The bits of the Index of an OpMoveEnd event (package keyspace).
const (
	fromTail = 1
	toTail   = 2
)

func (m *machine) moveEnd(e *keyspace.Event, o *object) {
	v := o.list.pop(e.Index&fromTail != 0)
	if v == nil && !o.inexact {
		return
	}
	to := string(e.Value)
	d := m.get(e.DB, to)
	if d == nil {
		d = newObject(keyspace.List)
		m.put(e, e.DB, to, d)
		m.held += int64(len(to)) + perKey
	}
	if o.inexact { // so is what was moved
		d.inexact = true
		return
	}
	pushed := *e
	pushed.Kind, pushed.Op, pushed.Value = keyspace.Element, keyspace.OpPushHead, v
	if e.Index&toTail != 0 {
		pushed.Op = keyspace.OpPushTail
	}
	m.changing(e.DB, to, &pushed)
	if e.Index&toTail != 0 {
		d.list.pushTail(v)
	} else {
		d.list.pushHead(v)
	}
}

func (m *machine) expire(e *keyspace.Event) {
	key := string(e.Key)
	o := m.get(e.DB, key)
	if o == nil {
		if m.headless {
			m.changing(e.DB, key, e)
		}
		return
	}
	if e.Field == nil {
		m.changing(e.DB, key, e)
		o.expire = e.Expire
		return
	}
	if f, ok := o.hash[string(e.Field)]; ok && e.Op.Replaces(f.expire, e.Expire) {
		m.changing(e.DB, key, e)
		f.expire = e.Expire
		o.hash[string(e.Field)] = f
	}
}

func (m *machine) flush(e *keyspace.Event) {
	for db, keys := range m.dbs {
		if e.DB >= 0 && db != e.DB {
			continue
		}
		for key := range keys {
			m.changing(db, key, e)
		}
		for key := range keys {
			m.remove(db, key)
		}
	}
	m.headless = m.headless && e.DB >= 0
}
