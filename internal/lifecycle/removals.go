package lifecycle

import (
	"bytes"
	"errors"
	"math"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

func (r *recorder) delete(ev *keyspace.Event) error {
	o := op{db: functionsDB}
	switch libraries := ev.Op == keyspace.OpDeleteLibrary; {
	case !libraries:
		o.db = r.db(ev.DB)
	case ev.Key == nil:
		return r.flush(int64(functionsDB))
	}
	o.id, _ = r.object(o.db, ev.Key)
	switch ev.Op {
	case keyspace.OpAck:
		return nil
	case keyspace.OpDeleteElement:
		return r.deleteElement(o, ev)
	case keyspace.OpMoveEnd:
		o.kind, o.a, o.b = opMoveEnd, int64(o.db), ev.Index
		o.name, _ = r.object(o.db, ev.Value)
		return r.exchange(o, o.name, o.db)
	case keyspace.OpReplaceSome:
		return r.compute(o)
	}
	_, err := r.emit(r.removal(o, ev))
	return err
}

// removal completes the op that removes a key, or elements of one object.
func (r *recorder) removal(o op, ev *keyspace.Event) op {
	switch ev.Op {
	case keyspace.OpDeleteKey, keyspace.OpDeleteLibrary:
		o.kind, o.a = opDelete, r.deleter(r.command.key)
	case keyspace.OpPopHead:
		o.kind, o.a = opPopHead, ev.Index
	case keyspace.OpPopTail:
		o.kind, o.a = opPopTail, ev.Index
	case keyspace.OpTrim:
		o.kind, o.a, o.b = opTrim, ev.Index, ev.Count
	case keyspace.OpRemove:
		o.kind, o.name, o.a = opRemove, r.hash(ev.Value), ev.Index
	case keyspace.OpTrimLength:
		o.kind, o.a = opTrimLength, ev.Index
	case keyspace.OpTrimID:
		o.kind, o.a, o.b = opTrimID, int64(ev.ID.MS), int64(ev.ID.Seq)
	case keyspace.OpDeleteGroup:
		g := r.hash(ev.Field)
		if o.kind, o.a = opDeleteGroup, int64(g); ev.Value != nil {
			o.kind, o.name, o.a = opDeleteName, consumer(g, r.hash(ev.Value)), bySomeone
		}
	case keyspace.OpDeleteRanks:
		o.kind, o.a, o.b = opRemoveRanks, ev.Index, ev.Count
	case keyspace.OpDeleteScores:
		o = scores(o, ev)
	default:
		o.kind, o.a = opDoubt, 1
	}
	return o
}

// deleteElement emits the op that removes a named element.
func (r *recorder) deleteElement(o op, ev *keyspace.Event) error {
	o.kind, o.name, o.a = opDeleteName, r.name(ev), r.deleter(r.command.field)
	_, err := r.emit(o)
	if err != nil || ev.Type != keyspace.Module {
		return err
	}
	_, err = r.emit(op{kind: opDoubt, id: o.id, db: o.db}) // as in put
	return err
}

// scores completes the op that removes the members whose scores lie between bounds,
// written as ZREMRANGEBYSCORE takes them.
func scores(o op, ev *keyspace.Event) op {
	least, ok := bound(ev.Field, math.Inf(1))
	most, fine := bound(ev.Value, math.Inf(-1))
	if !ok || !fine {
		o.kind, o.a = opDoubt, 1
		return o
	}
	o.kind, o.a, o.b = opRemoveScores, scoreBits(least), scoreBits(most)
	return o
}

// bound reads the bound of a range of scores; "(" excludes it, so that the range
// begins with the next number towards inside.
func bound(b []byte, inside float64) (float64, bool) {
	text, open := bytes.CutPrefix(b, []byte("("))
	f, err := strconv.ParseFloat(string(text), 64)
	if math.IsNaN(f) || errors.Is(err, strconv.ErrSyntax) {
		return 0, false
	}
	if open {
		f = math.Nextafter(f, inside)
	}
	return f, true
}

func (r *recorder) flush(db int64) error {
	_, err := r.emit(op{kind: opFlush, a: db})
	return err
}

func (r *recorder) expire(ev *keyspace.Event) error {
	r.deadline(ev.Expire)
	o := op{kind: opExpire, db: r.db(ev.DB), a: ev.Expire}
	o.id, _ = r.object(o.db, ev.Key)
	if ev.Field != nil {
		o.kind, o.name, o.b = opExpireField, r.hash(ev.Field), int64(ev.Op)
	}
	_, err := r.emit(o)
	return err
}
