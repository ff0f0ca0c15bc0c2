package memory

import (
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// vectorSet adds up a vector set as its module does, which estimates, too
// (VectorSetMemUsage of modules/vector-sets/vset.c): all nodes have as many links as
// they may, and names and attributes are as long as those of the first twenty.
type vectorSet struct {
	values  int64 // met; the first are dimensions, elements, parameters, flags
	nodes   int64
	links   int64 // that a node may have on the lowest layer
	vector  int64 // bytes of one, quantised
	matrix  int64 // of a projection
	strings int   // met since the last number
	attribs bool  // each node has a string for its attributes

	scanned, items              int64 // the first names, and what they take
	described, written, details int64 // nodes with attributes; the first of them, and what those take
}

const (
	vsetHead   = 4  // values in front of the nodes
	vsetFirst  = 20 // nodes that are looked at: scan_effort
	vsetLinks  = 16 // HNSW_DEFAULT_M
	vsetObject = 112 + 1672
	vsetNode   = 312
	vsetLayer  = 24
	vsetEntry  = 16 // of the dictionary of names
	vsetDetail = 64 // of attributes, if none of the first nodes has any

	vsetProjects   = 1 // SAVE_FLAG_HAS_PROJMATRIX
	vsetAttributes = 2 // SAVE_FLAG_HAS_ATTRIBS
)

// take takes the next value of the module, of n bytes if it is a string.
func (v *vectorSet) take(a allocator, ev *keyspace.Event, n int64) {
	v.values++
	if ev.Encoding == keyspace.ModuleUnsigned || ev.Encoding == keyspace.ModuleSigned {
		v.strings = 0
		if v.values <= vsetHead {
			x, _ := strconv.ParseInt(string(ev.Value), 10, 64)
			v.head(x)
		}
		return
	}
	if v.matrix < 0 { // it comes first
		v.matrix = n
		return
	}
	v.strings++
	switch {
	case v.strings == 1:
		v.nodes++
		if v.scanned < vsetFirst {
			v.scanned++
			v.items += object + a.sds(n)
		}
	case v.strings == 2 && v.attribs:
		if n == 0 {
			return
		}
		v.described++
		if v.nodes <= vsetFirst {
			v.written++
			v.details += object + a.sds(n)
		}
	default:
		v.vector = n
	}
}

// head takes one of the first numbers.
func (v *vectorSet) head(x int64) {
	switch v.values {
	case 3:
		v.links = 2 * (x >> 8 & 0xffff)
		if v.links == 0 {
			v.links = 2 * vsetLinks
		}
	case 4:
		v.attribs = x&vsetAttributes != 0
		if x&vsetProjects != 0 {
			v.matrix = -1
		}
	}
}

// size is what the module says.
func (v *vectorSet) size() int64 {
	size := vsetObject + max(v.matrix, 0)
	if v.scanned == 0 {
		return size
	}
	const link = 8
	size += v.nodes * (vsetNode + v.vector + link*v.links + vsetEntry + v.items/v.scanned)
	size += v.nodes * vsetLayer * 4 / 3 // a third of the nodes is on a layer above
	size += v.nodes * link * (v.links / 2) / 3
	if v.written == 0 {
		v.written, v.details = 1, vsetDetail
	}
	return size + v.details/v.written*v.described
}
