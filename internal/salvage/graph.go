package salvage

import (
	"hash/maphash"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// graph follows what the module of vector sets has written of one, and tells whether
// it takes that back: each link must lead to a node that has one back
// (VectorSetRdbLoad of Redis' modules/vector-sets/vset.c, hnsw_insert_serialized and
// hnsw_deserialize_index of hnsw.c).
type graph struct {
	step   step
	dim    uint64
	bytes  uint64 // of a vector
	nodes  uint64 // that are to come
	flags  uint64
	text   uint64   // bytes of the string at hand, so far
	count  uint64   // of the node's parameters
	params []uint64 // those that have come
	links  uint64   // sum of the hashes of links to greater nodes, less those to lesser ones
	wrong  bool
}

// step is what comes next.
type step uint8

const (
	stepDim step = iota
	stepNodes
	stepConfig
	stepFlags
	stepInput
	stepMatrix // this and the next three are strings
	stepName
	stepAttributes
	stepVector
	stepCount
	stepParams
)

const (
	hasMatrix     = 1 // SAVE_FLAG_HAS_PROJMATRIX
	hasAttributes = 2 // SAVE_FLAG_HAS_ATTRIBS
	maxNodeLevel  = 16
	maxNodeLinks  = 4 * 4096                                  // HNSW_MAX_M * 4
	maxParameters = 2 + (maxNodeLevel+1)*(3+maxNodeLinks) + 1 // of a node
)

// vectorSet takes the next value of a vector set.
func (x *elements) vectorSet(e *keyspace.Event) {
	g := &x.graph
	switch e.Encoding {
	case keyspace.ModuleUnsigned:
		n, err := strconv.ParseUint(string(e.Value), 10, 64)
		g.wrong = g.wrong || err != nil || !x.number(n)
	case keyspace.ModuleSigned, keyspace.ModuleFloat, keyspace.ModuleDouble:
		g.wrong = true
	default:
		if g.text += uint64(len(e.Value)); e.Part.Ends() {
			g.wrong = g.wrong || !g.string(g.text)
			g.text = 0
		}
	}
}

// closed reports whether the set has come to its end, and is sound.
func (g *graph) closed() bool { return !g.wrong && g.step == stepName && g.nodes == 0 && g.links == 0 }

// string takes a string of n bytes.
func (g *graph) string(n uint64) bool {
	switch g.step {
	case stepMatrix:
		g.step = stepName
	case stepName:
		if g.nodes == 0 {
			return false
		}
		g.nodes--
		if g.step = stepVector; g.flags&hasAttributes != 0 {
			g.step = stepAttributes
		}
	case stepAttributes:
		g.step = stepVector
	case stepVector:
		g.step = stepCount
		return n == g.bytes
	default:
		return false
	}
	return true
}

// number takes a number.
func (x *elements) number(n uint64) bool {
	g := &x.graph
	switch g.step {
	case stepDim:
		g.dim = n
	case stepNodes:
		g.nodes = n
	case stepConfig:
		switch n & 0xff { // HNSW_QUANT_NONE, Q8 and BIN
		case 0:
			g.bytes = 4 * g.dim
		case 1:
			g.bytes = g.dim
		case 2:
			g.bytes = (g.dim + 63) / 64 * 8
		default:
			return false
		}
	case stepFlags:
		if g.flags = n; n&hasMatrix == 0 {
			g.step = stepName
			return true
		}
	case stepInput:
	case stepCount:
		g.count, g.params = n, g.params[:0]
		g.step = stepParams
		return n > 0 && n <= maxParameters
	case stepParams:
		if g.params = append(g.params, n); uint64(len(g.params)) < g.count {
			return true
		}
		g.step = stepName
		return x.node(g.params)
	default:
		return false
	}
	g.step++
	return true
}

// node takes the parameters of a node: its id, version and level, for each layer its
// links, and what its vector was divided by.
func (x *elements) node(p []uint64) bool {
	if len(p) < 2 {
		return false
	}
	id, level, version := p[0], p[1]&0xff, p[1]>>24&0xff
	if id == 0 || level > maxNodeLevel || version > 1 || x.again([3]uint64{id}) {
		return false
	}
	p = p[2:]
	for layer := range level + 1 {
		if uint64(len(p)) < 2+version {
			return false
		}
		n, most := p[0]&0xffffffff, p[1]&0xffffffff
		p = p[2:]
		if n > most || most > maxNodeLinks || uint64(len(p)) < n+version {
			return false
		}
		for _, to := range p[:n] {
			if to == id || x.again([3]uint64{id, to, layer + 1}) {
				return false
			}
			link := maphash.Comparable(x.seed, [3]uint64{min(id, to), max(id, to), layer})
			if to < id {
				link = -link
			}
			x.graph.links += link
		}
		if p = p[n:]; version > 0 {
			if n > 0 && p[0]&0xffffffff >= n { // the worst link
				return false
			}
			p = p[1:]
		}
	}
	return len(p) > 0
}

// again reports whether something of the key was there before, and remembers it.
func (x *elements) again(what [3]uint64) bool {
	return x.seen.n < maxSeen && x.seen.add(maphash.Comparable(x.seed, what))
}
