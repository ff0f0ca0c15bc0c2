package rdb

import (
	"bytes"
	"errors"
	"maps"
	"math"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Going on behind damage. A place is taken for the start of a record when a
// chain of records that parse without fault, and are like those of the file so
// far, begins there. docs/forensics.md says how much of damaged snapshots that
// gets back.
const (
	chainLength = 5         // records in a row
	doubtLength = 32        // and in one that begins with a doubtful record
	lookahead   = 256 << 10 // bytes that a trial may look ahead
	// trialBudget bounds the work of a search, in bytes parsed per byte passed:
	// hostile bytes may otherwise make every place look like the start of a long
	// record.
	trialBudget = 64
	// trialCost is what a trial costs at least, in the same measure.
	trialCost = 32
)

// damaged reports what could not be understood from the record at begin on,
// and looks for the next record behind it. It returns an error where the
// sequence ends.
func (r *Reader) damaged(begin int64, why error) error {
	if !r.o.Resync || errors.Is(why, errStop) || errors.Is(why, errNames) || r.ctx.Err() != nil {
		return why
	}
	w := &r.in
	w.mark = -1
	orphan := r.orphan
	r.orphan = nil
	r.skip, r.ev.Part = false, keyspace.Whole
	way := r.chosen()
	from, fields := int64(0), int64(0)
	if !r.cut {
		from, fields = r.overran(begin)
	}
	r.way.expiring.strings = -1
	found, err := false, error(nil)
	if fields > 0 {
		r.way.suspect.end = 0
	} else if found, err = r.swallowed(begin); err != nil {
		return err
	}
	if found {
		if begin > r.failed {
			r.failed, r.failedWhy, r.failedIn = begin, why, way
		}
		r.cut = false
		return nil
	}
	if r.cut {
		w.r = w.w // the search was made, and found nothing
	} else {
		next := max(begin+1, fields)
		if !r.goTo(next) {
			w.r = min(max(int(next-w.base), w.first), w.w)
		}
		if found, err = r.searchOn(fields > 0 || r.typ == typeExpiring); err != nil {
			return err
		}
	}
	end := w.offset()
	if fields > 0 && from < begin {
		begin, orphan = from, nil
		why = r.failAt(begin, "a hash that leads into its own fields", keyspace.ErrCorrupt)
	} else if led := r.strays(begin, end, len(orphan) > 0, found); led < begin {
		begin, orphan = led, nil
		why = r.failAt(begin, "a record that leads to no other", keyspace.ErrCorrupt)
	}
	r.way.last.end = 0
	r.presume()
	r.selection.lost += end - begin
	r.clear()
	r.ev.Record, r.orphan = begin, orphan
	if err := r.damage(begin, end-begin, why); err != nil {
		return err
	}
	if err := r.reportGaps(); err != nil {
		return err
	}
	if found {
		return nil
	}
	r.other(keyspace.End)
	r.ev.Value = r.origin()
	r.ev.DB, r.ev.Presumed = 0, false
	r.place(end, end-r.o.Offset)
	r.ev.Index = int64(keyspace.ChecksumUnchecked)
	if err := r.emit(); err != nil {
		return err
	}
	return errStop
}

const (
	// stray is how many bytes may parse by chance behind a record that led astray.
	stray = 4096
	// longest is the length up to which such a record is searched.
	longest = 64 * lookahead
	// wayLength bounds the records behind a suspect, of two bytes each at least.
	wayLength = stray / 2
)

// way remembers the record that was read last of those long enough to have led
// over others, of strings that nothing vouches for, and where the records behind it
// begin: until they have gone too far to be stray bytes.
type way struct {
	last struct { // the key that was read last
		begin, end int64
		unproven   bool
	}
	suspect struct {
		begin, typeAt, end int64
		in                 chosen // the database when it was read
	}
	expiring expiring
	begins   []int64   // of the suspect and of what follows
	recent   [16]int64 // where the records that were read last begin, the newest at read-1
	read     int
}

// mayMislead reports whether nothing vouches for a part of the record at hand that may
// be long: its strings, or a name longer than names are.
func (r *Reader) mayMislead() bool {
	const longName = 1024
	return r.unproven || len(r.key) > longName
}

// note takes a record that was read.
func (r *Reader) note(begin int64) {
	y, end, unproven := &r.way, r.in.offset(), r.mayMislead()
	y.expiring.note(r, begin)
	y.last.begin, y.last.end, y.last.unproven = begin, end, unproven
	y.recent[y.read%len(y.recent)] = begin
	y.read++
	suspect := unproven && end-begin > longString
	if y.suspect.end == 0 && !suspect {
		return
	}
	switch {
	case suspect:
		y.suspect.begin, y.suspect.typeAt, y.suspect.end, y.suspect.in = begin, r.typeAt, end, r.chosen()
		y.begins = append(y.begins[:0], begin)
	case begin-y.suspect.end > stray:
		y.suspect.end = 0
	default:
		y.begins = append(y.begins, begin)
	}
}

// swallowed looks for records inside one that ended shortly before the damage at
// begin: a false length may have led over them, into the middle of another. Behind
// its type, since what follows an expiry is the record itself.
func (r *Reader) swallowed(begin int64) (bool, error) {
	from, end := r.way.suspect.begin, r.way.suspect.end
	r.way.suspect.end = 0
	if end == 0 || len(r.passed) > 8*wayLength || begin-end > stray || end-from > longest ||
		r.rewound > rewindFactor*r.sizeSoFar() || !r.goTo(r.way.suspect.typeAt+1) {
		return false, nil
	}
	r.rewound += begin - from
	found, err := r.search(begin)
	at := r.in.offset()
	passed := append(slices.Clone(r.way.begins), begin)
	if !found || err != nil || slices.Contains(passed, at) {
		return false, err
	}
	if from <= r.failed {
		passed = append(passed, r.passed...) // back a second time, on the way from the first
	}
	r.passed = passed
	r.choose(r.way.suspect.in)
	r.presume()
	r.selection.lost += at - from
	return true, r.damage(from, at-from, r.failAt(from, "a record that holds records", keyspace.ErrCorrupt))
}

// strays returns where the records begin that led to the damage from begin to end and
// are part of it: the last may be misled, and any be what chance makes of the rest of a
// damaged record, unless nothing follows: then the file was cut. Without such records it
// is begin.
func (r *Reader) strays(begin, end int64, named, followed bool) int64 {
	y := &r.way
	if begin == end || !y.last.unproven || y.last.end != begin {
		return begin
	}
	defer r.goTo(end)
	if r.misled(begin, end, named) {
		return y.last.begin
	}
	if !followed || r.headed(begin) {
		return begin
	}
	from := begin
	for n := y.read; n > 0 && n+len(y.recent) > y.read; n-- {
		at := y.recent[(n-1)%len(y.recent)]
		if begin-at > stray || !r.stray(at, from) {
			break
		}
		from = at
	}
	return from
}

// headed reports whether a type that the file may hold and a name of text stand at the
// damage at begin: then a record begins there.
func (r *Reader) headed(begin int64) bool {
	w := &r.in
	if !r.goTo(begin) {
		return false
	}
	w.need(stray)
	p := r.among(w.buf[w.r:min(w.r+stray, w.w)])
	_, _ = p.record() // it fails: what matters is how far it comes
	return p.ev.Kind == keyspace.Key && r.mayHold(p.typ) && kindOfName(p.key) == textName
}

// stray reports whether the record from begin to end is doubtful.
func (r *Reader) stray(begin, end int64) bool {
	w := &r.in
	if r.habits.seen < enough || !r.goTo(begin) || !w.need(int(end-begin)) {
		return false
	}
	p := r.among(w.buf[w.r : w.r+int(end-begin)])
	more, err := p.record()
	return more && err == nil && p.in.offset() == end && p.doubtful()
}

// misled reports whether the record before the damage from begin to end is what is
// damaged: it holds nothing but strings, one of which may claim less than its length,
// and behind it stands what begins no record, nor would if its type were another. A
// type that is not known, with a name, begins one, unless it is a letter or digit: of a text.
func (r *Reader) misled(begin, end int64, named bool) bool {
	w := &r.in
	if end-begin > stray || !r.goTo(begin) || !w.need(int(end-begin)) {
		return false
	}
	if c := w.buf[w.r]; opens(c) || named && !isAlphanumeric(c) {
		return false
	}
	for typ, held := range r.habits.types {
		if held && r.fits(byte(typ), end) {
			return false
		}
	}
	return true
}

// fits reports whether a record of a type, whose own byte stands here, ends at end.
func (r *Reader) fits(typ byte, end int64) bool {
	w := &r.in
	b := append([]byte{typ}, w.buf[w.r+1:w.r+int(end-w.offset())]...)
	p := r.among(b)
	more, err := p.record()
	return more && err == nil && p.in.offset() == end
}

// among returns a silent reader of b as of what stands at the current place.
func (r *Reader) among(b []byte) *Reader {
	return &Reader{lim: r.lim, ctx: r.ctx, in: newWindow(b, r.in.offset()), types: r.types, version: r.version, magic: r.magic, start: r.start,
		templates: maps.Clone(r.templates), templateBytes: r.templateBytes, nameless: -1, habits: r.habits, headless: r.headless, silent: true}
}

// search moves the window to the next place before limit where a chain of
// records begins; false where there is none. It leaves everything else as it is.
func (r *Reader) search(limit int64) (found bool, err error) {
	p := r.silently()
	found, err = p.find(limit)
	r.in = p.in
	return found, err
}

// searchOn is search, up to the end, for a chain that is not of the fields of a damaged
// record: of a hash whose fields expire, if that is known.
func (r *Reader) searchOn(hash bool) (found bool, err error) {
	for {
		if found, err = r.search(math.MaxInt64); !found || err != nil {
			return found, err
		}
		end, yes := r.amid(hash)
		if !yes || !r.goTo(end) {
			return true, nil
		}
	}
}

// silently returns a silent reader at the current place, whose window is to be taken back.
func (r *Reader) silently() *Reader {
	p := &Reader{o: r.o, lim: r.lim, ctx: r.ctx, in: r.in, types: r.types, version: r.version, magic: r.magic, start: r.start, env: r.env,
		templates: maps.Clone(r.templates), templateBytes: r.templateBytes, nameless: r.nameless, habits: r.habits, selection: r.selection, headless: r.headless, size: r.size, silent: true}
	p.clear()
	return p
}

// find is search on a reader of its own.
func (r *Reader) find(limit int64) (found bool, err error) {
	w := &r.in
	budget := int64(lookahead) * trialBudget
	for n := 0; ; n++ {
		if n&0xffff == 0 && r.ctx.Err() != nil {
			return false, r.ctx.Err()
		}
		if w.offset() >= limit || !w.need(1) {
			return false, nil
		}
		if k := w.zeros(); k > 1 { // of a hole, say: none but the last can begin a record
			k = min(k-1, limit-w.offset())
			w.r += int(k)
			budget = min(budget+k*trialBudget, lookahead*trialBudget)
			n |= 0xffff
			continue
		}
		if budget > 0 && r.mayBegin() {
			ok, cost := r.trial()
			budget -= cost
			if ok {
				return true, nil
			}
		}
		w.r++
		budget = min(budget+trialBudget, lookahead*trialBudget)
	}
}

// mayBegin tells by the next two bytes whether a record can start here: with an
// opcode, or with a type that this file can hold and a key that has a name.
func (r *Reader) mayBegin() bool {
	w := &r.in
	op := w.buf[w.r]
	switch op {
	case opFreq:
		return r.habits.mayHave(r.habits.freqs)
	case opIdle:
		return r.habits.mayHave(r.habits.idles)
	case opExpire:
		return r.version < millisSince
	}
	if op >= opFirst {
		return true
	}
	return r.mayHold(op) && w.need(2) && w.buf[w.r+1] != 0
}

// millisSince is the first version in which keys expire at a millisecond: servers have
// not written RDB_OPCODE_EXPIRETIME since (rdb.c, rdbSaveKeyValuePair).
const millisSince = 3

// trial looks for a chain of records from the current place on and returns to
// it. It is not believed if another begins in what nothing vouches for up to its first
// key: in opcodes' strings, in a long name, or in plain strings.
func (r *Reader) trial() (ok bool, cost int64) {
	w := &r.in
	w.pin, w.far = w.r, false
	r.inflated = 0
	ok, first, cost := r.chain(r.heads[:0])
	r.heads = first.heads
	if ok && first.loose > longString {
		inside, c := r.holdsChain(first)
		ok = !inside
		cost += c
	}
	w.r, w.pin, w.far = w.pin, -1, false
	return ok, cost + r.inflated
}

// holdsChain looks for a chain in the opening of one that begins at the pin, but where
// that itself has a record: from its front, and from its end, where a false string holds
// what was never damaged. The window may move as it is read on: places count from the pin.
func (r *Reader) holdsChain(first opening) (inside bool, cost int64) {
	w := &r.in
	end := w.base + int64(w.pin) + first.end
	at := func(k int) (inside bool, cost int64) {
		own := func(h head) bool { return int64(k) >= h.at && int64(k) <= h.typeAt }
		if w.r = w.pin + k; w.r >= w.w || !r.mayBegin() || slices.ContainsFunc(first.heads, own) {
			return false, 0
		}
		from := w.offset()
		inside, _, _ = r.chain(nil)
		return inside && !r.endsBy(end), w.offset() - from + trialCost
	}
	to := int(first.loose)
	for k := 1; k < to && w.pin+k < w.w && cost <= lookahead*trialBudget; k++ {
		found, c := at(k)
		if cost += c; found {
			return true, cost
		}
	}
	forward := cost
	for k := min(to, w.w-w.pin) - 1; k > 0 && forward > lookahead*trialBudget && cost <= 2*forward; k-- {
		found, c := at(k)
		if cost += c; found {
			return true, cost
		}
	}
	return false, cost
}

// endsBy reads on behind a chain and reports whether it comes to an end marker up to
// an offset: then it is that of a snapshot which somebody keeps in a value.
func (r *Reader) endsBy(offset int64) bool {
	for !r.in.far && r.in.offset() < offset {
		more, err := r.record()
		if err != nil || r.implausible() {
			return false
		}
		if !more {
			return r.in.offset() <= offset
		}
	}
	return false
}

// longString is the length from which a false string may swallow whole records.
const longString = 24

// opening is a chain up to its first key; offsets count from where it begins.
type opening struct {
	heads []head
	loose int64 // up to here nothing vouches for what stands there, but for the heads
	end   int64 // of the key
}

// head is where a record begins, and its type.
type head struct{ at, typeAt int64 }

// open takes the record that was just read into the opening of a chain that begins at from.
func (o *opening) open(r *Reader, from int64) {
	w := &r.in
	o.heads = append(o.heads, head{r.ev.Record - from, r.typeAt - from})
	o.end = w.offset() - from
	o.loose = o.end
	if r.ev.Kind == keyspace.KeyEnd && !r.unproven {
		if end, ok := behindKey(w.buf[:w.r], int(r.typeAt-w.base)+1); ok {
			o.loose = w.base + int64(end) - from
		}
	}
}

// chain parses records from the current place on; first is its opening, whose heads
// go into the memory given. If the first key is doubtful, the chain must be longer, and
// most of the others have a name of its kind.
func (r *Reader) chain(heads []head) (ok bool, first opening, cost int64) {
	first.heads = heads
	w := &r.in
	from := w.offset()
	w.far = false
	need, keys, alike := chainLength, 0, 0
	doubt, kind := false, textName
	idle, freq := false, false
	for n := 0; !ok; {
		more, err := r.record()
		if err != nil {
			ok = w.far && n > 0 // what was seen of the chain is without fault
			break
		}
		if !more {
			// The end marker, a checksum and nothing else.
			ok = !w.need(1) || r.beginsLog()
			break
		}
		if r.implausible() {
			break
		}
		if keys == 0 {
			first.open(r, from)
		}
		if n++; r.ev.Kind == keyspace.KeyEnd {
			if keys > 0 && bytes.Equal(r.key, r.before) {
				break // a name is there once: this is a table
			}
			r.before = append(r.before[:0], r.key...)
			if keys++; keys == 1 {
				idle, freq = r.idle >= 0, r.freq >= 0
				if doubt = r.doubtful(); doubt {
					need, kind = doubtLength, kindOfName(r.key)
				}
			} else if doubt && kindOfName(r.key) == kind {
				alike++
			}
			if idle != (r.idle >= 0) || freq != (r.freq >= 0) {
				break // all keys of a file have them, or none
			}
		}
		ok = n >= need || w.offset()-from > lookahead
	}
	return ok && (!doubt || 2*alike > keys-1), first, w.offset() - from + trialCost
}

// Times between which expiries lie, in milliseconds.
const (
	year2009 = 1_230_768_000_000 // before the first Redis
	year2200 = 7_258_118_400_000
)

// implausible rejects what parses but no server writes: keys without a name
// (a run of zeros is a run of empty strings without a name), expiries far from
// any present, streams of more or fewer entries than they say, databases beyond any
// configuration, names of aux fields that are none.
func (r *Reader) implausible() bool {
	const (
		tenYears  = 315_360_000 // seconds without an access
		databases = 1 << 16
		slots     = 16384
	)
	if r.expire != keyspace.NoExpire && (r.expire < year2009 || r.expire > year2200) || r.idle > tenYears {
		return true
	}
	switch r.ev.Kind {
	case keyspace.KeyEnd:
		return len(r.key) == 0 || r.elements == 0 && r.ev.Type != keyspace.Stream && r.ev.Type != keyspace.Module ||
			r.ev.Type == keyspace.Stream && r.elements != r.entries ||
			!r.mayHold(r.typ) || !r.habits.agree(r.idle >= 0, r.freq >= 0)
	case keyspace.DB:
		return r.ev.DB > databases || r.ev.Index < 0 && !r.mayFollow()
	case keyspace.Slot:
		return r.ev.Index >= slots
	case keyspace.Function:
		return !bytes.HasPrefix(r.ev.Value, []byte("#!"))
	case keyspace.Aux:
		return !auxName(r.ev.Key)
	}
	return false
}

// auxName reports whether a name is like those that servers and modules give.
func auxName(p []byte) bool {
	for _, c := range p {
		if !isAlphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return len(p) > 0 && len(p) <= 32
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
