// Package replay keeps the data set that a log builds, at its end or at any point
// of it, and tells how each key came to hold what it holds.
//
// The unit is the command, applied by the events that it becomes or, where its
// result depends on values that are there, by computing it as a server does. What
// neither tells (a script, a HyperLogLog, a module's command) makes a value
// inexact, which is said. Keys are divided over as many partitions as MaxMem
// takes, those that commands connect together; what does not fit in memory is
// spilled, encrypted.
//
//	survey.go     the first reading: where the point is, what is taken back, which keys are linked
//	unfollowed.go which commands are not replayed
//	once.go       which keys are named once
//	replay.go     a log and its state
//	partition.go  the second reading: single keys, and partitions of the others
//	player.go     partitions are replayed
//	machine.go    a data set that events are applied to; removal.go and renaming.go, what takes keys and elements away
//	computing.go, zset.go, geo.go, sort.go  commands that are computed
//	object.go, ranking.go, streamvalue.go  values
//	events.go     values as events of a snapshot
//	tape.go       spilled events
//	history.go    what changed, by key; recorder.go, who watches; valuetext.go, values for people
package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// ErrNoFlush says that a log holds fewer FLUSHALL and FLUSHDB than were counted back.
var ErrNoFlush = errors.New("the log holds no such FLUSHALL or FLUSHDB")

// Options say how a log is replayed.
type Options struct {
	Workers int    // how many partitions to replay at once, 2 at most; the result is the same
	MaxMem  int64  // bytes of values in memory, apart from what reading takes
	Tmp     string // where to spill
	// Closely has the first reading, too, pass over nothing, as it otherwise does for
	// bases that are damaged alone.
	Closely bool
	// Headless says that what the log begins with is missing: what keys held before it is
	// not known.
	Headless bool
	// Want chooses the keys that are told of; it may be nil. All are replayed.
	Want func(db int32, key []byte) bool
	// Of a history: only what took values away, and of values their lengths alone.
	Tombstones, Lengths bool
}

// Info is what a replay has found.
type Info struct {
	Commands int64 // of the whole log, those before its point, and flushes among all
	Counted  int64
	Flushes  int
	When     int64    // ms; the last #TS before the point, 0: none
	Damaged  int64    // ranges that were not understood
	Damage   error    // the first of them
	Inexact  int64    // keys of [Log.State] whose values are not known exactly
	Vague    []string // the commands before the point that leave values so, in order
	Unknown  int64    // commands before it (if it is a flush: of the log) of which it is not known what they do,
	Unknowns []string // and the first of their names: data of the log, to be masked
	TooLarge int64    // partitions that did not fit in memory, and whose keys are missing
	Full     []byte   // the key at which the first of them did not
}

// The share of MaxMem that partitions are made for, and the most of them. What the
// first reading counts is the bytes of all values of all times: more than what
// any moment holds.
const (
	partShare  = 4
	maxParts   = 1024
	tapeShare  = 8 // MaxMem/tapeShare is for tapes in memory, and as much for their ends
	fewParts   = 64
	machineMin = 1 << 20
)

// Reading says what a reading needs of the keys of a log's base: their Key events alone,
// or what those hold about whose Key event Want says yes; all, if it is nil; and nothing
// of keys about which Pass was asked and said yes. Whoever yields more than that, or asks
// nobody, does no harm.
type Reading struct {
	Skim bool
	Want func(*keyspace.Event) bool
	Pass func(db int32, names [][]byte, pass []bool)
}

// Events begins a reading of a log: its events, in order.
type Events func(Reading) keyspace.Seq

// Log is a log to replay. It is read twice, or once more if there turn out to be more
// values than were counted; if its base is damaged, first once more.
type Log struct {
	events  Events
	p       Point
	o       Options
	s       *survey
	closely bool         // each reading is of all values, so that all find the same behind damage
	sorted  bool         // SORTs by and of other keys were computed
	told    bool         // something was told that cannot be taken back
	astray  keyspace.Pos // of damage that the first reading missed
	bases   bases        // of the last reading
	damage  damage       // the same
	info    Info
}

// Open reads a log for the first time and finds the point.
func Open(ctx context.Context, events Events, p Point, o Options) (*Log, error) {
	l := &Log{events: events, p: p, o: o, closely: o.Closely}
	err := l.look(ctx, Reading{Skim: !o.Closely})
	if err == nil && l.s.bases.damaged && !l.closely {
		err = l.lookClosely(ctx)
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// look is the first reading.
func (l *Log) look(ctx context.Context, r Reading) (err error) {
	l.s = nil
	if l.s, err = look(ctx, l.events, r, l.p, l.o.MaxMem); err != nil {
		return err
	}
	l.s.seen.never = l.s.seen.never || l.o.Headless // no key is without a past
	l.info = Info{Commands: l.s.commands, Counted: l.s.commands, Flushes: len(l.s.flushes), When: l.s.when}
	if l.s.point >= 0 {
		l.info.Counted = l.s.point
	}
	return nil
}

// lookClosely is the first reading once more, which now passes over nothing, like all
// that follow.
func (l *Log) lookClosely(ctx context.Context) error {
	l.closely = true
	return l.look(ctx, Reading{})
}

// errAstray says that there is damage in a base that the first reading passed over.
var errAstray = errors.New("replay: the first reading missed damage")

// ErrLate says that a base whose checksum is right is damaged all the same, inside of a
// value, and that this was found once keys before it had been told: behind the damage
// they may have other values. What was told is not all. With [Options.Closely] no such
// damage is found late.
var ErrLate = fmt.Errorf("%w, found when keys before it had been told already: they are not all", keyspace.ErrCorrupt)

// Info is complete once what [Log.State] or [Log.History] yields was read.
func (l *Log) Info() Info {
	i, d := l.info, l.s.damage
	if l.damage.places > d.places { // inside of values that the first reading passed over
		d = l.damage
	}
	i.Damaged, i.Damage = d.places, d.first
	i.Vague = slices.Collect(maps.Keys(l.s.missed.vague))
	if l.s.missed.sorts && !l.sorted {
		i.Vague = append(i.Vague, "SORT")
	}
	slices.Sort(i.Vague)
	i.Unknown, i.Unknowns = l.s.missed.unknown, l.s.missed.names
	return i
}

// parts is the number of partitions.
func (l *Log) parts() int {
	most := min(max(l.o.MaxMem/tapeShare/spill.BlockSize, fewParts), maxParts)
	return int(min(max(l.s.bytes*partShare/max(l.o.MaxMem, 1)+1, 1), most))
}

// State yields the data set at the point as events of a snapshot: keys that the log
// names once, about where they stand, then function libraries and all other keys, in an
// order that is the same for the same input and MaxMem. The State of a Key is Live,
// or Unknown where its value is inexact.
func (l *Log) State(ctx context.Context) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		out := &emitter{yield: yield}
		l.told = false
		err := l.run(ctx, observer{made: func(m *machine) func() { m.headless = l.o.Headless; return m.arrange }, done: func(m *machine) bool {
			out.libraries(m.libs)
			m.each(func(db int32, key string, o *object) bool {
				if l.o.Want == nil || l.o.Want(db, []byte(key)) {
					l.info.Inexact += flag(o.inexact)
					out.key(db, key, o)
				}
				return !out.gone
			})
			return !out.gone
		}})
		if err != nil && !out.gone {
			yield(nil, err)
		}
	}
}

func (m *emitter) libraries(libs map[string][]byte) {
	for _, name := range slices.Sorted(maps.Keys(libs)) {
		m.ev = keyspace.Event{Kind: keyspace.Function, DB: -1, Key: []byte(name), Value: libs[name], State: keyspace.Live, Expire: keyspace.NoExpire, Idle: -1, Freq: -1, Pos: keyspace.Pos{Inner: -1}}
		m.emit()
	}
}

// forget gives back the room of what tells single keys, which machines need.
func (l *Log) forget() {
	if l.s.seen != nil {
		n := l.s.seen.size()
		l.s.seen = nil
		clean(n)
	}
}

// tooLarge notes that at an event the values did not fit in memory.
func (l *Log) tooLarge(e *keyspace.Event) {
	l.info.TooLarge++
	if l.info.Full != nil {
		return
	}
	if l.info.Full = bytes.Clone(e.Key); e.Kind == keyspace.Command {
		l.info.Full = bytes.Clone(neededBy(e))
	}
}

// replay applies events. If they do not fit it returns the one at which they did not.
func replay(m *machine, seq keyspace.Seq) (full *keyspace.Event, err error) {
	for e, err := range seq {
		if err == nil {
			err = m.apply(e)
		}
		if errors.Is(err, errFull) {
			return e.Clone(), nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// counted yields the events before the point that were not taken back. It ends with
// errAstray at damage that the first reading missed.
func (l *Log) counted(ctx context.Context, r Reading) keyspace.Seq {
	if l.closely {
		r = Reading{}
	}
	return func(yield func(*keyspace.Event, error) bool) {
		number := int64(-1)
		l.bases, l.damage = bases{}, damage{}
		for e, err := range l.events(r) {
			if err != nil {
				yield(nil, err)
				return
			}
			if e.Kind == keyspace.Command {
				if number++; l.s.point >= 0 && number >= l.s.point {
					return
				}
				if number%16 == 0 && ctx.Err() != nil {
					yield(nil, ctx.Err())
					return
				}
			}
			if l.bases.see(e) && !l.closely {
				l.astray = e.Pos
				yield(nil, errAstray)
				return
			}
			l.damage.note(e)
			if l.s.taken != nil && !l.bases.open && l.s.back(e, number) {
				continue
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// until ends a sequence with its context.
func until(ctx context.Context, seq keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		n := 0
		for e, err := range seq {
			if n++; n%16 == 0 && err == nil {
				err = ctx.Err()
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}
