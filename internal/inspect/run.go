package inspect

import (
	"context"
	"errors"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Run counts what all units of in hold and writes it to w, with the secrets in
// names of files masked by names. If ctx ends early, the
// summary says so, and there is no error.
func Run(ctx context.Context, in *source.Inputs, w Writer, names *sweep.Names) (*Summary, error) {
	sum := &Summary{Complete: true}
	err := units(ctx, in, w, names, sum)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		sum.Complete, sum.Stopped, err = false, "it was interrupted", nil
	}
	if err != nil {
		return nil, err
	}
	return sum, w.Summary(sum)
}

func units(ctx context.Context, in *source.Inputs, w Writer, names *sweep.Names, sum *Summary) error {
	for u, err := range in.Units(ctx) {
		if err != nil {
			return err
		}
		if err := unit(ctx, u, w, names, sum); err != nil {
			return err
		}
	}
	return nil
}

func unit(ctx context.Context, u *source.Unit, w Writer, names *sweep.Names, sum *Summary) error {
	c := NewCounter()
	count := c.Count
	if u.Kind().IsText() {
		count = c.damageOnly
	}
	if err := count(u.Raw(ctx)); err != nil && ctx.Err() == nil {
		d := source.AsDamage(err)
		if d == nil {
			return err
		}
		c.note(d)
	}
	if err := u.Close(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	files := map[string]*report.File{}
	for _, f := range u.Files {
		r := sweep.Record(f, names)
		files[f.Path] = r
		sum.Files++
		if err := w.File(r); err != nil {
			return err
		}
	}
	for _, r := range c.Reports() {
		if f := files[r.Path]; f != nil {
			r.Kind, r.Role, r.Layers = f.Kind, f.Role, f.Layers
			if !f.Saved.IsZero() {
				r.Saved = f.Saved.Format("2006-01-02T15:04:05Z07:00")
			}
		}
		r.mask(names)
		sum.Keys += r.Keys
		if r.Log != nil {
			sum.Commands += r.Log.Commands
		}
		sum.Damages += r.Damages
		sum.Torn += uint64(len(r.Torn))
		if !r.Intact {
			sum.Complete = false
		}
		if err := w.Report(r); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// mask masks names, of files and of what the file names.
func (r *Report) mask(names *sweep.Names) {
	for i := range r.Functions {
		r.Functions[i] = names.Mask(r.Functions[i])
	}
	for i := range r.Aux {
		r.Aux[i].Name = names.Mask(r.Aux[i].Name)
	}
	r.Path = names.Mask(r.Path)
	r.PathB64 = report.Base64(r.Path)
	for _, all := range [][]*report.Damage{r.Damage, r.Torn} {
		for _, d := range all {
			names.Damage(d)
		}
	}
}

// damageOnly counts the damage of a text file.
func (c *Counter) damageOnly(events keyspace.Seq) error {
	for e, err := range events {
		if err != nil {
			return err
		}
		if e.Kind == keyspace.Damage {
			c.other(e)
		}
	}
	return nil
}
