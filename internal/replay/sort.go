package replay

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// sorting is a SORT key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC|DESC]
// [ALPHA] STORE destination.
type sorting struct {
	to          []byte
	alpha, desc bool
	unsorted    bool // BY a name in which nothing stands for an element
	skip, count int64
	gets        int // how often GET # is given
}

// parseSort reads the arguments of a SORT; told is false where its result depends on keys
// that it names by a pattern.
func parseSort(a [][]byte) (s sorting, told bool) {
	s, told = sorting{count: -1}, true
	for rest := a[min(2, len(a)):]; len(rest) > 0; rest = rest[1:] {
		switch {
		case is(rest[0], "ALPHA"):
			s.alpha = true
		case is(rest[0], "DESC"):
			s.desc = true
		case is(rest[0], "ASC"):
			s.desc = false
		case is(rest[0], "STORE") && len(rest) > 1:
			s.to, rest = rest[1], rest[1:]
		case is(rest[0], "BY") && len(rest) > 1:
			s.unsorted = bytes.IndexByte(rest[1], '*') < 0
			told, rest = told && s.unsorted, rest[1:]
		case is(rest[0], "GET") && len(rest) > 1:
			s.gets++
			told, rest = told && string(rest[1]) == "#", rest[1:]
		case is(rest[0], "LIMIT") && len(rest) > 2:
			s.skip, _ = integer(rest[1])
			s.count, _ = integer(rest[2])
			rest = rest[2:]
		}
	}
	return s, told
}

// sortStore is SORT … STORE. What a server would refuse changes nothing.
func sortStore(m *machine, e *keyspace.Event, a [][]byte) error {
	s, told := parseSort(a)
	if s.to == nil || len(a) < 4 {
		return nil
	}
	o, in := newObject(keyspace.List), m.get(e.DB, string(a[1]))
	switch {
	case in == nil:
	case in.typ != keyspace.List && in.typ != keyspace.Set && in.typ != keyspace.SortedSet:
		return nil
	case !told, in.inexact, !m.afford(in.steps() * int64(bits.Len64(uint64(in.steps())))):
		o.inexact = true
	default:
		elements, ok := in.sorted(s)
		elements = s.limited(elements)
		if o.inexact = !ok || !m.afford(int64(len(elements))*int64(s.gets)); !o.inexact {
			if err := m.sortInto(o, elements, max(s.gets, 1)); err != nil {
				return err
			}
		}
	}
	return m.replace(e, s.to, o)
}

// sortInto puts each of elements so often into a list, while there is room for it.
func (m *machine) sortInto(o *object, elements []string, times int) error {
	held := m.held
	defer func() { m.held = held }() // it is counted once a key holds it
	for _, v := range elements {
		for range times {
			if err := m.grow(len(v) + perElement); err != nil {
				return err
			}
			o.list.pushTail([]byte(v))
		}
	}
	return nil
}

// sorted returns the elements in the order of a SORT, which tells equal numbers apart by
// their bytes, as it does all elements where it stores them (sort.c, sortCompare); false
// if one that should be a number is none that is known.
func (o *object) sorted(s sorting) (elements []string, ok bool) {
	switch o.typ {
	case keyspace.List:
		for _, v := range o.list.all() {
			elements = append(elements, string(v))
		}
	case keyspace.Set:
		// A set has no order that could be stored.
		s.alpha, s.unsorted = s.alpha || s.unsorted, false
		elements = o.members()
	case keyspace.SortedSet:
		elements = o.ranked().between(0, len(o.zset))
	}
	if s.unsorted {
		if s.desc {
			slices.Reverse(elements)
		}
		return elements, true
	}
	numbers := map[string]float64{}
	for _, v := range elements {
		if s.alpha {
			break
		}
		if numbers[v], ok = number([]byte(strings.TrimLeft(v, " "))); !ok {
			return nil, false
		}
	}
	slices.SortStableFunc(elements, func(a, b string) int {
		c := cmp.Or(cmp.Compare(numbers[a], numbers[b]), strings.Compare(a, b))
		if s.desc {
			c = -c
		}
		return c
	})
	return elements, true
}

// limited applies LIMIT.
func (s sorting) limited(elements []string) []string {
	elements = elements[min(max(s.skip, 0), int64(len(elements))):]
	if s.count >= 0 {
		elements = elements[:min(s.count, int64(len(elements)))]
	}
	return elements
}
