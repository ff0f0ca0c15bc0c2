package lifecycle

import (
	"math"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// This file keeps the elements of lists and sorted sets in a treap beside their
// chain: a binary tree in their order that is a heap by random priorities, so that
// an element is found by its rank, and the rank of an element, in a logarithm of
// their number. Either all elements of an object are in its tree or none: one that
// was something else before it became a list, which no server allows, has none.

// ordered reports whether the elements of an object are in a tree.
func (e *engine) ordered(x uint32) bool {
	obj := &e.objects[x]
	return obj.flags&(isList|isScored) != 0 && (obj.head == 0 || e.nodes[obj.head].size > 0)
}

// priority is what the heap goes by: the engine's seed keeps inputs from knowing it.
func (e *engine) priority(n uint32) uint64 { return mix(e.seed, uint64(n)) }

// plant puts a node that was linked into its object's tree.
func (e *engine) plant(n uint32) {
	nd := &e.nodes[n]
	nd.size = 1
	// Where it has neighbours, one of the two has no child on its side.
	switch {
	case nd.prev != 0 && e.nodes[nd.prev].right == 0:
		nd.up, e.nodes[nd.prev].right = nd.prev, n
	case nd.next != 0:
		nd.up, e.nodes[nd.next].left = nd.next, n
	default:
		return
	}
	for p := nd.up; p != 0; p = e.nodes[p].up {
		e.nodes[p].size++
	}
	for nd.up != 0 && e.priority(n) > e.priority(nd.up) {
		e.rotate(n)
	}
}

// uproot takes a node out of its tree.
func (e *engine) uproot(n uint32) {
	nd := &e.nodes[n]
	for nd.left != 0 && nd.right != 0 {
		if e.priority(nd.left) > e.priority(nd.right) {
			e.rotate(nd.left)
		} else {
			e.rotate(nd.right)
		}
	}
	e.replaceChild(n, nd.left+nd.right) // one of them is 0
	for p := nd.up; p != 0; p = e.nodes[p].up {
		e.nodes[p].size--
	}
	nd.left, nd.right, nd.up, nd.size = 0, 0, 0, 0
}

// replaceChild puts the subtree c into the place of n.
func (e *engine) replaceChild(n, c uint32) {
	p := e.nodes[n].up
	if c != 0 {
		e.nodes[c].up = p
	}
	if p == 0 {
		return
	}
	if e.nodes[p].left == n {
		e.nodes[p].left = c
	} else {
		e.nodes[p].right = c
	}
}

// rotate puts n above its parent.
func (e *engine) rotate(n uint32) {
	p := e.nodes[n].up
	e.replaceChild(p, n)
	nd, parent := &e.nodes[n], &e.nodes[p]
	between := nd.right
	if parent.left == n {
		parent.left, nd.right = nd.right, p
	} else {
		between = nd.left
		parent.right, nd.left = nd.left, p
	}
	if parent.up = n; between != 0 {
		e.nodes[between].up = p
	}
	nd.size, parent.size = parent.size, 1+e.nodes[parent.left].size+e.nodes[parent.right].size
}

// root returns the root of an object's tree, or 0.
func (e *engine) root(x uint32) uint32 {
	n := e.objects[x].head
	for n != 0 && e.nodes[n].up != 0 {
		n = e.nodes[n].up
	}
	return n
}

// ranked returns the element with so many before it, or 0.
func (e *engine) ranked(x uint32, rank int64) uint32 {
	n := e.root(x)
	for n != 0 {
		nd := &e.nodes[n]
		before := int64(e.nodes[nd.left].size)
		switch {
		case rank < before:
			n = nd.left
		case rank == before:
			return n
		default:
			rank -= before + 1
			n = nd.right
		}
	}
	return 0
}

// rank returns how many elements stand before one.
func (e *engine) rank(n uint32) int64 {
	r := int64(e.nodes[e.nodes[n].left].size)
	for p := e.nodes[n].up; p != 0; n, p = p, e.nodes[p].up {
		if e.nodes[p].right == n {
			r += 1 + int64(e.nodes[e.nodes[p].left].size)
		}
	}
	return r
}

// Sorted sets: a node's aux is its score, by which its object's elements stand in
// order. In which order those of equal score stand the file does not say here,
// where only hashes of members are left.

// The operand b of opScore.
const (
	scoreIs    = iota // a
	scoreGrows        // by a
	scoreVague        // it may be a
)

// unsort notes that a sorted set, against all rules, gets an element without a score.
func (e *engine) unsort(x uint32) {
	if obj := &e.objects[x]; obj.flags&isScored != 0 {
		obj.flags |= isVague
	}
}

// scoreBits returns a score as an operand; -0 is 0.
func scoreBits(score float64) int64 { return int64(math.Float64bits(score + 0)) }

func (n *node) score() float64 { return math.Float64frombits(uint64(n.aux)) }

// below returns the last element whose score is less than one, or not more if
// equal is set, or 0.
func (e *engine) below(x uint32, score float64, equal bool) uint32 {
	last := uint32(0)
	for n := e.root(x); n != 0; {
		nd := &e.nodes[n]
		if s := nd.score(); s < score || equal && s == score {
			last, n = n, nd.right
		} else {
			n = nd.left
		}
	}
	return last
}

// behind returns the element behind one, or the first if that is 0.
func (e *engine) behind(x, n uint32) uint32 {
	if n == 0 {
		return e.objects[x].head
	}
	return e.nodes[n].next
}

// removeScores replays the removal of the members with scores from a to b.
func (e *engine) removeScores(o *op, x uint32) {
	obj := &e.objects[x]
	if obj.flags&(isVague|isScored) != isScored || !e.ordered(x) {
		e.doubt(x)
		return
	}
	least, most := math.Float64frombits(uint64(o.a)), math.Float64frombits(uint64(o.b))
	for n := e.behind(x, e.below(x, least, false)); n != 0 && e.nodes[n].score() <= most; {
		here := n
		n = e.nodes[n].next
		e.drop(here, keyspace.Deleted)
	}
	e.vanish(x)
}

// removeRanks replays the removal of the members at ranks a to b, counted from the
// end if negative. Of members of equal score of which only some are removed it is
// not known which.
func (e *engine) removeRanks(a, b int64, x uint32) {
	obj := &e.objects[x]
	if e.part || obj.doubt > 0 || obj.flags&(isVague|isOpaque|isScored) != isScored || !e.ordered(x) {
		e.doubt(x)
		return
	}
	a, b = between(a, b, int64(obj.length))
	if a > b {
		return
	}
	first, last := e.ranked(x, a), e.ranked(x, b)
	low, high := e.nodes[first].score(), e.nodes[last].score()
	from := e.behind(x, e.below(x, low, false)) // what has the score of the first
	to := e.below(x, high, true)
	cutLow, cutHigh := from != first, to != last
	for n, end := from, e.nodes[to].next; n != end; {
		here := &e.nodes[n]
		at := n
		n = here.next
		if s := here.score(); cutLow && s == low || cutHigh && s == high {
			here.fate |= doubtful
			obj.flags |= isVague
			if !e.walk(x) {
				return
			}
			continue
		}
		e.drop(at, keyspace.Deleted)
	}
	e.vanish(x)
}

// keepRanks replays the removal of all members but those at ranks a to b.
func (e *engine) keepRanks(a, b int64, x uint32) {
	length := int64(e.objects[x].length)
	if a, b = between(a, b, length); a > b {
		a, b = length, length-1
	}
	if b < length-1 {
		e.removeRanks(b+1, length-1, x)
	}
	if a > 0 {
		e.removeRanks(0, a-1, x)
	}
}

// between returns the range that LTRIM and ZREMRANGEBYRANK mean by two indexes; it
// is empty if the first is greater.
func between(a, b, length int64) (from, to int64) {
	if a < 0 {
		a = max(a+length, 0)
	}
	if b < 0 {
		b += length
	}
	return a, min(b, length-1)
}
