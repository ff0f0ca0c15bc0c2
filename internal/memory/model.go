package memory

import (
	"hash/maphash"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// server is what of a server decides how much its values take.
type server struct {
	valkey       bool
	major, minor int
}

func serverOf(valkey bool, version string) server {
	s := server{valkey: valkey}
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	s.major, _ = strconv.Atoi(major)
	s.minor, _ = strconv.Atoi(minor)
	return s
}

func (s server) atLeast(major, minor int) bool {
	return s.major > major || s.major == major && s.minor >= minor
}

// tables reports whether the server has Valkey 8.1's hash tables, whose entries lie
// in buckets of a cache line and hold key and value themselves.
func (s server) tables() bool { return s.valkey && s.atLeast(8, 1) }

// estimator adds up what a key takes in a server, as MEMORY USAGE key SAMPLES 0
// counts it: objectComputeSize of src/object.c, which asks the allocator for the
// sizes of what is allocated, and leaves out what is not the key's own.
type estimator struct {
	a allocator
	s server

	key   keyspace.Event // Type, Encoding, Expire
	name  int64          // length of the key
	n     int64          // elements
	bytes int64          // of all strings
	whole int64          // as strings of their own
	pack  int64          // as entries of a listpack, or ziplist
	prev  int64          // the entry before, of a ziplist
	long  int64          // of the string that arrives in parts
	most  int64          // length of the longest
	ints  bool           // all are integers
	least int64          // of integers
	great int64
	text  bool // the string is an integer

	nodes   int64 // of a quicklist, or a stream
	node    int64 // bytes of the open one
	lists   int64 // what the nodes before it take
	id      keyspace.StreamID
	master  keyspace.StreamID // first of the node
	inNode  int64             // entries of the node
	names   []uint64          // hashes of the names of its first entry
	named   int64             // what the names of the open entry take
	same    bool              // they are those of the first
	stream  struct{ groups, consumers, pending, owned int64 }
	expiry  int64 // fields that expire
	vectors vectorSet
}

func (e *estimator) begin(k *keyspace.Event) {
	*e = estimator{a: e.a, s: e.s, ints: true, same: true, names: e.names[:0]}
	e.key = keyspace.Event{Type: k.Type, Encoding: k.Encoding, Expire: k.Expire}
	e.name = int64(len(k.Key))
}

// event takes what lies between Key and KeyEnd.
func (e *estimator) event(ev *keyspace.Event) {
	switch ev.Kind {
	case keyspace.Element:
		if ev.State != keyspace.Deleted {
			e.element(ev)
		}
	case keyspace.Group:
		e.stream.groups++
	case keyspace.Consumer:
		e.stream.consumers++
		e.bytes += int64(len(ev.Value))
	case keyspace.Pending:
		if ev.Value == nil {
			e.stream.pending++
		} else {
			e.stream.owned++
		}
	}
}

func (e *estimator) element(ev *keyspace.Event) {
	n := int64(len(ev.Value))
	if !ev.Part.Ends() {
		e.long += n
		return
	}
	n += e.long
	long := e.long > 0
	e.long = 0
	e.bytes += n
	e.most = max(e.most, n)
	e.whole += e.stringSize(n)
	e.packed(ev.Value, n, long)
	if !long {
		e.integer(ev.Value)
	} else {
		e.ints = false
	}
	switch e.key.Type {
	case keyspace.Hash:
		f := int64(len(ev.Field))
		e.bytes += f
		e.most = max(e.most, f)
		e.whole += e.fieldSize(f, n)
		e.packed(ev.Field, f, false)
		if ev.Expire != keyspace.NoExpire {
			e.expiry++
		}
		if e.key.Encoding == keyspace.ListpackEx {
			e.packed(strconv.AppendInt(nil, max(ev.Expire, 0), 10), 13, false)
		}
	case keyspace.SortedSet:
		score := strconv.AppendFloat(nil, ev.Score, 'g', -1, 64)
		e.packed(score, int64(len(score)), false)
	case keyspace.Stream:
		e.entry(ev, n, long)
		return
	case keyspace.VectorSet:
		e.vectors.take(e.a, ev, n)
	}
	e.n++
}

// packed adds a string to the listpack or ziplist that holds the elements.
func (e *estimator) packed(p []byte, n int64, long bool) {
	size := n + 6
	switch {
	case long:
	case e.key.Encoding == keyspace.Ziplist || e.key.Encoding == keyspace.Quicklist:
		size = ziplistEntry(p, e.prev)
		e.prev = size
	default:
		size = listpackEntry(p)
	}
	e.pack += size
	if e.key.Type == keyspace.List {
		e.append(size, n)
	}
}

// nodeBytes is what a node of a quicklist holds: list-max-listpack-size -2. Whether a
// string of n bytes fits is guessed from that (_quicklistNodeAllowInsert of
// src/quicklist.c).
const (
	nodeBytes = 8192
	guessed   = 8
)

// append puts an entry for a string of n bytes into the open node, or begins another.
func (e *estimator) append(size, n int64) {
	if e.nodes == 0 || e.node+packHeader(e.key.Encoding)+n+guessed > nodeBytes {
		e.close()
		e.nodes++
	}
	e.node += size
}

func (e *estimator) close() {
	if e.node > 0 {
		e.lists += e.blob(e.node + packHeader(e.key.Encoding))
		e.node = 0
	}
}

// packHeader is what a listpack or ziplist takes beside its entries.
func packHeader(enc keyspace.Encoding) int64 {
	if enc == keyspace.Ziplist || enc == keyspace.Quicklist {
		return 11
	}
	return 7
}

func (e *estimator) integer(p []byte) {
	v, ok := integer(p)
	e.text = ok
	if !ok {
		e.ints = false
		return
	}
	if e.n == 0 {
		e.least, e.great = v, v
	}
	e.least, e.great = min(e.least, v), max(e.great, v)
}

// entry adds a field of a stream's entry to the listpack of its node, whose first
// entry's names others share (streamAppendItem of src/t_stream.c).
func (e *estimator) entry(ev *keyspace.Event, n int64, long bool) {
	if ev.Index == 0 || ev.ID != e.id {
		e.endEntry()
		e.id = ev.ID
		e.n++
		if e.inNode == 0 || e.inNode >= nodeEntries || e.node >= nodeSize {
			e.close()
			e.nodes++
			e.master, e.inNode, e.names = ev.ID, 0, e.names[:0]
			e.node = 4 * 2 // live, deleted, number of fields, end of the master entry
		}
		e.inNode++
		e.node += 2 + intEntry(int64(ev.ID.MS-e.master.MS)) + intEntry(int64(ev.ID.Seq-e.master.Seq)) + 2
		e.same = true
	}
	name := listpackEntry(ev.Field)
	switch i := int(ev.Index); {
	case e.inNode == 1 && len(e.names) < maxNames:
		e.names = append(e.names, maphash.Bytes(nameSeed, ev.Field))
		e.node += name
	case i >= len(e.names) || e.names[i] != maphash.Bytes(nameSeed, ev.Field):
		e.same = false
	}
	if e.inNode > 1 {
		e.named += name
	}
	if long {
		e.node += n + 10
	} else {
		e.node += listpackEntry(ev.Value)
	}
}

// endEntry adds the names of an entry that does not share them.
func (e *estimator) endEntry() {
	if !e.same {
		e.node += e.named + 2
	}
	e.named, e.same = 0, true
}

// Bounds of a node: stream-node-max-entries and -bytes of valkey.conf. Names beyond
// maxNames are taken for others.
const (
	nodeEntries = 100
	nodeSize    = 4096
	maxNames    = 1024
)

var nameSeed = maphash.MakeSeed()

// intEntry is what an integer takes in a listpack.
func intEntry(v int64) int64 {
	for _, w := range listpackWidths {
		if v >= w.min && v <= w.max {
			return w.size + 1
		}
	}
	return 10
}

const (
	object    = 16 // robj of 64 bits
	dictEntry = 24 // its size, not what is allocated, is counted
)

// size is the estimate for the key whose elements were taken.
func (e *estimator) size() int64 {
	e.endEntry()
	e.close()
	return e.value() + e.keySize()
}

// keySize is what the table of keys takes for the key.
func (e *estimator) keySize() int64 {
	switch {
	case e.s.tables():
		return 0 // the object holds it
	case e.s.valkey && e.s.atLeast(8, 0):
		return e.a.size(16 + e.nameSize()) // the entry holds it
	}
	return e.a.sdsName(e.name) + dictEntry
}

// nameSize is the key as a part of something else: the length of its header, the
// header, itself, a zero.
func (e *estimator) nameSize() int64 { return 1 + nameHeader(e.name) + e.name + 1 }

// objectSize is what the object of a value takes, with the key and its expiry where
// it holds those and they are counted.
func (e *estimator) objectSize() int64 {
	if !e.s.tables() || !e.s.atLeast(9, 0) {
		return object
	}
	return e.a.size(object + e.nameSize() + e.expirySize())
}

func (e *estimator) expirySize() int64 {
	if e.key.Expire == keyspace.NoExpire {
		return 0
	}
	return 8
}

func nameHeader(n int64) int64 {
	if n < 32 {
		return 1
	}
	return sdsHeader(n)
}

// value is what the value takes, its object included.
func (e *estimator) value() int64 {
	switch e.key.Type {
	case keyspace.String, keyspace.RateLimit:
		return e.stringValue()
	case keyspace.List:
		if e.compact() {
			return e.objectSize() + e.blob(e.pack+packHeader(e.key.Encoding))
		}
		return e.objectSize() + 40 + e.nodes*32 + e.lists
	case keyspace.Set:
		switch {
		case e.key.Encoding == keyspace.Intset || e.key.Encoding == keyspace.EncodingNone && e.ints && e.n <= 512:
			return e.objectSize() + e.blob(8+e.n*e.intsetWidth())
		case e.compact():
			return e.objectSize() + e.blob(e.pack+packHeader(e.key.Encoding))
		}
		return e.objectSize() + e.table(e.n) + e.whole
	case keyspace.SortedSet:
		if e.compact() {
			return e.objectSize() + e.blob(e.pack+packHeader(e.key.Encoding))
		}
		return e.objectSize() + e.skiplist()
	case keyspace.Hash:
		if e.compact() {
			return e.objectSize() + e.blob(e.pack+packHeader(e.key.Encoding))
		}
		return e.objectSize() + e.table(e.n) + e.whole + e.expiry*fieldExpiry
	case keyspace.Stream:
		return e.objectSize() + e.streamSize()
	case keyspace.VectorSet:
		return e.vectors.size()
	}
	return e.objectSize() + e.whole
}

func (e *estimator) stringValue() int64 {
	if e.s.tables() {
		return e.embedded()
	}
	const most = 44 // OBJ_ENCODING_EMBSTR_SIZE_LIMIT of src/object.c
	switch {
	case e.text:
		return object
	case e.bytes <= most && e.old():
		return object + e.bytes + 2
	case e.bytes <= most:
		return e.a.size(object + 3 + e.bytes + 1)
	}
	return object + e.a.sds(e.bytes)
}

// embedded is a string of Valkey 8.1 or newer, which lies in the object with the key
// if all fit in a cache line, or, from 9.0 on, in two without the pointer.
func (e *estimator) embedded() int64 {
	all := object + e.nameSize() + e.expirySize() + 3 + e.bytes + 1
	most := int64(64)
	if e.s.atLeast(9, 0) {
		all, most = all-8, 128
	}
	switch {
	case e.text:
		return e.objectSize()
	case all <= most:
		return e.a.size(all)
	}
	return e.objectSize() + e.a.sds(e.bytes)
}

// old reports whether the server counts what it uses, not what is allocated for it:
// before Redis 7.0.
func (e *estimator) old() bool { return !e.s.valkey && e.s.major > 0 && e.s.major < 7 }

// blob is a listpack, ziplist or intset of n bytes.
func (e *estimator) blob(n int64) int64 {
	if e.old() {
		return n
	}
	return e.a.size(n)
}

// compact reports whether the value is one listpack, ziplist or zipmap.
func (e *estimator) compact() bool {
	switch e.key.Encoding {
	case keyspace.Listpack, keyspace.ListpackEx, keyspace.Ziplist, keyspace.Zipmap:
		return true
	case keyspace.EncodingNone, keyspace.RESP: // a state of a log: the defaults of valkey.conf decide
		const entries, longest = 128, 64
		return e.key.Type != keyspace.List && e.n <= entries && e.most <= longest
	case keyspace.Quicklist2: // on disk all lists are
		return e.s.atLeast(7, 2) && e.nodes <= 1
	}
	return false
}

func (e *estimator) intsetWidth() int64 {
	switch {
	case e.least >= -1<<15 && e.great < 1<<15:
		return 2
	case e.least >= -1<<31 && e.great < 1<<31:
		return 4
	}
	return 8
}

// stringSize is what a value, member or element takes by itself.
func (e *estimator) stringSize(n int64) int64 {
	switch e.key.Type {
	case keyspace.Set:
		return e.a.sdsName(n)
	case keyspace.Hash:
		if e.s.tables() {
			return 0 // fieldSize knows both
		}
		return e.a.sdsName(n)
	case keyspace.SortedSet:
		return e.skipNode(n)
	}
	return e.a.sds(n)
}

// fieldSize is what a field of a hash takes, with a value of n bytes.
func (e *estimator) fieldSize(f, n int64) int64 {
	if !e.s.tables() {
		return e.a.sdsName(f)
	}
	const valueHeader = 3 // of a value that lies in the entry, however short
	if both := nameHeader(f) + f + 1 + valueHeader + n + 1; both <= 128 {
		return e.a.size(both)
	}
	return e.a.size(8+nameHeader(f)+f+1) + e.a.sds(n)
}

// fieldExpiry is what the expiry of a field takes, about.
const fieldExpiry = 24

// table is what a hash table of n elements takes beside what is in them.
func (e *estimator) table(n int64) int64 {
	if e.s.tables() {
		return e.buckets(n)
	}
	slots := int64(4)
	if n > 4 {
		slots = 1 << bits.Len64(uint64(n-1))
	}
	size := 56 + slots*8 + n*dictEntry
	if e.key.Type == keyspace.Set && e.s.valkey && e.s.atLeast(8, 0) {
		// The first element of a slot needs no entry, and the others a short one.
		load := float64(n) / float64(slots)
		chained := 1 - (1-math.Exp(-load))/load
		size += int64(float64(n)*chained*16) - n*dictEntry
	}
	return size
}

// buckets is a table of Valkey 8.1: buckets of 64 bytes, which hold seven entries, or
// six and the place of another bucket. 32 entries to 5 buckets is the most before
// there are twice as many (src/hashtable.c, BUCKET_FACTOR and BUCKET_DIVISOR).
func (e *estimator) buckets(n int64) int64 {
	const perBucket = 7
	buckets := int64(1)
	for buckets*32 < n*5 {
		buckets *= 2
	}
	// How many have an eighth entry, if they fall at random.
	load := float64(n) / float64(buckets)
	p, few := math.Exp(-load), 0.0
	for k := range perBucket + 1 {
		few += p
		p *= load / float64(k+1)
	}
	return 80 + buckets*64 + int64((1-few)*float64(buckets))*64
}

// skiplist is a sorted set as a skip list and a table. One node in four has another
// level of 16 bytes.
func (e *estimator) skiplist() int64 {
	return 16 + 32 + e.a.size(24+32*16) + e.table(e.n) + e.whole
}

// skipNode is a node of a member of n bytes: the member or, from Valkey 9.0 on, a
// place for it in the node; score, pointer back and levels.
func (e *estimator) skipNode(n int64) int64 {
	fixed, member := int64(24), e.a.sdsName(n)
	if e.s.tables() && e.s.atLeast(9, 0) {
		fixed, member = 16+1+nameHeader(n)+n+1, 0
	}
	return member + (e.a.size(fixed+16)*48+e.a.size(fixed+32)*12+e.a.size(fixed+48)*3+e.a.size(fixed+64))/64
}

// streamSize follows objectComputeSize: radix trees of the nodes and of what is
// pending, and the listpacks.
func (e *estimator) streamSize() int64 {
	s := &e.stream
	size := 112 + e.rax(e.nodes) + e.lists
	if s.groups == 0 {
		return size
	}
	const group, consumer, pending = 56, 40, 24
	size += e.rax(s.groups) + s.groups*group + s.pending*pending + s.consumers*(consumer+16)
	// How pending entries fall to groups and consumers is not followed: evenly.
	size += s.groups * e.rax(s.pending/s.groups)
	if s.consumers > 0 {
		size += s.groups*e.rax(s.consumers/s.groups) + s.consumers*e.rax(s.owned/s.consumers)
	}
	return size
}

// rax is what a radix tree of n IDs takes. Older servers guess from the number of its
// nodes (streamRadixTreeMemoryUsage), newer ones have counted.
func (e *estimator) rax(n int64) int64 {
	nodes := 2*n + 2 // a stem, a fork, and for each two
	if n < 2 {
		nodes = n + 1
	}
	if !e.s.tables() {
		return n*16 + nodes*(4+8*30)
	}
	switch n {
	case 0:
		return 32 + 16
	case 1:
		return 32 + e.a.size(4+16+4+8) + 16
	}
	return 32 + 32 + e.a.size(4+9*n) + n*(32+16)
}
