package memory

import (
	"strconv"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// The flags of a set say what stands in front of its nodes and in each of them.
func TestVectorSetFlags(t *testing.T) {
	for flags, want := range map[int]vectorSet{
		0:                               {nodes: 2, vector: 50, scanned: 2},
		vsetAttributes:                  {nodes: 2, vector: 50, scanned: 2, attribs: true, described: 1, written: 1},
		vsetProjects:                    {nodes: 2, vector: 50, scanned: 2, matrix: 400},
		vsetProjects | vsetAttributes:   {nodes: 2, vector: 50, scanned: 2, matrix: 400, attribs: true, described: 1, written: 1},
		1<<20 | vsetProjects<<2 | 1<<40: {nodes: 2, vector: 50, scanned: 2},
	} {
		var v vectorSet
		number := func(x int) {
			v.take(allocator{}, &keyspace.Event{Encoding: keyspace.ModuleUnsigned, Value: []byte(strconv.Itoa(x))}, 0)
		}
		text := func(n int64) { v.take(allocator{}, &keyspace.Event{Encoding: keyspace.Raw}, n) }
		for _, x := range []int{100, 2, 0, flags} {
			number(x)
		}
		if flags&vsetProjects != 0 {
			text(400)
		}
		for _, attributes := range []int64{0, 30} {
			text(6)
			if flags&vsetAttributes != 0 {
				text(attributes)
			}
			text(50)
			number(1)
		}
		got := vectorSet{nodes: v.nodes, vector: v.vector, matrix: v.matrix, attribs: v.attribs, scanned: v.scanned, described: v.described, written: v.written}
		if got != want {
			t.Errorf("flags %#x: %+v, not %+v", flags, got, want)
		}
	}
}
