package redact

import (
	"hash/maphash"
	"math/bits"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// names knows what names of keys, members, fields, groups and consumers became, so that
// no two of one collection become the same: no server loads such a file. It holds hashes
// of those that became others alone. What stays as it is is compared with these, and with
// those of the pass before, in which names that come later were made, too.
type names struct {
	seed    maphash.Seed
	made    table    // names,
	pairs   table    // and each with what it was
	refused table    // names that something else has
	clashes int      // names that were refused in this pass: the next makes others
	lost    []record // those for which there was none
}

func (n *names) bytes() int64 { return n.made.bytes() + n.pairs.bytes() + n.refused.bytes() }

// maxRenamed bounds the names that are tried for one.
const maxRenamed = 64

// named is what to makes of a name in a collection, if need be with other placeholders.
func (r *Redactor) named(in uint64, was []byte, to func() []byte) []byte {
	n, m := &r.names, r.places
	m.used, m.noting = m.used[:0], true
	defer func() { m.noting = false }()
	q := to()
	if len(q) == len(was) && string(q) == string(was) {
		if n.made.n > 0 {
			if h := n.hash(in, was); n.made.has(h) && !n.refused.has(h) {
				n.refused.put(h, 0)
				n.clashes++
			}
		}
		return q
	}
	of := bits.RotateLeft64(maphash.Bytes(n.seed, was), 32)
	for range maxRenamed {
		h := n.hash(in, q)
		if !n.refused.has(h) && (!n.made.has(h) || n.pairs.has(h^of)) {
			n.made.put(h, 0)
			n.pairs.put(h^of, 0)
			return q
		}
		n.clashes++
		m.renew()
		q = to()
	}
	n.lost = append(n.lost, r.rec)
	return q
}

// hash is that of a name in a collection.
func (n *names) hash(in uint64, name []byte) uint64 {
	const odd = 0x9e3779b97f4a7c15
	return bits.RotateLeft64(maphash.Bytes(n.seed, name)^in*odd, 29) * odd
}

// collection is where the name of an element must be the only one of its kind, and
// whether there is such a place.
func (r *Redactor) collection(e *keyspace.Event) (in uint64, field, value bool) {
	in = r.hash(r.rec) + uint64(e.Kind)
	switch {
	case e.Kind == keyspace.Element && (e.Type == keyspace.Set || e.Type == keyspace.SortedSet || e.Type == keyspace.VectorSet):
		return in, false, true
	case e.Kind == keyspace.Element && e.Type == keyspace.Hash, e.Kind == keyspace.Group:
		return in, true, false
	case e.Kind == keyspace.Consumer:
		return in ^ maphash.Bytes(r.names.seed, e.Field), false, true
	}
	return 0, false, false
}

// keysOf is the collection of the keys of a database.
func (r *Redactor) keysOf(db int32) uint64 { return maphash.Comparable(r.names.seed, db) }
