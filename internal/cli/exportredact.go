package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/internal/redact"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// redaction replaces the secrets of a unit on its way out.
type redaction struct {
	a       *app
	r       *redact.Redactor
	scanner *scan.Scanner
	out     *withheld
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
	scanner, err := scan.New(scan.Config{Workers: a.global.workers, IDKey: key.key, Plain: true})
	if err != nil {
		return nil, err
	}
	x := &redaction{a: a, scanner: scanner}
	x.r = redact.New(redact.Options{Key: key.key, Scanner: scanner, Match: match, MaxMem: int64(a.global.maxMem) / 4})
	var failed error
	learn := func() keyspace.Seq {
		seq, err := events()
		if err != nil {
			failed = err
			return func(func(*keyspace.Event, error) bool) {}
		}
		return seq
	}
	if err := cmp.Or(x.r.Learn(ctx, learn), failed); err != nil {
		return nil, fmt.Errorf("not redacted: %w", err)
	}
	c := x.r.Counts()
	a.stderr.printf("%d secrets were found in %d places; their placeholders come from the key in %s", c.Secrets, c.Found, safe(key.name))
	if c.Whole+c.All > 0 {
		a.stderr.printf("whole strings are replaced in %d keys, and all strings in %d, because what is around the secrets gives them away", c.Whole, c.All)
	}
	x.out = newWithheld(in.Tmp(), x.r.Holds, x.r.Longest())
	return x, nil
}

// export writes what is redacted of seq to w, if it may be seen.
func (x *redaction) export(ctx context.Context, seq keyspace.Seq, w io.Writer, o export.Options) error {
	if err := export.Run(ctx, x.r.Seq(seq), x.out, o); err != nil {
		return err
	}
	return x.release(ctx, w)
}

// release looks through what was written as anybody who receives it might, and
// writes it to w if nothing is found.
func (x *redaction) release(ctx context.Context, w io.Writer) error {
	if x.out.found {
		return fmt.Errorf("nothing is written: a secret stands in the result as it is")
	}
	left, err := x.left(ctx)
	if err != nil {
		return err
	}
	if left != "" {
		return fmt.Errorf("nothing is written: the result still holds what rule %s finds", left)
	}
	_, err = io.Copy(w, x.out.reader())
	return err
}

// left names a rule that finds something in the result.
func (x *redaction) left(ctx context.Context) (rule string, err error) {
	in, err := source.New(ctx, []string{source.Stdin}, source.Options{Stdin: x.out.reader(), Tmp: x.out.tmp})
	if err != nil {
		return "", err
	}
	defer in.Close()
	for u, err := range in.Units(ctx) {
		if err != nil {
			return "", err
		}
		_, err := x.scanner.Scan(ctx, x.searched(u.Events(ctx), &rule), func(f *scan.Finding) error {
			if f.Severity >= scan.Low && rule == "" {
				rule = f.Rule
			}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return rule, nil
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
