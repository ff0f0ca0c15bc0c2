package lifecycle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"math"
	"math/bits"
	"strconv"

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

// record is the key's record, in an RDB or of a command, that is being read.
type record struct {
	id    uint64
	db    uint32
	skip  bool // nothing of it counts: a mention, or the command is broken
	value bool // its op stands for its string, too
	fate  fate

	// What one op stands for though it comes in several events.
	entry entry
	group group
}

// entry is an entry of a stream, which comes in fields.
type entry struct {
	id   keyspace.StreamID
	open bool
	fate fate
}

// group is a consumer group or a consumer, which pending entries name again.
type group struct {
	name uint64
	fate fate
}

// command is a Command: where it stands, and what it may be a sign of.
type command struct {
	source string
	offset int64
	seq    uint64
	key    bool // servers write it so when a key's expiry has passed
	field  bool // … or a field's
	libs   bool // it is about libraries, FUNCTION
}

// span is a run of ops: [from, to).
type span struct{ from, to uint64 }

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
		if !r.record.skip {
			ev.State = r.record.fate.state
			r.record.skip = ev.Kind == keyspace.KeyEnd
		}
		return nil
	}
	if ev.Kind == keyspace.Damage || ev.Kind == keyspace.Torn {
		r.takeBack(ev.Pos)
		return nil
	}
	r.record.skip = true
	switch ev.Kind {
	case keyspace.Header:
		r.resp = string(ev.Value) == "RESP"
		return nil
	case keyspace.Aux:
		r.aux(ev)
		return nil
	case keyspace.Command:
		r.tick(ev)
		r.begin(ev)
		return nil
	}
	if ev.State == keyspace.Recovered {
		return nil
	}
	switch ev.Kind {
	case keyspace.Delete:
		return r.delete(ev)
	case keyspace.Expire:
		return r.expire(ev)
	case keyspace.Rename:
		return r.rename(ev)
	case keyspace.Flush:
		db := int64(everyDB)
		if ev.DB != everyDB {
			db = int64(r.db(ev.DB))
		}
		return r.flush(db)
	case keyspace.SwapDB:
		r.swap(ev.DB, int32(ev.Index))
	}
	return nil
}

// swap takes SWAPDB.
func (r *recorder) swap(a, b int32) {
	if a < 0 || b < 0 {
		return
	}
	if len(r.physical) > maxSwapped {
		r.forgot++
		return
	}
	r.physical[a], r.physical[b] = int32(r.db(b)), int32(r.db(a))
}

const (
	maxSwapped = 1 << 16 // databases; servers have 16, unless they are told otherwise
	maxDropped = 1 << 20 // spans
)

// emit completes the op and hands it on.
func (r *recorder) emit(o op) (fate, error) {
	o.seq = r.seq
	r.o = o
	r.seq++
	// FNV's prime: any odd number would do.
	r.sum = (bits.RotateLeft64(r.sum, 5) ^ o.id ^ o.name<<1 ^ uint64(o.a) ^ uint64(o.kind)<<56) * 0x100000001b3
	return r.out.op(&r.o)
}

// hash is how names are known: keyed anew in every run, so that no input can
// make names collide.
func (r *recorder) hash(b []byte) uint64 { return maphash.Bytes(r.seed, b) }

// db returns the number that a database began with.
func (r *recorder) db(n int32) uint32 {
	if p, ok := r.physical[n]; ok {
		n = p
	}
	if n < 0 {
		return unknownDB
	}
	return uint32(n)
}

// object returns the object that a key names, and its name.
func (r *recorder) object(db uint32, key []byte) (id, name uint64) {
	name = mix(r.hash(key), uint64(db))
	if len(r.moved) > 0 {
		if id, ok := r.moved[name]; ok {
			return id, name
		}
	}
	return name, name
}

// mix returns a hash of both; mix(h, 0) is h.
func mix(h, n uint64) uint64 {
	if n == 0 {
		return h
	}
	// The finalizer of splitmix64.
	n *= 0x9e3779b97f4a7c15
	n ^= n >> 30
	n *= 0xbf58476d1ce4e5b9
	n ^= n >> 27
	h += n
	h ^= h >> 30
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}

// aux takes the time at which a base file was saved (rdb.c, rdbSaveInfoAuxFields).
func (r *recorder) aux(ev *keyspace.Event) {
	if string(ev.Key) != "ctime" {
		return
	}
	if s, err := strconv.ParseInt(string(ev.Value), 10, 64); err == nil && s < endOfTime/second {
		r.ctime = max(r.ctime, s*second)
		r.clock.wrote(r.seq, s*second)
	}
}

// tick takes the time of the last #TS.
func (r *recorder) tick(ev *keyspace.Event) {
	if ev.Time != r.time && ev.Time > 0 {
		r.time = ev.Time
		r.clock.wrote(r.seq, ev.Time)
	}
}

// begin takes a Command: what it may be a sign of, and MULTI.
func (r *recorder) begin(ev *keyspace.Event) {
	r.resp = true
	r.command = command{source: ev.Pos.Source, offset: ev.Record, seq: r.seq}
	if len(ev.Args) == 0 {
		return
	}
	name := ev.Args[0]
	// Servers write these words in capitals (server.c, shared.del, shared.unlink and
	// shared.hdel) and name one key; a client's own spelling is kept.
	r.command.key = ev.Index == 2 && (string(name) == "DEL" || string(name) == "UNLINK")
	r.command.field = string(name) == "HDEL"
	r.command.libs = len(name) >= len("FUNCTION") && bytes.EqualFold(name[:len("FUNCTION")], []byte("FUNCTION"))
	if len(name) == len("MULTI") && bytes.EqualFold(name, []byte("MULTI")) {
		r.multi = r.command
	}
}

// takeBack takes the place from which on nothing of a file became part of the data
// set: that of the command at hand, or of the MULTI that is open.
func (r *recorder) takeBack(at keyspace.Pos) {
	if !r.resp {
		return // what an RDB holds before and behind damage is there
	}
	from := r.seq
	for _, c := range []*command{&r.command, &r.multi} {
		if c.offset >= at.Offset && c.source == at.Source {
			from = min(from, c.seq)
		}
	}
	for n := len(r.dropped); n > 0 && r.dropped[n-1].to > from; n-- {
		from = min(from, r.dropped[n-1].from)
		r.dropped = r.dropped[:n-1]
	}
	switch n := len(r.dropped); {
	case from == r.seq:
	case n < maxDropped:
		r.dropped = append(r.dropped, span{from, r.seq})
	default: // so much damage: what lies between is no more than recovered
		r.dropped[n-1].to = r.seq
	}
}

// functionsDB stands for the libraries, which belong to no database and which
// FLUSHALL leaves alone.
const functionsDB = ^uint32(0)

// unknownDB stands for the database that is chosen where the log does not say
// which: what became of its keys is not known, unless all are flushed.
const unknownDB = functionsDB - 1

func (r *recorder) key(ev *keyspace.Event) error {
	rec := &r.record
	*rec = record{}
	if rec.skip = ev.State == keyspace.Recovered || ev.Op == keyspace.OpNone && ev.Kind == keyspace.Key; rec.skip {
		return nil
	}
	rec.db = functionsDB
	if ev.Kind == keyspace.Key {
		rec.db = r.db(ev.DB)
	}
	rec.id, _ = r.object(rec.db, ev.Key)
	o := op{kind: opCreate, id: rec.id, db: rec.db, a: ev.Expire}
	switch {
	case ev.Kind == keyspace.Function:
		o.kind, o.a = opCreateValue, keyspace.NoExpire
	case ev.Op == keyspace.OpUpdate:
		o.kind, o.a = opTouch, 0
	case ev.Type == keyspace.String:
		o.kind, rec.value = opCreateValue, true
	}
	r.deadline(o.a)
	var err error
	rec.fate, err = r.emit(o)
	ev.State = rec.fate.state
	return err
}

// deadline takes an expiry that a command sets.
func (r *recorder) deadline(ms int64) {
	if r.resp && ms > 0 {
		r.clock.below(r.seq, ms)
	}
}

// value takes an Element.
func (r *recorder) value(ev *keyspace.Event) error {
	rec := &r.record
	// Entries that were deleted are kept by streams, which mark them. Of other
	// types, State may still be what the element before was given here.
	kept := ev.Type == keyspace.Stream && ev.State == keyspace.Deleted && ev.Part.Begins()
	if rec.skip || ev.Op == keyspace.OpNone || kept {
		return nil
	}
	var err error
	switch {
	case !ev.Part.Begins():
	case rec.value && ev.Op != keyspace.OpAppend:
		r.element = rec.fate
	case ev.Type == keyspace.Stream && rec.entry.open && ev.ID == rec.entry.id:
		r.element = rec.entry.fate
	default:
		r.element, err = r.write(ev)
		if ev.Type == keyspace.Stream {
			rec.entry = entry{ev.ID, true, r.element}
		}
	}
	ev.State = r.element.state
	if r.element.index >= 0 {
		ev.Index = r.element.index
	}
	return err
}

// write emits the op of an Element.
func (r *recorder) write(ev *keyspace.Event) (fate, error) {
	rec := &r.record
	o := op{id: rec.id, db: rec.db}
	switch ev.Op {
	case keyspace.OpPushHead:
		o.kind, o.name = opPushHead, r.hash(ev.Value)
	case keyspace.OpPushTail:
		o.kind, o.name = opPushTail, r.hash(ev.Value)
	case keyspace.OpSetIndex:
		o.kind, o.name, o.a = opSetIndex, r.hash(ev.Value), ev.Index
	case keyspace.OpInsertBefore:
		o.kind, o.name, o.a = opInsertBefore, r.hash(ev.Value), int64(r.hash(ev.Field))
	case keyspace.OpInsertAfter:
		o.kind, o.name, o.a = opInsertAfter, r.hash(ev.Value), int64(r.hash(ev.Field))
	case keyspace.OpAppend:
		return r.change(ev)
	default:
		return r.put(ev)
	}
	return r.emit(o)
}

// put emits the op of an Element that replaces what bears its name.
func (r *recorder) put(ev *keyspace.Event) (fate, error) {
	rec := &r.record
	o := op{kind: opPut, id: rec.id, db: rec.db, a: keyspace.NoExpire}
	switch ev.Type {
	case keyspace.String:
		o.kind, o.a = opReplace, 0
	case keyspace.SortedSet:
		o.kind, o.name, o.a, o.b = opScore, r.name(ev), scoreBits(ev.Score), scoreIs
		if ev.Count > 0 {
			o.b = scoreVague
		}
	case keyspace.List:
		o.kind, o.name, o.a = opPushTail, r.hash(ev.Value), 0
	case keyspace.Stream:
		o.kind, o.name, o.a, o.b = opEntry, r.name(ev), int64(ev.ID.MS), int64(ev.ID.Seq)
		r.clock.hint(int64(min(ev.ID.MS, endOfTime)))
	case keyspace.Hash:
		o.name, o.a = r.name(ev), ev.Expire
		r.deadline(o.a)
	case keyspace.Module:
		if ev.Field == nil {
			return r.unnamed()
		}
		// A path of a document: what it held before may be part of an older value.
		if _, err := r.emit(op{kind: opDoubt, id: rec.id, db: rec.db}); err != nil {
			return fate{}, err
		}
		o.name = r.name(ev)
	default:
		o.name = r.name(ev)
	}
	return r.emit(o)
}

// change emits the op of an Element that becomes part of a value. Where that has a
// name, and is no more than a number, it takes its place.
func (r *recorder) change(ev *keyspace.Event) (fate, error) {
	if ev.Type != keyspace.Hash && ev.Type != keyspace.SortedSet {
		return r.unnamed()
	}
	o := op{kind: opPut, id: r.record.id, db: r.record.db, name: r.name(ev), a: keepExpiry}
	if ev.Type == keyspace.SortedSet {
		o.kind, o.a, o.b = opScore, scoreBits(ev.Score), scoreGrows
		if ev.Count > 0 {
			o.b = scoreVague
		}
	}
	return r.emit(o)
}

// unnamed emits the op of a value that nothing can name.
func (r *recorder) unnamed() (fate, error) {
	rec := &r.record
	return r.emit(op{kind: opAppend, id: rec.id, db: rec.db, name: mix(rec.id, r.seq)})
}

// name returns the name of the element that an event is about. Of a member in
// several parts the first stands for the whole.
func (r *recorder) name(ev *keyspace.Event) uint64 {
	switch ev.Type {
	case keyspace.Hash, keyspace.Module:
		return r.hash(ev.Field)
	case keyspace.Stream:
		var b [16]byte
		binary.LittleEndian.PutUint64(b[:8], ev.ID.MS)
		binary.LittleEndian.PutUint64(b[8:], ev.ID.Seq)
		return r.hash(b[:])
	case keyspace.Array:
		return mix(0, uint64(ev.Index)+1)
	}
	return r.hash(ev.Value)
}

// groups takes what a stream holds beside its entries: consumer groups, consumers
// and pending entries, which stand for the consumer or group that they name.
func (r *recorder) groups(ev *keyspace.Event) error {
	if ev.Kind != keyspace.Group {
		r.clock.hint(ev.Time)
	}
	rec := &r.record
	if rec.skip {
		return nil
	}
	g := r.hash(ev.Field)
	name := consumer(g, g)
	if ev.Value != nil && ev.Kind != keyspace.Group {
		name = consumer(g, r.hash(ev.Value))
	}
	var err error
	if ev.Kind != keyspace.Pending || rec.group.name != name {
		rec.group.name = name
		rec.group.fate, err = r.emit(op{kind: opGroup, id: rec.id, db: rec.db, name: name, a: int64(g)})
	}
	ev.State = rec.group.fate.state
	return err
}

// consumer returns the name of a consumer of a group, or of the group if both are
// the same.
func consumer(group, name uint64) uint64 { return mix(group, name|1) }

func (r *recorder) delete(ev *keyspace.Event) error {
	o := op{db: functionsDB}
	switch libraries := ev.DB < 0 && r.command.libs; {
	case !libraries:
		o.db = r.db(ev.DB)
	case ev.Key == nil:
		return r.flush(int64(functionsDB))
	}
	o.id, _ = r.object(o.db, ev.Key)
	switch ev.Op {
	case keyspace.OpDeleteKey:
		o.kind, o.a = opDelete, r.deleter(r.command.key)
	case keyspace.OpDeleteElement:
		o.kind, o.name, o.a = opDeleteName, r.name(ev), r.deleter(r.command.field)
		if ev.Type == keyspace.Module { // as in put
			if _, err := r.emit(o); err != nil {
				return err
			}
			o = op{kind: opDoubt, id: o.id, db: o.db}
		}
	case keyspace.OpPopHead:
		o.kind, o.a = opPopHead, ev.Index
	case keyspace.OpPopTail:
		o.kind, o.a = opPopTail, ev.Index
	case keyspace.OpTrim:
		o.kind, o.a, o.b = opTrim, ev.Index, ev.Count
	case keyspace.OpRemove:
		o.kind, o.name, o.a = opRemove, r.hash(ev.Value), ev.Index
	case keyspace.OpMoveEnd:
		o.kind, o.a, o.b = opMoveEnd, int64(o.db), ev.Index
		o.name, _ = r.object(o.db, ev.Value)
		return r.exchange(o, o.name, o.db)
	case keyspace.OpTrimLength:
		o.kind, o.a = opTrimLength, ev.Index
	case keyspace.OpTrimID:
		o.kind, o.a, o.b = opTrimID, int64(ev.ID.MS), int64(ev.ID.Seq)
	case keyspace.OpDeleteGroup:
		g := r.hash(ev.Field)
		if o.kind, o.a = opDeleteGroup, int64(g); ev.Value != nil {
			o.kind, o.name, o.a = opDeleteName, consumer(g, r.hash(ev.Value)), bySomeone
		}
	case keyspace.OpAck:
		return nil
	case keyspace.OpDeleteRanks:
		o.kind, o.a, o.b = opRemoveRanks, ev.Index, ev.Count
	case keyspace.OpDeleteScores:
		o = scores(o, ev)
	case keyspace.OpReplaceSome:
		o.kind = opCompute
	default:
		o.kind, o.a = opDoubt, 1
	}
	_, err := r.emit(o)
	return err
}

// scores completes the op that removes the members whose scores lie between bounds,
// written as ZREMRANGEBYSCORE takes them.
func scores(o op, ev *keyspace.Event) op {
	least, ok := bound(ev.Field, math.Inf(1))
	most, fine := bound(ev.Value, math.Inf(-1))
	if !ok || !fine {
		o.kind, o.a = opDoubt, 1
		return o
	}
	o.kind, o.a, o.b = opRemoveScores, scoreBits(least), scoreBits(most)
	return o
}

// bound reads the bound of a range of scores; "(" excludes it, so that the range
// begins with the next number towards inside.
func bound(b []byte, inside float64) (float64, bool) {
	text, open := bytes.CutPrefix(b, []byte("("))
	f, err := strconv.ParseFloat(string(text), 64)
	if math.IsNaN(f) || errors.Is(err, strconv.ErrSyntax) {
		return 0, false
	}
	if open {
		f = math.Nextafter(f, inside)
	}
	return f, true
}

func (r *recorder) flush(db int64) error {
	_, err := r.emit(op{kind: opFlush, a: db})
	return err
}

// deleter returns operand a of a deletion.
func (r *recorder) deleter(server bool) int64 {
	if server {
		return r.clock.floor
	}
	return bySomeone
}

func (r *recorder) expire(ev *keyspace.Event) error {
	r.deadline(ev.Expire)
	o := op{kind: opExpire, db: r.db(ev.DB), a: ev.Expire}
	o.id, _ = r.object(o.db, ev.Key)
	if ev.Field != nil {
		o.kind, o.name = opExpireField, r.hash(ev.Field)
	}
	_, err := r.emit(o)
	return err
}

func (r *recorder) rename(ev *keyspace.Event) error {
	o, db := op{db: r.db(ev.DB)}, r.db(int32(ev.Index))
	var from, to, other uint64
	o.id, from = r.object(o.db, ev.Key)
	if ev.Op == keyspace.OpShare {
		o.kind = opShared
		_, err := r.emit(o)
		return err
	}
	other, to = r.object(db, ev.Value)
	if from == to {
		return nil
	}
	switch ev.Op {
	case keyspace.OpMoveMember:
		o.kind, o.name, o.a, o.b = opMoveName, r.hash(ev.Field), int64(other), int64(db)
		return r.exchange(o, other, db)
	case keyspace.OpCopy:
		o.kind, o.name, o.a = opCopy, other, int64(db)
		return r.exchange(o, other, db)
	}
	if _, err := r.emit(op{kind: opGone, id: other, db: db}); err != nil {
		return err
	}
	if len(r.moved)+2 > r.maxMoved {
		return r.forget(o, other, db)
	}
	r.moved[to] = o.id
	r.moved[from] = mix(from, ^r.seq) // a number that no database has
	if db == o.db {
		return nil
	}
	o.kind, o.a = opMoveDB, int64(db)
	_, err := r.emit(o)
	return err
}

// exchange emits an op by which two objects share elements.
func (r *recorder) exchange(o op, other uint64, db uint32) error {
	if r.out.link(o.id, other, r.seq) {
		_, err := r.emit(o)
		return err
	}
	return r.forget(o, other, db)
}

// forget gives up two objects of which one took over from the other.
func (r *recorder) forget(o op, other uint64, db uint32) error {
	r.forgot++
	if _, err := r.emit(op{kind: opForget, id: o.id, db: o.db}); err != nil {
		return err
	}
	_, err := r.emit(op{kind: opForget, id: other, db: db})
	return err
}
