package aof

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A model is the data set that the events of a log describe.
type model struct {
	t   *testing.T
	dbs map[int32]map[string]*object
}

// An object is what a key holds.
type object struct {
	typ    keyspace.Type
	expire int64
	vague  bool // some of it is not known
	str    string
	list   []string
	set    map[string]float64 // members and their scores
	hash   map[string]string
	ttl    map[string]int64 // of the fields of a hash
	stream map[keyspace.StreamID][]string
}

func newObject(typ keyspace.Type) *object {
	return &object{typ: typ, expire: keyspace.NoExpire, set: map[string]float64{}, hash: map[string]string{}, ttl: map[string]int64{}, stream: map[keyspace.StreamID][]string{}}
}

func (o *object) clone() *object {
	c := *o
	c.list, c.set, c.hash, c.ttl, c.stream = slices.Clone(o.list), maps.Clone(o.set), maps.Clone(o.hash), maps.Clone(o.ttl), maps.Clone(o.stream)
	return &c
}

func (m *model) db(n int32) map[string]*object {
	if m.dbs[n] == nil {
		m.dbs[n] = map[string]*object{}
	}
	return m.dbs[n]
}

// vanish removes collections that have become empty.
func (m *model) vanish(n int32, key string) {
	o := m.db(n)[key]
	if o == nil || o.vague {
		return
	}
	switch o.typ {
	case keyspace.List:
		if len(o.list) > 0 {
			return
		}
	case keyspace.Set, keyspace.SortedSet:
		if len(o.set) > 0 {
			return
		}
	case keyspace.Hash:
		if len(o.hash) > 0 {
			return
		}
	default:
		return
	}
	delete(m.db(n), key)
}

func (m *model) apply(e *keyspace.Event) {
	db, key := m.db(e.DB), string(e.Key)
	o := db[key]
	switch e.Kind {
	case keyspace.Key:
		switch {
		case e.Op == keyspace.OpNone:
		case e.Op == keyspace.OpCreate:
			db[key] = newObject(e.Type)
			db[key].expire = e.Expire
		case o == nil && e.Type != keyspace.TypeNone:
			db[key] = newObject(e.Type)
			db[key].vague = e.Type == keyspace.String // until it is put
		}
	case keyspace.Element:
		if e.Op != keyspace.OpNone {
			m.element(o, e)
		}
	case keyspace.KeyEnd:
		m.vanish(e.DB, key)
	case keyspace.Delete:
		m.remove(o, e)
		m.vanish(e.DB, key)
	case keyspace.Expire:
		switch {
		case o == nil:
		case e.Field != nil:
			o.ttl[string(e.Field)] = e.Expire
		default:
			o.expire = e.Expire
		}
	case keyspace.Rename:
		m.rename(o, e)
	case keyspace.Flush:
		for n := range m.dbs {
			if e.DB == -1 || e.DB == n {
				clear(m.dbs[n])
			}
		}
	case keyspace.SwapDB:
		a, b := e.DB, int32(e.Index)
		m.dbs[a], m.dbs[b] = m.db(b), m.db(a)
	case keyspace.Damage, keyspace.Torn:
		m.t.Errorf("%s: %v", line(e), e.Err)
	}
}

func (m *model) element(o *object, e *keyspace.Event) {
	v := string(e.Value)
	switch e.Type {
	case keyspace.String:
		o.vague = e.Op == keyspace.OpAppend
		o.str = v
	case keyspace.List:
		m.insert(o, e.Op, v, int(e.Index), string(e.Field))
	case keyspace.Set:
		o.set[v] = 0
	case keyspace.SortedSet:
		if e.Op == keyspace.OpAppend {
			o.set[v] += e.Score
		} else {
			o.set[v] = e.Score
		}
	case keyspace.Hash:
		f := string(e.Field)
		if e.Op == keyspace.OpAppend {
			a, _ := strconv.ParseInt(o.hash[f], 10, 64)
			b, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				m.t.Errorf("%s", line(e))
			}
			v = strconv.FormatInt(a+b, 10)
		} else {
			delete(o.ttl, f)
			if e.Expire != keyspace.NoExpire {
				o.ttl[f] = e.Expire
			}
		}
		o.hash[f] = v
	case keyspace.Stream:
		if e.Index == 0 {
			o.stream[e.ID] = nil
		}
		o.stream[e.ID] = append(o.stream[e.ID], string(e.Field), v)
	}
}

func (m *model) insert(o *object, op keyspace.Op, v string, i int, pivot string) {
	switch op {
	case keyspace.OpPushTail:
		o.list = append(o.list, v)
	case keyspace.OpPushHead:
		o.list = slices.Insert(o.list, 0, v)
	case keyspace.OpSetIndex:
		if i < 0 {
			i += len(o.list)
		}
		if !o.vague {
			o.list[i] = v
		}
	case keyspace.OpInsertBefore, keyspace.OpInsertAfter:
		if at := slices.Index(o.list, pivot); at >= 0 {
			if op == keyspace.OpInsertAfter {
				at++
			}
			o.list = slices.Insert(o.list, at, v)
		}
	}
}

func (m *model) remove(o *object, e *keyspace.Event) {
	db, key := m.db(e.DB), string(e.Key)
	if e.Op == keyspace.OpReplaceSome {
		db[key] = newObject(e.Type)
		db[key].vague = true
		return
	}
	if o == nil {
		return
	}
	n := int(e.Index)
	switch e.Op {
	case keyspace.OpDeleteKey:
		delete(db, key)
	case keyspace.OpDeleteSome, keyspace.OpDeleteScores, keyspace.OpDeleteRanks:
		o.vague = true
	case keyspace.OpDeleteElement:
		delete(o.set, string(e.Value))
		delete(o.hash, string(e.Field))
		delete(o.ttl, string(e.Field))
		delete(o.stream, e.ID)
	case keyspace.OpPopHead:
		o.list = o.list[min(n, len(o.list)):]
	case keyspace.OpPopTail:
		o.list = o.list[:len(o.list)-min(n, len(o.list))]
	case keyspace.OpTrim:
		from, to := n, int(e.Count)
		if from < 0 {
			from = max(0, from+len(o.list))
		}
		if to < 0 {
			to += len(o.list)
		}
		if to = min(to+1, len(o.list)); from >= to {
			o.list = nil
		} else {
			o.list = o.list[from:to]
		}
	case keyspace.OpRemove:
		for i, left := 0, max(n, -n); i < len(o.list); {
			at := i
			if n < 0 {
				at = len(o.list) - 1 - i
			}
			if o.list[at] == string(e.Value) && (left > 0 || n == 0) {
				o.list = slices.Delete(o.list, at, at+1)
				left--
			} else {
				i++
			}
		}
	case keyspace.OpMoveEnd:
		if len(o.list) == 0 {
			return
		}
		v := o.list[0]
		if n&1 != 0 {
			v = o.list[len(o.list)-1]
			o.list = o.list[:len(o.list)-1]
		} else {
			o.list = o.list[1:]
		}
		to := db[string(e.Value)]
		if to == nil {
			to = newObject(keyspace.List)
			db[string(e.Value)] = to
		}
		to.vague = to.vague || o.vague
		if n&2 != 0 {
			to.list = append(to.list, v)
		} else {
			to.list = slices.Insert(to.list, 0, v)
		}
	case keyspace.OpTrimLength, keyspace.OpTrimID:
		ids := slices.SortedFunc(maps.Keys(o.stream), compareIDs)
		for i, id := range ids {
			if e.Op == keyspace.OpTrimLength && i < len(ids)-n || e.Op == keyspace.OpTrimID && compareIDs(id, e.ID) < 0 {
				delete(o.stream, id)
			}
		}
	}
}

func compareIDs(a, b keyspace.StreamID) int {
	if a.MS != b.MS {
		return int(int64(a.MS) - int64(b.MS))
	}
	return int(int64(a.Seq) - int64(b.Seq))
}

func (m *model) rename(o *object, e *keyspace.Event) {
	db, key, to := m.db(e.DB), string(e.Key), string(e.Value)
	if e.Op == keyspace.OpShare {
		return
	}
	if o == nil {
		m.t.Errorf("%s of nothing", line(e))
		return
	}
	switch e.Op {
	case keyspace.OpRename:
		delete(db, key)
		db[to] = o
	case keyspace.OpCopy:
		m.db(int32(e.Index))[to] = o.clone()
	case keyspace.OpMove:
		delete(db, key)
		m.db(int32(e.Index))[to] = o
	case keyspace.OpMoveMember:
		delete(o.set, string(e.Field))
		dst := db[to]
		if dst == nil {
			dst = newObject(keyspace.Set)
			db[to] = dst
		}
		dst.set[string(e.Field)] = 0
		m.vanish(e.DB, key)
	}
}

// logged are commands whose effects the model follows. K, L, S, Z, H and X are
// keys that mostly hold strings, lists …, V a value, N a number, F a float.
var logged = strings.Split(strings.TrimSpace(`
SET K V
SET K V EX 100000
SET K V KEEPTTL
SET K V PXAT 4102444800000 GET
SETNX K V
SETEX K 100000 V
MSET K V K V
MSETNX K V K V
GETSET K V
GETDEL K
GETEX K EX 100000
GETEX K PERSIST
APPEND K V
SETRANGE K N V
INCRBYFLOAT K F
EXPIRE ANY 100000
PEXPIREAT ANY 4102444800000
PERSIST ANY
DEL ANY ANY
UNLINK ANY
RENAME ANY ANY
RENAMENX ANY ANY
COPY ANY ANY REPLACE
COPY ANY ANY DB 1
MOVE ANY 2
LPUSH L V V
RPUSH L V V V
LPUSHX L V
RPUSHX L V
LSET L N V
LSET L -N V
LINSERT L BEFORE V V
LINSERT L AFTER V V
LPOP L
RPOP L
LPOP L N
RPOP L N
LREM L N V
LREM L -N V
LTRIM L 0 N
LTRIM L -N -1
RPOPLPUSH L L
LMOVE L L LEFT RIGHT
LMOVE L L RIGHT LEFT
BLMOVE L L LEFT LEFT 0.01
BLPOP L L 0.01
BRPOP L 0.01
LMPOP 2 L L LEFT COUNT N
SADD S V V V
SREM S V V
SPOP S
SPOP S N
SMOVE S S V
SUNIONSTORE S S S
ZADD Z N V F V
ZADD Z GT CH N V
ZADD Z INCR N V
ZINCRBY Z N V
ZREM Z V V
ZPOPMIN Z
ZPOPMAX Z N
BZPOPMIN Z Z 0.01
ZREMRANGEBYSCORE Z N N
ZREMRANGEBYRANK Z N N
ZUNIONSTORE Z 2 Z Z
GEOADD Z 13.361389 38.115556 V
HSET H V V V V
HSETNX H V V
HDEL H V V
HINCRBY H n N
HINCRBYFLOAT H f F
HPEXPIREAT H 4102444800000 FIELDS 2 V V
HEXPIRE H 100000 FIELDS 1 V
HPERSIST H FIELDS 1 V
HGETDEL H FIELDS 2 V V
HSETEX H EX 100000 FIELDS 1 V V
HGETEX H EX 100000 FIELDS 1 V
XADD X * V V V V
XADD X MAXLEN N * V V
XADD Y MAXLEN ~ 3 * V V
XTRIM X MAXLEN N
FLUSHDB
SWAPDB 0 1
SWAPDB 1 2
SELECT 0
SELECT 1
SELECT 2
MULTI
EXEC
EVAL redis.call('rpush',KEYS[1],ARGV[1])redis.call('sadd',KEYS[2],ARGV[2]) 2 L S V V
DELIFEQ K V
SET K V IFEQ V
MSETEX 2 K V K V EX 100000
`), "\n")

// TestModel has servers run random commands and log them, builds from the
// events of the log the data set that they describe, and compares it with that
// of the server, value by value.
func TestModel(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		i := s.Start(t, "", "--appendonly", "yes", "--aof-use-rdb-preamble", "no", "--auto-aof-rewrite-percentage", "0")
		rnd := rand.New(rand.NewPCG(uint64(len(s.Name)), 7))
		for range 40 {
			for range 100 {
				i.Send(randomCommand(rnd)...)
			}
			for range 100 {
				if _, err := i.Receive(); err != nil && !errors.As(err, new(servertest.ReplyError)) {
					t.Fatal(err)
				}
			}
		}
		_, _ = i.Do("EXEC")
		i.Must(t, "CONFIG", "SET", "appendfsync", "always")
		i.Must(t, "SET", "last", "one")
		m := &model{t: t, dbs: map[int32]map[string]*object{}}
		for _, data := range logOf(t, i.Dir) {
			for e, err := range NewReader(bytes.NewReader(data), Options{}).Events(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				m.apply(e)
			}
		}
		m.compare(i)
	})
}

func randomCommand(rnd *rand.Rand) []string {
	args := words(logged[rnd.IntN(len(logged))])
	if rare := args[0] == "FLUSHDB" || args[0] == "SWAPDB" || args[0] == "SELECT" || args[len(args)-1] == "0.01"; rare && rnd.IntN(8) > 0 {
		return randomCommand(rnd)
	}
	for i, a := range args {
		switch {
		case i == 0 || strings.HasPrefix(a, "redis."):
		case a == "Y":
			args[i] = "approximate"
		case a == "ANY":
			args[i] = fmt.Sprintf("%c%d", "KLSZHX"[rnd.IntN(6)], rnd.IntN(4))
		case len(a) == 1 && strings.Contains("KLSZHX", a):
			args[i] = fmt.Sprintf("%s%d", a, rnd.IntN(4))
		case a == "V":
			args[i] = fmt.Sprintf("v%d", rnd.IntN(8))
		case a == "N" || a == "-N":
			args[i] = strings.Replace(a, "N", strconv.Itoa(rnd.IntN(5)), 1)
		case a == "F":
			args[i] = strconv.FormatFloat(rnd.Float64()*10, 'g', 5, 64)
		}
	}
	return args
}

// compare holds the model against the server's data.
func (m *model) compare(i *servertest.Instance) {
	t := m.t
	compared := map[keyspace.Type]int{}
	for n := range int32(4) {
		i.Must(t, "SELECT", strconv.Itoa(int(n)))
		there := map[string]bool{}
		for _, k := range i.Must(t, "KEYS", "*").([]any) {
			key := k.(string)
			there[key] = true
			o := m.db(n)[key]
			if o == nil {
				t.Errorf("db %d: %s is missing", n, key)
				continue
			}
			if o.vague {
				continue
			}
			compared[o.typ]++
			want, got := stored(t, i, key), o.describe()
			if got != want {
				t.Errorf("db %d: %s\n got %s\nwant %s", n, key, got, want)
			}
		}
		for key, o := range m.db(n) {
			if !there[key] && !o.vague {
				t.Errorf("db %d: %s should not be there: %s", n, key, o.describe())
			}
		}
	}
	t.Logf("compared %v", compared)
	if compared[keyspace.List] == 0 || compared[keyspace.Hash] == 0 || compared[keyspace.String] == 0 || compared[keyspace.Stream] == 0 {
		t.Errorf("compared %v", compared)
	}
}

func (o *object) describe() string {
	var parts []string
	switch o.typ {
	case keyspace.String:
		parts = []string{o.str}
	case keyspace.List:
		parts = o.list
	case keyspace.Set:
		parts = slices.Sorted(maps.Keys(o.set))
	case keyspace.SortedSet:
		for _, v := range slices.Sorted(maps.Keys(o.set)) {
			parts = append(parts, v, formatScore(o.set[v]))
		}
	case keyspace.Hash:
		for _, f := range slices.Sorted(maps.Keys(o.hash)) {
			ttl := int64(-1)
			if at, ok := o.ttl[f]; ok {
				ttl = at
			}
			parts = append(parts, f, o.hash[f], strconv.FormatInt(ttl/roundTTL, 10))
		}
	case keyspace.Stream:
		for _, id := range slices.SortedFunc(maps.Keys(o.stream), compareIDs) {
			parts = append(parts, fmt.Sprintf("%d-%d", id.MS, id.Seq))
			parts = append(parts, o.stream[id]...)
		}
	}
	return fmt.Sprintf("%v, expiry %v: %q", o.typ, o.expire != keyspace.NoExpire, parts)
}

// roundTTL: TTLs are compared by the day and a bit.
const roundTTL = 1e8

func formatScore(f float64) string {
	return strconv.FormatFloat(math.Round(f*1e6)/1e6, 'g', 12, 64)
}

// stored is what describe says, asked of the server.
func stored(t *testing.T, i *servertest.Instance, key string) string {
	t.Helper()
	list := func(args ...string) (out []string) {
		for _, v := range i.Must(t, args...).([]any) {
			out = append(out, fmt.Sprint(v))
		}
		return out
	}
	typ := i.Must(t, "TYPE", key).(string)
	var parts []string
	switch typ {
	case "string":
		parts = []string{i.Must(t, "GET", key).(string)}
	case "list":
		parts = list("LRANGE", key, "0", "-1")
	case "set":
		parts = list("SMEMBERS", key)
		slices.Sort(parts)
	case "zset":
		scores := map[string]string{}
		all := list("ZRANGE", key, "0", "-1", "WITHSCORES")
		for i := 0; i < len(all); i += 2 {
			scores[all[i]] = formatScore(parseFloat([]byte(all[i+1])))
		}
		for _, v := range slices.Sorted(maps.Keys(scores)) {
			parts = append(parts, v, scores[v])
		}
	case "hash":
		values := map[string]string{}
		all := list("HGETALL", key)
		for i := 0; i < len(all); i += 2 {
			values[all[i]] = all[i+1]
		}
		for _, f := range slices.Sorted(maps.Keys(values)) {
			ttl := int64(-1)
			if i.Server.HasFieldExpiry() {
				ttl = i.Must(t, "HPEXPIRETIME", key, "FIELDS", "1", f).([]any)[0].(int64)
			}
			parts = append(parts, f, values[f], strconv.FormatInt(ttl/roundTTL, 10))
		}
	case "stream":
		for _, e := range i.Must(t, "XRANGE", key, "-", "+").([]any) {
			parts = append(parts, e.([]any)[0].(string))
			for _, v := range e.([]any)[1].([]any) {
				parts = append(parts, v.(string))
			}
		}
	}
	return fmt.Sprintf("%v, expiry %v: %q", typ, i.Must(t, "PTTL", key).(int64) >= 0, parts)
}
