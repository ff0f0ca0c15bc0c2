package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// A matcher finds every occurrence of a set of short patterns in one pass. It
// is an Aho-Corasick automaton (Aho and Corasick, CACM 18(6), 1975) made
// deterministic ahead of time: one table look-up a byte, whatever the number of
// patterns. ASCII letters are matched without regard to case.
//
// Bytes that no pattern tells apart share a class, so that a state costs some
// fifty entries instead of 256. States that report a match are numbered last:
// the inner loop needs one comparison to know that there is one. Entries hold
// the next state multiplied by the number of classes, ready for use as an index.
type matcher struct {
	class   [256]uint8
	next    []uint32 // next[state+class]
	stride  uint32   // number of classes
	accepts uint32   // states from here on report matches
	outputs [][]uint16
	sameAs  []uint32 // by output: the first that is the same
}

// A hit is one accepting step: some patterns end before byte end of the data.
type hit struct {
	end   uint32
	state uint32
}

// separator never occurs in a pattern: fragments that it separates can be
// scanned in one run, and no match spans two of them.
const separator = 0

// maxPatterns is what the outputs can number.
const maxPatterns = 1 << 16

var errPattern = errors.New("a keyword is empty, holds a NUL byte, or is one of too many")

// digitMark stands in a pattern for any decimal digit.
const digitMark = '\x01'

// digits returns a pattern of n decimal digits.
func digits(n int) string { return strings.Repeat(string(rune(digitMark)), n) }

// A trieNode is a prefix of patterns. A byte may lead to two nodes, one for the
// digit itself and one for any digit, so the trie is not deterministic;
// determinize takes care of that.
type trieNode struct {
	edges []trieEdge
	ends  []uint16
}

type trieEdge struct {
	b  byte // lower case, or digitMark
	to uint16
}

// newMatcher builds the automaton. Pattern i is reported as number i.
func newMatcher(patterns []string) (*matcher, error) {
	if len(patterns) >= maxPatterns {
		return nil, errPattern
	}
	trie := []trieNode{{}}
	for i, p := range patterns {
		if p == "" || strings.IndexByte(p, separator) >= 0 {
			return nil, errPattern
		}
		at := uint16(0)
		for _, b := range []byte(p) {
			b = lower(b)
			k := slices.IndexFunc(trie[at].edges, func(e trieEdge) bool { return e.b == b })
			if k < 0 {
				if len(trie) >= maxPatterns {
					return nil, errPattern
				}
				trie = append(trie, trieNode{})
				k = len(trie[at].edges)
				trie[at].edges = append(trie[at].edges, trieEdge{b, uint16(len(trie) - 1)})
			}
			at = trie[at].edges[k].to
		}
		trie[at].ends = append(trie[at].ends, uint16(i))
	}
	m := new(matcher)
	m.classes(trie)
	m.determinize(trie)
	return m, nil
}

// classes gives each byte that occurs in a pattern a class of its own; class 0
// is every other byte.
func (m *matcher) classes(trie []trieNode) {
	var used [256]bool
	for _, n := range trie {
		for _, e := range n.edges {
			if e.b != digitMark {
				used[e.b] = true
				continue
			}
			for d := '0'; d <= '9'; d++ {
				used[d] = true
			}
		}
	}
	m.stride = 1
	for b := range used {
		if used[b] {
			m.class[b] = uint8(m.stride)
			m.stride++
		}
	}
	for b := 'A'; b <= 'Z'; b++ {
		m.class[b] = m.class[lower(byte(b))]
	}
}

// A prefixes is a state while the automaton is made: the longest prefixes of patterns
// that what was read ends with, and the state of all that are shorter.
type prefixes struct {
	nodes []uint16 // sorted; more than one where digits stand for any digit, too
	rest  uint32
	edges []edge // where the row is not that of rest
}

type edge struct{ class, to uint32 }

// determinize makes a state of each set of prefixes that what was read may end with.
func (m *matcher) determinize(trie []trieNode) {
	states := []prefixes{{nodes: []uint16{0}}}
	number := make(map[string]uint32, len(trie))
	var key []byte
	intern := func(nodes []uint16, rest uint32) uint32 {
		slices.Sort(nodes)
		key = appendNumbers(binary.LittleEndian.AppendUint32(key[:0], rest), nodes)
		id, ok := number[string(key)]
		if !ok {
			id = uint32(len(states))
			number[string(key)] = id
			states = append(states, prefixes{nodes: slices.Clone(nodes), rest: rest})
		}
		return id
	}
	leads := make([][]uint16, m.stride)
	var led []uint8 // the classes that lead somewhere
	lead := func(b byte, to uint16) {
		c := m.class[b]
		if len(leads[c]) == 0 {
			led = append(led, c)
		}
		leads[c] = append(leads[c], to)
	}
	for i := uint32(0); i < uint32(len(states)); i++ {
		for _, n := range states[i].nodes {
			for _, e := range trie[n].edges {
				if e.b != digitMark {
					lead(e.b, e.to)
					continue
				}
				for b := byte('0'); b <= '9'; b++ {
					lead(b, e.to)
				}
			}
		}
		edges := make([]edge, 0, len(led))
		for _, c := range led {
			edges = append(edges, edge{uint32(c), intern(leads[c], behindRest(states, i, uint32(c)))})
			leads[c] = leads[c][:0]
		}
		states[i].edges, led = edges, led[:0]
	}
	m.fill(trie, states)
}

// behindRest is the state behind the rest of state i.
func behindRest(states []prefixes, i, class uint32) uint32 {
	for i != 0 {
		i = states[i].rest
		for _, e := range states[i].edges {
			if e.class == class {
				return e.to
			}
		}
	}
	return 0
}

// appendNumbers appends numbers as bytes.
func appendNumbers(key []byte, numbers []uint16) []byte {
	for _, n := range numbers {
		key = binary.LittleEndian.AppendUint16(key, n)
	}
	return key
}

// fill numbers the states, the accepting ones last, and makes the tables.
func (m *matcher) fill(trie []trieNode, states []prefixes) {
	ends := make([][]uint16, len(states)) // of a rest, known before
	order := make([]uint32, len(states))
	plain := uint32(0)
	for i, s := range states {
		for _, n := range s.nodes {
			ends[i] = append(ends[i], trie[n].ends...)
		}
		ends[i] = append(ends[i], ends[s.rest]...)
		slices.Sort(ends[i])
		if len(ends[i]) == 0 {
			order[i] = plain
			plain++
		}
	}
	m.accepts = plain * m.stride
	for i := range states {
		if len(ends[i]) > 0 {
			order[i] = plain + uint32(len(m.outputs))
			m.outputs = append(m.outputs, ends[i])
		}
	}
	first := map[string]uint32{}
	var key []byte
	for i, ends := range m.outputs {
		key = appendNumbers(key[:0], ends)
		same, ok := first[string(key)]
		if !ok {
			same = uint32(i)
			first[string(key)] = same
		}
		m.sameAs = append(m.sameAs, same)
	}
	m.next = make([]uint32, uint32(len(states))*m.stride)
	row := func(i uint32) []uint32 { return m.next[order[i]*m.stride:][:m.stride] }
	for i, s := range states {
		copy(row(uint32(i)), row(s.rest))
		for _, e := range s.edges {
			row(uint32(i))[e.class] = order[e.to] * m.stride
		}
	}
}

// hit appends a hit at byte end. If the last one ended a byte before with the
// same outputs it moves on instead: in a long row of digits, thirteen digits end
// at every byte, and one hit says it.
func (m *matcher) hit(hits []hit, end int, s uint32) []hit {
	if n := len(hits); n > 0 {
		if last := &hits[n-1]; int(last.end)+1 == end && (last.state == s || m.sameAs[(last.state-m.accepts)/m.stride] == m.sameAs[(s-m.accepts)/m.stride]) {
			last.end = uint32(end)
			return hits
		}
	}
	return append(hits, hit{uint32(end), s})
}

// output returns which of the outputs h stands for.
func (m *matcher) output(h hit) uint32 { return (h.state - m.accepts) / m.stride }

// patterns returns the numbers of the patterns that end at h.
func (m *matcher) patterns(h hit) []uint16 { return m.outputs[m.output(h)] }

// scan appends a hit for each byte of data[from:to] at which patterns end.
func (m *matcher) scan(data []byte, from, to int, hits []hit) []hit {
	next, accepts := m.next, m.accepts
	s := uint32(0)
	for i, b := range data[from:to] {
		s = next[s+uint32(m.class[b])]
		if s >= accepts {
			hits = m.hit(hits, from+i+1, s)
		}
	}
	return hits
}

// any reports whether some pattern occurs in data.
func (m *matcher) any(data []byte) bool {
	s := uint32(0)
	for _, b := range data {
		if s = m.next[s+uint32(m.class[b])]; s >= m.accepts {
			return true
		}
	}
	return false
}

// lanes is how many parts of a batch are scanned side by side. One look-up
// waits for the one before it; four chains keep the load ports busy.
const lanes = 4

// laneMin is the least length of a lane that is worth starting.
const laneMin = 1 << 10

// scanLanes does what scan does for all of data, which must hold separators.
// The hits are in order of position. spare holds buffers to work in.
func (m *matcher) scanLanes(data []byte, hits []hit, spare *[lanes - 1][]hit) []hit {
	var cut [lanes + 1]int
	cut[lanes] = len(data)
	size := len(data) / lanes
	for i := 1; i < lanes; i++ {
		k := bytes.IndexByte(data[i*size:], separator)
		if size < laneMin || k < 0 || k > size/8 || i*size+k+1 <= cut[i-1] {
			return m.scan(data, 0, len(data), hits)
		}
		cut[i] = i*size + k + 1
	}
	n := len(data)
	for i := range lanes {
		n = min(n, cut[i+1]-cut[i])
	}
	d0, d1, d2, d3 := data[cut[0]:][:n], data[cut[1]:][:n], data[cut[2]:][:n], data[cut[3]:][:n]
	h1, h2, h3 := spare[0][:0], spare[1][:0], spare[2][:0]
	next, accepts := m.next, m.accepts
	var s0, s1, s2, s3 uint32
	for i := range n {
		s0 = next[s0+uint32(m.class[d0[i]])]
		s1 = next[s1+uint32(m.class[d1[i]])]
		s2 = next[s2+uint32(m.class[d2[i]])]
		s3 = next[s3+uint32(m.class[d3[i]])]
		if s0 >= accepts {
			hits = m.hit(hits, cut[0]+i+1, s0)
		}
		if s1 >= accepts {
			h1 = m.hit(h1, cut[1]+i+1, s1)
		}
		if s2 >= accepts {
			h2 = m.hit(h2, cut[2]+i+1, s2)
		}
		if s3 >= accepts {
			h3 = m.hit(h3, cut[3]+i+1, s3)
		}
	}
	hits = m.finish(data, cut[0]+n, cut[1], s0, hits)
	h1 = m.finish(data, cut[1]+n, cut[2], s1, h1)
	h2 = m.finish(data, cut[2]+n, cut[3], s2, h2)
	h3 = m.finish(data, cut[3]+n, cut[4], s3, h3)
	hits = append(append(append(hits, h1...), h2...), h3...)
	*spare = [lanes - 1][]hit{h1, h2, h3}
	return hits
}

// finish goes on from state s.
func (m *matcher) finish(data []byte, from, to int, s uint32, hits []hit) []hit {
	for i, b := range data[from:to] {
		s = m.next[s+uint32(m.class[b])]
		if s >= m.accepts {
			hits = m.hit(hits, from+i+1, s)
		}
	}
	return hits
}

func lower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		b += 'a' - 'A'
	}
	return b
}
