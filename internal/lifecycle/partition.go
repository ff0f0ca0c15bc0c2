package lifecycle

import (
	"io"
	"math/bits"

	"github.com/valkeyfs/valkeyfs/internal/spill"
)

// A partition holds the ops of the objects whose hash begins alike, later their
// fates. One that is too large for the engine is split.
type partition struct {
	ops   opWriter
	group bool  // of linked objects
	pairs bool  // some op concerns two objects
	loose bool  // no set is computed of others any more: see loosen
	sets  int64 // that would be
	part  bool  // what is in it is a part of one object
	lost  bool  // it was too large and could not be split: its fates are unknown
	split *split
	fates *spill.Stream
	read  fateReader
}

// A split divides a partition by bits of its objects' hashes or, where one object
// outweighs all others, by bits of the names of that object's elements.
type split struct {
	shift    int
	mask     uint64
	byName   bool
	id       uint64       // byName: the object; all others go to rest
	rest     *partition   // byName: what concerns that object as a whole, too
	children []*partition // mask+1 of them
}

// The number of children of a split: as many as it takes, within these bounds.
const (
	minFanBits = 2
	maxFanBits = 5
)

func newPartition(s *spill.Store, part bool) *partition {
	return &partition{ops: opWriter{stream: s.Stream()}, part: part}
}

func (p *partition) write(o *op) error {
	switch o.kind {
	case opCopy, opMoveName, opMoveEnd:
		p.pairs = true
	case opStore:
		p.sets++
	}
	return p.ops.write(o)
}

// leaf returns the partition that holds the op's fate; hash is that of the op's
// object or of the group that it belongs to.
func (p *partition) leaf(o *op, hash uint64) *partition {
	for p.split != nil {
		if p.loose {
			hash = o.id
		}
		p = p.split.child(o, hash)
	}
	return p
}

func (s *split) child(o *op, hash uint64) *partition {
	if !s.byName {
		return s.children[hash>>s.shift&s.mask]
	}
	if o.id != s.id || !o.kind.has(ofName) {
		return s.rest
	}
	return s.children[o.name>>s.shift&s.mask]
}

// write hands an op to the partition it belongs to, and what concerns a divided
// object as a whole to all.
func (s *split) write(o *op, hash uint64) error {
	if err := s.child(o, hash).write(o); err != nil {
		return err
	}
	if !s.byName || o.id != s.id || o.kind.has(ofName) || o.kind == opTouch {
		return nil
	}
	c := *o
	c.echo = true
	for _, p := range s.children {
		if err := p.write(&c); err != nil {
			return err
		}
	}
	return nil
}

// divide splits a partition, if it can be, into parts of about room ops. The hash
// of an op is as in leaf.
func (p *partition) divide(store *spill.Store, ops opSource, room int64) (bool, error) {
	// The object with more than half of the ops, if there is one, is what remains
	// when each two ops of different objects cancel each other out (the majority
	// vote of Boyer and Moore).
	var major uint64
	var hashes, names spread
	votes, n, own, whole := 0, 0, 0, false
	err := ops(func(o *op, hash uint64) error {
		switch {
		case votes == 0:
			major, votes = o.id, 1
		case major == o.id:
			votes++
		default:
			votes--
		}
		hashes.add(hash)
		n++
		return nil
	})
	if err != nil {
		return false, err
	}
	err = ops(func(o *op, _ uint64) error {
		if o.id == major {
			own++
			whole = whole || o.kind.has(isWhole)
			if o.kind.has(ofName) {
				names.add(o.name)
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	s := &split{id: major, byName: own > n/2 && !whole && !p.pairs && (p.sets == 0 || p.loose) && names.differ != 0}
	if s.byName {
		hashes = names
		s.rest = newPartition(store, p.part)
		s.rest.group, s.rest.loose = p.group, p.loose
	}
	if hashes.differ == 0 {
		return false, nil
	}
	fanBits := min(max(bits.Len64(uint64(p.ops.ops/max(room, 1))), minFanBits), maxFanBits)
	s.shift, s.mask = max(bits.Len64(hashes.differ)-fanBits, 0), 1<<fanBits-1
	for range 1 << fanBits {
		c := newPartition(store, p.part || s.byName)
		c.group, c.loose = p.group, p.loose
		s.children = append(s.children, c)
	}
	if err := ops(s.write); err != nil {
		return false, err
	}
	p.ops.stream.Free()
	p.split = s
	return true, nil
}

// loosen makes a partition one in which sets are not computed, and reports whether it
// can be: what a source holds may then be held by the result, and objects depend on no
// other.
func (p *partition) loosen() bool {
	if p.loose || p.sets == 0 || p.pairs {
		return false
	}
	p.loose = true
	return true
}

// loosely returns what a loose partition has in the place of an op.
func (o *op) loosely() op {
	switch o.kind {
	case opGather:
		return op{kind: opShared, id: o.name, db: o.db, seq: o.seq}
	case opStore:
		return op{kind: opCompute, id: o.name, db: o.db, seq: o.seq}
	}
	return *o
}

// A spread finds out in which bits numbers differ.
type spread struct {
	n             int
	first, differ uint64
}

func (s *spread) add(h uint64) {
	if s.n++; s.n == 1 {
		s.first = h
	}
	s.differ |= h ^ s.first
}

// opSource calls do with each op of a partition and its hash.
type opSource func(do func(o *op, hash uint64) error) error

// next returns the fate of the next op.
func (p *partition) next() (fate, error) {
	if p.lost {
		return fate{index: -1}, nil
	}
	if p.read.blocks == nil {
		p.read.blocks = p.fates.Reader()
	}
	f, err := p.read.next()
	if err == io.EOF {
		err = ErrChanged
	}
	return f, err
}
