package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/valkeyfs/valkeyfs/internal/replay"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// oldestLogs is the version of snapshots in which the state of a log is told that
// does not begin with one: every server from Redis 7.0 on loads it.
const oldestLogs = 10

// leastValkey is the least version under a header of Valkey's.
const leastValkey = 80

// dataSetOf returns the one data set of the inputs. Inputs that hold several, or
// none, are not what the verb takes.
func dataSetOf(ctx context.Context, in *source.Inputs) (*source.Unit, error) {
	u, err := in.DataSet(ctx)
	if errors.Is(err, source.ErrSeveral) || errors.Is(err, source.ErrNoDataSet) {
		return nil, usageError{err}
	}
	return u, err
}

// dataSet yields what a unit holds in the end as events of a snapshot: those of the
// snapshot itself, or the state that a log leaves, under a Header and an aux field of
// the server that wrote its base; without a base, the Header is of that version. What
// could not be read is a Damage event.
func (a *app) dataSet(ctx context.Context, in *source.Inputs, u *source.Unit, version int) (keyspace.Seq, error) {
	if u.Snapshot() || !u.Readable() {
		return u.Events(ctx), nil
	}
	if err := u.Keep(); err != nil {
		return nil, err
	}
	o := replay.Options{Workers: a.global.workers, MaxMem: int64(a.global.maxMem) / 2, Tmp: in.Tmp()}
	l, err := openLog(ctx, u, replay.Point{}, o)
	if err != nil {
		return nil, err
	}
	return func(yield func(*keyspace.Event, error) bool) {
		if beginState(u, version, yield) && (!u.Headless() || yield(source.AsDamage(headless(u)), nil)) {
			a.state(ctx, l, u.Name())(yield)
		}
	}, nil
}

// state yields what a log leaves, and Damage for what its replay could not tell. What
// had expired by --as-of, or the last time that the log names, is Expired.
func (a *app) state(ctx context.Context, l *replay.Log, name string) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		asOf := a.global.asOf.ms
		if asOf == 0 {
			asOf = l.Info().When
		}
		record := int64(0) // what has no place in a file is told apart by its number
		for e, err := range l.State(ctx) {
			if errors.Is(err, replay.ErrLate) {
				if !yield(source.AsDamage(err), nil) {
					return
				}
				break
			}
			if err == nil {
				if e.Kind == keyspace.Key || e.Kind == keyspace.Function {
					record++
				}
				e.Record, e.Pos.Source = record, name
				if e.Kind == keyspace.Key && e.State == keyspace.Live && e.Expire >= 0 && e.Expire <= asOf {
					e.State = keyspace.Expired
				}
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		for _, d := range a.missing(name, l.Info()) {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// headless is the damage of a log without what it begins with.
func headless(u *source.Unit) error {
	return &keyspace.FormatError{Pos: keyspace.Pos{Source: u.Name(), Inner: -1}, What: "the log " + noBase + ": keys that it does not write are missing", Err: keyspace.ErrTruncated}
}

// noBase is what is wrong with such a log.
const noBase = "has no base that can be read"

// beginState yields what stands before the state of a log.
func beginState(u *source.Unit, version int, yield func(*keyspace.Event, error) bool) bool {
	head := &keyspace.Event{Kind: keyspace.Header, Pos: keyspace.Pos{Source: u.Name(), Inner: -1}}
	aux := &keyspace.Event{Kind: keyspace.Aux, DB: -1, Pos: head.Pos}
	for _, f := range u.Files {
		number, ok := strings.CutPrefix(f.Format, "RDB ")
		if n, err := strconv.Atoi(number); ok && err == nil {
			version = n
		}
		if f.Version != "" && aux.Key == nil {
			aux.Key, aux.Value = []byte(f.Server+"-ver"), []byte(f.Version)
		}
	}
	head.Index, head.Value = int64(version), []byte("REDIS")
	if version >= leastValkey {
		head.Value = []byte("VALKEY")
	}
	return yield(head, nil) && (aux.Key == nil || yield(aux, nil))
}

// missing is what a replay could not tell, as Damage.
func (a *app) missing(name string, i replay.Info) (out []*keyspace.Event) {
	say := func(n int64, err error, format string, args ...any) {
		if n > 0 {
			at := keyspace.Pos{Source: name, Inner: -1}
			out = append(out, source.AsDamage(&keyspace.FormatError{Pos: at, What: fmt.Sprintf(format, args...), Err: err}))
		}
	}
	if first := (*keyspace.FormatError)(nil); errors.As(i.Damage, &first) {
		d := *first
		if i.Damaged > 1 {
			d.What += fmt.Sprintf(", the first of %d places that were not understood", i.Damaged)
		}
		out = append(out, source.AsDamage(&d))
	}
	say(i.Inexact, keyspace.ErrUnsupported, "the values of %s are not known exactly%s", plural(i.Inexact, "key"), a.vague(i))
	say(i.Unknown, keyspace.ErrUnsupported, "%s", a.unknown(i))
	say(i.TooLarge, keyspace.ErrLimit, "%s", a.tooLarge(i))
	return out
}

// vague says which commands left values inexact.
func (a *app) vague(i replay.Info) string {
	if len(i.Vague) == 0 {
		return ""
	}
	return ": what " + strings.Join(i.Vague, ", ") + " did is not followed"
}

// unknown says which commands were passed over.
func (a *app) unknown(i replay.Info) string {
	text := plural(i.Unknown, "command") + " not known and passed over"
	if len(i.Unknowns) == 0 {
		return text
	}
	names := make([]string, len(i.Unknowns))
	for k, name := range i.Unknowns {
		names[k] = a.names.Key(name)
	}
	return text + ": " + strings.Join(names, ", ")
}

// tooLarge says what is missing for want of memory.
func (a *app) tooLarge(i replay.Info) string {
	return fmt.Sprintf("keys of %s did not fit in memory and are missing: give more by --max-mem; the first part was full at %q", plural(i.TooLarge, "part"), a.names.Key(string(i.Full)))
}

// plural is a number of things.
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// damages says what could not be read, and counts it. It may be told by several
// goroutines.
type damages struct {
	a  *app
	mu sync.Mutex
	n  int
}

func (a *app) damage() *damages { return &damages{a: a} }

// say passes the events through. A checksum that failed is a Damage event, too.
func (d *damages) say(seq keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for e, err := range seq {
			switch {
			case err != nil:
			case e.Kind == keyspace.Damage:
				d.count(e.Err)
			case e.Kind == keyspace.End && e.Count > 0:
				d.count(&keyspace.FormatError{Pos: keyspace.Pos{Source: e.Pos.Source, Offset: e.Length - e.Count, Inner: -1}, What: fmt.Sprintf("%d bytes behind the end", e.Count), Err: keyspace.ErrCorrupt})
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (d *damages) count(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n++; d.n <= maxSaid {
		d.a.stderr.errorf("%v", err)
	}
}

// end says how many more there were.
func (d *damages) end() {
	if d.n > maxSaid {
		d.a.stderr.errorf("%d more places could not be read", d.n-maxSaid)
	}
}

// maxSaid is how many places of damage are said one by one on standard error.
const maxSaid = 20
