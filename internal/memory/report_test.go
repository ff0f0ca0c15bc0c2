package memory

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

func TestAllocator(t *testing.T) {
	for _, c := range []struct{ quantum, n, want int64 }{
		{16, 0, 0}, {16, 1, 8}, {16, 8, 8}, {16, 9, 16}, {16, 17, 32}, {16, 128, 128}, {16, 129, 160}, {16, 320, 320}, {16, 321, 384}, {16, 4097, 5120}, {16, 1 << 20, 1 << 20},
		{8, 17, 24}, {8, 57, 64}, {8, 65, 80}, {8, 97, 112},
	} {
		if got := (allocator{c.quantum}).size(c.n); got != c.want {
			t.Errorf("quantum %d: %d takes %d, want %d", c.quantum, c.n, got, c.want)
		}
	}
}

func TestPacked(t *testing.T) {
	for _, c := range []struct {
		s       string
		lp, zip int64
	}{{"", 2, 2}, {"5", 2, 2}, {"127", 2, 3}, {"128", 3, 4}, {"-4097", 4, 4}, {"70000", 5, 5}, {"007", 5, 5}, {strings.Repeat("a", 64), 67, 67}, {strings.Repeat("a", 4096), 4103, 4099}, {"9223372036854775807", 10, 10}} {
		if lp, zip := listpackEntry([]byte(c.s)), ziplistEntry([]byte(c.s), 0); lp != c.lp || zip != c.zip {
			t.Errorf("%.20q: %d and %d, want %d and %d", c.s, lp, zip, c.lp, c.zip)
		}
	}
}

// TestPrefixes: what is counted is never too little, and too much by no more than it
// says, with many more prefixes than places.
func TestPrefixes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p, exact := newPrefixes(), map[string]int64{}
	for range 300000 {
		app := fmt.Sprintf("app%d:", int(math.Pow(r.Float64(), 4)*50))
		key, size := fmt.Sprintf("%s%d:x", app, r.IntN(100000)), int64(r.IntN(1000))
		p.add([]byte(key), size)
		exact[app] += size
	}
	found := p.largest(10, func(name string) string { return name })
	if len(found) != 10 {
		t.Fatalf("%d prefixes", len(found))
	}
	for _, f := range found {
		if want, ok := exact[f.Name]; !ok || f.Bytes < want || f.Least() > want {
			t.Errorf("%q: %d to %d, is %d", f.Name, f.Least(), f.Bytes, want)
		}
	}
	if len(p.byName) != len(p.heap) || len(p.heap) > maxPrefixes {
		t.Errorf("%d places", len(p.heap))
	}
}

// TestPrefixesHideWhatNamesHide: a prefix that ends inside what is hidden of a key shows
// no piece of it.
func TestPrefixesHideWhatNamesHide(t *testing.T) {
	show := func(name string) string { return strings.ReplaceAll(name, "jan.smit@kpn.nl", "****") }
	p := newPrefixes()
	for _, key := range []string{"user:jan.smit@kpn.nl:cart", "jan.smit@kpn.nl", "a.b", "x:jan.smit@kpn.nl:", "app"} {
		p.add([]byte(key), 1)
	}
	var got []string
	for _, f := range p.largest(100, show) {
		got = append(got, f.Name)
	}
	slices.Sort(got)
	if want := []string{"", "a.", "user:", "x:"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	p.depth = 6
	p.add([]byte("user:jan.smit@kpn.nl:cart"), 1)
	if all := p.largest(100, show); !slices.ContainsFunc(all, func(f Prefix) bool { return f.Name == "user:****:" }) {
		t.Errorf("what stands behind what is hidden is left out: %+v", all)
	}
}

func collected(t testing.TB, name func(string) string) *Report {
	t.Helper()
	data, err := os.ReadFile("../../testdata/dumps/redis-7.0.rdb")
	if err != nil {
		t.Fatal(err)
	}
	c := New(Options{Top: 8, Name: name})
	if err := c.Add(context.Background(), rdb.NewReader(bytes.NewReader(data), rdb.Options{}).Events(context.Background())); err != nil {
		t.Fatal(err)
	}
	return c.Report()
}

func TestReport(t *testing.T) {
	r := collected(t, nil)
	sums := map[string]int64{}
	for _, s := range r.sections() {
		for _, g := range s.groups {
			sums[s.name] += g.Bytes
		}
	}
	for _, s := range []string{"type", "encoding", "database", "ttl"} {
		if sums[s] != r.Bytes {
			t.Errorf("%s: %d bytes of %d", s, sums[s], r.Bytes)
		}
	}
	if r.Server != "redis 7.0.15" || r.Keys < 50 || len(r.Biggest) != 8 || r.Expiring == 0 {
		t.Errorf("%+v", r)
	}
	for i := 1; i < len(r.Biggest); i++ {
		if r.Biggest[i].Bytes > r.Biggest[i-1].Bytes {
			t.Error("the biggest are not in order")
		}
	}
}

// TestFormats: each format has every key, and none of them anything that a terminal,
// a spreadsheet or a browser would obey.
func TestFormats(t *testing.T) {
	evil := func(string) string { return "=\x1b[31m\u009b31m\u202e<script>" }
	for name, write := range map[string]func(*Report, *bytes.Buffer) error{
		"text": func(r *Report, b *bytes.Buffer) error { return r.Text(b) },
		"csv":  func(r *Report, b *bytes.Buffer) error { return r.CSV(b) },
		"html": func(r *Report, b *bytes.Buffer) error { return r.HTML(b) },
		"json": func(r *Report, b *bytes.Buffer) error { return r.JSON(b) }, "jsonl": func(r *Report, b *bytes.Buffer) error { return r.JSONL(b) },
	} {
		var b bytes.Buffer
		if err := write(collected(t, evil), &b); err != nil {
			t.Fatal(name, err)
		}
		text := b.String()
		switch {
		case strings.ContainsAny(text, "\x1b\u009b\u202e"), name == "html" && strings.Contains(text, "<script"):
			t.Errorf("%s: not escaped", name)
		case name == "csv":
			rows, err := csv.NewReader(&b).ReadAll()
			if err != nil || len(rows) < 20 || strings.Contains(text, "\n=") || strings.Contains(text, ",=") {
				t.Errorf("csv: %v, %d rows", err, len(rows))
			}
		case name == "json" && !json.Valid(b.Bytes()):
			t.Error("json: not valid")
		case name == "html" && (strings.Contains(text, "http:") || strings.Contains(text, "https:") || !strings.Contains(text, `class="map"`)):
			t.Error("html: something from elsewhere, or no map")
		}
	}
}

// TestTreemap: tiles fill the map, and do not overlap.
func TestTreemap(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		var ps []Prefix
		total := int64(0)
		for i := range 1 + r.IntN(30) {
			p := Prefix{Name: fmt.Sprint(i), Bytes: 1 + int64(r.IntN(100000))}
			ps, total = append(ps, p), total+p.Bytes
		}
		area := 0.0
		for i, a := range squarify(ps, tile{W: 100, H: 60}) {
			area += a.W * a.H
			if want := float64(a.Bytes) / float64(total) * 6000; math.Abs(a.W*a.H-want) > 0.01 {
				t.Fatalf("tile %d has %f, want %f", i, a.W*a.H, want)
			}
			if a.X < -0.001 || a.Y < -0.001 || a.X+a.W > 100.001 || a.Y+a.H > 60.001 {
				t.Fatalf("tile %d lies outside: %+v", i, a)
			}
		}
		if math.Abs(area-6000) > 0.1 {
			t.Fatalf("area %f", area)
		}
	}
}

// FuzzCollector: whatever a snapshot holds, the sums agree.
func FuzzCollector(f *testing.F) {
	for _, name := range []string{"redis-7.0-lfu.rdb", "valkey-9-lfu.rdb"} {
		data, err := os.ReadFile("../../testdata/dumps/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := New(Options{})
		seq := rdb.NewReader(bytes.NewReader(data), rdb.Options{Resync: true, Size: int64(len(data))}).Events(context.Background())
		_ = c.Add(context.Background(), func(yield func(*keyspace.Event, error) bool) { seq(yield) })
		r := c.Report()
		var keys int64
		for _, g := range r.Types {
			if g.Bytes <= 0 {
				t.Errorf("%s takes %d bytes", g.Name, g.Bytes)
			}
			keys += g.Keys
		}
		if keys != r.Keys {
			t.Errorf("%d keys of %d", keys, r.Keys)
		}
	})
}

// TestFieldInEntry: from Valkey 8.1 on a short field has the shortest header, its value
// beside it never has (src/t_hash.c, hashTypeCreateEntry).
func TestFieldInEntry(t *testing.T) {
	e := estimator{a: allocator{16}, s: serverOf(true, "8.1.0")}
	for _, c := range []struct{ field, value, want int64 }{{5, 5, 16}, {6, 5, 32}, {60, 61, 160}, {60, 60, 128}} {
		if got := e.fieldSize(c.field, c.value); got != c.want {
			t.Errorf("a field of %d and a value of %d bytes: %d, want %d", c.field, c.value, got, c.want)
		}
	}
}
