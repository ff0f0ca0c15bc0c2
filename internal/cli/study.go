package cli

import (
	"context"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

// study is what most verbs do: it opens the inputs, has work read them and write the
// result, and puts that in place if work got to its end. Work returns the exit status.
func (a *app) study(ctx context.Context, paths []string, o source.Options, work func(*source.Inputs, *output) (int, error)) error {
	in, err := a.inputs(ctx, paths, o)
	if err != nil {
		return err
	}
	defer in.Close()
	return a.result(func(out *output) (int, error) {
		defer a.watch(in.Read, 0)()
		return work(in, out)
	})
}

// result has work write the result of a verb, puts it in place if work got to its
// end, and makes an exit status of what work returns.
func (a *app) result(work func(*output) (int, error)) error {
	out, err := a.output()
	if err != nil {
		return err
	}
	return out.finish(work)
}

// finish has work write the output, and puts it in place as result does.
func (o *output) finish(work func(*output) (int, error)) error {
	defer o.discard()
	code, err := work(o)
	if err != nil {
		return err
	}
	if err := o.commit(); err != nil {
		return err
	}
	return exit(code)
}

// write is result for what has only one exit status.
func (a *app) write(work func(io.Writer) error) error {
	return a.result(func(out *output) (int, error) { return exitOK, work(out) })
}

// watch shows, if the user wants to see it, how much of work bytes has been read,
// until stop is called; 0 is for work that nobody knows.
func (a *app) watch(read func() int64, work int64) (stop func()) {
	if !a.global.showProgress(a) {
		return func() {}
	}
	return a.stderr.watch(read, work)
}
