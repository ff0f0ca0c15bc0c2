package memory

import (
	"bytes"
	"cmp"
	"container/heap"
	"slices"
	"strings"
)

// A Prefix is what the keys that begin with Name have in common.
type Prefix struct {
	Name  string `json:"prefix"`
	Keys  int64  `json:"keys"`
	Bytes int64  `json:"bytes"`
	Error int64  `json:"error,omitempty"` // Bytes may be too many by as much, and Keys by as many as those are
}

// prefixes counts prefixes in constant memory: the space-saving algorithm (Metwally,
// Agrawal, El Abbadi, 2005) by bytes. Where there are more prefixes than places, the
// smallest gives its place, and its count, to a new one.
type prefixes struct {
	byName map[string]*counter
	heap   counters
	depth  int
}

type counter struct {
	Prefix
	key string // the first with it, or the beginning of a long one
	at  int    // in the heap
}

const (
	maxPrefixes  = 1 << 14
	maxPrefix    = 128 // bytes of a prefix
	maxExample   = 512 // bytes of a key that are kept
	prefixDepths = 3
)

func newPrefixes() *prefixes {
	return &prefixes{byName: map[string]*counter{}, depth: prefixDepths}
}

// add counts a key under each of its prefixes: up to and with the first separator,
// the second, the third.
func (p *prefixes) add(key []byte, size int64) {
	end := 0
	for range p.depth {
		i := bytes.IndexAny(key[end:min(len(key), maxPrefix)], ":/|#.")
		if i < 0 {
			if end == 0 {
				p.count(key, 0, size)
			}
			return
		}
		end += i + 1
		p.count(key, end, size)
	}
}

// count adds to the prefix of so many bytes of a key.
func (p *prefixes) count(key []byte, end int, size int64) {
	c := p.byName[string(key[:end])]
	if c == nil {
		c = p.place(string(key[:min(len(key), maxExample)]), end)
	}
	c.Keys++
	c.Bytes += size
	heap.Fix(&p.heap, c.at)
}

func (p *prefixes) place(key string, end int) *counter {
	name := key[:end]
	if len(p.heap) < maxPrefixes {
		c := &counter{Prefix: Prefix{Name: name}, key: key}
		heap.Push(&p.heap, c)
		p.byName[name] = c
		return c
	}
	c := p.heap[0]
	delete(p.byName, c.Name)
	c.Name, c.key, c.Error, c.Keys = name, key, c.Bytes, 0
	p.byName[name] = c
	return c
}

// largest returns up to n prefixes, those with the most bytes first, with what show
// makes of a key's name. What is owed to others for the most part is left out, and
// what ends inside something that show hides: a piece of it would be seen.
func (p *prefixes) largest(n int, show func(string) string) []Prefix {
	sorted := slices.SortedFunc(slices.Values(p.heap), func(a, b *counter) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name))
	})
	var out []Prefix
	for _, c := range sorted {
		if len(out) == n {
			break
		}
		if name, ok := c.shown(show); ok && c.Error*2 <= c.Bytes {
			out = append(out, Prefix{name, c.Keys, c.Bytes, c.Error})
		}
	}
	return out
}

// shown returns what show leaves of the prefix where it stands in a key.
func (c *counter) shown(show func(string) string) (string, bool) {
	whole, rest := show(c.key), c.key[len(c.Name):]
	if strings.HasPrefix(whole, c.Name) {
		return c.Name, true
	}
	return strings.CutSuffix(whole, rest)
}

// counters is a heap, the smallest first. Of equal ones the order is by name, so that
// the same keys always leave the same.
type counters []*counter

func (h counters) Len() int { return len(h) }
func (h counters) Less(i, j int) bool {
	if h[i].Bytes != h[j].Bytes {
		return h[i].Bytes < h[j].Bytes
	}
	return h[i].Name < h[j].Name
}
func (h counters) Swap(i, j int) { h[i], h[j] = h[j], h[i]; h[i].at, h[j].at = i, j }
func (h *counters) Push(x any)   { c := x.(*counter); c.at = len(*h); *h = append(*h, c) }
func (h *counters) Pop() any {
	n := len(*h) - 1
	c := (*h)[n]
	*h = (*h)[:n]
	return c
}

// Least is what the keys take at least.
func (p Prefix) Least() int64 { return p.Bytes - p.Error }
