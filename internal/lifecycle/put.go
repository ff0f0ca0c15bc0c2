package lifecycle

import (
	"math"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// openRecord is the record that ops are about.
type openRecord struct {
	id   uint64
	db   uint32
	fate uint32 // none: there is no record
	kind kind   // opCreate or opTouch
	used bool   // a value belongs to it
}

// belongs returns the record that a value belongs to.
func (e *engine) belongs(o *op) uint32 {
	if e.record.fate == none || e.record.id != o.id {
		return none
	}
	e.record.used = true
	return e.record.fate
}

// bare is the name of a record that adds no value.
const bare = 0

// settle attaches a record without a value to its object, to live as long as that
// does; one that only changes it, until the next.
func (e *engine) settle() error {
	r := e.record
	e.record.fate = none
	if r.fate == none || r.used {
		return nil
	}
	x, err := e.object(r.id, r.db)
	if err != nil {
		return err
	}
	if r.kind == opCreate {
		return e.attach(x, r.fate, none)
	}
	return e.attachNamed(x, r.fate, none, bare, 0)
}

// applyValue replays what adds or replaces one value.
func (e *engine) applyValue(o *op, f uint32) error {
	if e.record.id != o.id {
		if err := e.settle(); err != nil {
			return err
		}
	}
	rec := e.belongs(o)
	x, err := e.object(o.id, o.db)
	if err != nil {
		return err
	}
	obj := &e.objects[x]
	obj.steps = min(obj.steps+uint32(e.maxSteps>>stepsShift), maxPaid)
	if o.kind != opScore {
		e.unsort(x)
	}
	if o.kind == opReplace {
		e.empty(x, keyspace.Overwritten)
		obj.flags &= isThin
	}
	switch {
	case obj.flags&isLost != 0:
		e.lost++
		return nil
	case o.kind == opAppend || o.kind == opReplace:
		return e.attach(x, f, rec)
	case o.kind == opGroup:
		obj.flags |= isStream
		return e.attachNamed(x, f, rec, o.name, o.a)
	case o.kind.has(isWhole):
		return e.applyList(o, x, f, rec)
	}
	return e.applyNamed(o, x, f, rec)
}

// applyNamed replays what puts a field, a member or an entry into the place of its
// namesake.
func (e *engine) applyNamed(o *op, x, f, rec uint32) error {
	n, err := e.node(f, rec)
	if err != nil {
		return err
	}
	nd := &e.nodes[n]
	nd.name, nd.aux, nd.rec = o.name, o.a, rec|named
	old := e.find(x, o.name)
	if o.kind == opScore {
		nd.aux = e.scored(o, x, old)
	}
	if old != 0 {
		if nd.aux == keepExpiry {
			nd.aux = e.nodes[old].aux
		}
		e.drop(old, keyspace.Overwritten)
	}
	if nd.aux == keepExpiry {
		nd.aux = keyspace.NoExpire
	}
	e.link(n, x, e.place(o, x, nd))
	return nil
}

// place returns the element behind which a new one belongs, 0 for the first place.
func (e *engine) place(o *op, x uint32, nd *node) uint32 {
	obj := &e.objects[x]
	switch o.kind {
	case opEntry:
		obj.flags |= isStream
		nd.seq = uint32(min(uint64(o.b), beside-1))
	case opScore:
		if obj.flags&isScored == 0 && obj.length > 0 {
			obj.flags |= isVague // it was no sorted set before
		}
		if obj.flags |= isScored; obj.flags&isVague == 0 {
			return e.below(x, nd.score(), true)
		}
	}
	return obj.tail
}

// scored returns the score that a member gets.
func (e *engine) scored(o *op, x, old uint32) int64 {
	obj := &e.objects[x]
	score := math.Float64frombits(uint64(o.a))
	if o.b == scoreGrows && old != 0 {
		score += e.nodes[old].score()
	}
	if o.b == scoreVague || math.IsNaN(score) || old == 0 && o.b == scoreGrows && (e.part || obj.doubt > 0 || obj.flags&isOpaque != 0) {
		obj.flags |= isVague
		return 0
	}
	return scoreBits(score)
}
