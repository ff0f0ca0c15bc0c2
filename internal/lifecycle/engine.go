package lifecycle

import (
	"errors"
	"math"
	"slices"

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

// openRecord is the record that ops are about.
type openRecord struct {
	id   uint64
	db   uint32
	fate uint32 // none: there is no record
	kind kind   // opCreate or opTouch
	used bool   // a value belongs to it
}

// final is set in the fate of what is left at the end, or lost.
const final = 0x80

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
	}
	x := e.byID.get(o.id)
	switch {
	case x == 0:
	case o.kind < opPut:
		e.applyObject(o, x)
	case o.kind.has(ofName):
		e.applyName(o, x)
	default:
		return e.applyWhole(o, x)
	}
	return nil
}

func (e *engine) isDropped(seq uint64) bool {
	for e.span < len(e.dropped) && e.dropped[e.span].to <= seq {
		e.span++
	}
	return e.span < len(e.dropped) && e.dropped[e.span].from <= seq
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
		e.removeRanks(o, x)
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

// doubt notes that some of what x holds was removed. Of a list, nothing is known
// about what is left.
func (e *engine) doubt(x uint32) {
	obj := &e.objects[x]
	if obj.flags&isList != 0 {
		e.lose(x)
		return
	}
	obj.doubt = uint32(len(e.fates))
}

// share notes that another key may hold all that x holds: whatever happens to it
// here, it may be there. Members and fields that were shared before are passed over:
// they stand before those that came later.
func (e *engine) share(x uint32) {
	obj := &e.objects[x]
	for n := obj.side; n != 0 && e.walk(x); n = e.nodes[n].next {
		e.mark(&e.nodes[n], keyspace.Unknown)
	}
	if obj.flags&(isList|isScored|isStream) == 0 {
		for n := obj.tail; n != 0 && e.nodes[n].seq != shared; n = e.nodes[n].prev {
			e.mark(&e.nodes[n], keyspace.Unknown)
			e.nodes[n].seq = shared
		}
		return
	}
	for n := obj.head; n != 0 && e.walk(x); n = e.nodes[n].next {
		e.mark(&e.nodes[n], keyspace.Unknown)
	}
}

// before reports whether an entry's ID is below ms-seq.
func (n *node) before(ms, seq uint64) bool {
	if uint64(n.aux) != ms {
		return uint64(n.aux) < ms
	}
	return uint64(n.seq) < min(seq, beside-1)
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
	behind := obj.tail
	switch {
	case o.kind == opEntry:
		obj.flags |= isStream
		nd.seq = uint32(min(uint64(o.b), beside-1))
	case o.kind == opScore:
		if obj.flags&isScored == 0 && obj.length > 0 {
			obj.flags |= isVague // it was no sorted set before
		}
		if obj.flags |= isScored; obj.flags&isVague == 0 {
			behind = e.below(x, nd.score(), true)
		}
	}
	e.link(n, x, behind)
	return nil
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
		e.nodes[n].aux = o.a
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

// reason returns the state of what the deletion o removes.
func (e *engine) reason(o *op, expire int64) keyspace.State {
	if o.a != bySomeone && expire >= 0 && e.clock.expired(expire, o.a, o.seq) {
		return keyspace.Expired
	}
	return keyspace.Deleted
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

// copy makes the object o.name a second holder of all that x holds.
func (e *engine) copy(o *op, x uint32) error {
	y := e.byID.get(o.name)
	if y == x {
		return nil
	}
	if y != 0 {
		e.remove(y, keyspace.Overwritten)
	}
	y, err := e.object(o.name, uint32(o.a))
	if err != nil {
		return err
	}
	from, to := &e.objects[x], &e.objects[y]
	to.expire, to.flags, to.doubt = from.expire, from.flags, from.doubt
	for _, n := range [2]uint32{from.side, from.head} {
		for ; n != 0; n = e.nodes[n].next {
			if !e.walk(x) {
				e.lose(y)
				return nil
			}
			c, err := e.node(0, 0)
			if err != nil {
				return err
			}
			if e.nodes[c] = e.nodes[n]; e.nodes[c].seq&beside != 0 {
				e.linkBeside(c, y)
			} else {
				e.link(c, y, to.tail)
			}
		}
	}
	return nil
}

// moveName moves a member from x to the object o.a.
func (e *engine) moveName(o *op, x uint32) error {
	n := e.find(x, o.name)
	if n == 0 || e.nodes[n].seq&beside != 0 {
		return nil
	}
	y, err := e.object(uint64(o.a), uint32(o.b))
	if err != nil || y == x {
		return err
	}
	if e.nodes[n].fate < e.objects[x].doubt {
		e.nodes[n].fate |= doubtful
	}
	e.transfer(n, y, true)
	e.vanish(x)
	return nil
}

// transfer moves an element to an end of the object y.
func (e *engine) transfer(n, y uint32, toTail bool) {
	e.unlink(n)
	e.nodes[n].seq = 0
	if nd := &e.nodes[n]; nd.rec&named != 0 {
		if old := e.find(y, nd.name); old != 0 {
			e.drop(old, keyspace.Overwritten)
		}
	}
	e.unsort(y)
	obj := &e.objects[y]
	behind := uint32(0)
	if toTail {
		behind = obj.tail
	}
	e.link(n, y, behind)
	if obj.flags&isLost != 0 {
		e.lost++
		e.drop(n, keyspace.Unknown)
	}
}

// finish finds the states of what is left.
func (e *engine) finish() error {
	if err := e.settle(); err != nil {
		return err
	}
	for _, first := range e.dbs {
		for x := first; x != 0; x = e.objects[x].next {
			e.leftover(&e.objects[x])
		}
	}
	slices.Sort(e.listed)
	return nil
}

func (e *engine) leftover(obj *object) {
	state := keyspace.Live
	switch {
	case obj.db == unknownDB:
		state = keyspace.Unknown
	case !e.past(obj.expire):
	case obj.expire == unknownExpiry || obj.flags&isThin != 0:
		state = keyspace.Unknown
	default:
		state = keyspace.Expired
	}
	for n := obj.side; n != 0; n = e.nodes[n].next {
		s := state
		if nd := &e.nodes[n]; nd.fate < obj.doubt && obj.flags&isStream == 0 {
			s = keyspace.Unknown
		}
		e.mark(&e.nodes[n], s)
	}
	pos := uint64(0)
	for n := obj.head; n != 0; n = e.nodes[n].next {
		nd := &e.nodes[n]
		s := state
		switch {
		case nd.fate&doubtful != 0 || nd.fate < obj.doubt:
			s = keyspace.Unknown
		case s == keyspace.Live && obj.flags&(isStream|isList|isScored) == 0 && e.past(nd.aux):
			s = keyspace.Expired
		}
		e.mark(nd, s)
		if obj.flags&(isList|isOpaque) == isList {
			e.listed = append(e.listed, uint64(nd.fate&^doubtful)<<32|pos)
			pos++
		}
	}
}

func (e *engine) past(expire int64) bool {
	return e.asOf > 0 && expire != keyspace.NoExpire && expire <= e.asOf
}

// mark notes that a value, and so its record, is left in that state. Where there
// are several holders, or values, the best state counts.
func (e *engine) mark(n *node, s keyspace.State) {
	for _, i := range n.fates() {
		if i == none {
			continue
		}
		if old := e.fates[i]; old&final == 0 || rank(s) > rank(keyspace.State(old&^final)) {
			e.fates[i] = uint8(s) | final
		}
	}
}

func rank(s keyspace.State) int {
	switch s {
	case keyspace.Live:
		return 2
	case keyspace.Unknown:
		return 1
	}
	return 0
}
