package lifecycle

import (
	"bytes"
)

// operands are what a command makes a set or a sorted set of.
type operands struct {
	algebra algebra
	sources []uint64 // the objects, in the command's order
	cuts    []op     // what removes from the result what the command leaves out
}

// algebra is how a command makes a set of others.
type algebra struct {
	known bool
	how   int64 // of all sources but the first, as in opGather
	of    int64 // of what kind the result is, as in opGather
	some  bool  // the result is a part of that, nobody says which
}

var algebras = map[string]algebra{
	"SUNIONSTORE":       {true, unite, plain, false},
	"SINTERSTORE":       {true, intersect, plain, false},
	"SDIFFSTORE":        {true, subtract, plain, false},
	"ZUNIONSTORE":       {true, unite, scored, false},
	"ZINTERSTORE":       {true, intersect, scored, false},
	"ZDIFFSTORE":        {true, subtract, scored, false},
	"ZRANGESTORE":       {true, unite, ranged, false},
	"GEOSEARCHSTORE":    {true, unite, scored, true},
	"GEORADIUS":         {true, unite, scored, true},
	"GEORADIUSBYMEMBER": {true, unite, scored, true},
}

// maxSources is how many sources are followed. What is made of more is not known.
const maxSources = 1 << 12

func algebraOf(name []byte) algebra {
	if n := len(name); n < len("GEORADIUS") || n > len("GEORADIUSBYMEMBER") {
		return algebra{}
	}
	return algebras[string(bytes.ToUpper(name))]
}

// source takes an object that a command computes another from.
func (r *recorder) source(o op) error {
	s := &r.command.operands
	if s.algebra.known && len(s.sources) < maxSources {
		s.sources = append(s.sources, o.id)
		return nil
	}
	s.algebra.known = false
	return r.shared(o)
}

// shared notes that what an object holds another may hold, too.
func (r *recorder) shared(o op) error {
	_, err := r.emit(op{kind: opShared, id: o.id, db: o.db})
	return err
}

// compute puts the result of a computation into the place of an object.
func (r *recorder) compute(o op) error {
	s := &r.command.operands
	if s.algebra.known && len(s.sources) > 0 {
		if r.linkSources(o.id) {
			return r.gather(o)
		}
		r.forgot++
	}
	for _, id := range s.sources {
		if err := r.shared(op{id: id, db: o.db}); err != nil {
			return err
		}
	}
	_, err := r.emit(op{kind: opCompute, id: o.id, db: o.db})
	return err
}

// resultOf is the object in which what is to take the place of another is gathered.
func resultOf(id uint64) uint64 { return mix(id, 1<<63) }

// linkSources reports whether an object can be computed together with the sources.
func (r *recorder) linkSources(id uint64) bool {
	all := r.out.link(resultOf(id), id, r.seq)
	for _, source := range r.command.sources {
		all = r.out.link(resultOf(id), source, r.seq) && all
	}
	return all
}

// gather emits the ops that compute a set of the sources.
func (r *recorder) gather(o op) error {
	s := &r.command.operands
	g := op{kind: opGather, id: resultOf(o.id), db: o.db, a: unite, b: s.algebra.of}
	for _, g.name = range s.sources {
		if _, err := r.emit(g); err != nil {
			return err
		}
		g.a = s.algebra.how
	}
	for _, cut := range s.cuts {
		cut.id, cut.db = g.id, g.db
		if _, err := r.emit(cut); err != nil {
			return err
		}
	}
	if s.algebra.some {
		if _, err := r.emit(op{kind: opDoubt, id: g.id, db: g.db, a: 1}); err != nil {
			return err
		}
	}
	_, err := r.emit(op{kind: opStore, id: g.id, db: g.db, name: o.id})
	return err
}
