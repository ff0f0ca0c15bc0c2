package replay

import (
	"cmp"
	"iter"
	"slices"
	"sort"
)

// ranking is the members of a sorted set in order, in blocks: one more or less moves
// those of its block alone, however many there are.
type ranking struct {
	blocks [][]string // none is empty
}

// maxBlock is how many members a block has at most.
const maxBlock = 512

// ranked returns a sorted set's members as the server orders them: by score, then
// by their bytes. From the first call on the order is kept, so that commands which ask
// for it again and again cost no sorting.
func (o *object) ranked() *ranking {
	if o.ranks == nil {
		all := make([]scored, 0, len(o.zset))
		for member, score := range o.zset {
			all = append(all, scored{score, member})
		}
		slices.SortFunc(all, scored.compare)
		o.ranks = &ranking{}
		for some := range slices.Chunk(all, maxBlock*3/4) {
			block := make([]string, len(some))
			for i := range some {
				block[i] = some[i].member
			}
			o.ranks.blocks = append(o.ranks.blocks, block)
		}
	}
	return o.ranks
}

// all yields the members in order.
func (r *ranking) all() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, block := range r.blocks {
			for _, v := range block {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// place returns where the first member is of which f holds; it holds of all behind it.
func (r *ranking) place(f func(string) bool) (block, at int) {
	block = sort.Search(len(r.blocks), func(b int) bool { return f(r.blocks[b][len(r.blocks[b])-1]) })
	if block < len(r.blocks) {
		at = sort.Search(len(r.blocks[block]), func(i int) bool { return f(r.blocks[block][i]) })
	}
	return block, at
}

// rank is place, as the number of the members before it, of n in all.
func (r *ranking) rank(n int, f func(string) bool) int {
	block, at := r.place(f)
	if block < len(r.blocks)/2 {
		for _, b := range r.blocks[:block] {
			at += len(b)
		}
		return at
	}
	for _, b := range r.blocks[block:] {
		n -= len(b)
	}
	return n + at
}

// between returns a copy of the members, n in all, from one rank on, without those from
// another on. It counts from the nearer end.
func (r *ranking) between(n, i, j int) []string {
	if i >= j {
		return nil
	}
	block, first := 0, 0 // the rank of the first of block
	if i > n/2 {
		for block, first = len(r.blocks), n; first > i; {
			block--
			first -= len(r.blocks[block])
		}
	}
	out := make([]string, 0, j-i)
	for ; first < j; block++ {
		b := r.blocks[block]
		if i < first+len(b) {
			out = append(out, b[max(i-first, 0):min(j-first, len(b))]...)
		}
		first += len(b)
	}
	return out
}

func (r *ranking) insert(block, at int, member string) {
	if len(r.blocks) == 0 {
		r.blocks = [][]string{{member}}
		return
	}
	if block == len(r.blocks) { // it is behind all others
		block--
		at = len(r.blocks[block])
	}
	if b := r.blocks[block]; len(b) == maxBlock {
		r.blocks[block] = slices.Clone(b[:maxBlock/2])
		r.blocks = slices.Insert(r.blocks, block+1, slices.Clone(b[maxBlock/2:]))
		if at > maxBlock/2 {
			block, at = block+1, at-maxBlock/2
		}
	}
	b := r.blocks[block]
	if len(b) == cap(b) && len(b) >= maxBlock/2 {
		b = append(make([]string, 0, maxBlock), b...) // not half as much again
	}
	r.blocks[block] = slices.Insert(b, at, member)
}

// delete takes a member out, and returns it.
func (r *ranking) delete(block, at int) string {
	b := r.blocks[block]
	member := b[at]
	if at == 0 { // as a queue does
		b[0] = ""
		b = b[1:]
	} else {
		b = slices.Delete(b, at, at+1)
	}
	if len(b) < maxBlock/8 && cap(b) > maxBlock/2 {
		b = slices.Clone(b)
	}
	if r.blocks[block] = b; len(b) == 0 {
		r.blocks = slices.Delete(r.blocks, block, block+1)
	}
	return member
}

// scored is a member of a sorted set.
type scored struct {
	score  float64
	member string
}

func (s scored) compare(t scored) int {
	if c := cmp.Compare(s.score, t.score); c != 0 {
		return c
	}
	return cmp.Compare(s.member, t.member)
}

// place returns where a member is in the order, or would be.
func (o *object) place(member string) (block, at int) {
	s := scored{o.zset[member], member}
	return o.ranks.place(func(v string) bool { return scored{o.zset[v], v}.compare(s) >= 0 })
}

// score gives a member a score.
func (o *object) score(member string, score float64) {
	if old, ok := o.zset[member]; ok {
		if old == score {
			return
		}
		if o.ranks != nil {
			member = o.ranks.delete(o.place(member)) // the same bytes, in the same place
		}
	}
	o.zset[member] = score
	if o.ranks != nil {
		block, at := o.place(member)
		o.ranks.insert(block, at, member)
	}
}

// unscore takes a member out.
func (o *object) unscore(member string) {
	if _, ok := o.zset[member]; !ok {
		return
	}
	if o.ranks != nil {
		o.ranks.delete(o.place(member))
	}
	delete(o.zset, member)
}
