package replay

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Ranges are what looking at each member finds.
func TestBetween(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		o := newObject(keyspace.SortedSet)
		for i := range r.IntN(12) {
			score := float64(r.IntN(5))
			if r.IntN(20) == 0 {
				score = math.NaN()
			}
			o.score(strconv.Itoa(i), score)
		}
		lo, hi := r.IntN(18)-9, r.IntN(18)-9
		open := [2]string{"", "("}
		loOpen, hiOpen, reverse := r.IntN(2), r.IntN(2), r.IntN(2) == 1
		var byScore, byRank []string
		n := len(o.zset)
		first, last := lo, hi
		if first < 0 {
			first = max(first+n, 0)
		}
		if last < 0 {
			last += n
		}
		for i, v := range slices.Collect(o.ranked().all()) {
			s := o.zset[v]
			if (s > float64(lo) || loOpen == 0 && s == float64(lo)) && (s < float64(hi) || hiOpen == 0 && s == float64(hi)) {
				byScore = append(byScore, v)
			}
			at := i
			if reverse {
				at = n - 1 - i
			}
			if first <= at && at <= last {
				byRank = append(byRank, v)
			}
		}
		from, to := []byte(fmt.Sprint(open[loOpen], lo)), []byte(fmt.Sprint(open[hiOpen], hi))
		if reverse {
			slices.Reverse(byScore)
			slices.Reverse(byRank)
			from, to = to, from
		}
		if got := o.between(from, to, "byscore", reverse); !slices.Equal(got, byScore) {
			t.Fatalf("%v from %s to %s, reverse %v: %v, want %v", o.zset, from, to, reverse, got, byScore)
		}
		if got := o.between([]byte(strconv.Itoa(lo)), []byte(strconv.Itoa(hi)), "", reverse); !slices.Equal(got, byRank) {
			t.Fatalf("%v from rank %d to %d, reverse %v: %v, want %v", o.zset, lo, hi, reverse, got, byRank)
		}
	}
}

// A few members of many are had without a copy of all.
func TestRangeOfFew(t *testing.T) {
	o := newObject(keyspace.SortedSet)
	for i := range 100000 {
		o.score(strconv.Itoa(i), float64(i))
	}
	o.ranked()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		if got := o.between([]byte("0"), []byte("-99999"), "", false); len(got) != 2 {
			t.Fatal(got)
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("%d KiB were copied", took>>10)
	}
}

// Over many blocks, too, and from both ends.
func TestRanksOfBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	o := newObject(keyspace.SortedSet)
	for i := range 5000 {
		o.score(strconv.Itoa(i), float64(r.IntN(3000)))
	}
	o.ranked()
	for i := range 3000 {
		o.unscore(strconv.Itoa(i)) // blocks of any length
	}
	all := slices.Collect(o.ranked().all())
	n := len(all)
	for range 2000 {
		i := r.IntN(n + 1)
		j := i + r.IntN(n+1-i)
		if got := o.ranks.between(n, i, j); !slices.Equal(got, all[i:j]) {
			t.Fatalf("from %d to %d of %d: %d members", i, j, n, len(got))
		}
		least := float64(r.IntN(3002) - 1)
		want := slices.IndexFunc(append(all[:n:n], ""), func(v string) bool { return v == "" || o.zset[v] >= least })
		if got := o.ranks.rank(n, func(v string) bool { return o.zset[v] >= least }); got != want {
			t.Fatalf("%v is at %d, want %d", least, got, want)
		}
	}
}
