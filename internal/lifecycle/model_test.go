package lifecycle

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// The model is a small server that remembers, for every value ever written, where
// it is held and what last removed it. It shares no code with the package.
type model struct {
	rnd   *rand.Rand
	log   script
	dbs   []map[string]*modelValue // by the number they have now
	db    int
	keys  int // how many names there are
	asOf  int64
	only  []int // the commands to choose from, as step numbers them; nil: all
	words int   // how many names elements have

	removed []keyspace.State // of each value: what removed it last
	records [][]int          // of each Key event: the values
	dropped int              // values from here on were rolled back
	shared  map[int]bool     // values that another key may hold, which the log does not say
}

type modelValue struct {
	typ    string
	items  []modelItem
	expire int64
	thin   bool // may have vanished since the expiry was set
}

type modelItem struct {
	name   string
	value  int // its number in log order
	expire int64
	doubt  bool
}

const modelDBs = 3

func newModel(seed int64, keys int) *model {
	m := &model{rnd: rand.New(rand.NewSource(seed)), keys: keys, asOf: 50, words: 6, dropped: -1, shared: map[int]bool{}}
	for range modelDBs {
		m.dbs = append(m.dbs, map[string]*modelValue{})
	}
	return m
}

// write returns the number of a new value.
func (m *model) write() int {
	m.removed = append(m.removed, keyspace.Unknown)
	n := len(m.removed) - 1
	m.records[len(m.records)-1] = append(m.records[len(m.records)-1], n)
	return n
}

func (m *model) gone(items []modelItem, why keyspace.State) {
	for _, it := range items {
		m.removed[it.value] = why
	}
}

func (m *model) delete(db int, key string, why keyspace.State) {
	if v := m.dbs[db][key]; v != nil {
		m.gone(v.items, why)
		delete(m.dbs[db], key)
	}
}

// get returns the value of a key for a command of its type.
func (m *model) get(key, typ string) *modelValue {
	v := m.dbs[m.db][key]
	if v == nil {
		v = &modelValue{typ: typ, expire: -1}
		m.dbs[m.db][key] = v
	}
	return v
}

// cut removes the items from i to j.
func (m *model) cut(key string, i, j int, why keyspace.State) {
	v := m.dbs[m.db][key]
	m.gone(v.items[i:j], why)
	v.items = slices.Delete(v.items, i, j)
	if len(v.items) == 0 && v.typ != "stream" {
		delete(m.dbs[m.db], key)
	}
}

func (v *modelValue) find(name string) int {
	return slices.IndexFunc(v.items, func(it modelItem) bool { return it.name == name })
}

// put replaces the item of that name.
func (m *model) put(v *modelValue, it modelItem) {
	if i := v.find(it.name); i >= 0 {
		m.gone(v.items[i:i+1], keyspace.Overwritten)
		v.items = slices.Delete(v.items, i, i+1)
	}
	v.items = append(v.items, it)
}

func (m *model) do(format string, args ...any) { m.log.do(fmt.Sprintf(format, args...)) }

func (m *model) record() { m.records = append(m.records, nil) }

func (m *model) key() string { return fmt.Sprintf("k%d", m.rnd.Intn(m.keys)) }

// existing returns a key that exists, of that type ("": any), or "".
func (m *model) existing(typ string) string {
	var names []string
	for k, v := range m.dbs[m.db] {
		if typ == "" || v.typ == typ {
			names = append(names, k)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return names[m.rnd.Intn(len(names))]
}

// usable returns a key that does not exist or is of that type.
func (m *model) usable(typ string) string {
	k := m.key()
	if v := m.dbs[m.db][k]; v != nil && v.typ != typ {
		return ""
	}
	return k
}

func (m *model) time() int64 { return 1 + m.rnd.Int63n(100) }

// step does one random command.
func (m *model) step() {
	word := func() string { return fmt.Sprintf("w%d", m.rnd.Intn(m.words)) }
	choice := m.rnd.Intn(35)
	if m.only != nil {
		choice = m.only[m.rnd.Intn(len(m.only))]
	}
	switch choice {
	case 0, 1: // SET
		k, expire := m.key(), int64(-1)
		if m.rnd.Intn(3) == 0 {
			expire = m.time()
			m.do("SET %s v PXAT %d", k, expire)
		} else {
			m.do("SET %s v", k)
		}
		m.record()
		m.delete(m.db, k, keyspace.Overwritten)
		v := m.get(k, "string")
		v.items, v.expire = []modelItem{{value: m.write(), expire: -1}}, expire
	case 2:
		if k := m.existing("string"); k != "" {
			m.do("SET %s v KEEPTTL", k)
			m.record()
			v := m.get(k, "string")
			m.gone(v.items, keyspace.Overwritten)
			v.items = []modelItem{{value: m.write(), expire: -1}}
		}
	case 3:
		if k := m.usable("string"); k != "" {
			m.do("APPEND %s v", k)
			m.record()
			v := m.get(k, "string")
			v.items = append(v.items, modelItem{value: m.write(), expire: -1})
		}
	case 4:
		if k := m.existing(""); k != "" {
			m.do("del %s", k)
			m.delete(m.db, k, keyspace.Deleted)
		}
	case 5, 6, 7:
		if k := m.usable("hash"); k != "" {
			f, g := word(), word()
			m.do("HSET %s %s v %s v", k, f, g)
			m.record()
			v := m.get(k, "hash")
			m.put(v, modelItem{name: f, value: m.write(), expire: -1})
			m.put(v, modelItem{name: g, value: m.write(), expire: -1})
		}
	case 8:
		if k := m.usable("hash"); k != "" {
			f := word()
			expire := int64(-1)
			if v := m.dbs[m.db][k]; v != nil && v.find(f) >= 0 {
				expire = v.items[v.find(f)].expire
			}
			m.do("HINCRBY %s %s 1", k, f)
			m.record()
			m.put(m.get(k, "hash"), modelItem{name: f, value: m.write(), expire: expire})
		}
	case 9, 10:
		if k := m.existing("hash"); k != "" {
			v := m.get(k, "hash")
			i := m.rnd.Intn(len(v.items))
			m.do("hdel %s %s", k, v.items[i].name)
			m.cut(k, i, i+1, keyspace.Deleted)
		}
	case 11:
		if k := m.existing("hash"); k != "" {
			v := m.get(k, "hash")
			i := m.rnd.Intn(len(v.items))
			v.items[i].expire = m.time()
			m.do("HPEXPIREAT %s %d FIELDS 1 %s", k, v.items[i].expire, v.items[i].name)
		}
	case 12, 13:
		if k := m.usable("set"); k != "" {
			a, b := word(), word()
			m.do("SADD %s %s %s", k, a, b)
			m.record()
			v := m.get(k, "set")
			m.put(v, modelItem{name: a, value: m.write(), expire: -1})
			m.put(v, modelItem{name: b, value: m.write(), expire: -1})
		}
	case 14:
		if k := m.existing("set"); k != "" {
			v := m.get(k, "set")
			i := m.rnd.Intn(len(v.items))
			m.do("SREM %s %s", k, v.items[i].name)
			m.cut(k, i, i+1, keyspace.Deleted)
		}
	case 15:
		from, to := m.existing("set"), m.usable("set")
		if from != "" && to != "" && from != to {
			v := m.get(from, "set")
			i := m.rnd.Intn(len(v.items))
			it := v.items[i]
			m.do("SMOVE %s %s %s", from, to, it.name)
			m.cut(from, i, i+1, keyspace.Deleted)
			m.put(m.get(to, "set"), it)
		}
	case 16:
		if k := m.existing("set"); k != "" && m.rnd.Intn(4) == 0 {
			m.do("SPOP %s", k)
			v := m.get(k, "set")
			v.thin = true
			for i := range v.items {
				v.items[i].doubt = true
			}
		}
	case 17, 18, 19, 20:
		if k := m.usable("list"); k != "" {
			v := m.get(k, "list")
			m.record()
			a, b := modelItem{name: word(), value: m.write(), expire: -1}, modelItem{name: word(), value: m.write(), expire: -1}
			if m.rnd.Intn(2) == 0 {
				m.do("RPUSH %s %s %s", k, a.name, b.name)
				v.items = append(v.items, a, b)
			} else {
				m.do("LPUSH %s %s %s", k, a.name, b.name)
				v.items = slices.Insert(v.items, 0, b, a)
			}
		}
	case 21:
		if k := m.existing("list"); k != "" {
			v := m.get(k, "list")
			i, w := m.rnd.Intn(len(v.items)), word()
			m.do("LSET %s %d %s", k, i-len(v.items)*m.rnd.Intn(2), w)
			m.record()
			m.gone(v.items[i:i+1], keyspace.Overwritten)
			v.items[i] = modelItem{name: w, value: m.write(), expire: -1}
		}
	case 22:
		if k := m.existing("list"); k != "" {
			v := m.get(k, "list")
			pivot, w, side := v.items[m.rnd.Intn(len(v.items))].name, word(), m.rnd.Intn(2)
			m.do("LINSERT %s %s %s %s", k, []string{"BEFORE", "AFTER"}[side], pivot, w)
			m.record()
			v.items = slices.Insert(v.items, v.find(pivot)+side, modelItem{name: w, value: m.write(), expire: -1})
		}
	case 23:
		if k := m.existing("list"); k != "" {
			n := len(m.get(k, "list").items)
			c := 1 + m.rnd.Intn(n)
			if m.rnd.Intn(2) == 0 {
				m.do("LPOP %s %d", k, c)
				m.cut(k, 0, c, keyspace.Deleted)
			} else {
				m.do("RPOP %s %d", k, c)
				m.cut(k, n-c, n, keyspace.Deleted)
			}
		}
	case 24:
		if k := m.existing("list"); k != "" {
			n := len(m.get(k, "list").items)
			a, b := m.rnd.Intn(n), m.rnd.Intn(n)
			m.do("LTRIM %s %d %d", k, a-n*m.rnd.Intn(2), b-n*m.rnd.Intn(2))
			if a > b {
				m.cut(k, 0, n, keyspace.Deleted)
			} else {
				m.cut(k, b+1, n, keyspace.Deleted)
				m.cut(k, 0, a, keyspace.Deleted)
			}
		}
	case 25:
		if k := m.existing("list"); k != "" {
			v := m.get(k, "list")
			w, count := word(), m.rnd.Intn(5)-2
			m.do("LREM %s %d %s", k, count, w)
			var at []int
			for i, it := range v.items {
				if it.name == w {
					at = append(at, i)
				}
			}
			if count > 0 && len(at) > count {
				at = at[:count]
			} else if count < 0 && len(at) > -count {
				at = at[len(at)+count:]
			}
			for _, i := range slices.Backward(at) {
				m.cut(k, i, i+1, keyspace.Deleted)
			}
		}
	case 26:
		from, to := m.existing("list"), m.usable("list")
		if from != "" && to != "" {
			v := m.get(from, "list")
			i, ends := 0, [2]string{"LEFT", "LEFT"}
			if m.rnd.Intn(2) == 0 {
				i, ends[0] = len(v.items)-1, "RIGHT"
			}
			it := v.items[i]
			if from != to {
				m.cut(from, i, i+1, keyspace.Deleted)
			} else {
				v.items = slices.Delete(v.items, i, i+1)
			}
			w := m.get(to, "list")
			if m.rnd.Intn(2) == 0 {
				ends[1] = "RIGHT"
				w.items = append(w.items, it)
			} else {
				w.items = slices.Insert(w.items, 0, it)
			}
			m.do("LMOVE %s %s %s %s", from, to, ends[0], ends[1])
		}
	case 27:
		if k := m.usable("stream"); k != "" {
			n := fmt.Sprintf("%d-%d", 1+len(m.removed)/3, len(m.removed)%3)
			m.do("XADD %s %s f v", k, n)
			m.record()
			v := m.get(k, "stream")
			v.items = append(v.items, modelItem{name: n, value: m.write(), expire: -1})
		}
	case 28:
		if k := m.existing("stream"); k != "" {
			v := m.get(k, "stream")
			n := len(v.items)
			if n == 0 {
				return
			}
			i := m.rnd.Intn(n)
			switch m.rnd.Intn(3) {
			case 0:
				m.do("XDEL %s %s", k, v.items[i].name)
				m.cut(k, i, i+1, keyspace.Deleted)
			case 1:
				m.do("XTRIM %s MINID %s", k, v.items[i].name)
				m.cut(k, 0, i, keyspace.Deleted)
			case 2:
				m.do("XTRIM %s MAXLEN %d", k, n-i)
				m.cut(k, 0, i, keyspace.Deleted)
			}
		}
	case 29:
		if k := m.existing(""); k != "" {
			v := m.get(k, "")
			v.expire, v.thin = -1, false
			if m.rnd.Intn(3) == 0 {
				m.do("PERSIST %s", k)
			} else {
				v.expire = m.time()
				m.do("PEXPIREAT %s %d", k, v.expire)
			}
		}
	case 30:
		if k, to := m.existing(""), m.key(); k != "" && k != to {
			m.do("RENAME %s %s", k, to)
			m.delete(m.db, to, keyspace.Overwritten)
			m.dbs[m.db][to] = m.dbs[m.db][k]
			delete(m.dbs[m.db], k)
		}
	case 31:
		k, to, db := m.existing(""), m.key(), m.rnd.Intn(modelDBs)
		if k != "" && (k != to || db != m.db) {
			m.do("COPY %s %s %d", k, to, db)
			m.delete(db, to, keyspace.Overwritten)
			v := *m.dbs[m.db][k]
			v.items = slices.Clone(v.items)
			m.dbs[db][to] = &v
		}
	case 32:
		k, db := m.existing(""), m.rnd.Intn(modelDBs)
		if k != "" && db != m.db && m.dbs[db][k] == nil {
			m.do("MOVE %s %d", k, db)
			m.dbs[db][k] = m.dbs[m.db][k]
			delete(m.dbs[m.db], k)
		}
	case 33:
		switch a, b := m.rnd.Intn(modelDBs), m.rnd.Intn(modelDBs); m.rnd.Intn(12) {
		case 0:
			m.do("FLUSHDB")
			for k := range m.dbs[m.db] {
				m.delete(m.db, k, keyspace.Flushed)
			}
		case 1:
			if m.rnd.Intn(4) == 0 {
				m.do("FLUSHALL")
				for db := range m.dbs {
					for k := range m.dbs[db] {
						m.delete(db, k, keyspace.Flushed)
					}
				}
			}
		case 2:
			if a != b {
				m.do("SWAPDB %d %d", a, b)
				m.dbs[a], m.dbs[b] = m.dbs[b], m.dbs[a]
			}
		default:
			m.do("@%d", a)
			m.db = a
		}
	case 34:
		if k, l, to := m.existing("set"), m.existing("set"), m.key(); k != "" && m.rnd.Intn(3) == 0 {
			m.store([]string{"SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"}[m.rnd.Intn(3)], to, k, l)
		}
	}
}

// store makes a set of two. Of a member that both give, the first's value is held; the
// other's may be.
func (m *model) store(command, to, k, l string) {
	m.do("%s %s %s %s", command, to, k, l)
	first, second := m.dbs[m.db][k], m.dbs[m.db][l]
	var result []modelItem
	for _, it := range first.items {
		i := second.find(it.name)
		if i >= 0 && second.items[i].doubt && command != "SUNIONSTORE" {
			it.doubt = true
		} else if i < 0 && command == "SINTERSTORE" || i >= 0 && command == "SDIFFSTORE" {
			continue
		}
		result = append(result, it)
	}
	for _, it := range second.items {
		switch i := first.find(it.name); {
		case i >= 0 && (command != "SDIFFSTORE" || it.doubt):
			m.shared[it.value] = true
		case i < 0 && command == "SUNIONSTORE":
			result = append(result, it)
		}
	}
	m.delete(m.db, to, keyspace.Overwritten)
	if len(result) > 0 {
		m.dbs[m.db][to] = &modelValue{typ: "set", items: result, expire: -1}
	}
}

// states returns what became of each value, and of each record.
func (m *model) states() (values, records []keyspace.State) {
	left := make([]keyspace.State, len(m.removed))
	rank := map[keyspace.State]int{keyspace.Expired: 1, keyspace.Unknown: 2, keyspace.Live: 3}
	best := make([]int, len(left))
	for _, db := range m.dbs {
		for _, v := range db {
			for _, it := range v.items {
				s := keyspace.Live
				if it.expire > 0 && it.expire <= m.asOf {
					s = keyspace.Expired
				}
				if v.expire > 0 && v.expire <= m.asOf {
					if s = keyspace.Expired; v.thin {
						s = keyspace.Unknown
					}
				}
				if it.doubt {
					s = keyspace.Unknown
				}
				if rank[s] > best[it.value] {
					best[it.value], left[it.value] = rank[s], s
				}
			}
		}
	}
	for i := range m.shared {
		if best[i] < rank[keyspace.Unknown] {
			best[i], left[i] = rank[keyspace.Unknown], keyspace.Unknown
		}
	}
	values = slices.Clone(m.removed)
	for i := range values {
		if best[i] > 0 {
			values[i] = left[i]
		}
		if m.dropped >= 0 && i >= m.dropped {
			values[i] = keyspace.Recovered
		}
	}
	for _, r := range m.records {
		s, top := keyspace.Unknown, 0
		for _, i := range r {
			if m.dropped >= 0 && i >= m.dropped {
				s, top = keyspace.Recovered, 9
			}
			if best[i] > top {
				s, top = left[i], best[i]
			}
		}
		if top == 0 {
			s = nothingLeft
		}
		records = append(records, s)
	}
	return values, records
}

// nothingLeft stands for a record's state if none of its values is left: what
// removed the last of them.
const nothingLeft = keyspace.State(99)

// multi begins a MULTI that is never executed.
func (m *model) multi(steps int) {
	m.do("MULTI")
	at := m.log.offset
	m.dropped = len(m.removed)
	dbs, removed := m.dbs, slices.Clone(m.removed)
	m.dbs = nil
	shared := maps.Clone(m.shared)
	for _, db := range dbs {
		c := map[string]*modelValue{}
		for k, v := range db {
			w := *v
			w.items = slices.Clone(v.items)
			c[k] = &w
		}
		m.dbs = append(m.dbs, c)
	}
	for range steps {
		m.step()
	}
	m.dbs, m.shared = dbs, shared
	copy(m.removed, removed)
	m.log.do(fmt.Sprintf("TORN %d", (m.log.offset+100-at)/100))
}

// check resolves the log and compares. Where what did not fit in the memory is
// unknown, that is counted instead.
func (m *model) check(t *testing.T, r *resolver) (unknown int) {
	t.Helper()
	r.o.AsOf = m.asOf
	got, res := resolveWith(t, r, m.log.events)
	values, records := m.states()
	degraded := res.TooLarge+res.Lost+res.Untracked > 0
	v, k := 0, 0
	for i := range got {
		ev := &got[i]
		var want keyspace.State
		switch ev.Kind {
		case keyspace.Element:
			want = values[v]
			v++
		case keyspace.Key:
			want = records[k]
			k++
		default:
			continue
		}
		switch {
		case ev.State == want:
		case want == nothingLeft && ev.State != keyspace.Live && ev.State != keyspace.Expired:
		case degraded && ev.State == keyspace.Unknown:
			unknown++
		case ev.Kind == keyspace.Key && res.Split > 0: // its values are in several partitions
		default:
			t.Errorf("%s %q of command %d: %v, want %v (%+v)\n%s", ev.Kind, ev.Key, ev.Record/100, ev.State, want, res, m.dump())
			return unknown
		}
	}
	if v != len(values) || k != len(records) {
		t.Errorf("%d values, %d records; want %d, %d", v, k, len(values), len(records))
	}
	return unknown
}

func (m *model) dump() string {
	var b strings.Builder
	for i := range m.log.events {
		if ev := &m.log.events[i]; ev.Kind == keyspace.Command && len(m.log.events) < 400 {
			fmt.Fprintf(&b, "%d %s\n", ev.Record/100, ev.Args)
		}
	}
	return b.String()
}

func TestModel(t *testing.T) {
	n := 200
	if testing.Short() {
		n = 60
	}
	for seed := range n {
		m := newModel(int64(seed), 2+seed%7)
		for range 20 + seed%150 {
			m.step()
		}
		if seed%3 == 0 {
			m.multi(1 + seed%20)
		}
		if m.check(t, newResolver(Options{})); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// alone are the commands that concern one key: all but SMOVE, LMOVE and COPY.
var alone = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 28, 29, 30, 32, 33, 34}

// TestModelInLittleMemory has the same results where the engine has room for a few
// objects at a time and partitions are divided again and again, as far as there
// are any: lists longer than that, and keys that exchange elements, cannot be divided.
func TestModelInLittleMemory(t *testing.T) {
	for _, tt := range []struct {
		name  string
		only  []int
		keys  int
		mem   int64
		names int // room in the tables of renamed and linked keys
		most  int // unknown values of 100
	}{
		{"divided", alone, 300, 64 << 10, 1 << 20, 1},
		{"linked", nil, 300, 64 << 10, 1 << 20, 60},
		{"few names", nil, 300, 64 << 10, 16, 60},
		{"minute", nil, 100, 4 << 10, 16, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			total, unknown := 0, 0
			for seed := range 8 {
				m := newModel(int64(1000+seed), tt.keys)
				m.only = tt.only
				for range 2500 {
					m.step()
				}
				if seed%3 == 0 {
					m.multi(50)
				}
				r := newResolver(Options{MaxMem: tt.mem})
				r.links.most, r.pass.maxMoved = tt.names, tt.names
				total += len(m.removed)
				unknown += m.check(t, r)
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
			t.Logf("%d of %d unknown", unknown, total)
			if unknown*100 > total*tt.most {
				t.Errorf("%d of %d unknown", unknown, total)
			}
		})
	}
}

// TestModelOfHuge has the same results for hashes and sets that are many times
// larger than the engine: they are divided by the names of their elements.
func TestModelOfHuge(t *testing.T) {
	for seed := range 2 {
		m := newModel(int64(seed), 2)
		m.words = 3000
		m.only = []int{5, 6, 7, 8, 9, 11, 12, 14, 16}
		for i := range 8000 {
			if m.step(); i%1000 == 0 {
				m.only = append(m.only[:9], 4, 29, 30, 30, 33) // now and then DEL, PEXPIREAT, RENAME, FLUSHDB
				m.step()
				m.only = m.only[:9]
			}
		}
		r := newResolver(Options{MaxMem: 64 << 10})
		if unknown := m.check(t, r); t.Failed() || unknown > 0 || r.result.Split == 0 {
			t.Fatalf("seed %d: %d unknown, %+v", seed, unknown, r.result)
		}
	}
}
