package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// textEvents yields a text file as one key that has no type: its name is the
// key, each line an element, its number the field. Lines longer than MaxChunk
// arrive in parts. A line's Value has no line end; its Pos is where it starts.
func textEvents(ctx context.Context, r io.Reader, source, key string, lim keyspace.Limits) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		t := &textReader{ctx: ctx, r: r, buf: make([]byte, max(lim.WithDefaults().MaxChunk, 16)), yield: yield}
		t.ev = keyspace.Event{DB: -1, Key: []byte(key), Pos: at(source, 0), Expire: keyspace.NoExpire, Idle: -1, Freq: -1}
		if err := t.run(); err != nil && err != errLeft {
			yield(nil, err)
		}
	}
}

// errLeft ends the work because the consumer left the loop.
var errLeft = errors.New("left")

type textReader struct {
	ctx    context.Context
	r      io.Reader
	buf    []byte
	a, b   int   // buf[a:b] is read and not yet yielded
	off    int64 // of buf[a] in the file
	end    error // why no more can be read
	line   int64
	number []byte
	ev     keyspace.Event
	yield  func(*keyspace.Event, error) bool
}

func (t *textReader) emit(kind keyspace.Kind) error {
	t.ev.Kind = kind
	if !t.yield(&t.ev, nil) {
		return errLeft
	}
	return nil
}

func (t *textReader) run() error {
	t.ev.Op = keyspace.OpCreate
	if err := t.emit(keyspace.Key); err != nil {
		return err
	}
	t.ev.Op = keyspace.OpPut
	for {
		more, err := t.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	t.ev = keyspace.Event{DB: -1, Key: t.ev.Key, Pos: at(t.ev.Pos.Source, 0), Length: t.off, Index: t.line, Expire: keyspace.NoExpire, Idle: -1, Freq: -1}
	if err := t.emit(keyspace.KeyEnd); err != nil {
		return err
	}
	t.ev.Key, t.ev.Index = nil, int64(keyspace.ChecksumUnchecked)
	if t.end != io.EOF {
		return t.end
	}
	return t.emit(keyspace.End)
}

// next yields one line, in parts if it is long, and reports whether there was one.
func (t *textReader) next() (bool, error) {
	start := t.off
	t.number = strconv.AppendInt(t.number[:0], t.line+1, 10)
	part := keyspace.First
	for {
		nl := -1
		for scanned := t.a; ; {
			if nl = bytes.IndexByte(t.buf[scanned:t.b], '\n'); nl >= 0 {
				nl += scanned - t.a
				break
			}
			scanned = t.b
			if t.b-t.a == len(t.buf) || t.end != nil {
				break
			}
			if t.a > 0 {
				copy(t.buf, t.buf[t.a:t.b])
				t.a, t.b, scanned = 0, t.b-t.a, scanned-t.a
			}
			if err := t.fill(); err != nil {
				return false, err
			}
		}
		n := t.b - t.a
		if nl >= 0 {
			n = nl
		} else if n == 0 && part == keyspace.First {
			return false, nil
		}
		last := nl >= 0 || t.end != nil
		value := t.buf[t.a : t.a+n]
		if last {
			value = bytes.TrimSuffix(value, []byte{'\r'})
		}
		switch {
		case last && part == keyspace.First:
			part = keyspace.Whole
		case last:
			part = keyspace.Last
		}
		t.ev.Part, t.ev.Field, t.ev.Value, t.ev.Index = part, t.number, value, t.line
		t.ev.Pos.Offset, t.ev.Length = start, -1
		if part == keyspace.Whole {
			t.ev.Length = int64(len(value))
		}
		if err := t.emit(keyspace.Element); err != nil {
			return false, err
		}
		t.a += n
		t.off += int64(n)
		if nl >= 0 {
			t.a++
			t.off++
		}
		if last {
			t.line++
			return true, nil
		}
		part = keyspace.Middle
	}
}

// fill reads once into the free end of the buffer, and yields a gap as Damage.
func (t *textReader) fill() error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	for range 100 {
		n, err := t.r.Read(t.buf[t.b:])
		t.b += n
		var gap *keyspace.GapError
		if errors.As(err, &gap) {
			return t.damage(gap)
		}
		if t.end = err; n > 0 || t.end != nil {
			return nil //nolint:nilerr // t.end keeps it for the end of what was read
		}
	}
	t.end = io.ErrNoProgress
	return nil
}

func (t *textReader) damage(gap *keyspace.GapError) error {
	save := t.ev
	t.ev.Pos = at(save.Pos.Source, gap.Offset)
	t.ev.Length, t.ev.Field, t.ev.Value = gap.Length, nil, nil
	t.ev.Err = &keyspace.FormatError{Pos: t.ev.Pos, What: "reading the file", Err: gap.Err}
	err := t.emit(keyspace.Damage)
	t.ev = save
	return err
}
