package lifecycle

import "github.com/valkeyfs/valkeyfs/keyspace"

// What passes elements from one object to another, or has both hold them.

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
