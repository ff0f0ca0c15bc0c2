package replay

import (
	"bytes"
	"maps"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// object is the value of a key.
type object struct {
	typ    keyspace.Type
	expire int64 // Unix ms, or keyspace.NoExpire
	// inexact says that a command changed the value in a way that is not followed:
	// what is here is not all of it, or not as it was.
	inexact bool
	// presumed says that an event that made or changed it was presumed to be of its database.
	presumed bool

	str    []byte
	list   deque
	hash   map[string]field
	set    map[string]struct{}
	zset   map[string]float64 // change it by score and unscore
	ranks  *ranking           // its members in order, once that was asked for; nil: not known
	order  []string           // names of a hash or set in order, see arrange
	stream *stream
	other  []other // of types that commands do not take apart
	module string
	modVer int64
}

type field struct {
	value  []byte
	expire int64
}

// other is an element of a module's value, an array, a vector set.
type other struct {
	encoding keyspace.Encoding
	field    []byte
	value    []byte
	index    int64
	score    float64
}

func newObject(t keyspace.Type) *object {
	o := &object{typ: t, expire: keyspace.NoExpire}
	switch t {
	case keyspace.Hash:
		o.hash = map[string]field{}
	case keyspace.Set:
		o.set = map[string]struct{}{}
	case keyspace.SortedSet:
		o.zset = map[string]float64{}
	case keyspace.Stream:
		o.stream = newStream()
	}
	return o
}

// spare are objects of keys that are no more, whose maps need not grow again.
type spare [3][]*object

// maxSpare is how large a map may be that is kept, and how many of each kind are.
const maxSpare = 512

// of returns where objects of a type are kept, nil if they are not.
func (s *spare) of(t keyspace.Type) *[]*object {
	switch t {
	case keyspace.Hash:
		return &s[0]
	case keyspace.Set:
		return &s[1]
	case keyspace.SortedSet:
		return &s[2]
	}
	return nil
}

// take keeps an object that nothing refers to any more.
func (s *spare) take(o *object) {
	kept := s.of(o.typ)
	if n := len(o.hash) + len(o.set) + len(o.zset); kept == nil || len(*kept) == maxSpare || n > maxSpare {
		return
	}
	clear(o.hash)
	clear(o.set)
	clear(o.zset)
	*o = object{typ: o.typ, hash: o.hash, set: o.set, zset: o.zset}
	*kept = append(*kept, o)
}

// object returns an empty object.
func (s *spare) object(t keyspace.Type) *object {
	kept := s.of(t)
	if kept == nil || len(*kept) == 0 {
		return newObject(t)
	}
	last := len(*kept) - 1
	o := (*kept)[last]
	*kept = (*kept)[:last]
	o.expire = keyspace.NoExpire
	return o
}

// empty reports whether the key of the object would no longer exist. A stream
// stays when its last entry goes.
func (o *object) empty() bool {
	switch o.typ {
	case keyspace.List:
		return o.list.len() == 0
	case keyspace.Hash:
		return len(o.hash) == 0
	case keyspace.Set:
		return len(o.set) == 0
	case keyspace.SortedSet:
		return len(o.zset) == 0
	}
	return false
}

// clone is a copy that shares no memory that is written to.
func (o *object) clone() *object {
	c := *o
	c.str = bytes.Clone(o.str)
	c.list = o.list.clone()
	c.hash, c.set, c.zset, c.ranks = maps.Clone(o.hash), maps.Clone(o.set), maps.Clone(o.zset), nil
	if o.stream != nil {
		c.stream = o.stream.clone()
	}
	c.other = slices.Clone(o.other)
	return &c
}

// fields returns the names of a hash's fields in order.
func (o *object) fields() []string { return slices.Sorted(maps.Keys(o.hash)) }

// members returns a set's members in order.
func (o *object) members() []string { return slices.Sorted(maps.Keys(o.set)) }

// deque is a list of strings with cheap ends.
type deque struct {
	items [][]byte
	head  int // items before it are gone
}

func (d *deque) len() int          { return len(d.items) - d.head }
func (d *deque) all() [][]byte     { return d.items[d.head:] }
func (d *deque) clone() deque      { return deque{items: slices.Clone(d.all())} }
func (d *deque) pushTail(v []byte) { d.items = append(d.items, v) }

func (d *deque) pushHead(v []byte) {
	if d.head == 0 {
		room := max(8, d.len())
		items := make([][]byte, room+d.len(), 2*room+d.len())
		copy(items[room:], d.items)
		d.items, d.head = items, room
	}
	d.head--
	d.items[d.head] = v
}

// pop takes an element from an end; nil if there is none.
func (d *deque) pop(tail bool) []byte {
	if d.len() == 0 {
		return nil
	}
	if tail {
		v := d.items[len(d.items)-1]
		d.items[len(d.items)-1] = nil
		d.items = d.items[:len(d.items)-1]
		return v
	}
	v := d.items[d.head]
	d.items[d.head] = nil
	if d.head++; d.head > 1024 && d.head > len(d.items)/2 {
		d.items, d.head = slices.Clone(d.all()), 0
	}
	return v
}

// at resolves an index that may count from the tail; -1 if it is out of range.
func (d *deque) at(i int64) int {
	n := int64(d.len())
	if i < 0 {
		i += n
	}
	if i < 0 || i >= n {
		return -1
	}
	return d.head + int(i)
}

// find returns where the first element equal to v is, -1 if nowhere.
func (d *deque) find(v []byte) int {
	for i, x := range d.all() {
		if bytes.Equal(x, v) {
			return d.head + i
		}
	}
	return -1
}

func (d *deque) insert(at int, v []byte) { d.items = slices.Insert(d.items, at, v) }

// remove takes out count elements equal to v: from the tail if it is negative, all
// if it is 0 (LREM).
func (d *deque) remove(v []byte, count int64) {
	items := d.all()
	if count < 0 {
		slices.Reverse(items)
	}
	left := max(count, -count)
	kept := items[:0]
	for _, x := range items {
		if bytes.Equal(x, v) && (count == 0 || left > 0) {
			left--
			continue
		}
		kept = append(kept, x)
	}
	clear(items[len(kept):])
	if count < 0 {
		slices.Reverse(kept)
	}
	d.items, d.head = kept, 0
}

// trim keeps the elements from one index to another (LTRIM).
func (d *deque) trim(from, to int64) {
	n := int64(d.len())
	if from < 0 {
		from = max(from+n, 0)
	}
	if to < 0 {
		to += n
	}
	to = min(to, n-1)
	if from > to || from >= n {
		d.items, d.head = nil, 0
		return
	}
	d.items, d.head = slices.Clone(d.all()[from:to+1]), 0
}
