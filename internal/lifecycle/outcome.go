package lifecycle

import (
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// final is set in the fate of what is left at the end, or lost.
const final = 0x80

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

// reason returns the state of what the deletion o removes.
func (e *engine) reason(o *op, expire int64) keyspace.State {
	if o.a != bySomeone && expire >= 0 && e.clock.expired(expire, o.a, o.seq) {
		return keyspace.Expired
	}
	return keyspace.Deleted
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
