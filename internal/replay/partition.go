package replay

import (
	"context"
	"errors"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// observer is told of the machines that replay a log.
type observer struct {
	// made is called with each new machine; what it returns is called once the machine
	// has applied all, both by the goroutine of the machine.
	made func(*machine) (end func())
	// done is called, by the caller's goroutine, with each machine that holds all, and
	// says whether more is wanted.
	done func(*machine) bool
	// untell takes back all that was told, before the log is replayed anew; nil: it cannot.
	untell func()
}

// run replays the log, and once more if its base turns out to be damaged before something
// was told that cannot be taken back.
func (l *Log) run(ctx context.Context, o observer) error {
	err := l.replay(ctx, o)
	if errors.Is(err, errAstray) {
		if l.told {
			return &keyspace.FormatError{Pos: l.astray, What: "damage inside of a value of a base whose checksum is right", Err: ErrLate}
		}
		if o.untell != nil {
			o.untell()
		}
		if err = l.lookClosely(ctx); err == nil {
			err = l.replay(ctx, o)
		}
	}
	return err
}

// replay replays the log: where it does not fit on one machine, first the keys that it
// names once, then the others partition by partition.
func (l *Log) replay(ctx context.Context, o observer) error {
	n := l.parts()
	l.sorted = false
	if (n == 1 || l.s.missed.sorts && l.s.bytes <= l.o.MaxMem) && !l.passesOver() {
		if fits, err := l.whole(ctx, o); err != nil || fits {
			return err
		}
	}
	if n == 1 {
		n = fewParts
	}
	if o.untell == nil && l.s.bases.doubted && !l.closely {
		return errAstray // too late once keys are told
	}
	store := spill.New(l.o.Tmp, l.o.MaxMem/tapeShare)
	defer store.Close()
	tapes, more, err := l.divide(ctx, store, n, o)
	l.forget()
	if err == nil && more {
		_, err = l.play(ctx, store, tapes, n, splits, o)
	}
	return err
}

// passesOver reports whether values are passed over in which there may be damage. Then
// they are however much memory there is.
func (l *Log) passesOver() bool {
	return l.s.bases.doubted && !l.closely && (l.o.Tombstones || l.o.Want != nil)
}

// whole replays the log on one machine, and reports whether it fits.
func (l *Log) whole(ctx context.Context, o observer) (fits bool, err error) {
	l.forget()
	m := newMachine(l.limit(), l.limit())
	m.all = true
	end := o.made(m)
	full, err := replay(m, l.counted(ctx, Reading{}))
	if err != nil || full != nil {
		return false, err
	}
	end()
	l.sorted = true
	o.done(m)
	return true, nil
}

// divide replays single keys, and writes the events of all others to a tape for each
// of n partitions.
func (l *Log) divide(ctx context.Context, store *spill.Store, n int, o observer) (tapes []*tape, more bool, err error) {
	left := make(chan struct{})
	s, d := l.newSingles(o, left), l.newDealer(store, n, 1)
	go func() {
		defer close(s.handed)
		more, err = l.deal(ctx, s, d)
	}()
	for m := range s.handed {
		if m == nil {
			continue
		}
		if !o.done(m) {
			close(left)
			for range s.handed {
			}
			return nil, false, err
		}
		m.clear()
	}
	return d.tapes, more, err
}

// deal reads the log, and divides it.
func (l *Log) deal(ctx context.Context, s *singles, d *dealer) (more bool, err error) {
	n := 0
	for e, err := range l.counted(ctx, Reading{Want: s.wanted, Pass: s.passes()}) {
		if err != nil {
			return false, err
		}
		if n++; n%64 == 0 && s.leaves() {
			return false, nil
		}
		switch taken, more, err := s.take(e); {
		case err != nil || !more:
			return false, err
		case taken:
			continue
		}
		if err := d.deal(e); err != nil {
			return false, err
		}
	}
	return s.tell(), nil
}

// A partition that does not fit is divided in splitIn, and each of those again, so
// often: what the first reading counts may be much less than what values take.
const (
	splitIn = 16
	splits  = 2
)

// play replays the partitions of tapes, of which there are stride in all, and those
// that do not fit in ever smaller ones. more is false if no more is wanted.
func (l *Log) play(ctx context.Context, store *spill.Store, tapes []*tape, stride, left int, o observer) (more bool, err error) {
	p := player{observer: o, limit: l.limit() / atOnce, work: l.limit(), workers: min(max(l.o.Workers, 1), atOnce)}
	if more, err = p.play(ctx, tapes); err != nil || !more {
		return more, err
	}
	for _, t := range p.full {
		if left == 0 {
			more, err = l.alone(ctx, t, o)
		} else if tapes, err = l.split(ctx, store, t, stride); err == nil {
			more, err = l.play(ctx, store, tapes, stride*splitIn, left-1, o)
		}
		if err != nil || !more {
			return more, err
		}
	}
	return true, nil
}

// alone replays a partition that has all of the memory.
func (l *Log) alone(ctx context.Context, t *tape, o observer) (more bool, err error) {
	p := player{observer: o, limit: l.limit(), work: l.limit(), workers: 1}
	more, err = p.play(ctx, []*tape{t})
	for _, e := range p.keys {
		l.tooLarge(e)
	}
	return more, err
}

// split divides a partition, and frees its tape.
func (l *Log) split(ctx context.Context, store *spill.Store, t *tape, stride int) ([]*tape, error) {
	d := l.newDealer(store, splitIn, stride)
	for e, err := range until(ctx, t.play) {
		if err == nil {
			err = d.deal(e)
		}
		if err != nil {
			return nil, err
		}
	}
	t.stream.Free()
	return d.tapes, nil
}

// limit is what a machine may hold that has all of the memory.
func (l *Log) limit() int64 { return max(l.o.MaxMem, machineMin) }

// dealer writes events to the tapes of the partitions that they concern.
type dealer struct {
	links  *links
	tapes  []*tape
	stride uint64
	open   []*tape // the one of the key whose record is being dealt
	whole  computed
}

// newDealer deals to n partitions of one of stride.
func (l *Log) newDealer(store *spill.Store, n, stride int) *dealer {
	d := &dealer{links: &l.s.links, tapes: make([]*tape, n), stride: uint64(stride)}
	for i := range d.tapes {
		d.tapes[i] = newTape(store, l.s)
	}
	return d
}

func (d *dealer) deal(e *keyspace.Event) error {
	if e.Kind == keyspace.Command {
		d.whole.see(e)
	} else if d.whole.has(e) {
		return nil
	}
	for _, t := range d.to(e) {
		if err := t.write(e); err != nil {
			return err
		}
	}
	return nil
}

// to returns the tapes that need an event. Function libraries are on the first.
func (d *dealer) to(e *keyspace.Event) []*tape {
	switch e.Kind {
	case keyspace.Key:
		d.open = d.of(e.Key)
		return d.open
	case keyspace.Element, keyspace.Group, keyspace.Consumer, keyspace.Pending, keyspace.StreamMeta, keyspace.KeyEnd:
		return d.open
	case keyspace.Delete:
		if e.Op == keyspace.OpDeleteLibrary {
			return d.tapes[:1]
		}
		return d.of(e.Key)
	case keyspace.Expire, keyspace.Rename:
		return d.of(e.Key)
	case keyspace.Function:
		return d.tapes[:1]
	case keyspace.Flush, keyspace.SwapDB:
		return d.tapes
	case keyspace.Command:
		if key := neededBy(e); key != nil {
			return d.of(key)
		}
	}
	return nil
}

// of returns the tape of a key.
func (d *dealer) of(key []byte) []*tape {
	i := d.links.of(key) / d.stride % uint64(len(d.tapes))
	return d.tapes[i : i+1]
}

// neededBy returns a key of a command whose Command event a machine needs, nil of
// any other.
func neededBy(e *keyspace.Event) []byte {
	name := commandName(e)
	switch {
	case name == "":
		return nil
	case len(e.Args) < 2 || len(e.Args) < 3 && (name == "xgroup" || name == "xclaim" || name == "bitop"):
		return nil
	case name == "xgroup", name == "bitop":
		return e.Args[2]
	case name == "xclaim":
		return e.Args[1]
	case computes(e):
		return e.Args[1]
	}
	return nil
}
