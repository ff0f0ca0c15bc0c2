package diff

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"iter"
	"slices"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Op says how something differs.
type Op uint8

// The ways.
const (
	Added   Op = iota // the second side has it
	Removed           // the first has it
	Changed           // both have it, and it differs
	ops
)

var opNames = [ops]string{"added", "removed", "changed"}

func (o Op) String() string { return opNames[o] }

// State is what a side has. Of a key, Size and Count are those of all it holds.
type State struct {
	Type   keyspace.Type // TypeNone: a library of functions
	Size   int64         // bytes
	Count  int64         // elements of a key
	Expire int64         // Unix ms, or keyspace.NoExpire
	Score  float64       // of a member of a sorted set
	ID     uint64        // keyed: the same for the same value; 0 of a key
	Value  []byte        // the start of it, if Options.Keep is set
}

// A Change is one difference. Its slices are valid until the next.
type Change struct {
	Op   Op
	DB   int32 // -1: a library of functions
	Key  []byte
	Type keyspace.Type // of the key, on the second side if it is there
	// Whole says that the change is of the key as such: added, removed, or changed, in
	// which case those of its parts follow it.
	Whole    bool
	Kind     Kind   // of what inside of the key; of a changed key Value
	Name     []byte // what the part is known by: field, member, index or ID in big-endian, group, group 0 consumer, group 0 consumer 0 ID
	Old, New State
}

// Options say how two sides are compared.
type Options struct {
	Match  func(*keyspace.Event) bool // which keys; nil: all, and functions
	Key    []byte                     // of ids
	Keep   int                        // bytes of values that a State has
	MaxMem int64                      // bytes of memory for records; 0: 128 MiB
	Tmp    string                     // where others are spilled to
}

const defaultMaxMem = 128 << 20

// Side is one of the two.
type Side func() (keyspace.Seq, error)

// Run compares two sides and calls each for every difference, in the order of
// databases and names of keys. The sides are read twice, and must be the same each
// time.
func Run(ctx context.Context, a, b Side, o Options, each func(*Change) error) error {
	if o.MaxMem <= 0 {
		o.MaxMem = defaultMaxMem
	}
	r := &run{ctx: ctx, o: o, seeds: newSeeds(), each: each}
	return r.run([2]Side{a, b})
}

type run struct {
	ctx   context.Context
	o     Options
	seeds seeds
	each  func(*Change) error
	c     Change
}

func (r *run) run(sides [2]Side) error {
	var keys [2]*spill.Sorter
	for i := range keys {
		keys[i] = spill.NewSorter(r.o.Tmp, r.o.MaxMem/4)
		defer keys[i].Close()
	}
	if err := r.both(sides, func(i int, seq keyspace.Seq) error { return r.readKeys(seq, keys[i]) }); err != nil {
		return err
	}
	changed, err := r.changed(keys)
	if err != nil {
		return err
	}
	elements := spill.NewSorter(r.o.Tmp, r.o.MaxMem/4)
	defer elements.Close()
	if len(changed) > 0 {
		for i, side := range sides {
			seq, err := side()
			if err != nil {
				return err
			}
			if err := r.readElements(seq, byte(i), changed, elements); err != nil {
				return err
			}
		}
	}
	return r.compare(keys, elements)
}

// both reads the two sides at the same time.
func (r *run) both(sides [2]Side, read func(int, keyspace.Seq) error) error {
	var errs [2]error
	second := make(chan error, 1)
	var seqs [2]keyspace.Seq
	for i, side := range sides {
		if seqs[i], errs[i] = side(); errs[i] != nil {
			return errs[i]
		}
	}
	go func() { second <- read(1, seqs[1]) }()
	err := read(0, seqs[0])
	return errors.Join(err, <-second)
}

// interrupted ends a reading whose context has.
func (r *run) interrupted(seq keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		n := 0
		for e, err := range seq {
			if n++; n&4095 == 0 && r.ctx.Err() != nil {
				yield(nil, r.ctx.Err())
				return
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (r *run) walker() *walker {
	return &walker{functions: r.o.Match == nil, names: newHasher(r.seeds), values: newHasher(r.seeds), want: r.o.Match}
}

// readKeys is the first reading of a side.
func (r *run) readKeys(seq keyspace.Seq, to *spill.Sorter) error {
	w, h := r.walker(), newHasher(r.seeds)
	var buf []byte
	nth := uint64(0)
	w.key = func(k *keyed) error {
		buf = h.appendKeyed(buf[:0], k, nth)
		nth++
		return to.Add(buf)
	}
	return w.walk(r.interrupted(seq))
}

// changed returns the hashes of the keys that both sides have, of the same type, with
// another value, in order.
func (r *run) changed(keys [2]*spill.Sorter) ([]uint64, error) {
	var out []uint64
	h := newHasher(r.seeds)
	err := r.pairs(keys, func(a, b []byte) error {
		if a != nil && b != nil && !bytes.Equal(sumOf(a), sumOf(b)) && typeOf(a) == typeOf(b) {
			h.write(head(a))
			out = append(out, h.sum()[0])
		}
		return nil
	})
	slices.Sort(out)
	return out, err
}

func sumOf(record []byte) []byte         { return record[len(record)-16:] }
func typeOf(record []byte) keyspace.Type { return keyspace.Type(record[len(record)-keyTail]) }

// pairs merges the sorted keys of both sides; nil is a side that does not have it.
func (r *run) pairs(keys [2]*spill.Sorter, each func(a, b []byte) error) error {
	nextA, stopA := iter.Pull2(keys[0].Sorted())
	defer stopA()
	nextB, stopB := iter.Pull2(keys[1].Sorted())
	defer stopB()
	a, errA, okA := nextA()
	b, errB, okB := nextB()
	for n := 0; okA || okB; n++ {
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		if n&4095 == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		order := 0
		switch {
		case !okA:
			order = 1
		case !okB:
			order = -1
		default:
			order = bytes.Compare(head(a), head(b))
		}
		var err error
		switch {
		case order < 0:
			err = each(a, nil)
		case order > 0:
			err = each(nil, b)
		default:
			err = each(a, b)
		}
		if err != nil {
			return err
		}
		if order <= 0 {
			a, errA, okA = nextA()
		}
		if order >= 0 {
			b, errB, okB = nextB()
		}
	}
	return errors.Join(errA, errB)
}

// readElements is the second reading of a side: of the keys that were changed.
func (r *run) readElements(seq keyspace.Seq, side byte, changed []uint64, to *spill.Sorter) error {
	w, h := r.walker(), newHasher(r.seeds)
	var buf []byte
	isChanged := func(db int32, name []byte) bool {
		buf = h.appendKey(buf[:0], db, name)
		h.write(buf)
		_, ok := slices.BinarySearch(changed, h.sum()[0])
		return ok
	}
	w.keep, w.mac = r.o.Keep, hmac.New(sha256.New, r.o.Key)
	match := w.want
	w.want = func(e *keyspace.Event) bool { return (match == nil || match(e)) && isChanged(e.DB, e.Key) }
	w.element = func(k *keyed, e *element) error {
		if k.db < 0 && !isChanged(k.db, k.name) {
			return nil
		}
		buf = h.appendElement(buf[:0], k, e, side)
		return to.Add(buf)
	}
	return w.walk(r.interrupted(seq))
}

// compare reports all differences: keys, and behind each that was changed its parts.
func (r *run) compare(keys [2]*spill.Sorter, elements *spill.Sorter) error {
	next, stop := iter.Pull2(elements.Sorted())
	defer stop()
	p := &parts{next: next}
	if err := p.advance(); err != nil {
		return err
	}
	var ka, kb keyed
	return r.pairs(keys, func(a, b []byte) error {
		c := &r.c
		*c = Change{Whole: true}
		if a != nil {
			if err := parseKeyed(&ka, a); err != nil {
				return err
			}
			c.Op, c.DB, c.Key, c.Type, c.Old = Removed, ka.db, ka.name, ka.typ, ka.state()
		}
		if b != nil {
			if err := parseKeyed(&kb, b); err != nil {
				return err
			}
			c.Op, c.DB, c.Key, c.Type, c.New = Added, kb.db, kb.name, kb.typ, kb.state()
		}
		if a == nil || b == nil {
			return r.each(c)
		}
		c.Op = Changed
		value := ka.sum != kb.sum || ka.typ != kb.typ
		if !value && ka.expire == kb.expire {
			return nil
		}
		if err := r.each(c); err != nil {
			return err
		}
		c.Whole = false
		if ka.typ != kb.typ {
			c.Kind = Type
			if err := r.each(c); err != nil {
				return err
			}
		}
		if ka.expire != kb.expire {
			c.Kind = Expiry
			if err := r.each(c); err != nil {
				return err
			}
		}
		if !value || ka.typ != kb.typ {
			return nil
		}
		return p.key(head(a), c, r.each)
	})
}

func (k *keyed) state() State {
	return State{Type: k.typ, Size: k.size, Count: k.count, Expire: k.expire}
}

func (r *read) state(typ keyspace.Type) State {
	return State{Type: typ, Size: r.element.size, Expire: r.element.expire, Score: r.score, ID: r.id, Value: r.value}
}

// parts reads the sorted elements of both sides.
type parts struct {
	next   func() ([]byte, error, bool)
	record []byte // nil: there are no more
	a, b   read
}

func (p *parts) advance() error {
	record, err, ok := p.next()
	if err != nil {
		return err
	}
	p.record = nil
	if ok {
		p.record = record
	}
	return nil
}

// key reports the differences of the key that head names. Elements of keys whose hash
// is another's, by chance, are passed over.
func (p *parts) key(head []byte, c *Change, each func(*Change) error) error {
	for p.record != nil && !bytes.HasPrefix(p.record, head) && bytes.Compare(p.record, head) < 0 {
		if err := p.advance(); err != nil {
			return err
		}
	}
	for p.record != nil && bytes.HasPrefix(p.record, head) {
		if err := p.a.parse(p.record); err != nil {
			return err
		}
		if err := p.advance(); err != nil {
			return err
		}
		c.Kind, c.Name, c.Old, c.New = p.a.kind, p.a.name, State{}, State{}
		if p.a.side == 1 {
			c.Op, c.New = Added, p.a.state(c.Type)
			if err := each(c); err != nil {
				return err
			}
			continue
		}
		c.Op, c.Old = Removed, p.a.state(c.Type)
		if p.record != nil && bytes.HasPrefix(p.record, head) {
			if err := p.b.parse(p.record); err != nil {
				return err
			}
			if p.b.side == 1 && bytes.Equal(p.b.place, p.a.place) {
				if err := p.advance(); err != nil {
					return err
				}
				if p.a.content == p.b.content {
					continue
				}
				c.Op, c.New = Changed, p.b.state(c.Type)
			}
		}
		if err := each(c); err != nil {
			return err
		}
	}
	return nil
}
