package replay

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// TestStoresAgainstServers has servers store what SORT makes of other keys and what
// searches for places find, each in a key of its own, and holds that the log says the
// same, and of most exactly.
func TestStoresAgainstServers(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		t.Parallel()
		i := s.Start(t, "", "--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0", "--save", "")
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed) // before anything can fail
		w := &workload{Instance: i, t: t, rnd: rand.New(rand.NewPCG(seed, 0)), fates: map[string][]fate{}, dumps: t.TempDir()}
		for n := range 8 {
			for range 12 {
				w.places(n)
				w.weights(n)
			}
		}
		const each = 400
		for n := range each {
			w.geoStep("geoz"+w.num(8), "m"+w.num(12), "geo-to-"+strconv.Itoa(n))
			w.sortByOthers("sorted-" + strconv.Itoa(n))
			if n%4 == 0 {
				w.places(w.rnd.IntN(8))
				w.weights(w.rnd.IntN(8))
			}
		}
		c := w.keep()
		i.Stop(t)
		w.holds(c, false)
		exact := map[string]int{}
		for k, v := range state(t, logPath(t, i.Dir), Point{}) {
			kind, _, stored := strings.Cut(k, "-")
			if stored && !strings.Contains(v, " inexact") {
				exact[kind]++
			}
		}
		t.Logf("%v", exact)
		if exact["0/geo"] < each/8 || exact["0/sorted"] < each/2 {
			t.Errorf("%v: too few are known", exact)
		}
	})
}

// places adds some to a sorted set: all over the Earth, or close together.
func (w *workload) places(n int) {
	scale := w.pickScale()
	w.do("GEOADD", "geoz"+strconv.Itoa(n), fmt.Sprintf("%.6f", (w.rnd.Float64()-0.5)*360/scale), fmt.Sprintf("%.6f", 50*(1-1/scale)+(w.rnd.Float64()-0.5)*170/scale), "m"+w.num(12),
		fmt.Sprintf("%.6f", w.rnd.Float64()*360-180), fmt.Sprintf("%.6f", w.rnd.Float64()*170-85), "m"+w.num(12))
}

// weights sets what elements are sorted by.
func (w *workload) weights(n int) {
	element := w.pick("e", "") + w.num(12)
	w.do("SADD", "st"+strconv.Itoa(n), element)
	w.do("RPUSH", "sl"+strconv.Itoa(n), element)
	w.do("ZADD", "sz"+strconv.Itoa(n), w.num(20), element)
	w.do("SET", "w_"+element, w.pick("", "-", "0.")+w.num(30))
	w.do("HSET", "o_"+element+"_x", "f", w.num(30), "name", w.value())
}

// sortByOthers stores what a SORT by or of other keys makes.
func (w *workload) sortByOthers(to string) {
	args := []string{"SORT", w.pick("st", "sl", "sz") + w.num(8), "BY", w.pick("w_*", "o_*_x->f", "nosort", "o_*_x->name", "w_*->f")}
	if args[3] == "o_*_x->name" || w.rnd.IntN(4) == 0 {
		args = append(args, "ALPHA")
	}
	args = append(args, w.pick("ASC", "DESC"))
	if w.rnd.IntN(2) == 0 {
		args = append(args, "LIMIT", w.num(3), w.num(9))
	}
	for range w.rnd.IntN(3) {
		args = append(args, "GET", w.pick("#", "w_*", "o_*_x->name", "o_*_x->none", "o_*_x->", "o_*_x", "none"))
	}
	w.do(append(args, "STORE", to)...)
}
