package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Options say how a report is made.
type Options struct {
	Top int // how many keys and prefixes are listed
	// Quantum is the spacing of the allocator's small classes of sizes: 16 in jemalloc
	// as distributions build it, 8 as the servers' own builds do.
	Quantum int
	// AsOf is the time, in Unix milliseconds, from which times to live are counted; 0:
	// the snapshot's own.
	AsOf int64
	// Name is what is shown of a name of a key; nil: all.
	Name func(string) string
}

// A Report is what takes the memory. Bytes are those of the server's memory.
type Report struct {
	Server    string   `json:"server,omitempty"` // that the estimate is for: "redis 7.0.15"; of several data sets, all of theirs
	Sets      int      `json:"data_sets"`        // that hold any key, and are counted together
	Keys      int64    `json:"keys"`
	Elements  int64    `json:"elements"`
	Bytes     int64    `json:"bytes"`
	Expiring  int64    `json:"expiring"` // keys that have an expiry
	Types     []Group  `json:"types"`
	Encodings []Group  `json:"encodings"`
	Databases []Group  `json:"databases"`
	TTL       []Group  `json:"ttl"`
	Idle      []Group  `json:"idle,omitempty"` // where the snapshot says it
	Biggest   []Key    `json:"biggest"`
	Prefixes  []Prefix `json:"prefixes"`
}

// A Group is keys that have something in common.
type Group struct {
	Name     string `json:"name"`
	Keys     int64  `json:"keys"`
	Elements int64  `json:"elements"`
	Bytes    int64  `json:"bytes"`
}

// A Key is one of the biggest.
type Key struct {
	DB       int32  `json:"db"`
	Name     string `json:"key"`
	Type     string `json:"type"`
	Encoding string `json:"encoding,omitempty"`
	Elements int64  `json:"elements"`
	Bytes    int64  `json:"bytes"`
	ExpireMS int64  `json:"expire_ms,omitempty"`
}

// DefaultTop is the usual number of keys and prefixes.
const DefaultTop = 25

// A Collector makes a report of any number of data sets, one after the other.
type Collector struct {
	o        Options
	e        estimator
	asOf     int64
	report   Report
	servers  []string
	types    map[string]*Group
	enc      map[string]*Group
	dbs      map[int32]*Group
	ttl      [len(ttlBounds) + 3]Group
	idle     [len(idleBounds) + 1]Group
	prefixes *prefixes
	top      []Key // a heap would save little
	open     bool
	key      Key
	name     []byte
	idleS    int64
}

// ttlBounds and idleBounds divide times, in seconds.
var (
	ttlBounds  = [...]bound{{60, "under a minute"}, {3600, "under an hour"}, {86400, "under a day"}, {7 * 86400, "under a week"}, {30 * 86400, "under 30 days"}, {365 * 86400, "under a year"}}
	idleBounds = [...]bound{{60, "under a minute"}, {3600, "under an hour"}, {86400, "under a day"}, {7 * 86400, "under a week"}, {30 * 86400, "under 30 days"}, {365 * 86400, "under a year"}}
)

type bound struct {
	below int64
	name  string
}

// New returns a Collector of nothing yet.
func New(o Options) *Collector {
	if o.Top <= 0 {
		o.Top = DefaultTop
	}
	if o.Quantum <= 0 {
		o.Quantum = 16
	}
	if o.Name == nil {
		o.Name = func(s string) string { return s }
	}
	c := &Collector{o: o, types: map[string]*Group{}, enc: map[string]*Group{}, dbs: map[int32]*Group{}, prefixes: newPrefixes()}
	c.e.a.quantum = int64(o.Quantum)
	for i := range c.ttl {
		switch {
		case i == 0:
			c.ttl[i].Name = "expired"
		case i <= len(ttlBounds):
			c.ttl[i].Name = ttlBounds[i-1].name
		case i == len(ttlBounds)+1:
			c.ttl[i].Name = "a year or more"
		default:
			c.ttl[i].Name = "for ever"
		}
	}
	for i := range c.idle {
		c.idle[i].Name = "a year or more"
		if i < len(idleBounds) {
			c.idle[i].Name = idleBounds[i].name
		}
	}
	return c
}

// Add takes the events of a data set, those of a snapshot or in the same form. A key
// whose record is damaged counts as far as it was read.
func (c *Collector) Add(ctx context.Context, seq keyspace.Seq) error {
	c.asOf, c.e.s = c.o.AsOf, server{}
	before := c.report.Keys
	defer func() {
		if c.report.Keys > before {
			c.report.Sets++
		}
	}()
	n := 0
	for e, err := range seq {
		if err != nil {
			c.end()
			return err
		}
		if n++; n&4095 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		c.event(e)
	}
	c.end()
	return nil
}

func (c *Collector) event(e *keyspace.Event) {
	switch e.Kind {
	case keyspace.Key:
		c.end()
		c.begin(e)
	case keyspace.KeyEnd, keyspace.Damage:
		c.end()
	case keyspace.Aux:
		c.aux(e)
	default:
		if c.open {
			c.e.event(e)
		}
	}
}

// aux takes up which server wrote the snapshot, and when.
func (c *Collector) aux(e *keyspace.Event) {
	switch string(e.Key) {
	case "redis-ver", "valkey-ver":
		valkey := e.Key[0] == 'v'
		c.e.s = serverOf(valkey, string(e.Value))
		c.writer(fmt.Sprintf("%s %s", e.Key[:len(e.Key)-len("-ver")], e.Value[:min(len(e.Value), maxVersion)]))
	case "ctime":
		if sec, err := strconv.ParseInt(string(e.Value), 10, 64); err == nil && c.asOf == 0 {
			c.asOf = sec * 1000
		}
	}
}

// A version is no longer than this, and no more servers are named.
const (
	maxVersion = 32
	maxServers = 4
)

// writer names a server among those that wrote what was added.
func (c *Collector) writer(name string) {
	if slices.Contains(c.servers, name) || len(c.servers) > maxServers {
		return
	}
	c.servers = append(c.servers, name)
	named := c.servers
	if len(named) > maxServers {
		named = append(slices.Clone(named[:maxServers]), "others")
	}
	c.report.Server = strings.Join(named, ", ")
}

func (c *Collector) begin(e *keyspace.Event) {
	c.open = true
	c.e.begin(e)
	c.name = append(c.name[:0], e.Key...)
	c.idleS = e.Idle
	c.key = Key{DB: e.DB, Type: e.Type.String(), Encoding: e.Encoding.String(), ExpireMS: max(e.Expire, 0)}
	if e.Encoding == keyspace.EncodingNone {
		c.key.Encoding = ""
	}
}

func (c *Collector) end() {
	if !c.open {
		return
	}
	c.open = false
	k := &c.key
	k.Bytes, k.Elements = c.e.size(), c.e.n
	r := &c.report
	r.Keys++
	r.Elements += k.Elements
	r.Bytes += k.Bytes
	count(c.types, k.Type, k.Type, k)
	if k.Encoding != "" {
		count(c.enc, k.Type+" "+k.Encoding, k.Type+", "+k.Encoding, k)
	}
	count(c.dbs, k.DB, "db "+strconv.Itoa(int(k.DB)), k)
	if k.ExpireMS > 0 {
		r.Expiring++
	}
	c.ttl[c.ttlOf(k)].take(k)
	if c.idleS >= 0 {
		i := slices.IndexFunc(idleBounds[:], func(b bound) bool { return c.idleS < b.below })
		if i < 0 {
			i = len(idleBounds)
		}
		c.idle[i].take(k)
	}
	c.prefixes.add(c.name, k.Bytes)
	c.rank()
}

func (c *Collector) ttlOf(k *Key) int {
	switch {
	case k.ExpireMS == 0:
		return len(ttlBounds) + 2
	case c.asOf > 0 && k.ExpireMS <= c.asOf:
		return 0
	}
	i := slices.IndexFunc(ttlBounds[:], func(b bound) bool { return (k.ExpireMS-c.asOf)/1000 < b.below })
	if i < 0 {
		i = len(ttlBounds)
	}
	return i + 1
}

func (g *Group) take(k *Key) {
	g.Keys++
	g.Elements += k.Elements
	g.Bytes += k.Bytes
}

func count[K comparable](m map[K]*Group, at K, name string, k *Key) {
	g := m[at]
	if g == nil {
		g = &Group{Name: name}
		m[at] = g
	}
	g.take(k)
}

// rank puts the key among the biggest, if it is one of them.
func (c *Collector) rank() {
	if n := len(c.top); n == c.o.Top && bigger(&c.top[n-1], &c.key, string(c.name)) <= 0 {
		return
	}
	k := c.key
	k.Name = string(c.name)
	i, _ := slices.BinarySearchFunc(c.top, k, func(a, b Key) int { return bigger(&a, &b, b.Name) })
	c.top = slices.Insert(c.top, i, k)
	c.top = c.top[:min(len(c.top), c.o.Top)]
}

// bigger orders keys: the biggest first, then by database and name.
func bigger(a, b *Key, name string) int {
	return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.DB, b.DB), cmp.Compare(a.Name, name))
}

// Total is the sum of what was added so far, without a name.
func (c *Collector) Total() Group {
	return Group{Keys: c.report.Keys, Elements: c.report.Elements, Bytes: c.report.Bytes}
}

// Report returns what was gathered.
func (c *Collector) Report() *Report {
	r := c.report
	r.Types, r.Encodings, r.Databases = sorted(c.types), sorted(c.enc), sorted(c.dbs)
	for _, g := range c.ttl {
		if g.Keys > 0 {
			r.TTL = append(r.TTL, g)
		}
	}
	for _, g := range c.idle {
		if g.Keys > 0 {
			r.Idle = append(r.Idle, g)
		}
	}
	r.Biggest = slices.Clone(c.top)
	for i := range r.Biggest {
		r.Biggest[i].Name = c.o.Name(r.Biggest[i].Name)
	}
	r.Prefixes = c.prefixes.largest(c.o.Top, c.o.Name)
	return &r
}

func sorted[K comparable](m map[K]*Group) []Group {
	out := make([]Group, 0, len(m))
	for _, g := range m {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name))
	})
	return out
}
