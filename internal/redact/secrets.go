package redact

import (
	"encoding/binary"
	"slices"
	"strings"
)

// anywhere is the length from which on a secret is looked for in all strings;
// shorter ones only in the key where they were found: 1234 may be many things.
const anywhere = 8

// secrets is a set of texts that finds any of them in another.
type secrets struct {
	byHead map[uint64][]string // by the first eight bytes, the longest first
	filter []uint64            // bits by a hash of them: most positions end there
	bytes  int64
	count  int
}

const filterBits = 20

func newSecrets() *secrets {
	return &secrets{byHead: map[uint64][]string{}, filter: make([]uint64, 1<<filterBits/64)}
}

// add adds a secret and reports whether it is new. It must have anywhere bytes.
func (s *secrets) add(text string) bool {
	head := binary.LittleEndian.Uint64([]byte(text[:anywhere]))
	list := s.byHead[head]
	if slices.Contains(list, text) {
		return false
	}
	list = append(list, text)
	slices.SortFunc(list, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	s.byHead[head] = list
	h := bitOf(head)
	s.filter[h/64] |= 1 << (h % 64)
	s.bytes += int64(len(text)) + perSecret
	s.count++
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
		for _, text := range s.byHead[head] {
			if len(text) <= len(p)-i && string(p[i:i+len(text)]) == text {
				return i, len(text)
			}
		}
	}
	return -1, 0
}
