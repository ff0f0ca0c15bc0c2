package lifecycle

import "github.com/valkeyfs/valkeyfs/keyspace"

func (r *recorder) rename(ev *keyspace.Event) error {
	o, db := op{db: r.db(ev.DB)}, r.db(int32(ev.Index))
	var from, to, other uint64
	o.id, from = r.object(o.db, ev.Key)
	if ev.Op == keyspace.OpShare {
		return r.source(o)
	}
	other, to = r.object(db, ev.Value)
	if from == to {
		return nil
	}
	switch ev.Op {
	case keyspace.OpMoveMember:
		o.kind, o.name, o.a, o.b = opMoveName, r.hash(ev.Field), int64(other), int64(db)
		return r.exchange(o, other, db)
	case keyspace.OpCopy:
		o.kind, o.name, o.a = opCopy, other, int64(db)
		return r.exchange(o, other, db)
	}
	if _, err := r.emit(op{kind: opGone, id: other, db: db}); err != nil {
		return err
	}
	if len(r.moved)+2 > r.maxMoved {
		return r.forget(o, other, db)
	}
	r.moved[to] = o.id
	r.moved[from] = mix(from, ^r.seq) // a number that no database has
	if db == o.db {
		return nil
	}
	o.kind, o.a = opMoveDB, int64(db)
	_, err := r.emit(o)
	return err
}

// exchange emits an op by which two objects share elements.
func (r *recorder) exchange(o op, other uint64, db uint32) error {
	if r.out.link(o.id, other, r.seq) {
		_, err := r.emit(o)
		return err
	}
	return r.forget(o, other, db)
}

// forget gives up two objects of which one took over from the other.
func (r *recorder) forget(o op, other uint64, db uint32) error {
	r.forgot++
	if _, err := r.emit(op{kind: opForget, id: o.id, db: o.db}); err != nil {
		return err
	}
	_, err := r.emit(op{kind: opForget, id: other, db: db})
	return err
}
