package redact

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// Options say how secrets are found and replaced.
type Options struct {
	// Key makes placeholders: with the same key, a secret has the same in every
	// export.
	Key []byte
	// Scan says how to find what is to be replaced; its Plain, Values and Names are set.
	Scan scan.Config
	// Match is asked about each key; those that it refuses are none of ours, and
	// secrets in them are not looked for. Nil: all are.
	Match func(*keyspace.Event) bool
	// MaxMem bounds the secrets that are held; 0: 64 MiB.
	MaxMem int64
}

// A Redactor knows what is to be replaced. It is for one goroutine.
type Redactor struct {
	o       Options
	scanner *scan.Scanner
	secrets *secrets
	judge   *judge
	places  *placeholders
	records map[record]*orders
	counts  Counts

	key     orders // of the key at hand
	rec     record
	without record          // the last command's
	held    *keyspace.Event // a part of a long value whose successor has not come
	cover   bool            // all that follows of it is replaced
	changed bool            // of the event that was yielded last
}

// Counts say what was replaced.
type Counts struct {
	Secrets int // different ones
	Found   int // places where one was found
	Whole   int // keys of which whole strings are replaced
	All     int // keys of which all strings are
}

// record is where a key or a command stands.
type record struct {
	source string
	offset int64
}

// orders say how a record is treated.
type orders struct {
	level level
	short []string // secrets that are replaced here only
}

// level is how much of a record is replaced.
type level uint8

const (
	secretsOnly  level = iota // what was found
	bluntSecrets              // without its punctuation
	wholeStrings              // strings that hold something that was found
	everyString               // all but names
	everyName                 // all
	levels
)

const defaultMaxMem = 64 << 20

// New returns a Redactor that knows nothing yet: see [Redactor.Learn].
func New(o Options) (*Redactor, error) {
	if o.MaxMem <= 0 {
		o.MaxMem = defaultMaxMem
	}
	r := &Redactor{o: o, secrets: newSecrets(), places: newPlaceholders(o.Key), records: map[record]*orders{}}
	r.judge = &judge{secrets: r.secrets}
	o.Scan.Plain, o.Scan.Values, o.Scan.Names = true, r.judge, true
	var err error
	r.scanner, err = scan.New(o.Scan)
	return r, err
}

// Scanner finds what Learn looked for and, inside all that it opens, what Learn found.
func (r *Redactor) Scanner() *scan.Scanner { return r.scanner }

// ErrLeft says that something is found no matter what is replaced.
type ErrLeft struct {
	Rule string // that finds it
	N    int    // such places
}

func (e *ErrLeft) Error() string {
	return fmt.Sprintf("%d secrets would still be found, by rule %s first", e.N, e.Rule)
}

// maxRounds bounds how often the events are scanned.
const maxRounds = 3 * int(levels)

// Learn finds out what is to be replaced. events is called several times, and must
// hold the same each time. Damage does not end it.
func (r *Redactor) Learn(ctx context.Context, events func() keyspace.Seq) error {
	seq := selected(events(), r.o.Match)
	left := &ErrLeft{}
	for round := range maxRounds {
		var err error
		if left, err = r.scan(ctx, seq, round); err != nil || left.N == 0 {
			return err
		}
		seq = r.Seq(selected(events(), r.o.Match))
	}
	return left
}

// scan has a sequence scanned and notes what was found. It counts what has to be
// dealt with yet.
func (r *Redactor) scan(ctx context.Context, seq keyspace.Seq, round int) (*ErrLeft, error) {
	left := &ErrLeft{}
	var later []found
	r.judge.asked = round > 0
	_, err := r.scanner.Scan(ctx, seq, func(f *scan.Finding) error {
		f = f.Plain()
		if left.N++; left.Rule == "" {
			left.Rule = f.Rule
		}
		x := found{rec: record{f.Source, f.RecordOffset}}
		if f.Rule != queueRule {
			x.secrets = slices.AppendSeq([]string{f.Secret}, maps.Values(f.Identity))
			slices.Sort(x.secrets) // a map has no order, and what is learned first counts
		}
		if round == 0 {
			return r.note(&x, round, nil)
		}
		// The sequence, which another goroutine reads, looks at what is known so far.
		if len(later) < maxLater {
			later = append(later, x)
		}
		return nil
	})
	raised := map[record]bool{}
	for i := range later {
		if e := r.note(&later[i], round, raised); err == nil {
			err = e
		}
	}
	return left, err
}

// queueRule names keys that hold jobs. It tells them by their form, and what it names
// them by is no secret: of such a key all strings are replaced.
const queueRule = "job-queue"

// found is what is taken of a finding.
type found struct {
	rec     record
	secrets []string // none: the record as a whole
}

// maxLater bounds the findings that one round deals with; others come again.
const maxLater = 1 << 17

// note takes up a finding. One that comes again has its record replaced in larger
// pieces.
func (r *Redactor) note(f *found, round int, raised map[record]bool) error {
	o := r.ordersFor(f.rec)
	fresh := false
	for _, s := range f.secrets {
		fresh = r.learn(s, o, round) || fresh
	}
	if round == 0 {
		r.counts.Found++
		for len(f.secrets) == 0 && o.level < everyString {
			r.raise(o)
		}
	}
	if !fresh && round > 0 && !raised[f.rec] {
		raised[f.rec] = true
		r.raise(o)
	}
	if r.secrets.bytes > r.o.MaxMem {
		return fmt.Errorf("more secrets than fit in %d MiB: %w", r.o.MaxMem>>20, keyspace.ErrLimit)
	}
	return nil
}

// ordersFor are the orders for a record, which may be changed.
func (r *Redactor) ordersFor(rec record) *orders {
	o := r.records[rec]
	if o == nil {
		o = &orders{}
		r.records[rec] = o
		r.secrets.bytes += perRecord
	}
	return o
}

// raise has a record replaced in larger pieces, and reports whether there are any.
func (r *Redactor) raise(o *orders) bool {
	if o.level == levels-1 {
		return false
	}
	o.level++
	switch o.level {
	case wholeStrings:
		r.counts.Whole++
	case everyString:
		r.counts.Whole--
		r.counts.All++
	}
	return true
}

// Raise has the record of e replaced in larger pieces from now on: whoever wrote it
// in another form found something in that. It reports whether there are any.
func (r *Redactor) Raise(e *keyspace.Event) bool {
	return r.raise(r.ordersFor(record{e.Pos.Source, e.Record}))
}

// perRecord is about what the orders for a record take.
const perRecord = 128

// learn takes up a secret and reports whether it was not known.
func (r *Redactor) learn(secret string, o *orders, round int) bool {
	switch {
	case len(secret) == 0, round > 0 && r.places.made(secret):
		return false // a placeholder, or what it lies in
	case len(secret) >= anywhere:
		if r.secrets.add(secret) {
			r.counts.Secrets++
			return true
		}
	case !slices.Contains(o.short, secret):
		o.short = append(o.short, secret)
		slices.SortFunc(o.short, func(a, b string) int { return len(b) - len(a) })
		r.counts.Secrets++
		r.secrets.bytes += perRecord
		return true
	}
	return false
}

// Counts tells what was learned.
func (r *Redactor) Counts() Counts { return r.counts }

// Holds reports whether p holds a secret that is replaced everywhere.
func (r *Redactor) Holds(p []byte) bool {
	at, _ := r.secrets.next(p, 0)
	return at >= 0
}

// Longest is the length of the longest secret, for whoever looks through a stream by
// [Redactor.Holds].
func (r *Redactor) Longest() int { return r.secrets.most }

// Changed reports whether the event that Seq yielded last was changed. Of a part of
// a long value it also answers for the parts before it.
func (r *Redactor) Changed() bool { return r.changed }

// selected leaves out the keys that match refuses.
func selected(seq keyspace.Seq, match func(*keyspace.Event) bool) keyspace.Seq {
	if match == nil {
		return seq
	}
	return func(yield func(*keyspace.Event, error) bool) {
		skip := false
		for e, err := range seq {
			if err == nil {
				switch e.Kind {
				case keyspace.Key:
					skip = !match(e)
				case keyspace.Header, keyspace.Aux, keyspace.DB, keyspace.Function, keyspace.Damage, keyspace.Command, keyspace.End:
					skip = false
				}
				if skip {
					continue
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Seq yields the events with all replaced that Learn has found. Only strings are
// changed, and the scores that were found to be one. KeyEnd bears no serialized value
// where anything was changed.
func (r *Redactor) Seq(seq keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		r.rec, r.key, r.held, r.without = record{offset: -1}, orders{}, nil, record{offset: -1}
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
			if e.Part == keyspace.First || e.Part == keyspace.Middle {
				r.held = e.Clone()
				continue
			}
			c := *e
			r.changed = r.apply(&c)
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
	if o := r.records[rec]; o != nil {
		r.key = *o
	} else {
		r.key = orders{}
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
		set(&e.Key, t.name(e.Key, names))
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
		e.Key = t.name(e.Key, names)
		set(&e.Field, t.name(e.Field, names))
		if e.Part.Begins() {
			r.cover = false
		}
		if r.cover { // the end of a long value
			set(&e.Value, t.whole(e.Value))
		}
		set(&e.Value, t.value(e.Value, values && textual(e)))
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
	covered bool // something was replaced as a whole
	stretch bool // what is treated may be cut
}

// name treats the name of a key or a field; all: no letter of it stays.
func (t *texts) name(p []byte, all bool) []byte {
	if len(p) == 0 {
		return p
	}
	if all {
		return t.r.places.appendFor(nil, p, true)
	}
	return t.inner(p, 0)
}

// value treats any other string.
func (t *texts) value(p []byte, all bool) []byte {
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
	for _, s := range t.o.short {
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
