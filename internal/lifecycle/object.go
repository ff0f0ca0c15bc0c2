package lifecycle

import (
	"math"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// An object is what a key holds. Objects and nodes are linked by their indexes in
// the engine's arrays; 0 is none.
type object struct {
	id     uint64
	expire int64
	head   uint32 // its elements, in order
	tail   uint32
	length uint32 // how many they are
	side   uint32 // what it holds beside them: the value of a string, consumer groups
	doubt  uint32 // of the elements with a smaller fate some were removed
	db     uint32
	prev   uint32 // in its database
	next   uint32
	steps  uint32 // how many elements may be passed in search of others
	flags  uint16
}

// The flags of an object.
const (
	isList   = 1 << iota
	isStream // does not vanish with its last entry
	isLost   // nothing is known about what it holds
	isOpaque // it holds elements, too, that the file does not name
	isScored // a sorted set
	isVague  // a sorted set whose order is not known
	isThin   // it may have vanished, and with it its expiry, since that was set
)

// unknownExpiry is the expiry of an object whose track was lost.
const unknownExpiry = math.MinInt64

// A node is an element of an object, or a value beside its elements.
type node struct {
	name uint64
	aux  int64  // expiry of a field; ms of an entry's ID; the group of a consumer; a score; of a list's, its equals
	fate uint32 // index of the fate of the op that wrote it; doubtful
	rec  uint32 // the same of its record, or none; named
	obj  uint32
	prev uint32
	next uint32
	seq  uint32 // of an entry's ID, or the largest number; beside

	// Its place in the tree of an ordered object.
	left, right, up uint32
	size            uint32 // of the subtree; 0: it is in none
}

const (
	objectBytes = 56
	nodeBytes   = 56

	doubtful = 1 << 31 // in node.fate: it came from an object where it was in doubt
	named    = 1 << 31 // in node.rec: byName knows it
	beside   = 1 << 31 // in node.seq: it is in object.side
	shared   = 1       // node.seq of a member or field: it was shared where it is
	none     = named - 1
)

// object returns the object of that id, a new one in db if there is none.
func (e *engine) object(id uint64, db uint32) (uint32, error) {
	if x := e.byID.get(id); x != 0 {
		return x, nil
	}
	x := e.freeObject
	switch {
	case x != 0:
		e.freeObject = e.objects[x].next
	case int(e.usedObject) < e.byID.most:
		e.usedObject++
		x = e.usedObject
	default:
		return 0, errFull
	}
	e.objects[x] = object{id: id, db: db, expire: keyspace.NoExpire, steps: uint32(e.maxSteps)}
	e.enter(x)
	e.byID.put(id, x)
	return x, nil
}

// enter puts an object into its database.
func (e *engine) enter(x uint32) {
	obj := &e.objects[x]
	obj.prev, obj.next = 0, e.dbs[obj.db]
	if obj.next != 0 {
		e.objects[obj.next].prev = x
	}
	e.dbs[obj.db] = x
}

// leave takes an object out of its database.
func (e *engine) leave(x uint32) {
	obj := &e.objects[x]
	if obj.next != 0 {
		e.objects[obj.next].prev = obj.prev
	}
	switch {
	case obj.prev != 0:
		e.objects[obj.prev].next = obj.next
	case obj.next != 0:
		e.dbs[obj.db] = obj.next
	default:
		delete(e.dbs, obj.db)
	}
}

// remove deletes an object; state becomes that of all it holds.
func (e *engine) remove(x uint32, state keyspace.State) {
	e.empty(x, state)
	e.byID.delete(e.objects[x].id)
	e.leave(x)
	e.objects[x].next = e.freeObject
	e.freeObject = x
}

// vanish deletes an object without elements, as servers do.
func (e *engine) vanish(x uint32) {
	obj := &e.objects[x]
	switch {
	case obj.length > 0 || obj.side != 0 || obj.flags&(isStream|isLost|isOpaque) != 0:
	case e.part:
		obj.flags |= isThin // it is gone if the other parts are empty, too
	default:
		e.remove(x, keyspace.Deleted)
	}
}

// empty removes all that an object holds; state becomes theirs.
func (e *engine) empty(x uint32, state keyspace.State) {
	obj := &e.objects[x]
	for obj.head != 0 {
		e.drop(obj.head, state)
	}
	for obj.side != 0 {
		e.drop(obj.side, state)
	}
	obj.doubt = 0
}

// lose gives up an object: it is there, but nothing is known about what it holds.
func (e *engine) lose(x uint32) {
	obj := &e.objects[x]
	e.lost += int64(obj.length)
	e.empty(x, keyspace.Unknown)
	obj.flags |= isLost
}

// node returns a new node for what the op with fate f wrote in the record rec.
func (e *engine) node(f, rec uint32) (uint32, error) {
	n := e.freeNode
	switch {
	case n != 0:
		e.freeNode = e.nodes[n].next
	case int(e.usedNode) < e.byName.most:
		e.usedNode++
		n = e.usedNode
	default:
		return 0, errFull
	}
	e.nodes[n] = node{fate: f, rec: rec, aux: keyspace.NoExpire}
	return n, nil
}

// attach puts a value beside the elements of an object.
func (e *engine) attach(x, f, rec uint32) error {
	if f == none {
		return nil // another part of the object holds it
	}
	n, err := e.node(f, rec)
	if err == nil {
		e.linkBeside(n, x)
	}
	return err
}

// attachNamed is attach for what has a name: it takes the place of its namesake.
func (e *engine) attachNamed(x, f, rec uint32, name uint64, aux int64) error {
	n, err := e.node(f, rec|named)
	if err != nil {
		return err
	}
	if old := e.find(x, name); old != 0 {
		e.drop(old, keyspace.Overwritten)
	}
	e.nodes[n].name, e.nodes[n].aux = name, aux
	e.linkBeside(n, x)
	return nil
}

func (e *engine) linkBeside(n, x uint32) {
	obj, nd := &e.objects[x], &e.nodes[n]
	nd.obj, nd.prev, nd.next, nd.seq = x, 0, obj.side, nd.seq|beside
	if nd.next != 0 {
		e.nodes[nd.next].prev = n
	}
	obj.side = n
	if nd.rec&named != 0 {
		e.byName.put(mix(nd.name, uint64(x)), n)
	}
}

// link puts a node into an object's elements, behind one of them or, if that is
// 0, before the first.
func (e *engine) link(n, x, behind uint32) {
	obj, nd := &e.objects[x], &e.nodes[n]
	ordered := e.ordered(x)
	nd.obj, nd.prev = x, behind
	if behind == 0 {
		nd.next, obj.head = obj.head, n
	} else {
		nd.next, e.nodes[behind].next = e.nodes[behind].next, n
	}
	if nd.next == 0 {
		obj.tail = n
	} else {
		e.nodes[nd.next].prev = n
	}
	obj.length++
	if nd.left, nd.right, nd.up, nd.size = 0, 0, 0, 0; ordered {
		e.plant(n)
		e.pair(n)
	}
	if nd.rec&named != 0 {
		e.byName.put(mix(nd.name, uint64(x)), n)
	}
}

// unlink takes a node out of its object.
func (e *engine) unlink(n uint32) {
	nd := &e.nodes[n]
	obj := &e.objects[nd.obj]
	if nd.size > 0 {
		e.unpair(n)
		e.uproot(n)
	}
	first, last := &obj.head, &obj.tail
	if nd.seq&beside != 0 {
		first, last = &obj.side, new(uint32)
	} else {
		obj.length--
	}
	if nd.prev == 0 {
		*first = nd.next
	} else {
		e.nodes[nd.prev].next = nd.next
	}
	if nd.next == 0 {
		*last = nd.prev
	} else {
		e.nodes[nd.next].prev = nd.prev
	}
	if nd.rec&named != 0 {
		e.byName.delete(mix(nd.name, uint64(nd.obj)))
	}
}

// find returns the element of that name, or 0.
func (e *engine) find(x uint32, name uint64) uint32 {
	return e.byName.get(mix(name, uint64(x)))
}

// drop removes an element, which ends up in that state.
func (e *engine) drop(n uint32, state keyspace.State) {
	e.unlink(n)
	e.release(n, state)
}

// release gives a node up. What happened to it is what its value, and its record,
// has come to, until there is something later to say.
func (e *engine) release(n uint32, state keyspace.State) {
	nd := &e.nodes[n]
	if state == keyspace.Unknown {
		e.mark(nd, state) // whatever becomes of others that hold the value
	}
	for _, i := range nd.fates() {
		if i != none && e.fates[i]&final == 0 {
			e.fates[i] = uint8(state)
		}
	}
	nd.next = e.freeNode
	e.freeNode = n
}

// fates returns the indexes of the fates that depend on the node: none is none.
func (n *node) fates() [2]uint32 { return [2]uint32{n.fate &^ doubtful, n.rec &^ named} }

// before reports whether an entry's ID is below ms-seq.
func (n *node) before(ms, seq uint64) bool {
	if uint64(n.aux) != ms {
		return uint64(n.aux) < ms
	}
	return uint64(n.seq) < min(seq, beside-1)
}
