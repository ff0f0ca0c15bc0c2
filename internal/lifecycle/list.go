package lifecycle

import "github.com/valkeyfs/valkeyfs/keyspace"

// This file replays lists, whose elements are known by their positions. Nodes
// carry the hash of the value as their name, for LREM and LINSERT. Values may repeat.

// applyList replays what adds or replaces one element of a list.
func (e *engine) applyList(o *op, x, f, rec uint32) error {
	obj := &e.objects[x]
	obj.flags |= isList
	behind := obj.tail
	switch o.kind {
	case opPushHead:
		behind = 0
	case opSetIndex:
		n := e.at(x, o.a)
		if n == 0 {
			return nil
		}
		behind = e.nodes[n].prev
		e.drop(n, keyspace.Overwritten)
	case opInsertBefore, opInsertAfter:
		n := e.search(x, uint64(o.a))
		if n == 0 {
			return nil
		}
		if behind = n; o.kind == opInsertBefore {
			behind = e.nodes[n].prev
		}
	}
	n, err := e.node(f, rec)
	if err != nil {
		return err
	}
	e.nodes[n].name = o.name
	e.link(n, x, behind)
	return nil
}

// shorten replays what removes elements of a list.
func (e *engine) shorten(o *op, x uint32) {
	obj := &e.objects[x]
	if obj.flags&isOpaque != 0 {
		e.lose(x)
		return
	}
	length := int64(obj.length)
	switch o.kind {
	case opPopHead:
		e.pop(x, o.a, 0)
	case opPopTail:
		e.pop(x, 0, o.a)
	case opTrim:
		a, b := between(o.a, o.b, length)
		if a > b {
			a = length
		}
		e.pop(x, a, length-1-b)
	case opRemove:
		e.removeEqual(x, o.name, o.a)
	}
}

// pop removes so many elements from the head and from the tail.
func (e *engine) pop(x uint32, fromHead, fromTail int64) {
	obj := &e.objects[x]
	for ; fromHead > 0 && obj.length > 0; fromHead-- {
		e.drop(obj.head, keyspace.Deleted)
	}
	for ; fromTail > 0 && obj.length > 0; fromTail-- {
		e.drop(obj.tail, keyspace.Deleted)
	}
}

// removeEqual removes count elements of that name: from the head, from the tail
// if count is negative, all if it is 0.
func (e *engine) removeEqual(x uint32, name uint64, count int64) {
	if e.ordered(x) {
		switch n := e.equal(x, name); {
		case n == 0:
			return
		case count == 0 || e.nodes[n].nextEqual() == 0:
			for ; n != 0; n = e.equal(x, name) {
				e.drop(n, keyspace.Deleted)
			}
			return
		case count == 1 || count == -1:
			if n = e.nearest(x, name, count < 0); n != 0 {
				e.drop(n, keyspace.Deleted)
			}
			return
		}
	}
	obj := &e.objects[x]
	n, left := obj.head, count
	if count < 0 {
		n = obj.tail
	}
	for n != 0 && e.walk(x) {
		nd := &e.nodes[n]
		here := n
		if n = nd.next; count < 0 {
			n = nd.prev
		}
		if nd.name != name {
			continue
		}
		e.drop(here, keyspace.Deleted)
		if count > 0 {
			left--
		} else {
			left++
		}
		if left == 0 && count != 0 {
			return
		}
	}
}

// at returns the element at an index, counted from the tail if it is negative, or 0.
func (e *engine) at(x uint32, i int64) uint32 {
	obj := &e.objects[x]
	length := int64(obj.length)
	if i < 0 {
		i += length
	}
	if obj.flags&isOpaque != 0 {
		e.lose(x)
		return 0
	}
	if i < 0 || i >= length {
		return 0
	}
	n := e.ranked(x, i)
	if n == 0 {
		e.lose(x) // it was no list before
	}
	return n
}

// search returns the first element of that name, or 0.
func (e *engine) search(x uint32, name uint64) uint32 {
	if e.objects[x].flags&isOpaque != 0 {
		e.lose(x)
	}
	if e.ordered(x) {
		return e.nearest(x, name, false)
	}
	for n := e.objects[x].head; n != 0 && e.walk(x); n = e.nodes[n].next {
		if e.nodes[n].name == name {
			return n
		}
	}
	return 0
}

// A rank costs about as much as so many steps along the list.
const rankSteps = 16

// nearest returns the first element of that name in a list that is in a tree, or
// the last, or 0. It goes along the list and along the chain of equals at once,
// until one of the two says it.
func (e *engine) nearest(x uint32, name uint64, last bool) uint32 {
	equal := e.equal(x, name)
	if equal == 0 || e.nodes[equal].nextEqual() == 0 {
		return equal
	}
	best, rank := equal, e.rank(equal)
	n := e.objects[x].head
	if last {
		n = e.objects[x].tail
	}
	for {
		for range rankSteps {
			if n == 0 || !e.walk(x) {
				return 0
			}
			nd := &e.nodes[n]
			if nd.name == name && nd.rec&named == 0 {
				return n
			}
			if n = nd.next; last {
				n = nd.prev
			}
		}
		if equal = e.nodes[equal].nextEqual(); equal == 0 {
			return best
		}
		if r := e.rank(equal); r < rank != last {
			best, rank = equal, r
		}
	}
}

// Equal elements of a list are chained, in no order: byName knows the first.

// equalName is the name by which byName knows the elements of that name: no field
// or member has it.
func equalName(name uint64) uint64 { return mix(name, 1<<63) }

// equal returns one of the elements of that name in a list that is in a tree, or 0.
func (e *engine) equal(x uint32, name uint64) uint32 { return e.find(x, equalName(name)) }

func (n *node) nextEqual() uint32 { return uint32(n.aux) }
func (n *node) prevEqual() uint32 { return uint32(n.aux >> 32) }

func (n *node) setEqual(prev, next uint32) { n.aux = int64(prev)<<32 | int64(next) }

// paired reports whether a node in a tree is chained to its equals.
func (e *engine) paired(n uint32) bool {
	nd := &e.nodes[n]
	return nd.rec&named == 0 && e.objects[nd.obj].flags&isList != 0
}

// pair puts a node that was planted among its equals.
func (e *engine) pair(n uint32) {
	if !e.paired(n) {
		return
	}
	nd := &e.nodes[n]
	first := e.equal(nd.obj, nd.name)
	if first == 0 {
		nd.setEqual(0, 0)
		e.byName.put(mix(equalName(nd.name), uint64(nd.obj)), n)
		return
	}
	head := &e.nodes[first]
	next := head.nextEqual()
	nd.setEqual(first, next)
	head.setEqual(0, n)
	if next != 0 {
		e.nodes[next].setEqual(n, e.nodes[next].nextEqual())
	}
}

// unpair takes a node away from its equals.
func (e *engine) unpair(n uint32) {
	if !e.paired(n) {
		return
	}
	nd := &e.nodes[n]
	prev, next := nd.prevEqual(), nd.nextEqual()
	if next != 0 {
		e.nodes[next].setEqual(prev, e.nodes[next].nextEqual())
	}
	if prev != 0 {
		e.nodes[prev].setEqual(e.nodes[prev].prevEqual(), next)
		return
	}
	key := mix(equalName(nd.name), uint64(nd.obj))
	if e.byName.delete(key); next != 0 {
		e.byName.put(key, next)
	}
}

// walk counts a step along an object's elements. When there were too many it
// gives the object up and returns false.
func (e *engine) walk(x uint32) bool {
	if e.step(x) {
		return true
	}
	e.lose(x)
	return false
}

// step counts a step along an object's elements, and reports whether it may be taken.
func (e *engine) step(x uint32) bool {
	o := &e.objects[x]
	if o.steps == 0 {
		return false
	}
	o.steps--
	return true
}
