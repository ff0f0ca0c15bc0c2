package replay

import (
	"fmt"
	"maps"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// emitter yields the events of values, as a snapshot of them would.
type emitter struct {
	yield func(*keyspace.Event, error) bool
	ev    keyspace.Event
	name  []byte // of the last element
	gone  bool   // the consumer has left
}

// bytes is a string for the next event.
func (m *emitter) bytes(s string) []byte {
	m.name = append(m.name[:0], s...)
	return m.name
}

func (m *emitter) emit() {
	if !m.gone && !m.yield(&m.ev, nil) {
		m.gone = true
	}
}

// arrange orders what a machine holds as it is to be yielded, on the goroutine of the
// machine: the one that yields has enough to do.
func (m *machine) arrange() {
	for _, keys := range m.dbs {
		for _, o := range keys {
			switch o.typ {
			case keyspace.Hash:
				o.order = o.fields()
			case keyspace.Set:
				o.order = o.members()
			case keyspace.SortedSet:
				o.ranked()
			}
		}
	}
}

// key yields the events of one key, which is arranged.
func (m *emitter) key(db int32, key string, o *object) {
	base := keyspace.Event{DB: db, Key: []byte(key), Type: o.typ, Expire: o.expire, Idle: -1, Freq: -1, Pos: keyspace.Pos{Inner: -1}, Length: -1, Presumed: o.presumed}
	base.Encoding = o.encoding()
	if o.inexact {
		base.State = keyspace.Unknown
	} else {
		base.State = keyspace.Live
	}
	m.ev = base
	m.ev.Kind, m.ev.Op = keyspace.Key, keyspace.OpCreate
	if o.module != "" {
		m.ev.Field, m.ev.Index = []byte(o.module), o.modVer
	}
	m.emit()
	n := m.elements(base, o)
	m.ev = base
	m.ev.Kind, m.ev.Index, m.ev.Length = keyspace.KeyEnd, n, 0
	m.emit()
}

// encoding is how a snapshot would hold the value, uncompressed.
func (o *object) encoding() keyspace.Encoding {
	switch o.typ {
	case keyspace.String:
		return keyspace.Raw
	case keyspace.List:
		return keyspace.Linkedlist
	case keyspace.Set:
		return keyspace.Hashtable
	case keyspace.SortedSet:
		return keyspace.Skiplist
	case keyspace.Hash:
		for _, f := range o.hash {
			if f.expire != keyspace.NoExpire {
				return keyspace.HashtableEx
			}
		}
		return keyspace.Hashtable
	case keyspace.Stream:
		return keyspace.Radix
	}
	return keyspace.ModuleValue
}

func (m *emitter) elements(base keyspace.Event, o *object) (n int64) {
	put := func(set func(e *keyspace.Event)) {
		m.ev = base
		m.ev.Kind, m.ev.Op, m.ev.Expire, m.ev.Encoding = keyspace.Element, keyspace.OpPut, keyspace.NoExpire, keyspace.Raw
		set(&m.ev)
		m.emit()
		n++
	}
	switch o.typ {
	case keyspace.String:
		put(func(e *keyspace.Event) { e.Value = o.str })
	case keyspace.List:
		for i, v := range o.list.all() {
			put(func(e *keyspace.Event) { e.Value, e.Index = v, int64(i) })
		}
	case keyspace.Hash:
		for _, name := range o.order {
			f := o.hash[name]
			put(func(e *keyspace.Event) { e.Field, e.Value, e.Expire = m.bytes(name), f.value, f.expire })
		}
	case keyspace.Set:
		for _, v := range o.order {
			put(func(e *keyspace.Event) { e.Value = m.bytes(v) })
		}
	case keyspace.SortedSet:
		for v := range o.ranked().all() {
			put(func(e *keyspace.Event) { e.Value, e.Score = m.bytes(v), o.zset[v] })
		}
	case keyspace.Stream:
		for _, x := range o.stream.entries {
			for i, f := range x.fields {
				put(func(e *keyspace.Event) { e.ID, e.Field, e.Value, e.Index = x.id, f[0], f[1], int64(i) })
			}
		}
		m.groups(base, o.stream)
	default:
		for _, x := range o.other {
			put(func(e *keyspace.Event) {
				e.Encoding, e.Field, e.Value, e.Index, e.Score = x.encoding, x.field, x.value, x.index, x.score
			})
		}
	}
	return n
}

// groups yields what a stream holds beside its entries, as package rdb orders it.
func (m *emitter) groups(base keyspace.Event, s *stream) {
	m.ev = base
	m.ev.Kind, m.ev.ID, m.ev.Index, m.ev.Count = keyspace.StreamMeta, s.meta, int64(len(s.entries)), s.added
	if s.maxDel != (keyspace.StreamID{}) {
		m.ev.Value = fmt.Appendf(nil, "%d-%d", s.maxDel.MS, s.maxDel.Seq)
	}
	if len(s.entries) > 0 {
		m.ev.Field = fmt.Appendf(nil, "%d-%d", s.entries[0].id.MS, s.entries[0].id.Seq)
	}
	m.emit()
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		g := s.groups[name]
		m.ev = base
		m.ev.Kind, m.ev.Field, m.ev.ID, m.ev.Index = keyspace.Group, []byte(name), g.last, g.read
		m.emit()
		ids := slices.SortedFunc(maps.Keys(g.pending), compareID)
		for _, id := range ids {
			m.ev = base
			m.ev.Kind, m.ev.Field, m.ev.ID, m.ev.Time, m.ev.Index = keyspace.Pending, []byte(name), id, g.pending[id].time, g.pending[id].count
			m.emit()
		}
		for _, who := range slices.Sorted(maps.Keys(g.consumers)) {
			c := g.consumers[who]
			m.ev = base
			m.ev.Kind, m.ev.Field, m.ev.Value, m.ev.Time, m.ev.Expire = keyspace.Consumer, []byte(name), []byte(who), c.seen, c.active
			m.emit()
			for _, id := range ids {
				if g.pending[id].consumer == who {
					m.ev = base
					m.ev.Kind, m.ev.Field, m.ev.Value, m.ev.ID = keyspace.Pending, []byte(name), []byte(who), id
					m.emit()
				}
			}
		}
	}
}
