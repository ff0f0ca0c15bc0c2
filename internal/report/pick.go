package report

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/valkeyfs/valkeyfs/scan"
)

// maxListed is how many findings a format lists one by one that puts the gravest
// first: code hosts take no more (GitHub, "SARIF results exceed a limit").
const maxListed = 25_000

// A pick keeps the gravest findings of any number of them: severe before slight,
// sure before doubtful, live before dead, then those that came first.
type pick struct {
	heap pickHeap // the least of them first
	seen uint64
}

type picked struct {
	*scan.Finding
	n uint64 // its place in the order of the input
}

type pickHeap []picked

func (h pickHeap) Len() int           { return len(h) }
func (h pickHeap) Less(i, j int) bool { return graver(h[j], h[i]) < 0 }
func (h pickHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *pickHeap) Push(v any)        { *h = append(*h, v.(picked)) }
func (h *pickHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func graver(a, b picked) int {
	return cmp.Or(
		cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(b.Confidence, a.Confidence),
		cmp.Compare(stateRank(a.State), stateRank(b.State)),
		cmp.Compare(a.n, b.n),
	)
}

func (p *pick) add(f *scan.Finding) {
	n := picked{f, p.seen}
	p.seen++
	if len(p.heap) < maxListed {
		heap.Push(&p.heap, n)
	} else if graver(n, p.heap[0]) < 0 {
		p.heap[0] = n
		heap.Fix(&p.heap, 0)
	}
}

// list returns what was kept, and the examples of the groups, in the order of
// the groups: a rare finding comes before common ones of its weight.
func (p *pick) list(groups []*Group) []*scan.Finding {
	place := map[groupKey]int{}
	kept := map[*scan.Finding]bool{}
	for i, g := range groups {
		place[groupKey{g.Rule, g.Severity, g.State, g.Pattern}] = i
	}
	type placed struct {
		picked
		group int
	}
	var all []placed
	add := func(f picked) {
		k := groupKey{f.Rule, f.Severity, f.State, Pattern(f.Key)}
		i, ok := place[k]
		if !ok { // a pattern too many has no group of its own
			k.pattern = "*"
			if i, ok = place[k]; !ok {
				i = len(groups)
			}
		}
		kept[f.Finding] = true
		all = append(all, placed{f, i})
	}
	for _, f := range p.heap {
		add(f)
	}
	if p.seen > uint64(len(p.heap)) {
		for _, g := range groups {
			for i, f := range g.Examples {
				if !kept[f] {
					add(picked{f, uint64(i)})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b placed) int { return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.n, b.n)) })
	out := make([]*scan.Finding, 0, min(len(all), maxListed))
	for _, f := range all[:min(len(all), maxListed)] {
		out = append(out, f.Finding)
	}
	return out
}
