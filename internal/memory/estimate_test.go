package memory

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// TestEstimate: the estimates of all keys together are within 5 % of what MEMORY
// USAGE says on the server that wrote the snapshot and loads it again, those of each
// kind of value within 15 %. With -v it writes the table of docs/forensics.md.
func TestEstimate(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		for name, fill := range map[string]func(testing.TB, *servertest.Instance){
			"sizes":     populate,
			"encodings": func(t testing.TB, i *servertest.Instance) { fixtures.Fill(t, i, true) },
		} {
			t.Run(name, func(t *testing.T) { estimate(t, s, fill) })
		}
	})
}

// sum is what was estimated, and what a server says.
type sum struct{ got, want, keys int64 }

func (x *sum) off() float64 { return 100 * float64(x.got-x.want) / float64(x.want) }

func (x *sum) String() string {
	return fmt.Sprintf("%4d keys  %9d estimated  %9d MEMORY USAGE  %+5.1f %%", x.keys, x.got, x.want, x.off())
}

func estimate(t *testing.T, s servertest.Server, fill func(testing.TB, *servertest.Instance)) {
	w := s.Start(t, "")
	fill(t, w)
	w.Must(t, "SAVE")
	w.Stop(t)
	data, err := os.ReadFile(filepath.Join(w.Dir, "dump.rdb"))
	if err != nil {
		t.Fatal(err)
	}
	i := s.Start(t, w.Dir)
	c := New(Options{Top: 10000})
	if err := c.Add(context.Background(), rdb.NewReader(bytes.NewReader(data), rdb.Options{}).Events(context.Background())); err != nil {
		t.Fatal(err)
	}
	all, kinds := &sum{}, map[string]*sum{}
	for _, k := range c.Report().Biggest {
		i.Must(t, "SELECT", strconv.Itoa(int(k.DB)))
		want, ok := i.Must(t, "MEMORY", "USAGE", k.Name, "SAMPLES", "0").(int64)
		if !ok {
			continue // it had expired
		}
		kind := k.Type + " " + k.Encoding
		if kinds[kind] == nil {
			kinds[kind] = &sum{}
		}
		for _, x := range []*sum{kinds[kind], all} {
			x.got, x.want, x.keys = x.got+k.Bytes, x.want+want, x.keys+1
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		x := kinds[kind]
		t.Logf("%-22s %s", kind, x)
		// Of a few small values the rounding of one shows.
		if x.want > 16<<10 && math.Abs(x.off()) > 15 {
			t.Errorf("%s is off by %.1f %%", kind, x.off())
		}
	}
	t.Logf("%-22s %s", "all", all)
	if math.Abs(all.off()) > 5 || all.keys < 50 {
		t.Errorf("%d keys together are off by %.1f %%", all.keys, all.off())
	}
}

// populate makes values of every encoding and of many sizes.
func populate(t testing.TB, w *servertest.Instance) {
	do := func(args ...any) {
		var s []string
		for _, a := range args {
			switch a := a.(type) {
			case []string:
				s = append(s, a...)
			default:
				s = append(s, fmt.Sprint(a))
			}
		}
		w.Must(t, s...)
	}
	x := func(n int) string { return strings.Repeat("abcdefghij", n/10+1)[:n] }
	for i := range 60 {
		do("SET", fmt.Sprintf("str:int:%d", i), i*1000)
		do("SET", fmt.Sprintf("str:short:%d", i), x(i%40+1))
		do("SET", fmt.Sprintf("str:mid:%d", i), x(45+i*3))
		do("SET", fmt.Sprintf("str:ttl:%d", i), x(i), "EX", 100000)
		do("SET", fmt.Sprintf("str:long:%d:%s", i, x(30)), x(1000+i*177))
		do("SET", fmt.Sprintf("str:longkey:%d:%s", i, x(60)), x(10))
	}
	for i := range 20 {
		var small, ints, big, h, hb, z, zb, l, ll []string
		for k := range 5 + i {
			small = append(small, fmt.Sprintf("member-%d-%d", i, k))
			ints = append(ints, fmt.Sprint(k*100*(i+1)))
			h = append(h, fmt.Sprintf("field%d", k), x(10+k))
			z = append(z, fmt.Sprint(k*7), fmt.Sprintf("m%d", k))
			l = append(l, x(20+k))
		}
		for k := range 150 + i*97 {
			big = append(big, fmt.Sprintf("member-%d-%d", i, k))
			hb = append(hb, fmt.Sprintf("field:%d", k), x(20+k%100))
			zb = append(zb, fmt.Sprint(float64(k)*1.5), fmt.Sprintf("player:%d:%s", k, x(k%30)))
			ll = append(ll, x(30+k%50))
		}
		for k := 600; k < 620; k++ {
			hb = append(hb, fmt.Sprintf("f:%d", k), x(100))
		}
		do("SADD", fmt.Sprintf("set:small:%d", i), small)
		do("SADD", fmt.Sprintf("set:ints:%d", i), ints)
		do("SADD", fmt.Sprintf("set:big:%d", i), append(big, x(70)))
		do("HSET", fmt.Sprintf("hash:small:%d", i), h)
		do("HSET", fmt.Sprintf("hash:big:%d", i), append(hb, "long", x(80)))
		do("ZADD", fmt.Sprintf("zset:small:%d", i), z)
		do("ZADD", fmt.Sprintf("zset:big:%d", i), append(zb, "1", x(70)))
		do("RPUSH", fmt.Sprintf("list:small:%d", i), l)
		do("RPUSH", fmt.Sprintf("list:big:%d", i), ll)
		for k := range 50 + i*30 {
			do("XADD", fmt.Sprintf("stream:plain:%d", i), fmt.Sprintf("%d-1", 1700000000000+k), "type", "order", "n", k, "x", x(k%20))
		}
		for k := range 30 {
			do("XADD", fmt.Sprintf("stream:groups:%d", i), fmt.Sprintf("%d-1", 1700000000000+k), "type", "order", "n", k)
		}
		do("XGROUP", "CREATE", fmt.Sprintf("stream:groups:%d", i), "g", "0")
		do("XREADGROUP", "GROUP", "g", "c1", "COUNT", 5+i, "STREAMS", fmt.Sprintf("stream:groups:%d", i), ">")
		do("XREADGROUP", "GROUP", "g", "c2", "COUNT", 5, "STREAMS", fmt.Sprintf("stream:groups:%d", i), ">")
		if w.Server.HasVectorSets() {
			vectors(do, i)
		}
	}
}

// vectors makes a vector set of each way to store the vectors, with and without
// attributes and a projection.
func vectors(do func(...any), i int) {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	for k := range 20 + i*15 {
		dim := 8 + i*4
		var v []string
		for range dim {
			v = append(v, fmt.Sprint(r.Float32()-0.5))
		}
		args := []any{"VADD", fmt.Sprintf("vectors:%d", i)}
		if i%4 == 3 {
			args = append(args, "REDUCE", dim/2)
		}
		args = append(args, "VALUES", dim, v, fmt.Sprintf("item:%d:%d", i, k), []string{"Q8", "BIN", "NOQUANT"}[i%3])
		if i%2 == 1 && k%3 == 0 {
			args = append(args, "SETATTR", fmt.Sprintf(`{"year":%d,"title":"number %d"}`, 1950+k, k))
		}
		if i%5 == 4 {
			args = append(args, "M", 8)
		}
		do(args...)
	}
}
