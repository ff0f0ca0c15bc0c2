package lifecycle

import "github.com/valkeyfs/valkeyfs/keyspace"

// This file replays lists, whose elements are known by their positions. Nodes
// carry the hash of the value as their name, for LREM and LINSERT; values may
// repeat, so that byName does not know them.

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
	for n := e.objects[x].head; n != 0 && e.walk(x); n = e.nodes[n].next {
		if e.nodes[n].name == name {
			return n
		}
	}
	return 0
}

// walk counts a step along an object's elements. When there were too many it
// gives the object up and returns false.
func (e *engine) walk(x uint32) bool {
	o := &e.objects[x]
	if o.walked++; int64(o.walked) > e.maxSteps {
		e.lose(x)
		return false
	}
	return true
}

// moveEnd moves an element from one end of x to one of the object o.name.
func (e *engine) moveEnd(o *op, x uint32) error {
	from := &e.objects[x]
	known := from.flags&(isLost|isOpaque) == 0
	if known && from.length == 0 {
		return nil
	}
	y, err := e.object(o.name, uint32(o.a))
	if err != nil {
		return err
	}
	if !known {
		e.lose(y)
		return nil
	}
	n := from.head
	if o.b&fromTail != 0 {
		n = from.tail
	}
	e.objects[y].flags |= isList
	e.transfer(n, y, o.b&toTail != 0)
	if y != x {
		e.vanish(x)
	}
	return nil
}
