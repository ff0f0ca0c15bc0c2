package aof

import (
	"context"
	"errors"
	"io"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A Part is one file of an append-only log: a base file, RDB or AOF, or an incr
// file; or the single file of a server before Redis 7.
type Part struct {
	Source string                        // Pos.Source of its events
	Open   func() (io.ReadCloser, error) // called each time the log is read
	Last   bool                          // the file that the server was writing to: see Options.Tail

	// Size and Reopen are optional, as in Options.
	Size   int64
	Reopen func(offset int64) (io.ReadCloser, error)
}

// Events returns the events of a log, of its files in replay order, in one pass:
// their State says nothing of what came later. Of the options Source, Offset,
// Tail, Size and Reopen are the parts'. With Resync a file that cannot be opened
// or read is Damage, and the next file follows.
func Events(ctx context.Context, parts []Part, o Options) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for _, p := range parts {
			o.Source, o.Offset, o.Tail, o.Size, o.Reopen = p.Source, 0, p.Last, p.Size, p.Reopen
			if !p.events(ctx, o, yield) {
				return
			}
		}
	}
}

// events yields the events of the part and reports whether to go on behind it.
func (p Part) events(ctx context.Context, o Options, yield func(*keyspace.Event, error) bool) bool {
	r, err := p.Open()
	if err != nil {
		return p.unreadable(ctx, o, yield, err)
	}
	defer r.Close()
	rd := NewReader(r, o)
	var failed error
	rd.failed = func(err error) { failed = err }
	rd.Events(ctx)(yield)
	if failed != nil {
		return p.unreadable(ctx, o, yield, failed)
	}
	return !rd.stopped
}

// unreadable takes the error that ends the part.
func (p Part) unreadable(ctx context.Context, o Options, yield func(*keyspace.Event, error) bool, err error) bool {
	if !o.Resync || ctx.Err() != nil {
		yield(nil, err)
		return false
	}
	fe := &keyspace.FormatError{Pos: keyspace.Pos{Source: p.Source, Inner: -1}, What: "reading", Err: err}
	if f := (*keyspace.FormatError)(nil); errors.As(err, &f) {
		fe = f
	}
	return yield(&keyspace.Event{Kind: keyspace.Damage, DB: -1, Freq: -1, Idle: -1, Expire: keyspace.NoExpire,
		Pos: fe.Pos, Record: fe.Pos.Offset, Length: -1, Err: fe}, nil)
}
