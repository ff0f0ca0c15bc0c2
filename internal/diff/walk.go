package diff

import (
	"encoding/binary"
	"hash"
	"hash/maphash"
	"math"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// digest tells contents apart. Digests of elements are added up, which does not depend
// on their order.
type digest [2]uint64

func (d *digest) add(o digest) { d[0] += o[0]; d[1] += o[1] }

// hasher makes digests. Those of one run have the same keys.
type hasher struct{ h [2]maphash.Hash }

// seeds are the keys of a run.
type seeds [2]maphash.Seed

func newSeeds() seeds { return seeds{maphash.MakeSeed(), maphash.MakeSeed()} }

func newHasher(s seeds) *hasher {
	x := &hasher{}
	for i := range x.h {
		x.h[i].SetSeed(s[i])
	}
	return x
}

func (x *hasher) write(p []byte) {
	for i := range x.h {
		x.h[i].Write(p)
	}
}

func (x *hasher) number(n uint64) {
	var room [8]byte
	binary.BigEndian.PutUint64(room[:], n)
	x.write(room[:])
}

// sum returns the digest of what was written and begins anew.
func (x *hasher) sum() (d digest) {
	for i := range x.h {
		d[i] = x.h[i].Sum64()
		x.h[i].Reset()
	}
	return d
}

// Kind says what of a key a difference is about.
type Kind uint8

// The kinds.
const (
	Value    Kind = iota // of a string
	Field                // of a hash
	Member               // of a set or a sorted set
	Element              // of a list, an array or a module's value, by its index
	Entry                // of a stream
	Meta                 // of a stream: its last ID and counters
	Group                // consumer group
	Consumer             // of a group
	Pending              // entry of a group
	Expiry               // of the key
	Type                 // of the key
	kinds
)

var kindNames = [kinds]string{"value", "field", "member", "element", "entry", "meta", "group", "consumer", "pending", "expiry", "type"}

func (k Kind) String() string { return kindNames[k] }

// element is one of a key, complete.
type element struct {
	kind    Kind
	name    []byte // what it is known by: field, member, index, ID, group …
	content digest
	id      uint64 // keyed, of the value, the same in each run with the same key
	size    int64  // bytes of the value
	expire  int64  // of a field
	score   float64
	value   []byte // the start of it, if that is wanted
}

// keyed is a key, complete.
type keyed struct {
	db     int32
	name   []byte
	typ    keyspace.Type
	expire int64
	count  int64
	size   int64
	sum    digest // of all elements
}

// walker turns the events of a data set into keys and elements.
type walker struct {
	names, values *hasher
	mac           hash.Hash // makes ids; nil: they are not wanted
	keep          int       // bytes of values to keep
	want          func(*keyspace.Event) bool
	functions     bool                         // are wanted
	element       func(*keyed, *element) error // nil: not wanted
	key           func(*keyed) error

	open bool
	k    keyed
	e    element
	part []byte // the start of a value
	sum  []byte
	next struct { // the entry of a stream that grows
		open bool
		id   keyspace.StreamID
		e    element
	}
}

// walk reads a data set. Damage ends a key as far as it was read.
func (w *walker) walk(seq keyspace.Seq) error {
	for e, err := range seq {
		if err != nil {
			return err
		}
		if err := w.event(e); err != nil {
			return err
		}
	}
	return w.end()
}

func (w *walker) event(e *keyspace.Event) error {
	switch e.Kind {
	case keyspace.Key:
		if err := w.end(); err != nil {
			return err
		}
		if w.want == nil || w.want(e) {
			w.begin(e.DB, e.Key, e)
		}
	case keyspace.KeyEnd, keyspace.Damage:
		return w.end()
	case keyspace.Function:
		if err := w.end(); err != nil {
			return err
		}
		if w.functions {
			return w.function(e)
		}
	case keyspace.Element:
		if w.open {
			return w.take(e)
		}
	case keyspace.StreamMeta, keyspace.Group, keyspace.Consumer, keyspace.Pending:
		if w.open {
			return w.stream(e)
		}
	}
	return nil
}

func (w *walker) begin(db int32, name []byte, e *keyspace.Event) {
	w.open = true
	w.k = keyed{db: db, name: append(w.k.name[:0], name...), typ: e.Type, expire: e.Expire}
	w.next.open = false
}

// function takes a library for a string of database -1.
func (w *walker) function(e *keyspace.Event) error {
	f := *e
	f.Type, f.Encoding, f.Expire = keyspace.TypeNone, keyspace.Raw, keyspace.NoExpire
	w.begin(-1, e.Key, &f)
	w.e = element{kind: Value, expire: keyspace.NoExpire}
	w.begins()
	w.bytes(e.Value)
	if err := w.done(); err != nil {
		return err
	}
	return w.end()
}

// end completes the open key.
func (w *walker) end() error {
	if !w.open {
		return nil
	}
	if err := w.entryEnd(); err != nil {
		return err
	}
	w.open = false
	if w.key == nil {
		return nil
	}
	return w.key(&w.k)
}

// take adds an Element, or a part of one.
func (w *walker) take(e *keyspace.Event) error {
	if e.State == keyspace.Deleted {
		return nil
	}
	if w.k.typ == keyspace.Stream {
		return w.entry(e)
	}
	if e.Part.Begins() {
		w.e = element{name: w.e.name[:0], value: w.e.value[:0], expire: keyspace.NoExpire}
		w.begins()
	}
	w.bytes(e.Value)
	if !e.Part.Ends() {
		return nil
	}
	var index [8]byte
	switch x := &w.e; w.k.typ {
	case keyspace.String, keyspace.RateLimit:
		x.kind = Value
	case keyspace.Hash:
		x.kind, x.name, x.expire = Field, append(x.name, e.Field...), e.Expire
	case keyspace.Set:
		x.kind = Member
	case keyspace.SortedSet:
		x.kind, x.score = Member, e.Score
	default:
		binary.BigEndian.PutUint64(index[:], uint64(e.Index))
		x.kind, x.name = Element, append(x.name, index[:]...)
	}
	return w.done()
}

// begins, bytes and done put an element together.
func (w *walker) begins() { w.part = w.part[:0] }

// maxNamed is how much of a member stands for it; what is longer is told apart by its
// digest, too.
const maxNamed = 512

func (w *walker) bytes(p []byte) {
	w.values.write(p)
	if w.mac != nil {
		w.mac.Write(p)
	}
	w.e.size += int64(len(p))
	if n := maxNamed - len(w.part); n > 0 {
		w.part = append(w.part, p[:min(n, len(p))]...)
	}
	if n := w.keep - len(w.e.value); n > 0 {
		w.e.value = append(w.e.value, p[:min(n, len(p))]...)
	}
}

func (w *walker) done() error {
	x := &w.e
	content := w.values.sum()
	x.id = w.identify()
	if x.kind == Member {
		x.name = append(x.name, w.part...)
		if x.size > maxNamed {
			x.name = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(x.name, content[0]), content[1])
		}
		content = digest{}
	}
	w.values.number(content[0])
	w.values.number(content[1])
	w.values.number(math.Float64bits(x.score))
	w.values.number(uint64(x.expire))
	x.content = w.values.sum()
	return w.put(x)
}

// identify is the id of the value that bytes was given.
func (w *walker) identify() uint64 {
	if w.mac == nil {
		return 0
	}
	w.sum = w.mac.Sum(w.sum[:0])
	w.mac.Reset()
	return binary.BigEndian.Uint64(w.sum)
}

// put adds a complete element to its key.
func (w *walker) put(x *element) error {
	w.k.count++
	w.k.size += x.size
	w.names.number(uint64(x.kind))
	w.names.write(x.name)
	w.names.number(x.content[0])
	w.names.number(x.content[1])
	w.k.sum.add(w.names.sum())
	if w.element == nil {
		return nil
	}
	return w.element(&w.k, x)
}

// entry adds a field to an entry of a stream.
func (w *walker) entry(e *keyspace.Event) error {
	n := &w.next
	if e.Part.Begins() && (!n.open || e.ID != n.id || e.Index == 0) {
		if err := w.entryEnd(); err != nil {
			return err
		}
		n.open, n.id = true, e.ID
		n.e = element{kind: Entry, name: appendID(n.e.name[:0], e.ID), expire: keyspace.NoExpire, value: n.e.value[:0]}
	}
	if e.Part.Begins() {
		w.e = element{value: w.e.value[:0]}
		w.begins()
		w.values.number(uint64(e.Index))
		w.values.number(uint64(len(e.Field)))
		w.values.write(e.Field)
		if w.mac != nil {
			w.mac.Write(e.Field)
		}
		n.e.size += int64(len(e.Field))
	}
	w.bytes(e.Value)
	if !e.Part.Ends() {
		return nil
	}
	n.e.content.add(w.values.sum())
	n.e.size += w.e.size
	n.e.id += w.identify()
	if w.keep > len(n.e.value) {
		n.e.value = append(append(append(append(n.e.value, e.Field...), '='), w.e.value...), ' ')
	}
	return nil
}

func (w *walker) entryEnd() error {
	if !w.next.open {
		return nil
	}
	w.next.open = false
	return w.put(&w.next.e)
}

func appendID(b []byte, id keyspace.StreamID) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, id.MS), id.Seq)
}

// stream adds what a stream has beside its entries. When a consumer was seen last is
// no difference: every look changes it.
func (w *walker) stream(e *keyspace.Event) error {
	if err := w.entryEnd(); err != nil {
		return err
	}
	x := &w.e
	*x = element{name: x.name[:0], expire: keyspace.NoExpire}
	h := w.values
	switch e.Kind {
	case keyspace.StreamMeta:
		x.kind = Meta
		h.number(e.ID.MS)
		h.number(e.ID.Seq)
		h.number(uint64(e.Count))
		h.write(e.Value)
	case keyspace.Group:
		x.kind, x.name = Group, append(x.name, e.Field...)
		h.number(e.ID.MS)
		h.number(e.ID.Seq)
		h.number(uint64(e.Index))
	case keyspace.Consumer:
		x.kind, x.name = Consumer, append(append(append(x.name, e.Field...), 0), e.Value...)
	case keyspace.Pending:
		x.kind, x.name = Pending, append(append(append(append(x.name, e.Field...), 0), e.Value...), 0)
		x.name = appendID(x.name, e.ID)
		if e.Value == nil {
			h.number(uint64(e.Time))
			h.number(uint64(e.Index))
		}
	}
	x.content = h.sum()
	return w.put(x)
}
