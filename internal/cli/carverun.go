package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/valkeyfs/valkeyfs/internal/carve"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// carving is one run of carve.
type carving struct {
	*app
	f       *carveFlags
	in      *source.Inputs
	img     *source.Image
	named   maskedImage
	dir     string       // where pieces are written to; "": nowhere
	written uint64       // pieces that were
	read    atomic.Int64 // bytes that were searched
	wrapped bool         // they are not those of a disk
}

// directory makes the directory that --output names.
func (x *carving) directory() error {
	x.dir = x.global.output
	if x.dir == "" {
		return nil
	}
	if x.in.Contains(filepath.Join(x.dir, "x")) {
		return usagef("--output %s lies in the evidence, which is never written to", x.dir)
	}
	if err := os.Mkdir(x.dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// run searches the image and gives each piece, written where that is wanted, to found.
func (x *carving) run(ctx context.Context, found func(*carve.Piece) error) (*carve.Summary, error) {
	defer x.watch(x.read.Load, x.img.Size())()
	format, open := carve.Wrapped(x.img)
	sum, err := carve.Run(ctx, x.named, carve.Options{
		Workers: x.global.workers,
		Read:    func(n int64) { x.read.Add(n) },
		Found: func(p *carve.Piece) error {
			if p.Offset == 0 {
				format = ""
			}
			if err := x.write(p); err != nil {
				return err
			}
			return found(p)
		},
	})
	if err != nil {
		return nil, err
	}
	sum.Unread = x.img.Unread()
	if x.wrapped = format != ""; x.wrapped {
		how := "Open it first: " + open
		if open == "" {
			how = "Open it first, by a tool for it"
		}
		x.stderr.printf("%s is compressed (%s), and what is inside was not searched. %s", safe(x.named.name), format, how)
	}
	return sum, nil
}

// write writes a piece into the directory, unless the same bytes are there already.
func (x *carving) write(p *carve.Piece) error {
	if x.dir == "" || p.Same != nil {
		return nil
	}
	p.File = p.FileName()
	out, err := createOutput("--output", filepath.Join(x.dir, p.File))
	if err != nil {
		return err
	}
	defer out.discard()
	if err := p.Write(x.named, out); err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	x.written++
	return nil
}

// interrupted ends a run in which pieces were written, if it did not come to its end
// because somebody wished so.
func (x *carving) interrupted(ctx context.Context, code int, err error) (int, error) {
	if x.written == 0 || ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return code, err
	}
	x.stderr.errorf("interrupted before the end: what is in %s is whole, and not all: %s", safe(x.names.Mask(x.dir)), plural(int64(x.written), "piece"))
	return exitIncomplete, nil
}

func (x *carving) list(ctx context.Context, out *output) (int, error) {
	w := carve.NewJSONL(out)
	if x.f.format.word == "text" {
		w = carve.NewText(out, columns(out.terminal))
	}
	sum, err := x.run(ctx, w.Piece)
	if err != nil {
		return 0, err
	}
	return status(false, x.wrapped || sum.Unread > 0), w.Summary(sum)
}

// scan looks for secrets in the pieces.
func (x *carving) scan(ctx context.Context, out *output) (int, error) {
	key, err := readOrMakeIDKey(x.f.idKey, x.in)
	if err != nil {
		return 0, err
	}
	scanner, err := scan.New(scan.Config{Workers: x.global.workers, Reveal: x.f.reveal, IDKey: key.key})
	if err != nil {
		return 0, err
	}
	o := sweep.Options{FailOn: x.f.failOn.Severity, Next: nextSteps(scanner), Names: x.names}
	if x.f.reveal {
		o.Names = nil
	}
	w := report.NewJSONL(out)
	if x.f.format.word == "text" {
		w = report.NewText(out, report.TextOptions{Color: x.global.color(out.terminal), Width: columns(out.terminal), Reveal: x.f.reveal})
	}
	if err := w.Run(newRun("carve", []string{x.named.name}, key, scanner, x.f.reveal)); err != nil {
		return 0, err
	}
	var sum *carve.Summary
	result, err := sweep.RunEvents(ctx, x.events(ctx, &sum), x.read.Load, scanner, w, o)
	if err != nil {
		return 0, err
	}
	incomplete := x.wrapped || !result.Summary.Complete || sum == nil || sum.Unread > 0
	return status(result.Failing > 0, incomplete), nil
}

// events yields what the pieces hold. The summary is there when all of it was read.
func (x *carving) events(ctx context.Context, sum **carve.Summary) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		var err error
		*sum, err = x.run(ctx, func(p *carve.Piece) error {
			if p.Same != nil {
				return nil
			}
			for e, err := range p.Events(ctx, x.named, keyspace.Limits{}) {
				if err != nil {
					return err
				}
				if !yield(e, nil) {
					return errStopped
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// errStopped says that nobody wants further pieces.
var errStopped = errors.New("stopped")
