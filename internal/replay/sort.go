package replay

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// sorting is a SORT key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC|DESC]
// [ALPHA] STORE destination.
type sorting struct {
	to          []byte
	alpha, desc bool
	unsorted    bool   // BY a name in which nothing stands for an element
	by          []byte // nil: the elements themselves
	skip, count int64
	gets        [][]byte
}

// parseSort reads the arguments of a SORT.
func parseSort(a [][]byte) sorting {
	s := sorting{count: -1}
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
			s.by, rest = rest[1], rest[1:]
			s.unsorted = s.unsorted || bytes.IndexByte(s.by, '*') < 0
		case is(rest[0], "GET") && len(rest) > 1:
			s.gets, rest = append(s.gets, rest[1]), rest[1:]
		case is(rest[0], "LIMIT") && len(rest) > 2:
			s.skip, _ = integer(rest[1])
			s.count, _ = integer(rest[2])
			rest = rest[2:]
		}
	}
	return s
}

// others reports whether the result depends on keys that are named by a pattern.
func (s *sorting) others() bool {
	names := func(pattern []byte) bool { return bytes.IndexByte(pattern, '*') >= 0 }
	return !s.unsorted && names(s.by) || slices.ContainsFunc(s.gets, names)
}

// sortStore is SORT … STORE. What a server would refuse changes nothing.
func sortStore(m *machine, e *keyspace.Event, a [][]byte) error {
	s := parseSort(a)
	if s.to == nil || len(a) < 4 {
		return nil
	}
	o, in := newObject(keyspace.List), m.get(e.DB, string(a[1]))
	switch {
	case in == nil:
	case in.typ != keyspace.List && in.typ != keyspace.Set && in.typ != keyspace.SortedSet:
		return nil
	case s.others() && !m.all, in.inexact, !m.afford(in.steps() * int64(bits.Len64(uint64(in.steps())))):
		o.inexact = true
	default:
		elements, ok := m.sorted(e.DB, in, s)
		elements = s.limited(elements)
		if o.inexact = !ok || !m.afford(int64(len(elements))*int64(len(s.gets))); !o.inexact {
			if err := m.sortInto(e.DB, o, elements, s.gets); err != nil {
				return err
			}
		}
	}
	return m.replace(e, s.to, o)
}

// sortInto puts elements, or what is to be got for each, into a list, while there is room
// for it.
func (m *machine) sortInto(db int32, o *object, elements []string, gets [][]byte) error {
	if len(gets) == 0 {
		gets = [][]byte{[]byte("#")}
	}
	held := m.held
	defer func() { m.held = held }() // it is counted once a key holds it
	for _, element := range elements {
		for _, pattern := range gets {
			v, known := []byte(element), true
			if string(pattern) != "#" {
				v, known = m.named(db, pattern, element)
			}
			if !known || !m.afford(int64(len(v))/perStep) {
				o.inexact, o.list = true, deque{}
				return nil
			}
			if err := m.grow(len(v) + perElement); err != nil {
				return err
			}
			o.list.pushTail(append([]byte{}, v...))
		}
	}
	return nil
}

// named returns the string that a pattern of a SORT names for an element (sort.c,
// lookupKeyByPattern): of a key, or of a field of one; nil if there is none.
func (m *machine) named(db int32, pattern []byte, element string) (v []byte, known bool) {
	if bytes.IndexByte(pattern, 0) >= 0 || !m.afford(1+int64(len(pattern)+len(element))/perStep) {
		return nil, false
	}
	before, after, ok := bytes.Cut(pattern, []byte("*"))
	if !ok {
		return nil, true
	}
	var field []byte
	if b, f, ok := bytes.Cut(after, []byte("->")); ok && len(f) > 0 {
		after, field = b, f
	}
	o := m.get(db, string(before)+element+string(after))
	switch {
	case o == nil:
		return nil, true
	case o.inexact:
		return nil, false
	case field == nil && o.typ == keyspace.String:
		return present(o.str), true
	case field != nil && o.typ == keyspace.Hash:
		if f, ok := o.hash[string(field)]; ok {
			return present(f.value), f.expire == keyspace.NoExpire // else it may have been gone already
		}
	}
	return nil, true
}

// present is a string that is there, even if it is empty.
func present(s []byte) []byte {
	if s == nil {
		return []byte{}
	}
	return s
}

// weighed is an element with what it is sorted by.
type weighed struct {
	element string
	number  float64
	text    []byte
}

// sorted returns the elements of a value in the order of a SORT, which tells equal numbers
// apart by the bytes of the elements, and compares by bytes where it stores the result
// (sort.c, sortCompare); false if that is not known: a number is none, or texts are equal
// whose elements differ.
func (m *machine) sorted(db int32, o *object, s sorting) (elements []string, ok bool) {
	switch o.typ {
	case keyspace.List:
		for _, v := range o.list.all() {
			if !m.afford(int64(len(v)) / perStep) {
				return nil, false
			}
			elements = append(elements, string(v))
		}
	case keyspace.Set:
		if s.unsorted { // a set has no order that could be stored
			s.alpha, s.unsorted, s.by = true, false, nil
		}
		elements = o.members()
	case keyspace.SortedSet:
		elements = o.ranked().between(len(o.zset), 0, len(o.zset))
	}
	if s.unsorted {
		if s.desc {
			slices.Reverse(elements)
		}
		return elements, true
	}
	all := make([]weighed, len(elements))
	for i, v := range elements {
		if all[i], ok = m.weigh(db, v, s); !ok {
			return nil, false
		}
	}
	compare := func(a, b weighed) int {
		c := cmp.Or(cmp.Compare(a.number, b.number), bytes.Compare(a.text, b.text), int(flag(a.text != nil)-flag(b.text != nil)))
		if s.by == nil || !s.alpha {
			c = cmp.Or(c, cmp.Compare(a.element, b.element))
		}
		if s.desc {
			c = -c
		}
		return c
	}
	slices.SortStableFunc(all, compare)
	for i := range all {
		if i > 0 && all[i].element != all[i-1].element && compare(all[i-1], all[i]) == 0 {
			return nil, false
		}
		elements[i] = all[i].element
	}
	return elements, true
}

// weigh returns what an element is sorted by beside its own bytes; false if that is not
// known.
func (m *machine) weigh(db int32, element string, s sorting) (w weighed, ok bool) {
	w.element = element
	switch {
	case s.by != nil:
		w.text, ok = m.named(db, s.by, element)
	case s.alpha:
		return w, m.afford(int64(len(element)) / perStep)
	default:
		w.text, ok = []byte(element), true
	}
	if !ok || !m.afford(int64(len(w.text))/perStep) {
		return w, false
	}
	if s.alpha {
		return w, true
	}
	if len(w.text) > 0 { // as strtod does
		w.number, ok = number(bytes.TrimLeft(w.text, " \t\n\v\f\r"))
	} else {
		ok = true
	}
	w.text = nil
	return w, ok
}

// limited applies LIMIT.
func (s sorting) limited(elements []string) []string {
	elements = elements[min(max(s.skip, 0), int64(len(elements))):]
	if s.count >= 0 {
		elements = elements[:min(s.count, int64(len(elements)))]
	}
	return elements
}
