package replay

import (
	"errors"
	"math/bits"
	"runtime"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// sightings tells the keys that one record of a log writes, and no other names, from the
// others. Such keys have no past, and what becomes of them depends on no other: they
// need not be held until the log ends. That is most keys of most logs, those of its
// base above all, which may name one twice if it is damaged.
//
// Names stand for all keys of that name, in any database. A filter may take a name for
// another, so that a key is held in vain.
type sightings struct {
	once  filter             // names of keys that were written
	again filter             // and those that were named otherwise, or again
	rough [roughWords]uint64 // a bit, by hash, of what is in again
	never bool               // a flush or swap concerns keys that it does not name
	whole computed           // the last command that a machine computes

	// The bits of a hash lie anywhere in memory, and take as long to come as its name took
	// to read: another goroutine fetches those of many at a time.
	next, entering names
	entered        chan struct{} // closed once entering is; nil: nothing is being entered
}

// names are hashes of keys that were written, and of those that were named otherwise. In
// what order they were makes no difference.
type names struct{ written, named []uint64 }

// The parts of MaxMem that filters take, and how large they are at least. The first is
// given back once all is seen, the other before partitions are replayed.
const (
	oncePart   = 0.75
	againPart  = 0.125
	minFilter  = 1 << 13
	roughWords = 1 << 15 // as few as stay close to the processor: most logs name few keys of large bases
	batch      = 1 << 12
)

func newSightings(maxMem int64) *sightings {
	return &sightings{once: newFilter(float64(maxMem) * oncePart), again: newFilter(float64(maxMem) * againPart)}
}

// size is how many bytes the filters take.
func (s *sightings) size() int { return (len(s.once) + len(s.again)) * 8 }

// see notes what an event says of keys.
func (s *sightings) see(e *keyspace.Event) {
	switch e.Kind {
	case keyspace.Key:
		if !s.whole.has(e) {
			s.written(e.Key)
		}
	case keyspace.Rename:
		s.named(e.Key)
		s.named(e.Value)
	case keyspace.Delete:
		s.named(e.Key)
		if e.Op == keyspace.OpMoveEnd {
			s.named(e.Value)
		}
	case keyspace.Expire:
		s.named(e.Key)
	case keyspace.Flush, keyspace.SwapDB:
		s.never = true
	case keyspace.Command:
		s.whole.see(e)
		if key := writtenBy(e); key != nil {
			s.written(key)
		} else if key := neededBy(e); key != nil {
			s.named(key)
		}
		for _, key := range linkedKeys(e) {
			s.named(key)
		}
	}
}

// writtenBy returns the key of a command that a machine computes of that key alone.
func writtenBy(e *keyspace.Event) []byte {
	if !computes(e) || combined[commandName(e)] {
		return nil
	}
	return neededBy(e)
}

func (s *sightings) written(key []byte) {
	if s.next.written = append(s.next.written, hashOf(key)); len(s.next.written) >= batch {
		s.enter()
	}
}

func (s *sightings) named(key []byte) {
	if s.next.named = append(s.next.named, hashOf(key)); len(s.next.named) >= batch {
		s.enter()
	}
}

// enter has the names that came last entered, once those before them are.
func (s *sightings) enter() {
	s.wait()
	s.next, s.entering = names{s.entering.written[:0], s.entering.named[:0]}, s.next
	s.entered = make(chan struct{})
	go func() {
		defer close(s.entered)
		s.once.enter(s.entering.written, s.more)
		for _, h := range s.entering.named {
			s.more(h)
		}
	}()
}

// wait waits until what was to be entered is.
func (s *sightings) wait() {
	if s.entered != nil {
		<-s.entered
	}
}

// end enters all that was seen. Nothing may be written or named any more.
func (s *sightings) end() {
	s.enter()
	s.wait()
	s.next, s.entering = names{}, names{}
	n := len(s.once) * 8
	s.once = nil
	clean(n)
}

func (s *sightings) more(h uint64) {
	s.again.put(h)
	s.rough[h/64%roughWords] |= 1 << (h % 64)
}

// single reports whether a record of the log that writes a key is the only one that names
// it; see end. Once the filters are given back, none is.
func (s *sightings) single(key []byte) bool {
	if s == nil || s.never {
		return false
	}
	h := hashOf(key)
	return s.rough[h/64%roughWords]>>(h%64)&1 == 0 || !s.again.has(h)
}

// singles sets which of some names are of single keys. Those that a look at few bits does
// not clear are looked up one behind the other: each lies anywhere in memory.
func (s *sightings) singles(names [][]byte, single []bool) {
	var hashes [256]uint64
	var doubtful [256]uint8
	for len(names) > 0 {
		some, n := names[:min(len(names), len(hashes))], 0
		for i, name := range some {
			h := hashOf(name)
			hashes[i], doubtful[n], single[i] = h, uint8(i), true
			n += int(s.rough[h/64%roughWords] >> (h % 64) & 1)
		}
		for _, i := range doubtful[:n] {
			single[i] = !s.again.has(hashes[i])
		}
		names, single = names[len(some):], single[len(some):]
	}
}

// filter is a Bloom filter, of which each hash has five bits of one word: what was put
// into it is in it, and some of what was not.
type filter []uint64

func newFilter(size float64) filter { return make(filter, int(max(size, minFilter)/8)) }

// of returns where the bits of a hash are.
func (f filter) of(h uint64) (word int, set uint64) {
	i, _ := bits.Mul64(h, uint64(len(f)))
	return int(i), 1<<(h%64) | 1<<(h>>6%64) | 1<<(h>>12%64) | 1<<(h>>18%64) | 1<<(h>>24%64)
}

func (f filter) has(h uint64) bool {
	word, set := f.of(h)
	return f[word]&set == set
}

func (f filter) put(h uint64) {
	word, set := f.of(h)
	f[word] |= set
}

// enter puts hashes, and calls again with those that were there, one behind the other.
// The words of some are fetched before any is looked at: a processor waits for many at
// once if it has nothing else to do.
func (f filter) enter(hashes []uint64, again func(uint64)) {
	var words [256]int
	var sets [256]uint64
	for len(hashes) > 0 {
		some := hashes[:min(len(hashes), len(words))]
		for i, h := range some {
			words[i], sets[i] = f.of(h)
		}
		var all uint64
		for _, w := range words[:len(some)] {
			all |= f[w]
		}
		runtime.KeepAlive(all)
		for i, h := range some {
			word, set := &f[words[i]], sets[i]
			if *word&set == set {
				again(h)
			}
			*word |= set
		}
		hashes = hashes[len(some):]
	}
}

// singles replays such keys, and hands them over some at a time. While they are told, the
// next are replayed on another machine.
type singles struct {
	l      *Log
	m      *machine // holds those that are next to be handed over
	end    func()   // what watches it is told that its keys are complete
	other  *machine
	endOf  func() // the same of other
	handed chan *machine
	left   <-chan struct{} // closed once no more is wanted
	final  bool            // what was told cannot be taken back
	db     int32
	name   []byte   // the key that is written
	before int64    // what m held before
	open   bool     // that is one of such a key, and is replayed
	skip   bool     // or it is one of which nothing is to be told
	key    computed // the command whose record it is, if that is computed
}

// About how much is handed over at a time, and what is so large that nothing is replayed
// while it is told.
const (
	fewSingles = 64 << 10
	bigSingle  = 1 << 20
)

// newSingles returns one whose machines an observer is told of. What is handed over is
// to be received, and cleared unless it is nil, until handed is closed.
func (l *Log) newSingles(o observer, left <-chan struct{}) *singles {
	s := &singles{l: l, handed: make(chan *machine), left: left, final: o.untell == nil}
	s.m, s.other = newMachine(l.limit()+fewSingles, l.limit()), newMachine(l.limit()+fewSingles, l.limit())
	s.end, s.endOf = o.made(s.m), o.made(s.other)
	return s
}

// wanted reports whether the elements of the key that was taken last are needed.
func (s *singles) wanted(*keyspace.Event) bool { return !s.skip }

// passes returns what tells keys of a base of which nothing is to be told, though they
// are single; nil where there are none.
func (s *singles) passes() func(db int32, names [][]byte, pass []bool) {
	l := s.l
	if l.s.seen == nil || l.s.seen.never || !l.o.Tombstones && l.o.Want == nil {
		return nil
	}
	return func(db int32, names [][]byte, pass []bool) {
		if s.leaves() { // what comes then shows it
			return
		}
		l.s.seen.singles(names, pass)
		for i := range pass {
			pass[i] = pass[i] && l.untold(db, names[i])
		}
	}
}

// untold reports whether nothing is to be told of a key that the log names once.
func (l *Log) untold(db int32, key []byte) bool {
	return l.o.Tombstones || l.o.Want != nil && !l.o.Want(db, key)
}

// take replays an event if it belongs to a single key, and reports whether it does,
// and whether more is wanted.
func (s *singles) take(e *keyspace.Event) (taken, more bool, err error) {
	var key []byte
	switch e.Kind {
	case keyspace.Command:
		s.key.see(e)
		if key = writtenBy(e); key == nil {
			s.open, s.skip = false, false
			return false, true, nil
		}
	case keyspace.Key:
		key = e.Key
	case keyspace.Element, keyspace.Group, keyspace.Consumer, keyspace.Pending, keyspace.StreamMeta, keyspace.KeyEnd:
	default:
		return false, true, nil
	}
	if key != nil && (e.Kind == keyspace.Command || !s.key.has(e)) {
		if s.m.held > fewSingles && !s.tell() {
			return true, false, nil
		}
		single := s.l.s.seen.single(key)
		s.skip = single && s.l.untold(e.DB, key)
		s.open = single && !s.skip
		if s.open {
			s.db, s.name, s.before = e.DB, append(s.name[:0], key...), s.m.held
		}
	}
	if !s.open {
		return s.skip, true, nil
	}
	err = s.m.apply(e)
	if errors.Is(err, errFull) {
		s.l.tooLarge(e)
		delete(s.m.dbs[s.db], string(s.name))
		s.m.held, s.m.open.o = s.before, nil
		s.open, s.skip, err = false, true, nil
	}
	return true, true, err
}

// tell hands over what was replayed.
func (s *singles) tell() (more bool) {
	held := s.m.held
	if held == 0 {
		return true
	}
	s.end()
	s.l.told = s.final
	if more = s.hand(s.m); more && held > bigSingle {
		more = s.hand(nil) // received once the former was told
	}
	s.m, s.other, s.end, s.endOf = s.other, s.m, s.endOf, s.end
	return more
}

func (s *singles) hand(m *machine) (more bool) {
	select {
	case s.handed <- m:
		return true
	case <-s.left:
		return false
	}
}

// leaves reports whether no more is wanted.
func (s *singles) leaves() bool {
	select {
	case <-s.left:
		return true
	default:
		return false
	}
}
