package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// Events yields what the unit holds, as package keyspace describes it. What
// keeps a file from being read to its end is a Damage event, not an error: the
// sequence ends with an error only if the context does or if the work itself
// fails, as when a spill finds no room.
func (u *Unit) Events(ctx context.Context) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		var last error // of the last Damage event
		for e, err := range u.Raw(ctx) {
			switch {
			case err != nil:
				if d := AsDamage(err); d == nil {
					yield(nil, err)
				} else if err != last {
					yield(d, nil)
				}
				return
			case e.Kind == keyspace.Damage:
				last = e.Err
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Raw is Events for those who cannot spare a call for each event: it may end
// with an error that [AsDamage] knows, perhaps that of the last Damage event.
func (u *Unit) Raw(ctx context.Context) keyspace.Seq { return u.raw(ctx, u.replay) }

// LogEvents is Events of a log, not resolved whatever Options.Resolve says. Of its base
// skim, want and pass are those of rdb.Options.
func (u *Unit) LogEvents(ctx context.Context, skim bool, want func(*keyspace.Event) bool, pass func(db int32, names [][]byte, pass []bool)) keyspace.Seq {
	return u.raw(ctx, func(ctx context.Context, files []*File) keyspace.Seq { // makes Damage of what it cannot read
		return u.commands(ctx, files, skim, want, pass)
	})
}

// logReader yields the events of a log's files, in order.
type logReader func(ctx context.Context, files []*File) keyspace.Seq

func (u *Unit) raw(ctx context.Context, log logReader) keyspace.Seq {
	if len(u.damage) == 0 {
		return u.seq(ctx, log)
	}
	return func(yield func(*keyspace.Event, error) bool) {
		for _, err := range u.damage {
			if d := AsDamage(err); d != nil && !yield(d, nil) {
				return
			}
		}
		u.seq(ctx, log)(yield)
	}
}

// AsDamage is [AsDamage].
func (u *Unit) AsDamage(err error) *keyspace.Event { return AsDamage(err) }

// AsDamage returns the Damage event that says what err does, or nil if err is
// not about what an input holds.
func AsDamage(err error) *keyspace.Event {
	var format *keyspace.FormatError
	if !errors.As(err, &format) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return &keyspace.Event{Kind: keyspace.Damage, DB: -1, Pos: format.Pos, Err: format}
}

// seq is the unit's events as its reader yields them, of a log log.
func (u *Unit) seq(ctx context.Context, log logReader) keyspace.Seq {
	f := u.Files[0]
	switch {
	case !u.Readable():
		return func(func(*keyspace.Event, error) bool) {}
	case len(u.log) > 0:
		return log(ctx, u.log)
	case f.Kind == RDB:
		switch o := u.in.o; {
		case o.AsOf != 0:
			f.AsOf, f.Basis = time.UnixMilli(o.AsOf).UTC(), "option"
		case !f.Saved.IsZero():
			f.AsOf, f.Basis = f.Saved, "ctime"
		default:
			f.Basis = "none"
		}
		return f.state(f.snapshot(ctx))
	case f.Kind == AOF:
		return f.state(log(ctx, u.Files))
	}
	return f.text(ctx)
}

func (f *File) snapshot(ctx context.Context) keyspace.Seq {
	return f.reading(func(r io.Reader) keyspace.Seq {
		o := rdb.Options{Source: f.Path, AsOf: f.in.o.AsOf, Limits: f.in.o.Limits, Want: f.in.o.Want, KeepValue: f.in.o.KeepValue, Resync: true}
		switch {
		case f.once == nil && len(f.Layers) == 0:
			o.Size, o.Reopen = f.Size, f.open
		case f.once == nil:
			l := &layered{f: f, left: maxReopened}
			o.Reopen, o.Measure = l.from, l.measure
		case f.once.spool != nil:
			o.Size, o.Reopen = f.once.spool.stream.Len(), f.once.spool.from
		default:
			t := newTape(r, f.in.o.Tmp)
			o.Reopen, o.Measure = t.from, t.measure
			return t.closing(rdb.NewReader(t.reader(), o).Events(ctx))
		}
		return rdb.NewReader(r, o).Events(ctx)
	})
}

// open opens the bytes of a file, from an offset on.
func (f *File) open(offset int64) (io.ReadCloser, error) {
	if f.object != nil {
		return f.object.Open(f.in.ctx, offset)
	}
	h, err := f.openRegular()
	if err != nil {
		return nil, err
	}
	b := newBlocks(h, f.Size)
	b.off = offset
	return struct {
		io.Reader
		io.Closer
	}{b, h}, nil
}

func (f *File) text(ctx context.Context) keyspace.Seq {
	return f.reading(func(r io.Reader) keyspace.Seq {
		return textEvents(ctx, r, f.Path, filepath.Base(f.Path), f.in.o.Limits)
	})
}

// reading opens the file for as long as the events of it are ranged over.
func (f *File) reading(events func(io.Reader) keyspace.Seq) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		r, err := f.content()
		if err != nil {
			yield(nil, err)
			return
		}
		defer r.Close()
		events(r)(yield)
	}
}

// parts are the files of a log as its reader takes them.
func parts(files []*File) []aof.Part {
	parts := make([]aof.Part, len(files))
	for i, f := range files {
		last := i == len(files)-1 && !f.base
		parts[i] = aof.Part{Source: f.Path, Open: f.content, Last: last}
		if f.once == nil && len(f.Layers) == 0 {
			parts[i].Size, parts[i].Reopen = f.Size, f.open
		}
	}
	return parts
}

// commands yields the events of a log's files, in order, as they stand there; of its
// base what skim, want and pass say.
func (u *Unit) commands(ctx context.Context, files []*File, skim bool, want func(*keyspace.Event) bool, pass func(db int32, names [][]byte, pass []bool)) keyspace.Seq {
	o := u.in.o
	return aof.Events(ctx, parts(files), aof.Options{AsOf: o.AsOf, Limits: o.Limits, Resync: true, Skim: skim, Want: want, Pass: pass, KeepValue: o.KeepValue})
}

// replay yields the events of a log's files, in order; their states are
// resolved if that is wanted, for which a stream is kept.
func (u *Unit) replay(ctx context.Context, files []*File) keyspace.Seq {
	o := u.in.o
	if !o.Resolve {
		return u.commands(ctx, files, false, nil, nil)
	}
	resolved := aof.Resolve(ctx, parts(files), aof.ResolveOptions{AsOf: o.AsOf, Limits: o.Limits, Resync: true, MaxMem: o.MaxMem, Tmp: o.Tmp, Done: u.Files[0].resolved})
	if f := files[0]; f.once != nil { // a log of one file
		return func(yield func(*keyspace.Event, error) bool) {
			if err := f.keep(); err != nil {
				yield(nil, err)
				return
			}
			resolved(yield)
		}
	}
	return resolved
}

// resolved notes what a log's expiries were judged against, and what of it could
// not be resolved.
func (f *File) resolved(r aof.Resolution) {
	f.Unresolved = Unresolved{TooLarge: r.TooLarge, Untracked: r.Untracked, Lost: r.Lost}
	f.Basis = map[aof.Basis]string{aof.ByOption: "option", aof.ByCtime: "ctime", aof.Timestamp: "timestamp"}[r.Basis]
	if f.Basis == "" {
		f.Basis = "none"
		return
	}
	f.AsOf = time.UnixMilli(r.AsOf).UTC()
}

// state says of what lies outside a data set that it is recovered, whatever it
// would be in one.
func (f *File) state(seq keyspace.Seq) keyspace.Seq {
	if f.Role == NoRole {
		return seq
	}
	return func(yield func(*keyspace.Event, error) bool) {
		for e, err := range seq {
			if e != nil && (e.State == keyspace.Live || e.State == keyspace.Unknown) {
				e.State = keyspace.Recovered
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// describe notes what a snapshot at the start of head says of itself.
func (f *File) describe(head []byte) {
	for e, err := range rdb.NewReader(bytes.NewReader(bytes.Clone(head)), rdb.Options{}).Events(context.Background()) {
		if err != nil || e.Kind != keyspace.Header && e.Kind != keyspace.Aux {
			return
		}
		if e.Kind == keyspace.Header {
			f.Format = "RDB " + strconv.FormatInt(e.Index, 10)
			continue
		}
		switch value := string(e.Value); string(e.Key) {
		case "valkey-ver":
			f.Server, f.Version = "valkey", value
		case "redis-ver":
			f.Server, f.Version = "redis", value
		case "ctime": // rdb.c, rdbSaveInfoAuxFields
			if sec, err := strconv.ParseInt(value, 10, 64); err == nil {
				f.Saved = time.Unix(sec, 0).UTC()
			}
		case "aof-preamble": // rdb.c before Redis 7.0: a log follows the snapshot
			if value == "1" {
				f.Kind = AOF
			}
		}
	}
}
