package replay

import (
	"cmp"
	"maps"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// stream is the value of a stream: its entries by ID, and its groups.
type stream struct {
	entries []entry
	meta    keyspace.StreamID // last ID
	added   int64             // entries ever added; -1: not known
	maxDel  keyspace.StreamID
	groups  map[string]*group
}

type entry struct {
	id     keyspace.StreamID
	fields [][2][]byte
}

type group struct {
	last      keyspace.StreamID
	read      int64
	consumers map[string]consumer
	pending   map[keyspace.StreamID]pending
}

type consumer struct{ seen, active int64 }

type pending struct {
	consumer    string
	time, count int64
}

func newStream() *stream { return &stream{groups: map[string]*group{}} }

func (s *stream) clone() *stream {
	c := *s
	c.entries = slices.Clone(s.entries)
	c.groups = make(map[string]*group, len(s.groups))
	for name, g := range s.groups {
		h := *g
		h.consumers, h.pending = maps.Clone(g.consumers), maps.Clone(g.pending)
		c.groups[name] = &h
	}
	return &c
}

func compareID(a, b keyspace.StreamID) int {
	return cmp.Or(cmp.Compare(a.MS, b.MS), cmp.Compare(a.Seq, b.Seq))
}

// find returns where the entry of an ID is, or would be.
func (s *stream) find(id keyspace.StreamID) (int, bool) {
	if n := len(s.entries); n == 0 || compareID(s.entries[n-1].id, id) < 0 {
		return n, false // the usual case
	}
	return slices.BinarySearchFunc(s.entries, id, func(e entry, id keyspace.StreamID) int { return compareID(e.id, id) })
}

// put adds a field to an entry, which the first one begins.
func (s *stream) put(id keyspace.StreamID, name, value []byte, index int64) {
	i, found := s.find(id)
	if !found {
		s.entries = slices.Insert(s.entries, i, entry{id: id})
		if s.added >= 0 {
			s.added++
		}
	} else if index == 0 {
		s.entries[i].fields = nil
	}
	s.entries[i].fields = append(s.entries[i].fields, [2][]byte{name, value})
	if compareID(id, s.meta) > 0 {
		s.meta = id
	}
}

func (s *stream) delete(id keyspace.StreamID) {
	if i, found := s.find(id); found {
		s.entries = slices.Delete(s.entries, i, i+1)
		if compareID(id, s.maxDel) > 0 {
			s.maxDel = id
		}
	}
}

// trimLength keeps the newest n entries.
func (s *stream) trimLength(n int64) {
	if over := int64(len(s.entries)) - n; over > 0 && n >= 0 {
		s.entries = slices.Clone(s.entries[over:])
	}
}

// trimID removes the entries below id.
func (s *stream) trimID(id keyspace.StreamID) {
	i, _ := s.find(id)
	s.entries = slices.Clone(s.entries[i:])
}

// group returns a consumer group, which it makes if there is none.
func (s *stream) group(name []byte) *group {
	g := s.groups[string(name)]
	if g == nil {
		g = &group{read: -1, consumers: map[string]consumer{}, pending: map[keyspace.StreamID]pending{}}
		s.groups[string(name)] = g
	}
	return g
}
