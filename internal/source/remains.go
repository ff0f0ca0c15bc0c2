package source

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A Range is a stretch of a file, inside its layers, that could not be understood.
type Range struct {
	Path           string
	Offset, Length int64
	Key            []byte // of the record that it is, nil if that is not known
	DB             int32  // of Key
}

// leastText is the shortest run of printable characters that [Unit.Remains] yields.
const leastText = 8

// Remains yields what reads as text in ranges of the unit's files, once the
// events of the unit have been read: an Element of no type for each run of
// printable characters, its Pos where it starts, its State Recovered, long ones in
// parts. Its Key is the range's or, in database -1, the name of the file; its
// Record is where the range begins. A range that has a key begins with a Key
// event, and each ends with an End event whose Length says how many bytes of it
// were read: none of a stream that was not kept.
func (u *Unit) Remains(ctx context.Context, ranges []Range) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for _, f := range u.Files {
			var of []Range
			for _, r := range ranges {
				if r.Path == f.Path {
					of = append(of, r)
				}
			}
			slices.SortStableFunc(of, func(a, b Range) int { return cmp.Compare(a.Offset, b.Offset) })
			r := &remains{ctx: ctx, f: f, yield: yield, max: f.in.o.Limits.WithDefaults().MaxChunk}
			err := r.ranges(of)
			r.close()
			if err == errLeft {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// remains reads the ranges of one file.
type remains struct {
	ctx   context.Context
	f     *File
	file  io.Closer
	r     *bufio.Reader
	off   int64 // of the next byte of r
	max   int   // bytes of a part
	run   []byte
	begun bool // parts of the run went out already
	ev    keyspace.Event
	yield func(*keyspace.Event, error) bool
}

func (r *remains) ranges(of []Range) error {
	for _, g := range of {
		from := max(g.Offset, r.off)
		to := g.Offset + g.Length
		if from >= to || r.f.once != nil && r.f.once.spool == nil {
			continue
		}
		if err := r.goTo(from); err != nil {
			return r.final(err)
		}
		if err := r.scan(g, to); err != nil {
			return r.final(err)
		}
	}
	return nil
}

// final is err unless it says that the file cannot be read, which was reported
// when its events were.
func (r *remains) final(err error) error {
	if err == io.EOF || AsDamage(err) != nil {
		return nil
	}
	return err
}

// goTo moves to an offset that lies ahead.
func (r *remains) goTo(off int64) error {
	if r.f.once == nil && len(r.f.Layers) == 0 {
		r.close()
		file, err := r.f.open(off)
		if err != nil {
			return &keyspace.FormatError{Pos: at(r.f.Path, off), What: "opening the file", Err: cause(err)}
		}
		r.open(file, off)
		return nil
	}
	if r.file == nil {
		file, err := r.f.content()
		if err != nil {
			return err
		}
		r.open(file, 0)
	}
	for r.off < off {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		n, err := r.r.Discard(int(min(off-r.off, 1<<20)))
		r.off += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *remains) open(file io.ReadCloser, off int64) {
	r.file, r.off = file, off
	if r.r == nil {
		r.r = bufio.NewReaderSize(nil, 64<<10)
	}
	r.r.Reset(file)
}

func (r *remains) close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
}

// scan yields the text of a range from where the reader stands.
func (r *remains) scan(g Range, to int64) error {
	from := r.off
	r.ev = keyspace.Event{DB: -1, Key: []byte(filepath.Base(g.Path)), Record: g.Offset, State: keyspace.Recovered, Encoding: keyspace.Raw,
		Pos: at(g.Path, g.Offset), Index: -1, Expire: keyspace.NoExpire, Idle: -1, Freq: -1}
	if g.Key != nil {
		r.ev.Kind, r.ev.DB, r.ev.Key, r.ev.Length = keyspace.Key, g.DB, g.Key, g.Length
		if !r.yield(&r.ev, nil) {
			return errLeft
		}
	}
	err := r.text(to)
	if e := r.flush(true); e != nil {
		return e
	}
	r.ev.Kind, r.ev.Key, r.ev.Value, r.ev.Part = keyspace.End, nil, nil, keyspace.Whole
	r.ev.Pos.Offset, r.ev.Length, r.ev.Index = g.Offset, r.off-from, int64(keyspace.ChecksumUnchecked)
	if !r.yield(&r.ev, nil) {
		return errLeft
	}
	return err
}

func (r *remains) text(to int64) error {
	for n := 0; r.off < to; n++ {
		if n&0xffff == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		c, size, err := r.r.ReadRune()
		var gap *keyspace.GapError
		switch {
		case errors.As(err, &gap):
			continue // the zeros in its place were read already
		case err != nil:
			return err
		}
		r.off += int64(size)
		if c == utf8.RuneError && size == 1 || c != '\n' && c != '\r' && c != '\t' && !unicode.IsPrint(c) {
			if err := r.flush(true); err != nil {
				return err
			}
			continue
		}
		if len(r.run)+size > r.max {
			if err := r.flush(false); err != nil {
				return err
			}
		}
		if len(r.run) == 0 && !r.begun {
			r.ev.Pos.Offset = r.off - int64(size)
		}
		r.run = utf8.AppendRune(r.run, c)
	}
	return nil
}

// flush yields what there is of the run.
func (r *remains) flush(last bool) error {
	run := r.run
	r.run = r.run[:0]
	switch {
	case r.begun && last:
		r.ev.Part = keyspace.Last
	case r.begun:
		r.ev.Part = keyspace.Middle
	case last:
		r.ev.Part = keyspace.Whole
		n := prefix(run)
		run = run[n:]
		r.ev.Pos.Offset += int64(n)
	default:
		r.ev.Part = keyspace.First
	}
	r.begun = !last
	if r.ev.Part == keyspace.Whole && len(run) < leastText {
		return nil
	}
	r.ev.Kind, r.ev.Value, r.ev.Length = keyspace.Element, run, -1
	if r.ev.Part == keyspace.Whole {
		r.ev.Length = int64(len(run))
	}
	if !r.yield(&r.ev, nil) {
		return errLeft
	}
	return nil
}

// prefix returns how many bytes at the start of run are the length that a
// snapshot has before a string, where that happens to be printable (rdb.c,
// rdbSaveLen: 6 or 14 bits).
func prefix(run []byte) int {
	n := len(run)
	switch {
	case n > 1 && run[0] < 64 && int(run[0]) == n-1:
		return 1
	case n > 2 && run[0]>>6 == 1 && int(run[0]&0x3f)<<8|int(run[1]) == n-2:
		return 2
	}
	return 0
}
