package replay

import "github.com/valkeyfs/valkeyfs/keyspace"

func (m *machine) rename(e *keyspace.Event) error {
	from, to := string(e.Key), string(e.Value)
	switch e.Op {
	case keyspace.OpMoveMember:
		return m.moveMember(e, from, to)
	case keyspace.OpShare: // the result is told, or it is not known
		return nil
	}
	o := m.get(e.DB, from)
	db := int32(e.Index)
	if o == nil && !m.headless || db == e.DB && from == to {
		return nil
	}
	m.changing(db, to, e)
	m.remove(db, to)
	if o == nil { // of what has the name now, as little is known
		if e.Op != keyspace.OpCopy {
			m.changing(e.DB, from, e)
		}
		return nil
	}
	if e.Op == keyspace.OpCopy {
		var err error
		if o, err = m.copied(o); err != nil {
			return err
		}
	} else {
		m.changing(e.DB, from, e)
		delete(m.dbs[e.DB], from)
		m.held -= int64(len(from)) + perKey
	}
	m.put(e, db, to, o)
	return m.grow(len(to) + perKey)
}

// copied is a copy of a value, if it fits; one of which nothing is known, if copies have
// cost too much already.
func (m *machine) copied(o *object) (*object, error) {
	if !m.afford(o.steps()) {
		c := newObject(o.typ)
		c.expire, c.inexact, c.module, c.modVer = o.expire, true, o.module, o.modVer
		return c, nil
	}
	if err := m.grow(int(o.size())); err != nil {
		return nil, err
	}
	return o.clone(), nil
}

// moveMember is SMOVE.
func (m *machine) moveMember(e *keyspace.Event, from, to string) error {
	o := m.get(e.DB, from)
	if o == nil && m.headless {
		o = m.unknown(e, from)
	}
	if o == nil || o.typ != keyspace.Set {
		return nil
	}
	_, known := o.set[string(e.Field)] // of an inexact set, whatever a server logged it had
	if !known && !o.inexact || from == to || !m.free(e.DB, to, keyspace.Set) {
		return nil
	}
	m.changing(e.DB, from, e)
	m.changing(e.DB, to, e)
	d := m.get(e.DB, to)
	if d == nil {
		d = newObject(keyspace.Set)
		m.put(e, e.DB, to, d)
		m.held += int64(len(to)) + perKey
	}
	delete(o.set, string(e.Field))
	d.set[string(e.Field)] = struct{}{}
	m.tidy(e.DB, from)
	return nil
}
