package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"math/bits"
	"runtime/debug"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// ErrChanged says that the two readings of the input differ.
var ErrChanged = errors.New("the input changed while it was read")

// DefaultMaxMem is the value of Options.MaxMem if none is given.
const DefaultMaxMem = 256 << 20

// Options say how a log is resolved.
type Options struct {
	MaxMem int64        // bytes of memory to take, apart from what the reader of the events takes; default DefaultMaxMem
	Tmp    string       // directory for what does not fit; default the system's
	AsOf   int64        // Unix ms against which expiries are judged; 0: the log's own time
	Done   func(Result) // if not nil, called once the states are known, before the first event
}

// Basis says where the time comes from against which expiries were judged.
type Basis uint8

// The bases of a time.
const (
	NoTime    Basis = iota // the log holds none: nothing was called expired by comparison
	ByOption               // Options.AsOf
	ByCtime                // the base file's aux field ctime
	Timestamp              // the log's last #TS
)

// Result says how well the states are known.
type Result struct {
	AsOf      int64 // Unix ms against which expiries were judged; 0: none were
	Basis     Basis
	Ops       uint64 // changes that were followed
	TooLarge  int64  // values that stay Unknown because what they depend on does not fit in the memory
	Untracked int64  // keys whose values stay Unknown because too many keys were renamed, or exchange elements
	Lost      int64  // values that stay Unknown because their list or stream could not be followed
	Split     int64  // keys so large that their values were followed apart: their Key events tell of the key as a whole
	Spilled   int64  // bytes that went to the temporary file
}

// Resolve returns the events that events returns a sequence of, with their State
// set: of Key, Element, Function, Group, Consumer and Pending events, and Index of
// elements that are left in a list to their position in it. It calls events twice
// and reads the first sequence to its end before it yields anything; both must
// hold the same.
func Resolve(ctx context.Context, events func() keyspace.Seq, o Options) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		newResolver(o).resolve(ctx, events, yield)
	}
}

// A resolver holds what the passes share.
type resolver struct {
	o     Options
	seed  maphash.Seed
	store *spill.Store
	links links

	roots   []*partition // by the upper bits of the object's hash
	groups  []*partition // the same of linked objects, by the hash of their group
	shift   int
	flushes opWriter

	pass     *recorder // the first
	engine   *engine
	maxSteps int64
	result   Result
}

// How the memory is shared out: numerators over 16, and what an entry of a map
// costs at most.
const (
	engineShare = 7
	fatesShare  = 2
	storeShare  = 2
	namesShare  = 1
	linksShare  = 1
	mapEntry    = 64
)

func newResolver(o Options) *resolver {
	if o.MaxMem <= 0 {
		o.MaxMem = DefaultMaxMem
	}
	part := o.MaxMem / 16
	r := &resolver{o: o, seed: maphash.MakeSeed(),
		store: spill.New(o.Tmp, storeShare*part),
		links: newLinks(int(linksShare * part / mapEntry)), maxSteps: defaultMaxSteps}
	// Each partition has a block open while it is written: a sixteenth at most.
	n := bits.Len64(uint64(part/spill.BlockSize)) - 1
	r.shift = 64 - min(max(n, 2), 8)
	r.roots = make([]*partition, 1<<(64-r.shift))
	for i := range r.roots {
		r.roots[i] = newPartition(r.store, false)
	}
	r.flushes.stream = r.store.Stream()
	r.pass = newRecorder(learning{r}, r.seed, int(namesShare*part/mapEntry))
	return r
}

func (r *resolver) resolve(ctx context.Context, events func() keyspace.Seq, yield func(*keyspace.Event, error) bool) {
	defer r.store.Close()
	err := r.learn(ctx, events())
	if err == nil {
		err = r.replay(ctx)
	}
	if err != nil {
		yield(nil, err)
		return
	}
	r.tell(events(), yield)
}

// learn is the first pass.
func (r *resolver) learn(ctx context.Context, events keyspace.Seq) error {
	for ev, err := range events {
		if err == nil {
			err = r.pass.step(ev)
			if err != nil {
				return err
			}
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// The second pass ends with the same error.
		if f := (*keyspace.FormatError)(nil); errors.As(err, &f) {
			r.pass.takeBack(f.Pos)
		}
		break
	}
	r.pass.moved, r.pass.physical = nil, nil
	r.result.Ops = r.pass.seq
	r.result.Untracked = r.pass.forgot
	switch p := r.pass; {
	case r.o.AsOf > 0:
		r.result.AsOf, r.result.Basis = r.o.AsOf, ByOption
	case p.time > 0 && p.time >= p.ctime:
		r.result.AsOf, r.result.Basis = p.time, Timestamp
	case p.ctime > 0:
		r.result.AsOf, r.result.Basis = p.ctime, ByCtime
	}
	return ctx.Err()
}

// learning is the sink of the first pass.
type learning struct{ *resolver }

func (r learning) op(o *op) (fate, error) {
	if o.kind == opFlush {
		return fate{index: -1}, r.flushes.write(o)
	}
	return fate{index: -1}, r.roots[o.id>>r.shift].write(o)
}

func (r learning) link(a, b, seq uint64) bool { return r.links.join(a, b, seq) }

// replay finds the fates of all ops.
func (r *resolver) replay(ctx context.Context) error {
	if err := r.gather(); err != nil {
		return err
	}
	part := r.o.MaxMem / 16
	r.engine = newEngine(engineShare*part, fatesShare*part, r.maxSteps)
	r.engine.seed = maphash.Bytes(r.seed, nil)
	r.engine.asOf, r.engine.clock, r.engine.dropped = r.result.AsOf, &r.pass.clock, r.pass.dropped
	most := int64(0)
	for _, p := range r.roots {
		most = max(most, p.ops.ops)
	}
	r.engine.size(most)
	for _, trees := range [][]*partition{r.groups, r.roots} {
		for _, p := range trees {
			if err := r.replayTree(ctx, p); err != nil {
				return err
			}
		}
	}
	r.flushes.stream.Free()
	r.result.Lost = r.engine.lost
	r.result.Spilled = r.store.Spilled()
	large := len(r.engine.nodes) > 1<<16
	if r.engine = nil; large {
		debug.FreeOSMemory() // or it would stay, as garbage, through the second pass
	}
	if r.o.Done != nil {
		r.o.Done(r.result)
	}
	return nil
}

// gather brings the ops of linked objects together, in log order.
func (r *resolver) gather() error {
	if len(r.links.parent) == 0 {
		return nil
	}
	used := make([]bool, len(r.roots))
	for id := range r.links.parent {
		used[id>>r.shift] = true
	}
	var runs merge
	for i, p := range r.roots {
		if !used[i] {
			continue
		}
		w := opWriter{stream: r.store.Stream()}
		err := each(p.ops.stream, func(o *op) error {
			if _, ok := r.links.group(o.id); ok {
				return w.write(o)
			}
			return nil
		})
		if err != nil {
			return err
		}
		defer w.stream.Free()
		if err := runs.add(newOpReader(w.stream)); err != nil {
			return err
		}
	}
	r.groups = make([]*partition, len(r.roots))
	for i := range r.groups {
		r.groups[i] = newPartition(r.store, false)
		r.groups[i].group = true
	}
	return runs.each(func(o *op) error {
		g, _ := r.links.group(o.id)
		return r.groups[g>>r.shift].write(o)
	})
}

// replayTree replays a partition, or what it has to be split into.
func (r *resolver) replayTree(ctx context.Context, p *partition) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := r.replayLeaf(p)
	if err != errFull {
		return err
	}
	ok, err := p.divide(r.store, r.source(p), r.engine.room()/2)
	if err == nil && !ok && p.loosen() {
		r.result.TooLarge += p.sets
		ok, err = p.divide(r.store, r.source(p), r.engine.room()/2)
	}
	if err != nil {
		return err
	}
	if !ok {
		p.lost = true
		r.result.TooLarge += p.ops.fates
		p.ops.stream.Free()
		return nil
	}
	children := p.split.children
	if p.split.byName {
		children = append(children, p.split.rest)
		if !p.part {
			r.result.Split++
		}
	}
	for _, c := range children {
		if err := r.replayTree(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// replayLeaf replays a partition that is whole.
func (r *resolver) replayLeaf(p *partition) error {
	lost := r.engine.lost
	for n := p.ops.ops; ; n *= 4 {
		all := r.engine.size(n)
		err := r.engine.reset(p.ops.fates, p.part)
		if err == nil {
			err = r.run(p)
		}
		if err == nil {
			err = r.engine.finish()
		}
		if err == nil {
			break
		}
		r.engine.lost = lost
		// An op makes one object and one element, but COPY makes many.
		if err != errFull || !all {
			return err
		}
	}
	p.ops.stream.Free()
	p.fates = r.store.Stream()
	return r.engine.writeFates(p.fates)
}

// run replays a partition's ops, and every FLUSHDB and FLUSHALL where it belongs.
func (r *resolver) run(p *partition) error {
	flushes := newOpReader(r.flushes.stream)
	flush, err := flushes.next()
	until := func(seq uint64) error {
		for err == nil && flush.seq < seq {
			if err := r.engine.apply(flush); err != nil {
				return err
			}
			flush, err = flushes.next()
		}
		if err != nil && err != io.EOF {
			return err
		}
		return nil
	}
	failed := r.source(p)(func(o *op, _ uint64) error {
		if err == nil && flush.seq < o.seq {
			if err := until(o.seq); err != nil {
				return err
			}
		}
		return r.engine.apply(o)
	})
	if failed != nil {
		return failed
	}
	return until(math.MaxUint64)
}

// source returns the ops of a partition.
func (r *resolver) source(p *partition) opSource {
	return func(do func(*op, uint64) error) error {
		var loose op
		return each(p.ops.stream, func(o *op) error {
			hash, linked := o.id, false
			if len(r.links.parent) > 0 {
				hash, linked = r.links.group(o.id)
			}
			switch {
			case !linked:
				hash = o.id
			case !p.group:
				return nil // gather took it
			case p.loose:
				loose = o.loosely()
				o, hash = &loose, loose.id
			}
			return do(o, hash)
		})
	}
}

// tell is the second pass.
func (r *resolver) tell(events keyspace.Seq, yield func(*keyspace.Event, error) bool) {
	second := newRecorder(telling{r}, r.seed, r.pass.maxMoved)
	for ev, err := range events {
		if err == nil {
			err = second.step(ev)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		if !yield(ev, nil) {
			return
		}
	}
	if second.seq != r.pass.seq || second.sum != r.pass.sum {
		yield(nil, fmt.Errorf("%w", ErrChanged))
	}
}

// telling is the sink of the second pass.
type telling struct{ *resolver }

func (r telling) op(o *op) (fate, error) {
	if !o.fate() {
		return fate{index: -1}, nil
	}
	return r.partition(o).next()
}

func (r telling) link(_, _, seq uint64) bool { return seq < r.links.until }

// partition returns the partition that holds an op's fate.
func (r *resolver) partition(o *op) *partition {
	if len(r.links.parent) > 0 {
		if g, ok := r.links.group(o.id); ok {
			return r.groups[g>>r.shift].leaf(o, g)
		}
	}
	return r.roots[o.id>>r.shift].leaf(o, o.id)
}
