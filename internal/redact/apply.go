package redact

import (
	"bytes"
	"hash/maphash"
	"slices"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Changed reports whether the event that Seq yielded last was changed. Of a part of
// a long value it also answers for the parts before it.
func (r *Redactor) Changed() bool { return r.changed }

// Seq yields the events with all replaced that Learn has found. Only strings are
// changed, and the scores that were found to be one. KeyEnd bears no serialized value
// where anything was changed.
func (r *Redactor) Seq(seq keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		r.rec, r.key, r.keyShort, r.held, r.without = record{offset: -1}, orders{}, nil, nil, record{offset: -1}
		r.names.clashes, r.names.lost = 0, nil
		stale := false // something of the key was changed
		for e, err := range seq {
			if r.held != nil {
				if !r.release(e, err, yield) {
					return
				}
				stale = stale || r.changed
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if r.dropped(e) {
				continue
			}
			if r.idle {
				if e.Kind == keyspace.Key {
					r.named(r.keysOf(e.DB), e.Key, func() []byte { return e.Key })
				}
				if r.changed = false; !yield(e, nil) {
					return
				}
				continue
			}
			if e.Part == keyspace.First || e.Part == keyspace.Middle {
				r.held = e.Clone()
				continue
			}
			c := *e
			if r.changed = r.apply(&c); r.changed {
				r.touched.put(r.hash(r.rec), 0)
			}
			switch e.Kind {
			case keyspace.Key:
				stale = r.changed
			case keyspace.KeyEnd:
				if stale {
					c.Value = nil
				}
			default:
				stale = stale || r.changed
			}
			if !yield(&c, nil) {
				return
			}
		}
	}
}

// dropped reports whether e belongs to a command of a log that is left out: which
// command it is gives it away.
func (r *Redactor) dropped(e *keyspace.Event) bool {
	switch e.Kind {
	case keyspace.Damage, keyspace.Torn, keyspace.Header, keyspace.End:
		return false
	}
	r.orders(e)
	if e.Kind == keyspace.Command {
		r.without = r.rec
	}
	if r.key.level >= leftOut && e.Kind != keyspace.Key && e.Kind != keyspace.KeyEnd && e.Kind != keyspace.Aux {
		return true
	}
	return r.key.level >= everyName && r.without == r.rec
}

// release yields the part that is held, after looking at the seam to the next.
func (r *Redactor) release(next *keyspace.Event, err error, yield func(*keyspace.Event, error) bool) bool {
	h := r.held
	r.held = nil
	r.orders(h)
	whole := h.Value
	n := len(whole)
	r.cover = r.cover && !h.Part.Begins()
	if err == nil && next.Kind == keyspace.Element && !next.Part.Begins() {
		whole = append(whole, next.Value[:min(len(next.Value), seam)]...)
	}
	t := texts{r: r, o: &r.key}
	c := *h
	value := t.long(whole)
	r.changed = !bytes.Equal(value, whole)
	c.Value = value[:n]
	if r.changed && len(whole) > n {
		next.Value = append(value[n:len(whole):len(whole)], next.Value[len(whole)-n:]...)
	}
	c.Field, c.Key = t.name(h.Field, r.key.level >= everyName), t.name(h.Key, r.key.level >= everyName)
	r.changed = r.changed || !bytes.Equal(c.Field, h.Field) || !bytes.Equal(c.Key, h.Key)
	if r.changed {
		r.touched.put(r.hash(r.rec), 0)
	}
	return yield(&c, nil)
}

// seam is how much of the next part is looked at with a part: no secret of what is
// split is longer.
const seam = 64 << 10

// MaxChunk is the Limits.MaxChunk that the events need: what comes in parts is not
// opened as what comes whole is.
const MaxChunk = 8 << 20

// orders looks up how the record of e is treated.
func (r *Redactor) orders(e *keyspace.Event) {
	rec := record{e.Pos.Source, e.Record}
	if rec == r.rec {
		return
	}
	r.rec = rec
	r.key = r.records[rec]
	r.keyShort = r.key.shorts()
	r.idle = false
	if r.settled {
		_, touched := r.touched.get(r.hash(rec))
		r.idle = !touched
	}
}

// apply replaces what is to be replaced in e and reports whether anything was. e is
// a copy, but its slices are not.
func (r *Redactor) apply(e *keyspace.Event) bool {
	switch e.Kind {
	case keyspace.Header, keyspace.DB, keyspace.Slot, keyspace.StreamMeta, keyspace.Flush, keyspace.SwapDB, keyspace.End, keyspace.Damage, keyspace.Torn:
		return false
	}
	r.orders(e)
	switch e.Kind {
	case keyspace.Delete, keyspace.Rename, keyspace.Expire:
		// These are not scanned: what would give a placeholder away is not known.
		r.key.level = max(r.key.level, bluntSecrets)
	}
	t := texts{r: r, o: &r.key}
	names, values := r.key.level >= everyName, r.key.level >= everyString
	changed := false
	set := func(p *[]byte, to []byte) {
		if !bytes.Equal(*p, to) {
			*p, changed = to, true
		}
	}
	switch e.Kind {
	case keyspace.Key:
		set(&e.Key, r.named(r.keysOf(e.DB), e.Key, func() []byte { return t.name(e.Key, names) }))
	case keyspace.KeyEnd:
		e.Key = t.name(e.Key, names)
	case keyspace.Aux:
		set(&e.Value, t.value(e.Value, values))
	case keyspace.Function:
		// Code that a placeholder stands for is none that a server loads.
		if code := t.inner(e.Value, 0); r.key.level < wholeStrings && !t.covered {
			set(&e.Value, code)
		} else {
			set(&e.Value, nil)
		}
	case keyspace.Command:
		e.Args = slices.Clone(e.Args)
		for i := range e.Args {
			set(&e.Args[i], t.value(e.Args[i], values && i > 0))
		}
	default:
		in, field, value := r.collection(e)
		e.Key = t.name(e.Key, names)
		if field {
			set(&e.Field, r.named(in, e.Field, func() []byte { return t.name(e.Field, names) }))
		} else {
			set(&e.Field, t.name(e.Field, names))
		}
		if e.Part.Begins() {
			r.cover = false
		}
		switch {
		case r.cover: // the end of a long value
			set(&e.Value, t.whole(e.Value))
		case value:
			set(&e.Value, r.named(in, e.Value, func() []byte { return t.member(e.Value, values && textual(e)) }))
		default:
			set(&e.Value, t.value(e.Value, values && textual(e)))
		}
		if e.Type == keyspace.SortedSet && e.Kind == keyspace.Element && r.key.level >= wholeStrings && e.Score >= leastScore {
			e.Score, changed = leastScore, true
		}
	}
	return changed
}

// leastScore is a score that is too small to be a number of a card or telephone.
const leastScore = 1e6

// textual reports whether the value of e may become any other text: not what a module
// stores as a number, or in a form of its own.
func textual(e *keyspace.Event) bool {
	switch e.Encoding {
	case keyspace.ModuleSigned, keyspace.ModuleUnsigned, keyspace.ModuleFloat, keyspace.ModuleDouble:
		return false
	}
	return e.Type != keyspace.Module && e.Type != keyspace.VectorSet || utf8.Valid(e.Value)
}

// texts treats the strings of one event.
type texts struct {
	r       *Redactor
	o       *orders
	opened  int  // bytes that came out of compressed ones
	work    int  // bytes of all layers that were looked through
	tried   int  // what was spent on beginnings inside of strings
	noise   int  // layers that were no such thing, by how they ended
	guesses int  // places inside of strings where something without one was tried
	covered bool // something was replaced as a whole
	stretch bool // what is treated may be cut
}

// name treats a string; all: no letter of it stays, unless it is so short that fields or
// members would become the same, with which no server loads a file.
func (t *texts) name(p []byte, all bool) []byte {
	if len(p) == 0 {
		return p
	}
	if all && (len(p) >= anywhere || t.o.level >= constants) {
		return t.r.places.appendFor(nil, p, true)
	}
	cached := len(p) >= anywhere && len(p) <= mostCached && len(t.r.keyShort) == 0
	var h uint64
	if cached {
		if h = maphash.Bytes(t.r.secrets.seed, p); t.r.clean.has(h, t.r.secrets.texts.n) {
			return p
		}
	}
	q := t.inner(p, 0)
	if len(q) == len(p) && &q[0] == &p[0] {
		if cached {
			t.r.clean.put(h)
		}
		return p
	}
	if !bytes.Equal(p, q) && !bytes.Equal(t.inner(q, 0), q) { // what came of it shows one yet
		return t.whole(p)
	}
	return q
}

// clean are the hashes of strings in which nothing is to be replaced: many come again.
type clean struct {
	hashes [1 << 14]uint64
	known  int // secrets, when they were looked at
}

// mostCached is the length of strings that are looked up.
const mostCached = 256

func (c *clean) has(h uint64, known int) bool {
	if c.known != known {
		*c = clean{known: known}
	}
	return c.hashes[h%uint64(len(c.hashes))] == h
}

func (c *clean) put(h uint64) { c.hashes[h%uint64(len(c.hashes))] = h }

// value treats any other string.
func (t *texts) value(p []byte, all bool) []byte {
	if all && t.o.level >= constants {
		return constant(p)
	}
	return t.member(p, all)
}

// constant is as long as p and tells nothing but whether that is a number.
func constant(p []byte) []byte {
	with := byte('0')
	if slices.ContainsFunc(p, func(b byte) bool { return !isDigit(b) }) {
		with = 'x'
	}
	return bytes.Repeat([]byte{with}, len(p))
}

// member treats a value that must differ from others.
func (t *texts) member(p []byte, all bool) []byte {
	q := t.name(p, all)
	if t.o.level >= wholeStrings && !bytes.Equal(p, q) {
		return t.r.places.appendFor(nil, p, true)
	}
	return q
}

// long treats a stretch of a value that is too long to come whole. Where one thing in
// it had to be replaced as a whole, it may go on in the next stretch, where nothing
// tells what it is.
func (t *texts) long(p []byte) []byte {
	t.stretch = true
	q := p
	if !t.r.cover && t.o.level < everyString {
		q = t.inner(p, 0)
	}
	switch {
	case t.r.cover, t.covered, len(q) != len(p):
		t.r.cover = true
		return t.whole(p)
	case t.o.level >= everyString, t.o.level >= wholeStrings && !bytes.Equal(q, p):
		return t.whole(p)
	}
	return q
}

// plain replaces the secrets that stand in p as they are. It returns p itself where
// there are none.
func (t *texts) plain(p []byte) []byte {
	q := t.known(p)
	for _, s := range t.r.keyShort {
		if i := bytes.Index(q, []byte(s)); i >= 0 {
			q = bytes.ReplaceAll(q, []byte(s), t.r.places.appendFor(nil, []byte(s), t.o.level >= bluntSecrets))
		}
	}
	return q
}

func (t *texts) known(p []byte) []byte {
	at, n := t.r.secrets.next(p, 0)
	if at < 0 {
		return p
	}
	out := make([]byte, 0, len(p))
	from := 0
	for at >= 0 {
		out = append(out, p[from:at]...)
		out = t.r.places.appendFor(out, p[at:at+n], t.o.level >= bluntSecrets)
		from = at + n
		at, n = t.r.secrets.next(p, from)
	}
	return append(out, p[from:]...)
}
