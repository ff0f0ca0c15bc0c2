package lifecycle

import "math"

// links are the groups of objects that exchange elements: a union-find over ids.
type links struct {
	parent map[uint64]uint64
	most   int
	until  uint64 // seq from which on no more links are taken, because there were too many
}

func newLinks(most int) links {
	return links{parent: map[uint64]uint64{}, most: most, until: math.MaxUint64}
}

// join puts two objects into one group; see sink.link.
func (l *links) join(a, b, seq uint64) bool {
	if len(l.parent)+2 > l.most {
		l.until = min(l.until, seq)
	}
	if seq >= l.until {
		return false
	}
	a, b = l.add(a), l.add(b)
	// Ids are hashes: hanging the larger below the smaller is as good as a coin.
	if a != b {
		l.parent[max(a, b)] = min(a, b)
	}
	return true
}

func (l *links) add(id uint64) uint64 {
	if _, ok := l.parent[id]; !ok {
		l.parent[id] = id
	}
	root, _ := l.group(id)
	return root
}

// group returns the hash of the group that an object belongs to.
func (l *links) group(id uint64) (uint64, bool) {
	p, ok := l.parent[id]
	if !ok {
		return 0, false
	}
	for p != id {
		up := l.parent[p]
		l.parent[id] = up
		id, p = p, up
	}
	return id, true
}
