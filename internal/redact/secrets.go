package redact

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"
	"slices"
)

// anywhere is the length from which on a secret is looked for in all strings;
// shorter ones only in the key where they were found: 1234 may be many things.
const anywhere = 8

// secrets is a set of texts that finds any of them in another. It holds hashes of them,
// under keys of its own, so that millions fit in memory. What begins with the same eight
// bytes is told apart by length and looked up whole; long ones, of which many begin alike
// (all JSON web tokens do), by more of their beginning first.
type secrets struct {
	seed   maphash.Seed
	keys   [2]uint64 // of the hashes of heads
	texts  table
	heads  table    // hashes of the first bytes: which of sets has the lengths,
	longer table    // and of the first longHead
	filter []uint64 // bits by the hash of the head: nearly all positions end there
	sets   [][]int  // lengths, the longest first; few are different
	listed int64    // lengths in sets
	most   int      // length of the longest
}

// longHead is how much of the beginning of long ones is looked up; aLong stands among
// lengths for those of all of them.
const (
	longHead = 64
	aLong    = math.MaxInt
)

func newSecrets() *secrets {
	s := &secrets{seed: maphash.MakeSeed(), sets: [][]int{nil}}
	for i := range s.keys {
		s.keys[i] = maphash.String(s.seed, string(rune('a'+i))) | 1
	}
	return s
}

// bytes is the memory that it takes.
func (s *secrets) bytes() int64 {
	return s.texts.bytes() + s.heads.bytes() + s.longer.bytes() + (int64(len(s.filter))+s.listed)*8
}

// full reports that no other can be told apart from all these.
func (s *secrets) full() bool { return len(s.sets) >= maxNumber }

// holds reports whether text is one of the set.
func (s *secrets) holds(text string) bool {
	_, ok := s.texts.get(maphash.String(s.seed, text))
	return ok
}

// add adds a secret and reports whether it is new. It must have anywhere bytes.
func (s *secrets) add(text string) bool {
	if !s.texts.put(maphash.String(s.seed, text), 0) {
		return false
	}
	length := len(text)
	if length >= longHead {
		s.addLength(&s.longer, maphash.String(s.seed, text[:longHead]), length)
		length = aLong
	}
	h := s.hash(binary.LittleEndian.Uint64([]byte(text[:anywhere])))
	s.addLength(&s.heads, h, length)
	if len(s.filter)*8 < len(s.heads.slots) { // eight bits a slot
		s.filter = make([]uint64, len(s.heads.slots)/8)
		for _, slot := range s.heads.slots {
			if slot != 0 {
				s.mark(slot)
			}
		}
	}
	s.mark(h)
	s.most = max(s.most, len(text))
	return true
}

// addLength adds a length to those of the texts that begin so.
func (s *secrets) addLength(t *table, h uint64, n int) {
	set, _ := t.get(h)
	lengths := s.sets[set]
	i, ok := slices.BinarySearchFunc(lengths, n, func(a, b int) int { return cmp.Compare(b, a) })
	if ok {
		return
	}
	lengths = slices.Insert(slices.Clone(lengths), i, n)
	k := slices.IndexFunc(s.sets[:min(len(s.sets), commonSets)], func(set []int) bool { return slices.Equal(set, lengths) })
	if k < 0 && !s.full() {
		k = len(s.sets)
		s.sets = append(s.sets, lengths)
		s.listed += int64(len(lengths))
	}
	t.put(h, uint16(max(k, 0)))
}

// commonSets is how many sets of lengths are looked at for one to share.
const commonSets = 256

// hash is that of the first bytes of a text.
func (s *secrets) hash(head uint64) uint64 {
	hi, lo := bits.Mul64(head^s.keys[0], s.keys[1])
	return used(hi ^ lo)
}

// mark sets the bits of a hash, of which the number of a slot is no part. They lie in one
// word, so that one look tells nearly all positions.
func (s *secrets) mark(h uint64) {
	at, set := s.bits(h)
	s.filter[at] |= set
}

func (s *secrets) bits(h uint64) (at, set uint64) {
	return h >> numberBits & uint64(len(s.filter)-1), 1<<(h>>40&63) | 1<<(h>>46&63) | 1<<(h>>52&63)
}

// next finds the first secret at or behind from, the longest where several begin.
func (s *secrets) next(p []byte, from int) (at, size int) {
	if len(s.filter) == 0 {
		return -1, 0
	}
	for i := from; i+anywhere <= len(p); i++ {
		h := s.hash(binary.LittleEndian.Uint64(p[i:]))
		if at, set := s.bits(h); s.filter[at]&set != set {
			continue
		}
		if n := s.longest(&s.heads, h, p, i); n > 0 {
			return i, n
		}
	}
	return -1, 0
}

// in reports whether one of the set stands in p.
func (s *secrets) in(p []byte) bool {
	at, _ := s.next(p, 0)
	return at >= 0
}

// longest is the length of the longest that begins at i in p, of those of which t has
// the lengths under h; 0: none does.
func (s *secrets) longest(t *table, h uint64, p []byte, i int) int {
	set, _ := t.get(h)
	for _, n := range s.sets[set] {
		switch {
		case n == aLong && len(p)-i >= longHead:
			if n := s.longest(&s.longer, maphash.Bytes(s.seed, p[i:i+longHead]), p, i); n > 0 {
				return n
			}
		case n <= len(p)-i && !cutsNumber(p, i, i+n):
			if _, ok := s.texts.get(maphash.Bytes(s.seed, p[i:i+n])); ok {
				return n
			}
		}
	}
	return 0
}

// cutsNumber reports whether p[from:to] is a short number in a longer one, where it
// stands by chance.
func cutsNumber(p []byte, from, to int) bool {
	return (from > 0 && isDigit(p[from-1]) || to < len(p) && isDigit(p[to])) && shortNumber(p[from:to])
}

// distinctNumber is the length from which on a number is hardly another by chance.
const distinctNumber = 13

// shortNumber reports whether p is a number that others of its length may be, too.
func shortNumber(p []byte) bool {
	for _, b := range p {
		if !isDigit(b) {
			return false
		}
	}
	return len(p) < distinctNumber
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
