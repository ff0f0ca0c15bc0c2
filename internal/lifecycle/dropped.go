package lifecycle

import "github.com/valkeyfs/valkeyfs/keyspace"

// span is a run of ops: [from, to).
type span struct{ from, to uint64 }

// maxDropped is how many spans are told apart.
const maxDropped = 1 << 20

// takeBack takes the place from which on nothing of a file became part of the data
// set: that of the command at hand, or of the MULTI that is open.
func (r *recorder) takeBack(at keyspace.Pos) {
	if !r.resp {
		return // what an RDB holds before and behind damage is there
	}
	from := r.seq
	for _, c := range []*command{&r.command, &r.multi} {
		if c.offset >= at.Offset && c.source == at.Source {
			from = min(from, c.seq)
		}
	}
	for n := len(r.dropped); n > 0 && r.dropped[n-1].to > from; n-- {
		from = min(from, r.dropped[n-1].from)
		r.dropped = r.dropped[:n-1]
	}
	switch n := len(r.dropped); {
	case from == r.seq:
	case n < maxDropped:
		r.dropped = append(r.dropped, span{from, r.seq})
	default: // so much damage: what lies between is no more than recovered
		r.dropped[n-1].to = r.seq
	}
}

func (e *engine) isDropped(seq uint64) bool {
	for e.span < len(e.dropped) && e.dropped[e.span].to <= seq {
		e.span++
	}
	return e.span < len(e.dropped) && e.dropped[e.span].from <= seq
}
