package lifecycle

import "github.com/valkeyfs/valkeyfs/keyspace"

// Sets and sorted sets that a command makes of others: the result is gathered in an
// object of its own, source by source, as sources may be what it replaces.

// Operand a of opGather: what becomes of the result so far.
const (
	unite     = iota // it has all that the source has, too
	intersect        // what the source has not is gone
	subtract         // what the source has is gone
)

// Operand b of opGather: what the result is.
const (
	plain  = iota // a set
	scored        // a sorted set, whose scores are not known
	ranged        // a sorted set, of one source, whose scores it keeps
)

// gather takes the source o.name into the result o.id.
func (e *engine) gather(o *op) error {
	x, err := e.object(o.id, o.db)
	if err != nil {
		return err
	}
	obj, y := &e.objects[x], e.byID.get(o.name)
	switch o.b {
	case ranged:
		obj.flags |= isScored
		if y != 0 && (e.objects[y].flags&(isVague|isScored) != isScored || !e.ordered(y)) {
			obj.flags |= isVague
		}
	case scored:
		obj.flags |= isScored | isVague
	}
	switch {
	case y != 0 && !e.isSet(y):
		e.share(y)
		e.doubt(x)
		obj.flags |= isOpaque
	case y != 0 && o.a == unite:
		if err := e.unite(x, y); err != nil {
			return err
		}
		if o.b == ranged { // or their ranks would seem to be known
			e.objects[x].doubt = e.objects[y].doubt
		}
	case y != 0:
		e.compare(x, y, o.a == intersect)
	case o.a == intersect:
		e.empty(x, keyspace.Deleted)
		obj.flags &^= isOpaque
	}
	return nil
}

// isSet reports whether an object can be a set or a sorted set: servers take no other.
func (e *engine) isSet(x uint32) bool {
	obj := &e.objects[x]
	return obj.flags&(isList|isStream) == 0 && (obj.length > 0 || obj.side == 0)
}

// unite copies the elements of y to x. Of those that x has already, another value stands
// for both.
func (e *engine) unite(x, y uint32) error {
	if e.objects[y].flags&(isLost|isOpaque) != 0 {
		e.objects[x].flags |= isOpaque
	}
	for n := e.objects[y].head; n != 0; n = e.nodes[n].next {
		if !e.step(y) {
			e.objects[x].flags |= isOpaque
			e.lost += int64(e.objects[y].length)
			e.share(y)
			return nil
		}
		if e.find(x, e.nodes[n].name) != 0 {
			e.mark(&e.nodes[n], keyspace.Unknown)
			continue
		}
		c, err := e.node(0, 0)
		if err != nil {
			return err
		}
		e.nodes[c] = e.nodes[n]
		if e.nodes[c].seq = 0; e.doubted(n) {
			e.nodes[c].fate |= doubtful
		}
		e.link(c, x, e.objects[x].tail)
	}
	return nil
}

// compare leaves in x what y has, or what it has not. What cannot be told stays, in doubt.
func (e *engine) compare(x, y uint32, intersect bool) {
	unsure := e.objects[y].flags&(isLost|isOpaque) != 0
	if intersect && e.objects[x].flags&isOpaque != 0 {
		e.share(y) // of what x may hold
	}
	for n := e.objects[x].head; n != 0; {
		here, nd := n, &e.nodes[n]
		n = nd.next
		if !e.step(y) {
			e.lost += int64(e.objects[x].length)
			if e.doubt(x); intersect {
				e.share(y)
			}
			return
		}
		m := e.find(y, nd.name)
		switch {
		case m == 0 && unsure:
			nd.fate |= doubtful
		case m != 0 && e.doubted(m):
			nd.fate |= doubtful
			e.mark(&e.nodes[m], keyspace.Unknown)
		case (m != 0) != intersect:
			e.drop(here, keyspace.Deleted)
		case m != 0:
			e.mark(&e.nodes[m], keyspace.Unknown)
		}
	}
}

// doubted reports whether it is not known that an element is still where it is.
func (e *engine) doubted(n uint32) bool {
	nd := &e.nodes[n]
	return nd.fate&doubtful != 0 || nd.fate < e.objects[nd.obj].doubt
}

// store puts the result x into the place of the object o.name.
func (e *engine) store(o *op, x uint32) {
	e.displace(o.name)
	obj := &e.objects[x]
	if obj.length == 0 && obj.flags&isOpaque == 0 {
		e.remove(x, keyspace.Deleted)
		return
	}
	e.byID.delete(obj.id)
	obj.id = o.name
	e.byID.put(obj.id, x)
}

// displace removes the object in whose place something is put.
func (e *engine) displace(id uint64) {
	if y := e.byID.get(id); y != 0 {
		e.remove(y, keyspace.Overwritten)
	}
}
