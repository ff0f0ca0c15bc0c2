package aof

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Options say how a file of an append-only log is read.
type Options struct {
	Source string // Pos.Source of every event
	Offset int64  // where the reader's first byte lies in Source
	AsOf   int64  // Unix ms against which an RDB preamble's keys are Live or Expired, as in rdb.Options
	Limits keyspace.Limits
	Resync bool // on damage: a Damage event, then go on behind it; otherwise the damage is the final error
	Tail   bool // the last incr file of a log: a torn end is noted by a Torn event and is no damage

	// Size is the number of bytes that the reader will find, 0 if it is not known,
	// and Reopen opens the file anew at an offset in Source. They let Resync go back
	// where a false length led further astray than what is in memory; see
	// rdb.Options.
	Size   int64
	Reopen func(offset int64) (io.ReadCloser, error)

	// Skim, Want, Pass and KeepValue are those of rdb.Options, for the keys of an RDB preamble.
	Skim      bool
	Want      func(*keyspace.Event) bool
	Pass      func(db int32, names [][]byte, pass []bool)
	KeepValue func(*keyspace.Event) int64
}

// A Reader reads one file of an append-only log as a stream of events. It holds
// one window of the input (256 KiB, or some more than twice Limits.MaxChunk)
// and, for names and serialized values that do not fit in it, Limits.MaxKey
// bytes at most. It is not safe for concurrent use.
type Reader struct {
	o   Options
	w   window
	cmd command

	ctx     context.Context
	yield   func(*keyspace.Event, error) bool
	failed  func(error) // takes the final error, if not nil, instead of yield
	closer  io.Closer   // of what the window reads, if the Reader opened it
	rewound int64       // bytes that were read again
	stopped bool        // the consumer has had enough, or the final error was delivered

	ev    keyspace.Event // what the command being read yields
	aside keyspace.Event // Header, Damage, Torn and End, which may stand between ev's

	db       int32 // the database that the last SELECT chose,
	presumed bool  // behind which damage may have held another
	time     int64 // of the last #TS, in Unix ms; 0 before the first
	multi    int64 // offset of the MULTI that is open, or -1
}

var (
	magic  = []byte("RESP") // Value of the Header event
	tsLine = []byte("#TS:") // begins the annotation that dates what follows
)

// NewReader returns a reader of the file that r delivers. It does not read from
// r before Events is ranged over, and never closes it.
func NewReader(r io.Reader, o Options) *Reader {
	return newReader(r, o, minWindow)
}

func newReader(r io.Reader, o Options, size int) *Reader {
	o.Limits = o.Limits.WithDefaults()
	// A chunk and the end of its line must fit in half of the window.
	rd := &Reader{o: o, w: newWindow(r, o.Offset, max(size, 2*(o.Limits.MaxChunk+2))), multi: -1}
	rd.cmd.r = rd
	return rd
}

// Sniff reports whether head, the first bytes of a file (32 suffice), can begin
// an AOF without an RDB preamble, if need be one whose first command is damaged.
func Sniff(head []byte) bool {
	if bytes.HasPrefix(head, tsLine) {
		return true
	}
	if len(head) < 4 || head[0] != '*' {
		return false
	}
	count := head[1:]
	if count[0] == '-' {
		count = count[1:]
	}
	digits := len(count) - len(bytes.TrimLeft(count, "0123456789"))
	behind, line := bytes.CutPrefix(count[digits:], []byte("\r\n"))
	if !line || digits == 0 || digits > maxNumber {
		return false
	}
	n, _, st := number(head, 1)
	return st != done || n == 0 || len(behind) == 0 || behind[0] == '$'
}

// Events returns the file's events; see the package documentation for their
// order and keyspace for the contract of a Seq.
func (r *Reader) Events(ctx context.Context) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		r.ctx, r.yield = ctx, yield
		r.w.src = contextReader{ctx, r.w.src}
		if r.preamble() {
			r.resp()
		}
		r.close()
	}
}

// close closes what the Reader opened.
func (r *Reader) close() {
	if r.closer != nil {
		r.closer.Close() //nolint:errcheck // it was only read
		r.closer = nil
	}
}

// A contextReader fails once its context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// resp reads commands up to the end of the file.
func (r *Reader) resp() {
	r.note(keyspace.Header, r.w.offset(), 0, nil)
	for !r.stopped && (r.w.avail() > 0 || r.w.fill()) {
		r.gaps()
		switch r.w.buf[r.w.pos] {
		case '*':
			r.cmd.run()
		case '#':
			r.annotation()
		case 0:
			r.padding()
		default:
			r.stray()
		}
	}
	r.gaps()
	if r.multi >= 0 {
		r.torn(r.multi, "a MULTI without EXEC", keyspace.ErrTruncated)
	}
	if r.w.err != io.EOF {
		r.fail(r.w.err)
	}
	r.note(keyspace.End, r.w.offset(), r.w.offset()-r.o.Offset, nil)
}

// annotation reads a line that begins with '#', which servers skip. "#TS:sec"
// dates what follows (aof.c, genAofTimestampAnnotationIfNeeded).
func (r *Reader) annotation() {
	w := &r.w
	eol := bytes.IndexByte(w.buf[w.pos:w.end], '\n')
	if eol < 0 && w.fill() {
		eol = bytes.IndexByte(w.buf[w.pos:w.end], '\n')
	}
	if eol < 0 {
		if w.err != nil {
			w.pos = w.end // a server ignores it whole or cut
			return
		}
		r.damage(w.offset(), w.offset(), "an annotation without an end")
		return
	}
	line := w.buf[w.pos : w.pos+eol+1]
	w.pos += eol + 1
	if sec, _, st := number(line, min(len(tsLine), len(line))); st == done && bytes.HasPrefix(line, tsLine) && sec < 1e13 {
		r.time = sec * 1000
	}
}

// padding reads zeros in the place of a command: file systems leave them at the
// end of a file after a crash.
func (r *Reader) padding() {
	w := &r.w
	at := w.offset()
	for w.avail() > 0 || w.fill() {
		rest := w.buf[w.pos:w.end]
		zeros := len(rest) - len(bytes.TrimLeft(rest, "\x00"))
		w.pos += zeros
		if zeros < len(rest) {
			r.damage(at, w.offset()-1, "zeros in the place of a command")
			return
		}
	}
	r.torn(at, "zeros in the place of a command", keyspace.ErrCorrupt)
}

// gaps reports what the medium could not deliver.
func (r *Reader) gaps() {
	for i := range r.w.gaps {
		g := &r.w.gaps[i]
		r.note(keyspace.Damage, g.Offset, g.Length, &keyspace.FormatError{Pos: r.pos(g.Offset), What: "reading", Err: g})
	}
	r.w.gaps = r.w.gaps[:0]
}

// torn ends the file at offset at, or at the MULTI that is open: what lies
// behind it never became part of the data set.
func (r *Reader) torn(at int64, what string, why error) {
	if r.w.err != io.EOF {
		return // the medium failed, not the writer
	}
	if r.multi >= 0 {
		at, r.multi = r.multi, -1
	}
	err := &keyspace.FormatError{Pos: r.pos(at), What: what, Err: why}
	switch {
	case r.o.Tail:
		r.note(keyspace.Torn, at, r.w.offset()-at, err)
	case r.o.Resync:
		r.note(keyspace.Damage, at, r.w.offset()-at, err)
	default:
		r.fail(err)
	}
}

// presume says that what is lost may have held a SELECT.
func (r *Reader) presume() { r.presumed = r.db != noDB }

// pos returns the Pos of an offset.
func (r *Reader) pos(at int64) keyspace.Pos {
	return keyspace.Pos{Source: r.o.Source, Offset: at, Inner: -1}
}

// note yields an event that is no command's.
func (r *Reader) note(kind keyspace.Kind, at, length int64, err error) {
	if r.stopped {
		return
	}
	r.aside = keyspace.Event{Kind: kind, Freq: -1, DB: r.db, Presumed: r.presumed, Pos: r.pos(at), Record: at, Length: length,
		Expire: keyspace.NoExpire, Idle: -1, Time: r.time, Err: err}
	switch kind {
	case keyspace.Header:
		r.aside.DB, r.aside.Presumed, r.aside.Value = -1, false, magic
	case keyspace.End:
		r.aside.DB, r.aside.Presumed, r.aside.Index = -1, false, int64(keyspace.ChecksumUnchecked)
	}
	r.stopped = !r.yield(&r.aside, nil)
}

// fail delivers the final error.
func (r *Reader) fail(err error) {
	if r.stopped {
		return
	}
	r.stopped = true
	var fe *keyspace.FormatError
	if !errors.As(err, &fe) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		err = &keyspace.FormatError{Pos: r.pos(r.w.at(r.w.end)), What: "reading", Err: err}
	}
	if r.failed != nil {
		r.failed(err)
		return
	}
	r.yield(nil, err)
}
