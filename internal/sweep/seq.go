package sweep

import (
	"context"
	"errors"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

// RunEvents is Run for events that come of no file with a format of its own, such
// as what was carved out of a disk. read is how many bytes they are of.
func RunEvents(ctx context.Context, seq keyspace.Seq, read func() int64, scanner *scan.Scanner, w report.Writer, o Options) (*Result, error) {
	s := &sweep{o: o, scanner: scanner, w: w, sum: &report.Summary{Complete: true, Coverage: 1}}
	stats, err := scanner.Scan(ctx, seq, s.found)
	s.sum.Add(&stats)
	switch {
	case err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()):
		s.sum.Complete, s.sum.Stopped = false, "the scan was interrupted"
	case err != nil:
		return nil, err
	}
	for _, d := range limits(&stats) {
		o.Names.Damage(d)
		if err := w.Damage(d); err != nil {
			return nil, err
		}
	}
	s.sum.BytesRead = read()
	if s.sum.Limits > 0 {
		s.sum.Complete = false
	}
	s.sum.Take(&s.tally)
	if o.Next != nil {
		for _, g := range s.sum.Groups {
			g.Next = o.Next(g.Rule)
		}
	}
	return &Result{Summary: s.sum, Failing: s.failing}, w.Summary(s.sum)
}
