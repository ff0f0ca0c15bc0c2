package lifecycle

import (
	"errors"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// An engine replays the ops of a partition, in log order, on objects whose values
// are reduced to what their fate depends on. Its memory is bounded and taken once.
// Only what is alive at a time needs any, so the length of a log does not matter.
type engine struct {
	asOf     int64
	clock    *clock
	dropped  []span
	maxSlots int
	maxFates int64
	maxSteps int64
	lost     int64 // values whose state could not be determined

	objects    []object
	nodes      []node
	usedObject uint32
	usedNode   uint32
	freeObject uint32 // the first of a chain
	freeNode   uint32
	byID       index             // of objects
	byName     index             // of elements, by name and object
	dbs        map[uint32]uint32 // the first object of a database

	part   bool // the partition holds one part of a split object
	span   int  // index of the first of dropped that is not over
	record openRecord
	fates  []uint8  // by op that bears one: a State, and final
	seed   uint64   // of the trees' priorities
	listed []uint64 // fate<<32 | position, of what is left in lists
}

// errFull says that a partition needs more memory than there is.
var errFull = errors.New("lifecycle: partition too large")

// defaultMaxSteps bounds what walking along one object may cost; each value that is
// written to it pays for some more. It is counted by object, so that what becomes
// of one depends on no other.
const (
	defaultMaxSteps = 1 << 22
	maxPaid         = 1 << 31
	stepsShift      = 15 // a value pays for so many steps: 1<<7 if the bound is the default
)

// newEngine returns an engine that takes at most mem bytes for objects and nodes,
// replays partitions of up to maxFates fates and walks so many steps along one object.
func newEngine(mem, maxFates, maxSteps int64) *engine {
	slots := minSlots
	for int64(slots)*2*(2*slotBytes+(objectBytes+nodeBytes)*3/4) <= mem {
		slots *= 2
	}
	return &engine{maxSlots: slots, maxFates: min(maxFates, none), maxSteps: min(maxSteps, maxPaid), dbs: map[uint32]uint32{}}
}

// size makes room for n objects and as many elements, or as many as there may be,
// and reports whether it is room for all n.
func (e *engine) size(n int64) bool {
	slots := minSlots
	for slots < e.maxSlots && int64(room(slots)) < n {
		slots *= 2
	}
	if slots > len(e.byID.refs) {
		e.objects, e.nodes, e.byID, e.byName = nil, nil, index{}, index{}
		e.objects, e.nodes = make([]object, room(slots)+1), make([]node, room(slots)+1)
		e.byID, e.byName = newIndex(slots), newIndex(slots)
	}
	e.byID.reset(slots)
	e.byName.reset(slots)
	return int64(room(slots)) >= n
}

// reset prepares for a partition with so many fates; part says that it holds one
// part of a split object. It comes after size.
func (e *engine) reset(fates int64, part bool) error {
	if fates > e.maxFates {
		return errFull
	}
	clear(e.dbs)
	e.usedObject, e.usedNode, e.freeObject, e.freeNode = 0, 0, 0, 0
	if int64(cap(e.fates)) < fates {
		e.fates = make([]uint8, 0, min(e.maxFates, fates+fates/8))
	}
	e.fates, e.listed = e.fates[:0], e.listed[:0]
	e.part, e.span, e.record = part, 0, openRecord{fate: none}
	return nil
}

// room returns how many objects, and elements, there may be at a time.
func (e *engine) room() int64 { return int64(room(e.maxSlots)) }

// apply replays one op.
func (e *engine) apply(o *op) error {
	f := uint32(none)
	if o.fate() {
		f = uint32(len(e.fates))
		e.fates = append(e.fates, uint8(keyspace.Unknown))
	}
	if e.isDropped(o.seq) {
		if f != none {
			e.fates[f] = uint8(keyspace.Recovered)
		}
		return nil
	}
	if o.kind.has(isValue) {
		return e.applyValue(o, f)
	}
	if err := e.settle(); err != nil {
		return err
	}
	switch {
	case o.kind == opFlush:
		e.flush(o.a)
		return nil
	case o.kind < opDelete:
		return e.rewrite(o, f)
	case o.kind == opGather:
		return e.gather(o)
	}
	x := e.byID.get(o.id)
	switch {
	case x == 0:
		if o.kind == opStore { // nothing was left of what was gathered
			e.displace(o.name)
		}
	case o.kind < opPut:
		e.applyObject(o, x)
	case o.kind.has(ofName):
		e.applyName(o, x)
	default:
		return e.applyWhole(o, x)
	}
	return nil
}

// rewrite replays what puts something into the place of what an object holds, or
// announces that something is added to it.
func (e *engine) rewrite(o *op, f uint32) error {
	x, err := e.object(o.id, o.db)
	if err != nil {
		return err
	}
	obj := &e.objects[x]
	switch o.kind {
	case opCreate, opCreateValue, opCompute:
		e.empty(x, keyspace.Overwritten)
		obj.expire, obj.flags = o.a, 0
	}
	switch o.kind {
	case opCreate, opTouch:
		if f != none {
			e.record = openRecord{id: o.id, db: o.db, fate: f, kind: o.kind}
		}
	case opCreateValue:
		return e.attach(x, f, none)
	case opCompute:
		obj.expire, obj.flags = keyspace.NoExpire, isOpaque
	case opForget:
		e.lose(x)
		obj.expire = unknownExpiry
	}
	return nil
}

// applyObject replays what concerns an object as a whole.
func (e *engine) applyObject(o *op, x uint32) {
	obj := &e.objects[x]
	switch o.kind {
	case opDelete:
		e.remove(x, e.reason(o, obj.expire))
	case opGone:
		e.remove(x, keyspace.Overwritten)
	case opExpire:
		obj.expire = o.a
		obj.flags &^= isThin
	case opMoveDB:
		e.leave(x)
		obj.db = uint32(o.a)
		e.enter(x)
	case opDoubt:
		if e.doubt(x); o.a != 0 {
			obj.flags |= isThin
		}
	case opRemoveScores:
		e.removeScores(o, x)
	case opRemoveRanks:
		e.removeRanks(o.a, o.b, x)
	case opKeepRanks:
		e.keepRanks(o.a, o.b, x)
	case opShared:
		e.share(x)
	case opTrimID:
		for obj.head != 0 && e.nodes[obj.head].before(uint64(o.a), uint64(o.b)) {
			e.drop(obj.head, keyspace.Deleted)
		}
	case opDeleteGroup:
		for n := obj.side; n != 0 && e.walk(x); {
			nd, here := &e.nodes[n], n
			if n = nd.next; nd.aux == o.a {
				e.drop(here, keyspace.Deleted)
			}
		}
	}
}

// applyName replays what concerns one element.
func (e *engine) applyName(o *op, x uint32) {
	n := e.find(x, o.name)
	if n == 0 {
		return
	}
	if o.kind == opExpireField {
		if e.objects[x].flags&(isList|isScored) != 0 {
			return // it is no hash
		}
		if keyspace.Op(o.b).Replaces(e.nodes[n].aux, o.a) {
			e.nodes[n].aux = o.a
		}
		return
	}
	expire := e.nodes[n].aux
	if e.objects[x].flags&(isStream|isScored) != 0 {
		expire = keyspace.NoExpire
	}
	e.drop(n, e.reason(o, expire))
	e.vanish(x)
}

// applyWhole replays what needs the whole object, or two of them.
func (e *engine) applyWhole(o *op, x uint32) error {
	obj := &e.objects[x]
	switch o.kind {
	case opCopy:
		return e.copy(o, x)
	case opMoveName:
		return e.moveName(o, x)
	case opMoveEnd:
		return e.moveEnd(o, x)
	case opStore:
		e.store(o, x)
	case opTrimLength:
		if obj.doubt > 0 || obj.flags&isOpaque != 0 {
			e.lose(x)
		}
		e.pop(x, int64(obj.length)-o.a, 0)
	default:
		e.shorten(o, x)
		e.vanish(x)
	}
	return nil
}

// flush empties a database, or all of them.
func (e *engine) flush(db int64) {
	if db != everyDB {
		e.flushDB(uint32(db))
		return
	}
	for d := range e.dbs {
		if d != functionsDB {
			e.flushDB(d)
		}
	}
}

func (e *engine) flushDB(db uint32) {
	for x := e.dbs[db]; x != 0; x = e.dbs[db] {
		e.remove(x, keyspace.Flushed)
	}
}
