package redact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

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
	names   names
	rooms   rooms
	clean   clean
	records map[record]orders
	short   int64 // bytes that their short secrets take
	counts  Counts

	key      orders   // of the key at hand
	keyShort []string // of these
	rec      record
	idle     bool            // nothing of it is to be replaced
	without  record          // the last command's
	held     *keyspace.Event // a part of a long value whose successor has not come
	cover    bool            // all that follows of it is replaced
	changed  bool            // of the event that was yielded last

	touched table // hashes of the records of which something was changed since
	settled bool  // all events were looked at with all secrets: the others stay as they are
}

// Counts say what was replaced.
type Counts struct {
	Secrets int // different ones
	Found   int // places where one was found
	Whole   int // keys of which whole strings are replaced
	All     int // keys of which all strings are
	LeftOut int // keys that are found no matter what is replaced
}

// record is where a key or a command stands.
type record struct {
	source string
	offset int64
}

// orders say how a record is treated.
type orders struct {
	level level
	short string // secrets that are replaced here only, each behind its length, the longest first
}

// maxShort bounds the short secrets of a record: all of one with more is replaced.
const maxShort = 4 << 10

// shorts are the short secrets.
func (o *orders) shorts() (out []string) {
	for s := o.short; len(s) > 0; s = s[1+s[0]:] {
		out = append(out, s[1:1+s[0]])
	}
	return out
}

// with is the orders with one short secret more.
func (o orders) with(secret string) orders {
	short := append(o.shorts(), secret)
	slices.SortFunc(short, func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	var b strings.Builder
	for _, s := range short {
		b.WriteByte(byte(len(s)))
		b.WriteString(s)
	}
	o.short = b.String()
	return o
}

// level is how much of a record is replaced.
type level uint8

const (
	secretsOnly  level = iota // what was found
	bluntSecrets              // without its punctuation
	wholeStrings              // strings that hold something that was found
	everyString               // all but names
	everyName                 // all
	constants                 // values are of one character, short names are others, too
	leftOut                   // it is not among the events any more
	levels
)

const defaultMaxMem = 64 << 20

// New returns a Redactor that knows nothing yet: see [Redactor.Learn].
func New(o Options) (*Redactor, error) {
	if o.MaxMem <= 0 {
		o.MaxMem = defaultMaxMem
	}
	known := newSecrets()
	r := &Redactor{o: o, secrets: known, places: newPlaceholders(o.Key, known), names: names{seed: maphash.MakeSeed()}, records: map[record]orders{}}
	r.judge = &judge{secrets: known}
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

// maxRounds bounds how often the events are looked at.
const maxRounds = 3 * int(levels)

// Learn finds out what is to be replaced. events is called several times, and must
// hold the same each time. Damage does not end it.
func (r *Redactor) Learn(ctx context.Context, events func() keyspace.Seq) error {
	if err := r.first(ctx, selected(events(), r.o.Match)); err != nil {
		return err
	}
	var left left
	for range maxRounds {
		// What was found to be clean stays so while there are no new secrets.
		seq := among(selected(events(), r.o.Match), left.again)
		var err error
		left, err = r.look(ctx, r.kept(r.Seq(seq)), left.again == nil)
		switch {
		case err != nil:
			return err
		case r.names.clashes > 0:
			for _, rec := range r.names.lost {
				for r.raise(rec) { // no name is left for it
				}
			}
			left.again = nil
			continue
		case left.N == 0:
			return nil
		case !left.more:
			return &left.ErrLeft
		}
	}
	if left.N == 0 {
		return errSameNames
	}
	return &left.ErrLeft
}

var errSameNames = errors.New("names of one collection become the same")

// first takes up what is found in the events as they are.
func (r *Redactor) first(ctx context.Context, seq keyspace.Seq) error {
	r.judge.asked = false
	_, err := r.scanner.Scan(ctx, seq, func(f *scan.Finding) error {
		x := newFound(f)
		r.counts.Found++
		r.learn(&x)
		for len(x.secrets) == 0 && r.records[x.rec].level < everyString {
			r.raise(x.rec)
		}
		return r.room()
	})
	return err
}

// left is what is found in the events as they will be.
type left struct {
	ErrLeft
	again map[record]bool // where it was; nil: new secrets may stand anywhere
	more  bool            // larger pieces are replaced there from now on
}

// look has the events scanned as they will be, and takes up what is found there; whole:
// these are all events.
func (r *Redactor) look(ctx context.Context, seq keyspace.Seq, whole bool) (left left, err error) {
	// The sequence, which another goroutine reads, looks at what is known so far.
	var fresh []found
	left.again = map[record]bool{}
	r.judge.asked = true
	_, err = r.scanner.Scan(ctx, seq, func(f *scan.Finding) error {
		if left.N++; left.Rule == "" {
			left.Rule = f.Rule
		}
		x := newFound(f)
		left.again[x.rec] = true
		x.secrets = slices.DeleteFunc(x.secrets, func(s string) bool { return !r.unknown(s, x.rec) })
		if len(x.secrets) > 0 && len(fresh) < maxFresh { // others come again
			fresh = append(fresh, x)
		}
		return nil
	})
	for rec := range left.again {
		left.more = r.raise(rec) || left.more
	}
	r.settled = err == nil && (r.settled || whole)
	for i := range fresh {
		r.learn(&fresh[i])
		left.again, r.settled = nil, false
	}
	return left, cmp.Or(err, r.room())
}

// among leaves out all keys and commands but those of these records; nil: none is.
func among(seq keyspace.Seq, records map[record]bool) keyspace.Seq {
	if records == nil {
		return seq
	}
	return func(yield func(*keyspace.Event, error) bool) {
		rec, of := record{offset: -1}, false
		for e, err := range seq {
			if err == nil {
				if at := (record{e.Pos.Source, e.Record}); at != rec {
					rec, of = at, records[at]
				}
				if !of {
					continue
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// queueRule names keys that hold jobs. It tells them by their form, and what it names
// them by is no secret: of such a key all strings are replaced.
const queueRule = "job-queue"

// found is what is taken of a finding.
type found struct {
	rec     record
	secrets []string // none: the record as a whole
}

// newFound is what is taken of f.
func newFound(f *scan.Finding) found {
	shown := f.Identity
	f = f.Plain()
	x := found{rec: record{f.Source, f.RecordOffset}}
	if f.Rule != queueRule {
		x.secrets = append(x.secrets, f.Secret)
		for what, said := range f.Identity {
			if said != shown[what] { // roles and the like are shown to anybody
				x.secrets = append(x.secrets, said)
			}
		}
		slices.Sort(x.secrets) // a map has no order, and what is learned first counts
	}
	return x
}

// maxFresh bounds the findings with new secrets that are dealt with at once.
const maxFresh = 1 << 14

// room is an error if what is known takes more memory than it may.
func (r *Redactor) room() error {
	const perRecord = 80 // about what orders take
	if r.secrets.bytes()+r.touched.bytes()+r.names.bytes()+r.short+int64(len(r.records))*perRecord > r.o.MaxMem || r.secrets.full() {
		return fmt.Errorf("more secrets than fit in %d MiB: %w", r.o.MaxMem>>20, keyspace.ErrLimit)
	}
	return nil
}

// raise has a record replaced in larger pieces, and reports whether there are any.
func (r *Redactor) raise(rec record) bool {
	o := r.records[rec]
	if o.level == levels-1 {
		return false
	}
	r.touched.put(r.hash(rec), 0)
	o.level++
	r.records[rec] = o
	switch o.level {
	case wholeStrings:
		r.counts.Whole++
	case everyString:
		r.counts.Whole--
		r.counts.All++
	case leftOut:
		r.counts.All--
		r.counts.LeftOut++
	}
	return true
}

// hash is that of a record.
func (r *Redactor) hash(rec record) uint64 { return maphash.Comparable(r.places.seed, rec) }

// Raise has the record of e replaced in larger pieces from now on: whoever wrote it
// in another form found something in that. It reports whether there are any.
func (r *Redactor) Raise(e *keyspace.Event) bool {
	rec := record{e.Pos.Source, e.Record}
	return r.records[rec].level < everyName && r.raise(rec)
}

// LeaveOut has the record of e left out from now on, and reports whether it was not.
func (r *Redactor) LeaveOut(e *keyspace.Event) (fresh bool) {
	for r.raise(record{e.Pos.Source, e.Record}) {
		fresh = true
	}
	return fresh
}

// Keeps reports of each key whether it is not left out. It is nil if none is. Of those
// that are, the events hold the beginning and the end.
func (r *Redactor) Keeps() func(*keyspace.Event) bool {
	if r.counts.LeftOut == 0 {
		return nil
	}
	return func(e *keyspace.Event) bool { return !r.out(e) }
}

// out reports whether the record of e is left out.
func (r *Redactor) out(e *keyspace.Event) bool {
	return r.records[record{e.Pos.Source, e.Record}].level >= leftOut
}

// kept leaves out all that is left out.
func (r *Redactor) kept(seq keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for e, err := range seq {
			if err == nil && r.counts.LeftOut > 0 && (e.Kind == keyspace.Key || e.Kind == keyspace.KeyEnd) && r.out(e) {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// unknown reports whether a secret that was found in what is yielded is one of the data
// set that was not known: no placeholder, nor what such a one lies in.
func (r *Redactor) unknown(secret string, in record) bool {
	switch {
	case len(secret) == 0, r.places.made([]byte(secret)):
		return false
	case len(secret) >= anywhere:
		return !r.secrets.holds(secret)
	}
	o := r.records[in]
	return !slices.Contains(o.shorts(), secret)
}

// learn takes up the secrets of a finding.
func (r *Redactor) learn(f *found) {
	for _, secret := range f.secrets {
		switch o := r.records[f.rec]; {
		case len(secret) == 0:
		case len(secret) >= anywhere:
			if r.secrets.add(secret) {
				r.counts.Secrets++
			}
		case slices.Contains(o.shorts(), secret):
		case len(o.short) >= maxShort:
			for r.records[f.rec].level < everyName && r.raise(f.rec) {
			}
		default:
			r.records[f.rec] = o.with(secret)
			r.short += int64(len(secret)) + 1
			r.counts.Secrets++
		}
	}
}

// Counts tells what was learned.
func (r *Redactor) Counts() Counts { return r.counts }

// Holds reports whether p holds a secret that is replaced everywhere.
func (r *Redactor) Holds(p []byte) bool { return r.secrets.in(p) }

// HoldsInside is Holds of a piece of a stream, without short numbers: what compresses a
// string cuts longer ones, so that a piece of one stands there alone.
func (r *Redactor) HoldsInside(p []byte) bool {
	for at, n := r.secrets.next(p, 0); at >= 0; at, n = r.secrets.next(p, at+1) {
		if !shortNumber(p[at : at+n]) {
			return true
		}
	}
	return false
}

// Longest is the length of the longest secret, for whoever looks through a stream by
// [Redactor.HoldsInside].
func (r *Redactor) Longest() int { return r.secrets.most }

// Clashes reports whether two names of a collection became the same in the pass that
// ended last. The next makes others of them.
func (r *Redactor) Clashes() bool { return r.names.clashes > 0 }

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
