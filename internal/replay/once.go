package replay

import (
	"errors"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// sightings tells the keys that a log creates once, and never names again, from the
// others. Such keys have no past, and what becomes of them depends on no other: they
// need not be held until the log ends. That is most keys of most logs, those of its
// base above all.
//
// Names stand for all keys of that name, in any database. Two of the same hash are
// taken for one, so that a key may be held in vain. Keys of a base whose checksum holds
// are not entered, as they would fill what there is: it names each once.
type sightings struct {
	pairs []uint64 // of bits, by hash: created once, and named otherwise or again
	queue []uint64 // hashes of keys that were created, to be entered: see enter
	mask  uint64
	rough [roughWords]uint64 // a bit, by hash: some key there was named otherwise or again
	base  bool               // the base may have keys: what a command creates may have been there
	bases int                // snapshots before the first command
	sound int                // of them those whose checksum holds
	holes bool               // there is damage before the first command
	never bool               // a flush or swap concerns keys that it does not name
}

const (
	// minSightings is how many words of bits there are at least, and sightingShare how
	// many times they fit in MaxMem. They are given back before partitions are replayed.
	minSightings  = 1 << 11
	sightingShare = 2
	pairsOfWord   = 32
	roughWords    = 1 << 12 // as few as stay close to the processor: most logs name few keys of large bases
	queued        = 256
	onceBit       = 1
	againBit      = 2
)

func newSightings(maxMem int64) *sightings {
	words := uint64(minSightings)
	for int64(words)*2*8*sightingShare <= maxMem {
		words *= 2
	}
	return &sightings{pairs: make([]uint64, words), mask: words*pairsOfWord - 1}
}

// pair returns where the bits of a hash are.
func (s *sightings) pair(h uint64) (word *uint64, shift uint64) {
	h &= s.mask
	return &s.pairs[h/pairsOfWord], h % pairsOfWord * 2
}

// see notes what an event says of keys; base says that no command came yet.
func (s *sightings) see(e *keyspace.Event, base bool) {
	switch e.Kind {
	case keyspace.Header:
		s.bases += int(flag(base && string(e.Value) != "RESP"))
	case keyspace.End:
		s.sound += int(flag(base && keyspace.Checksum(e.Index) == keyspace.ChecksumOK))
	case keyspace.Damage:
		s.base, s.holes = s.base || base, s.holes || base
	case keyspace.DB:
		s.base = s.base || base
	case keyspace.Key:
		switch {
		case base:
			s.base = true
		case e.Op == keyspace.OpCreate && !s.base:
			s.created(e.Key)
		default:
			s.named(e.Key)
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
		if key := neededBy(e); key != nil {
			s.named(key)
		}
		for _, key := range linkedKeys(e) {
			s.named(key)
		}
	}
}

// doubted reports whether the base may name a key twice: a byte that changed can make
// one name of another.
func (s *sightings) doubted() bool { return s.bases > 1 || s.sound < s.bases || s.holes }

func (s *sightings) created(key []byte) {
	if s.queue = append(s.queue, hashOf(key)); len(s.queue) >= queued {
		s.enter()
	}
}

// enter takes what is queued: the bits lie anywhere in memory, and are fetched many
// at a time. In what order keys are created and named makes no difference.
func (s *sightings) enter() {
	for _, h := range s.queue {
		word, shift := s.pair(h)
		if *word&(onceBit<<shift) != 0 {
			s.again(h)
		}
		*word |= onceBit << shift
	}
	s.queue = s.queue[:0]
}

func (s *sightings) named(key []byte) { s.again(hashOf(key)) }

func (s *sightings) again(h uint64) {
	word, shift := s.pair(h)
	*word |= againBit << shift
	s.rough[h/64%roughWords] |= 1 << (h % 64)
}

// single reports whether a key that a record of the log begins to create is named
// by that record alone. Once the bits are given back, none is.
func (s *sightings) single(e *keyspace.Event) bool {
	if s == nil || s.never || e.Op != keyspace.OpCreate {
		return false
	}
	if len(s.queue) > 0 {
		s.enter()
	}
	h := hashOf(e.Key)
	if s.rough[h/64%roughWords]>>(h%64)&1 == 0 {
		return true
	}
	word, shift := s.pair(h)
	return *word>>shift&againBit == 0
}

// singles replays such keys one at a time, on a machine that holds one.
type singles struct {
	l    *Log
	m    *machine
	end  func()              // what watches the machine is told that a key is complete
	done func(*machine) bool // false: no more is wanted
	open bool                // the record being read is one of such a key, and is replayed
	skip bool                // or it is one of which nothing is to be told
}

// wanted reports whether the elements of the key that was taken last are needed.
func (s *singles) wanted(*keyspace.Event) bool { return !s.skip }

// take replays an event if it belongs to a single key, and reports whether it does,
// and whether more is wanted.
func (s *singles) take(e *keyspace.Event) (taken, more bool, err error) {
	switch e.Kind {
	case keyspace.Key:
		if !s.tell() {
			return true, false, nil
		}
		single := s.l.s.seen.single(e)
		s.skip = single && (s.l.o.Tombstones || s.l.o.Want != nil && !s.l.o.Want(e.DB, e.Key))
		s.open = single && !s.skip
	case keyspace.Element, keyspace.Group, keyspace.Consumer, keyspace.Pending, keyspace.StreamMeta, keyspace.KeyEnd:
	default:
		return false, true, nil
	}
	if !s.open {
		return s.skip, true, nil
	}
	err = s.m.apply(e)
	if errors.Is(err, errFull) {
		s.l.tooLarge(e)
		s.m.clear()
		s.open, s.skip, err = false, true, nil
	}
	return true, true, err
}

// tell has what the machine holds told, and empties it.
func (s *singles) tell() (more bool) {
	if s.m.held == 0 {
		return true
	}
	s.end()
	more = s.done(s.m)
	s.m.clear()
	return more
}
