package lifecycle

import (
	"hash/maphash"
	"math/bits"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A sink takes the ops in log order. In the first pass it stores them; in the
// second, in which they come again, it tells what became of those that bear a fate.
type sink interface {
	op(*op) (fate, error)
	// link says that objects a and b exchange elements from the op at seq on, and
	// so must be replayed together. It reports whether they can be.
	link(a, b, seq uint64) bool
}

// A fate is what became of what an op wrote.
type fate struct {
	state keyspace.State
	index int64 // of a live element of a list: its position; otherwise -1
}

// A recorder turns events into ops. It knows objects by ids: that is the hash of
// a key and its database, until RENAME or MOVE gives the object another name and,
// perhaps, the name another object.
type recorder struct {
	out  sink
	seed maphash.Seed
	seq  uint64 // of the next op
	sum  uint64 // of all ops so far, to compare the passes
	o    op     // scratch: an op escapes into the sink

	physical map[int32]int32   // where SWAPDB made it another: the number a database began with
	moved    map[uint64]uint64 // the objects of names that do not have the one of their hash
	maxMoved int
	forgot   int64 // objects whose track was lost because moved was full, or links were

	clock clock
	ctime int64 // of a base file, Unix ms
	time  int64 // the last Event.Time
	resp  bool  // commands are being read, not an RDB

	record  record
	element fate // of the element at hand
	command command
	multi   command // the last MULTI
	dropped []span  // what servers never applied, or roll back; ascending
}

func newRecorder(out sink, seed maphash.Seed, maxMoved int) *recorder {
	return &recorder{out: out, seed: seed, maxMoved: maxMoved,
		record: record{skip: true}, command: command{offset: -1}, multi: command{offset: -1},
		physical: map[int32]int32{}, moved: map[uint64]uint64{}}
}

// step takes the next event and sets, in the second pass, its State.
func (r *recorder) step(ev *keyspace.Event) error {
	switch ev.Kind {
	case keyspace.Key, keyspace.Function:
		return r.key(ev)
	case keyspace.Element:
		return r.value(ev)
	case keyspace.Group, keyspace.Consumer, keyspace.Pending:
		return r.groups(ev)
	case keyspace.StreamMeta, keyspace.KeyEnd:
		r.recordEvent(ev)
		return nil
	case keyspace.Damage, keyspace.Torn:
		r.takeBack(ev.Pos)
		return nil
	}
	r.record.skip = true
	switch ev.Kind {
	case keyspace.Header:
		r.resp = string(ev.Value) == "RESP"
	case keyspace.Aux:
		r.aux(ev)
	case keyspace.Command:
		r.tick(ev)
		r.begin(ev)
	default:
		if ev.State != keyspace.Recovered {
			return r.effect(ev)
		}
	}
	return nil
}

// effect takes what a command does to keys that it does not write to.
func (r *recorder) effect(ev *keyspace.Event) error {
	switch ev.Kind {
	case keyspace.Delete:
		return r.delete(ev)
	case keyspace.Expire:
		return r.expire(ev)
	case keyspace.Rename:
		return r.rename(ev)
	case keyspace.Flush:
		if ev.DB == everyDB {
			return r.flush(everyDB)
		}
		return r.flush(int64(r.db(ev.DB)))
	case keyspace.SwapDB:
		r.swap(ev.DB, int32(ev.Index))
	}
	return nil
}

// emit completes the op and hands it on.
func (r *recorder) emit(o op) (fate, error) {
	o.seq = r.seq
	r.o = o
	r.seq++
	// FNV's prime: any odd number would do.
	r.sum = (bits.RotateLeft64(r.sum, 5) ^ o.id ^ o.name<<1 ^ uint64(o.a) ^ uint64(o.kind)<<56) * 0x100000001b3
	return r.out.op(&r.o)
}
