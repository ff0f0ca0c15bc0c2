package rdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Options say how a snapshot is read. The zero value reads strictly.
type Options struct {
	Source string // name of the input, for Pos and errors
	Offset int64  // where the reader's first byte stands in the source
	// AsOf is the time, in Unix milliseconds, against which a key is Live or
	// Expired; 0 takes the aux field ctime of the file. Without either nothing is
	// called expired.
	AsOf   int64
	Limits keyspace.Limits
	// Want is asked about each Key event; where it says no, the elements are
	// skipped undecoded and KeyEnd follows at once. Nil wants all.
	Want func(*keyspace.Event) bool
	// Skim passes over values: of a key its Key event alone is yielded. It is for whoever
	// wants to know which keys there are, what else, and where the snapshot ends.
	Skim bool
	// Pass is asked about keys of which an answer spares much, some at a time, before
	// anything else is: where it sets a place of pass, nothing of the key is yielded. Most
	// keys that are one string each are among them. It may be asked before an event that
	// stands before the keys has come through, and again about a key that it has not let
	// be passed over. It must not keep the names.
	Pass func(db int32, names [][]byte, pass []bool)
	// KeepValue is asked about each Key event how many bytes of its serialized
	// value to keep at most, 0 for none. KeyEnd.Value then holds it: its type byte
	// and what follows the key, as DUMP would give it, without footer; nil where it
	// is longer. It is held in memory whole.
	KeepValue func(*keyspace.Event) int64
	// Resync goes on behind damage: a Damage event stands for what was skipped.
	// Otherwise damage ends the sequence with an error.
	Resync bool
	// Size is the number of bytes that the reader will find, 0 if it is not known.
	// With it, Resync takes a length beyond the end for what it is before it has
	// read so far.
	Size int64
	// Measure finds out Size by reading the input to its end; Reopen must be set, too.
	// It is called, once, when a long value raises the question. Nil: nobody can.
	Measure func() (int64, error)
	// Reopen lets Resync go back: it opens the input anew at an offset in the
	// source. Without it only what is in memory, some 256 KiB, is searched again
	// after a false length led astray.
	Reopen func(offset int64) (io.ReadCloser, error)
	// Headless is the magic of a snapshot, "REDIS" or "VALKEY", from whose middle the
	// input is: it begins with a record, of no version that is known.
	Headless string
	// Preamble is set for the snapshot at the head of an append-only file: what
	// follows its end marker is left to Rest.
	Preamble bool
}

// Reader yields the events of one snapshot. It is for one use by one goroutine.
type Reader struct {
	o     Options
	lim   keyspace.Limits
	yield func(*keyspace.Event, error) bool
	ctx   context.Context

	in       window
	src      io.Reader
	types    *[256]decoder
	version  int
	magic    string
	headless bool  // version and magic are not known
	start    int64 // where the envelope's frame starts in the source; -1 without envelope
	env      *envelope

	ev       keyspace.Event
	asOf     int64
	elements int64
	hollow   int  // members without a name
	silent   bool // a trial: nothing is yielded
	asks     bool // Skim, Want or KeepValue tell whether a value is skipped, or kept
	skip     bool // values are passed over undecoded
	keep     bool // the value at hand is kept
	bare     bool // the record before was a key, and nothing stands between it and the next one's type

	expire, idle int64
	freq         int16

	key, field, member []byte // stable copies of what outlives a slide
	orphan             []byte // the key of a record whose type is unknown, until its Damage event
	scratch            [32]byte
	bl                 blob
	idSize             int // bytes of the module id that was read
	cell               cell
	inflate            []byte // room for decompressed strings
	inflated           int64  // bytes decompressed, since a trial set it to 0
	unpacked           int64  // bytes of names that were decompressed
	fields             cells  // names of a stream's master entry
	templates          map[uint64]*cells
	templateBytes      int
	cut                bool    // the record at hand is the last, and the input ends inside it
	way                way     // the records that were read last
	failed             int64   // a record that was found wrong before a search went back into one before it,
	failedWhy          error   // why,
	failedIn           chosen  // in which database,
	passed             []int64 // and the records that led to it
	typ                byte    // type of the record at hand
	typeAt             int64   // where it stands
	habits             habits  // of whoever wrote the file
	selection          selection
	entries            int64  // of the stream at hand, as it says
	heads              []head // of the chain at hand, up to its first key
	before             []byte // the name of its key before the one at hand
	unproven           bool   // the record at hand holds plain strings, which have no form that could be wrong
	rewound            int64  // bytes gone back over
	reached            int64  // how far the input was read, before going back
	size               int64  // of what offsets count in, 0 if it is not known
	measured           bool   // it was asked for
	gapsTo             int64  // gaps before this offset were reported
	again              io.Closer
	nameless           int32 // the database in which a key without a name was read; -1: none
	tick               int
	plodding           bool   // a test's: each key is read by record
	ahead              *ahead // of the run at hand
}

// errStop ends the work because the consumer left the loop.
var errStop = errors.New("stopped")

// Sniff reports whether head, the first bytes of an input (12 suffice), begins
// a snapshot: a REDIS or VALKEY header or a VCS envelope.
func Sniff(head []byte) bool {
	_, _, ok := parseMagic(head)
	return ok || sniffEnvelope(head)
}

// parseMagic splits the nine bytes at the start of a snapshot.
func parseMagic(head []byte) (magic string, version int, ok bool) {
	digits := 4
	switch {
	case bytes.HasPrefix(head, []byte("REDIS")):
		magic = "REDIS"
	case bytes.HasPrefix(head, []byte("VALKEY")):
		magic, digits = "VALKEY", 3
	default:
		return "", 0, false
	}
	if len(head) < headerSize {
		return "", 0, false
	}
	for _, c := range head[headerSize-digits : headerSize] {
		if c < '0' || c > '9' {
			return "", 0, false
		}
		version = version*10 + int(c-'0')
	}
	return magic, version, true
}

// headerSize is the length of "REDIS0011" and of "VALKEY080".
const headerSize = 9

// NewReader returns a Reader of the snapshot in r. It reads ahead of what it
// yields, on a goroutine that ends with the sequence.
func NewReader(r io.Reader, o Options) *Reader {
	return &Reader{o: o, lim: o.Limits.WithDefaults(), src: r, asOf: o.AsOf, asks: o.Skim || o.Want != nil || o.KeepValue != nil, start: -1, failed: -1, nameless: -1, selection: selection{above: -1, early: true}}
}

// Events yields the snapshot; see [keyspace] for the contract.
func (r *Reader) Events(ctx context.Context) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		r.yield, r.ctx = yield, ctx
		if r.o.Skim {
			r.yield = skimmed(yield)
		}
		r.open()
		err := r.run()
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			err = ctx.Err() // not where it came in between
		}
		if !r.o.Preamble || err != nil {
			r.close()
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// close ends the reading ahead, and closes the input if it was opened anew.
func (r *Reader) close() {
	r.in.feed.stop()
	if r.again != nil {
		r.again.Close() //nolint:errcheck // it was only read
	}
}

// Rest returns what follows the snapshot in the input, after Events came to its
// end; Options.Preamble must be set. Close it.
func (r *Reader) Rest() io.ReadCloser {
	if r.env != nil {
		return &rest{r.env.rest(r.in.feed), r}
	}
	r.in.feed.noCRC.Store(true)
	return &rest{&unread{&r.in}, r}
}

// RestOffset is the offset in the source at which Rest begins: behind the end
// marker and checksum, or behind the frame of an envelope.
func (r *Reader) RestOffset() int64 {
	if r.env != nil && r.env.frame != nil {
		return r.start + r.env.frame.read
	}
	return r.in.offset()
}

// rest is what follows a snapshot; with it the Reader ends.
type rest struct {
	io.Reader
	r *Reader
}

func (s *rest) Close() error {
	s.r.close()
	return nil
}

// unread reads on where the parser stopped.
type unread struct{ w *window }

func (s *unread) Read(p []byte) (int, error) {
	if !s.w.need(1) {
		return 0, s.w.err
	}
	n := copy(p, s.w.buf[s.w.r:s.w.w])
	s.w.r += n
	if len(s.w.gaps) > 0 {
		gap := s.w.gaps[0]
		s.w.gaps = s.w.gaps[1:]
		return n, gap
	}
	return n, nil
}

func (r *Reader) open() {
	src := r.src
	r.in = newWindow(nil, r.o.Offset)
	r.in.err = nil
	if env, in := openEnvelope(src); env != nil {
		r.env = env
		r.start = r.o.Offset + env.size
		r.in.base = 0
		src = env
	} else {
		src = in
		r.size = r.o.Size
	}
	r.in.feed = newFeeder(r.ctx, src)
}

// run reads header, records and footer.
func (r *Reader) run() error {
	r.clear()
	if err := r.envelopeKnown(); err != nil {
		return err
	}
	if err := r.header(); err != nil {
		return err
	}
	for n := 0; ; n++ {
		if n&1023 == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if len(r.in.gaps) > 0 {
			if err := r.reportGaps(); err != nil {
				return err
			}
		}
		if !r.plodding {
			if err := r.flats(); err != nil {
				return err
			}
		}
		begin := r.in.offset()
		var more bool
		var err error
		if begin <= r.failed && slices.Contains(r.passed, begin) {
			begin, err = r.failed, r.failedWhy       // back on the way that led there
			if r.failedIn.from >= r.selection.from { // and no database was selected since
				r.choose(r.failedIn)
			}
		} else {
			more, err = r.record()
		}
		if err != nil {
			r.ahead = nil
			if err = r.damaged(begin, err); err != nil {
				return err
			}
			continue
		}
		if !more {
			return nil
		}
		if r.o.Resync {
			r.note(begin)
		}
	}
}

// header reads the magic and yields the Header event.
func (r *Reader) header() error {
	r.magic, r.version, r.types = "REDIS", maxRedis, &redisTypes // for a search, if the header is lost
	if r.o.Headless != "" {
		r.magic, r.types, r.headless = r.o.Headless, dialectOf(r.o.Headless), true
		r.presume()
		return nil
	}
	if !r.in.need(headerSize) {
		return r.damaged(r.in.offset(), r.short("header"))
	}
	head := r.in.buf[r.in.r : r.in.r+headerSize]
	magic, version, ok := parseMagic(head)
	if !ok {
		r.headless, r.types = true, &orphanTypes
		return r.damaged(r.in.offset(), r.fail("header: no REDIS or VALKEY magic", keyspace.ErrCorrupt))
	}
	r.magic, r.version = magic, version
	r.types = dialectOf(magic)
	known := version >= 1 && version <= maxRedis
	if magic == "VALKEY" {
		known = version >= minValkey && version <= maxValkey
	}
	r.ev.Kind, r.ev.Value, r.ev.Index = keyspace.Header, append(r.member[:0], magic...), int64(version)
	r.place(r.in.offset(), headerSize)
	if err := r.emit(); err != nil {
		return err
	}
	if !known {
		err := r.fail(fmt.Sprintf("header: %s version %d", magic, version), keyspace.ErrUnsupported)
		if !r.o.Resync {
			return err
		}
		if err := r.damage(r.in.offset(), headerSize, err); err != nil {
			return err
		}
	}
	r.in.r += headerSize
	r.ev.Value = nil
	return nil
}

// envelopeKnown reports an envelope whose header says what is not known.
func (r *Reader) envelopeKnown() error {
	if r.env == nil || r.env.err == nil {
		return nil
	}
	err := r.fail("envelope", r.env.err)
	if !r.o.Resync {
		return err
	}
	return r.damage(0, r.env.size, err)
}

// clear sets the event to what no record has said anything about.
func (r *Reader) clear() {
	r.ev = keyspace.Event{DB: r.ev.DB, Presumed: r.ev.Presumed, Pos: keyspace.Pos{Source: r.o.Source, Inner: -1}, Expire: keyspace.NoExpire, Idle: -1, Freq: -1}
}

// place sets where the event's string stands.
func (r *Reader) place(offset, n int64) {
	r.ev.Length = n
	if r.start >= 0 {
		r.ev.Pos.Offset, r.ev.Pos.Inner = r.start, offset
		return
	}
	r.ev.Pos.Offset, r.ev.Pos.Inner = offset, -1
}

// nameAt sets where the event's name stands; see placeIn for one inside a blob.
func (r *Reader) nameAt(offset, n int64) {
	r.ev.Name = keyspace.Place{Offset: offset, Inner: -1, Length: n}
	if r.start >= 0 {
		r.ev.Name.Offset, r.ev.Name.Inner = r.start, offset
	}
}

// placeName makes the place of the event that of its name.
func (r *Reader) placeName() {
	r.ev.Pos.Offset, r.ev.Pos.Inner, r.ev.Length = r.ev.Name.Offset, r.ev.Name.Inner, r.ev.Name.Length
}

// ofValue are the kinds of events that follow a Key event, a bit each.
const ofValue = 1<<keyspace.Element | 1<<keyspace.KeyEnd |
	1<<keyspace.Group | 1<<keyspace.Consumer | 1<<keyspace.Pending | 1<<keyspace.StreamMeta

// skimmed passes on what is of no value.
func skimmed(yield func(*keyspace.Event, error) bool) func(*keyspace.Event, error) bool {
	return func(e *keyspace.Event, err error) bool {
		return err == nil && ofValue>>e.Kind&1 != 0 || yield(e, err)
	}
}

// emit yields the event. That the context has ended is found by run, flats and element
// and where the window slides: here, three times a key, it would take as long as the rest.
func (r *Reader) emit() error {
	if !r.silent && !r.yield(&r.ev, nil) {
		return errStop
	}
	return nil
}

// damage yields a Damage event for n bytes from offset on.
func (r *Reader) damage(offset, n int64, why error) error {
	save := r.ev
	r.ev.Kind, r.ev.Err = keyspace.Damage, why
	r.ev.Key, r.ev.Field, r.ev.Value = r.orphan, nil, nil
	r.orphan = nil
	r.place(offset, n)
	err := r.emit()
	r.ev = save
	return err
}

// reportGaps yields the ranges that the medium could not deliver.
func (r *Reader) reportGaps() error {
	for _, g := range r.in.gaps {
		if g.Offset < r.gapsTo {
			continue // seen before going back
		}
		r.gapsTo = g.Offset + g.Length
		at := keyspace.Pos{Source: r.o.Source, Offset: g.Offset, Inner: -1}
		if err := r.damage(at.Offset, g.Length, &keyspace.FormatError{Pos: at, What: "read", Err: g.Err}); err != nil {
			return err
		}
	}
	r.in.gaps = r.in.gaps[:0]
	return nil
}

// fail says that the bytes at the current position could not be understood.
func (r *Reader) fail(what string, err error) error {
	return r.failAt(r.in.offset(), what, err)
}

func (r *Reader) failAt(offset int64, what string, err error) error {
	pos := keyspace.Pos{Source: r.o.Source, Offset: offset, Inner: -1}
	if r.start >= 0 {
		pos.Offset, pos.Inner = r.start, offset
	}
	return &keyspace.FormatError{Pos: pos, What: what, Err: err}
}

// short says that the input ended, or could not be read further, inside what.
func (r *Reader) short(what string) error {
	at := r.in.base + int64(r.in.w)
	if r.in.ended() || r.in.err == nil || errors.Is(r.in.err, io.ErrUnexpectedEOF) {
		return r.failAt(at, what, keyspace.ErrTruncated)
	}
	return r.failAt(at, what, r.in.err)
}

// formatInt writes an integer as the server would show it; the result is valid
// until the next call.
func (r *Reader) formatInt(n int64) []byte {
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	i := len(r.scratch)
	for u >= 100 {
		q := u / 100
		d := (u - q*100) * 2
		u = q
		i -= 2
		r.scratch[i], r.scratch[i+1] = digits[d], digits[d+1]
	}
	i -= 2
	r.scratch[i], r.scratch[i+1] = digits[u*2], digits[u*2+1]
	if u < 10 {
		i++
	}
	if n < 0 {
		i--
		r.scratch[i] = '-'
	}
	return r.scratch[i:]
}

// digits are the pairs 00 to 99.
const digits = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"
