package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/internal/redact"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// redaction replaces the secrets of a unit on its way out.
type redaction struct {
	a      *app
	r      *redact.Redactor
	events func() (keyspace.Seq, error)
	raw    func() (io.ReadCloser, error) // the bytes of the snapshot that they are of
	tmp    string
	out    *withheld
}

// close gives back what holds the result.
func (x *redaction) close() {
	if x.out != nil {
		_ = x.out.Close()
	}
}

// newRedaction learns what is to be replaced in u.
func newRedaction(ctx context.Context, a *app, in *source.Inputs, u *source.Unit, idKey string, events func() (keyspace.Seq, error), match func(*keyspace.Event) bool) (*redaction, error) {
	key, err := readOrMakeIDKey(idKey, in)
	if err != nil {
		return nil, err
	}
	if err := u.Keep(); err != nil {
		return nil, err
	}
	x := &redaction{a: a, events: events, tmp: in.Tmp()}
	config := scan.Config{Workers: a.global.workers, IDKey: key.key}
	if x.r, err = redact.New(redact.Options{Key: key.key, Scan: config, Match: match, MaxMem: int64(a.global.maxMem) / 4}); err != nil {
		return nil, err
	}
	var failed error
	learn := func() keyspace.Seq {
		seq, err := events()
		if err != nil {
			failed = err
			return func(func(*keyspace.Event, error) bool) {}
		}
		return seq
	}
	switch err := cmp.Or(x.r.Learn(ctx, learn), failed); {
	case errors.Is(err, keyspace.ErrLimit):
		return nil, fmt.Errorf("not redacted: %w: give more memory by --max-mem", err)
	case err != nil:
		return nil, fmt.Errorf("not redacted: %w", err)
	}
	c := x.r.Counts()
	a.stderr.printf("%d secrets were found in %d places; their placeholders come from the key in %s", c.Secrets, c.Found, safe(key.name))
	return x, nil
}

// maxAgain bounds how often all is written anew for names that became the same.
const maxAgain = 4

// export writes what is redacted of seq to w, if it may be seen. In a format of text
// what stands beside a placeholder can make it look like a secret: keys of which that
// is so have larger pieces replaced until nothing is found.
func (x *redaction) export(ctx context.Context, seq keyspace.Seq, w io.Writer, o export.Options) error {
	match, again := o.Match, 0
	for {
		if keeps := x.r.Keeps(); keeps != nil {
			o.Match = func(e *keyspace.Event) bool { return (match == nil || match(e)) && keeps(e) }
		}
		x.out = newWithheld(x.tmp, x.r.HoldsInside, x.r.Longest()+1)
		err := export.Run(ctx, x.r.Seq(seq), x.out, o)
		if again++; x.r.Clashes() && again < maxAgain {
			x.close()
			if seq, err = x.events(); err != nil {
				return err
			}
			if o.Raw != nil {
				raw, err := x.raw()
				if err != nil {
					return err
				}
				defer raw.Close()
				o.Raw = raw
			}
			continue
		}
		if err != nil {
			return err
		}
		if x.out.found {
			return fmt.Errorf("nothing is written: a secret stands in the result as it is")
		}
		left, err := x.left(ctx)
		if err != nil {
			return err
		}
		if left.rule == "" {
			break
		}
		raised, err := x.raise(ctx, left.at, o)
		if err != nil {
			return err
		}
		if !raised {
			return fmt.Errorf("nothing is written: the result still holds what rule %s finds", left.rule)
		}
		x.close()
		if seq, err = x.events(); err != nil {
			return err
		}
	}
	if c := x.r.Counts(); c.Whole+c.All > 0 {
		x.a.stderr.printf("whole strings are replaced in %d keys, and all strings in %d, because what is around the secrets gives them away", c.Whole, c.All)
	}
	if n := x.r.Counts().LeftOut; n > 0 {
		x.a.stderr.printf("%d keys are left out, because something is found in them no matter what is replaced", n)
	}
	_, err := io.Copy(w, x.out.reader())
	return err
}

// leftover is what is still found in a result.
type leftover struct {
	rule string // that finds something; "": none does
	at   []span // where, in a result that is text
}

// span is a range of bytes.
type span struct{ from, to int64 }

// maxSpans bounds the places that are dealt with at once; others come again.
const maxSpans = 1 << 16

// left looks through the result as anybody might who receives it.
func (x *redaction) left(ctx context.Context) (left leftover, err error) {
	in, err := source.New(ctx, []string{source.Stdin}, source.Options{Stdin: x.out.reader(), Tmp: x.tmp})
	if err != nil {
		return left, err
	}
	defer in.Close()
	for u, err := range in.Units(ctx) {
		if err != nil {
			return left, err
		}
		held := ""
		_, err := x.r.Scanner().Scan(ctx, x.searched(u.Events(ctx), &held), func(f *scan.Finding) error {
			left.rule = cmp.Or(left.rule, f.Rule)
			if len(left.at) < maxSpans {
				left.at = append(left.at, span{f.Offset, f.Offset + f.Length})
			}
			return nil
		})
		if left.rule = cmp.Or(left.rule, held); err != nil {
			return left, err
		}
	}
	return left, nil
}

// raise has larger pieces replaced of the keys that stand at these places of the
// result, and reports whether there is one of which that can be done.
func (x *redaction) raise(ctx context.Context, at []span, o export.Options) (raised bool, err error) {
	slices.SortFunc(at, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var last *keyspace.Event // the record that was written last, and where it begins
	var from int64
	hit := func(to int64) {
		for len(at) > 0 && at[0].to <= from {
			at = at[1:]
		}
		if last != nil && len(at) > 0 && at[0].from < to {
			raised = x.r.Raise(last) || x.r.LeaveOut(last) || raised
		}
	}
	o.Placed = func(e *keyspace.Event, n int64) {
		if last != nil && last.Record == e.Record && last.Pos.Source == e.Pos.Source {
			return
		}
		hit(n)
		last, from = &keyspace.Event{Record: e.Record, Pos: e.Pos}, n
	}
	seq, err := x.events()
	if err != nil {
		return false, err
	}
	if err := export.Run(ctx, x.r.Seq(seq), io.Discard, o); err != nil {
		return false, err
	}
	hit(math.MaxInt64)
	return raised, nil
}

// searched looks for the secrets themselves in what passes.
func (x *redaction) searched(seq keyspace.Seq, rule *string) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for e, err := range seq {
			if err == nil {
				for _, p := range append([][]byte{e.Key, e.Field, e.Value}, e.Args...) {
					if *rule == "" && x.r.Holds(p) {
						*rule = "(a secret of the original)"
					}
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
