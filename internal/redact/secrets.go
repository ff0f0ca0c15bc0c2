package redact

import (
	"encoding/binary"
	"slices"
)

// anywhere is the length from which on a secret is looked for in all strings;
// shorter ones only in the key where they were found: 1234 may be many things.
const anywhere = 8

// secrets is a set of texts that finds any of them in another. Many begin alike (all
// JSON web tokens do), so what begins with the same eight bytes is told apart by length
// and looked up whole.
type secrets struct {
	texts  map[string]struct{}
	byHead map[uint64][]int // lengths of the texts that begin so, the longest first
	filter []uint64         // bits by a hash of the first bytes: most positions end there
	bytes  int64
	most   int // length of the longest
}

const filterBits = 20

func newSecrets() *secrets {
	return &secrets{texts: map[string]struct{}{}, byHead: map[uint64][]int{}, filter: make([]uint64, 1<<filterBits/64)}
}

// add adds a secret and reports whether it is new. It must have anywhere bytes.
func (s *secrets) add(text string) bool {
	if _, ok := s.texts[text]; ok {
		return false
	}
	s.texts[text] = struct{}{}
	head := binary.LittleEndian.Uint64([]byte(text[:anywhere]))
	lengths := s.byHead[head]
	if i, ok := slices.BinarySearchFunc(lengths, len(text), func(a, b int) int { return b - a }); !ok {
		s.byHead[head] = slices.Insert(lengths, i, len(text))
	}
	h := bitOf(head)
	s.filter[h/64] |= 1 << (h % 64)
	s.bytes += int64(len(text)) + perSecret
	s.most = max(s.most, len(text))
	return true
}

// perSecret is about what a secret takes beside its bytes, its placeholder included.
const perSecret = 160

func bitOf(head uint64) uint64 { return head * 0x9e3779b97f4a7c15 >> (64 - filterBits) }

// next finds the first secret at or behind from, the longest where several begin.
func (s *secrets) next(p []byte, from int) (at, size int) {
	for i := from; i+anywhere <= len(p); i++ {
		head := binary.LittleEndian.Uint64(p[i:])
		h := bitOf(head)
		if s.filter[h/64]&(1<<(h%64)) == 0 {
			continue
		}
		for _, n := range s.byHead[head] {
			if n <= len(p)-i {
				if _, ok := s.texts[string(p[i:i+n])]; ok {
					return i, n
				}
			}
		}
	}
	return -1, 0
}
