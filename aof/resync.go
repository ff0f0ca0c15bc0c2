package aof

import (
	"bytes"
	"io"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

const (
	// maxSuspects is how many arguments before the one that is broken are
	// suspected of having a wrong length that a line end hid by chance.
	maxSuspects = 4
	// maxProbe bounds the arguments that are looked at to believe a command, and
	// the commands that are looked at to believe the first of them.
	maxProbe = 64
	// lookBehind is what a search keeps before its position: a line end and an
	// annotation.
	lookBehind = 64
	// rewindFactor bounds how much is read again, in sizes of what was read.
	rewindFactor = 4
)

// How many commands it takes to believe the first of them.
const (
	anywhere       = 1 // at the start of a line; otherwise two
	insideCut      = 2 // inside of what the end of the file seems to cut
	behindSnapshot = 3 // where the end of an RDB preamble was lost
)

// resume goes on behind the command that is broken.
func (r *Reader) resume() {
	c, w := &r.cmd, &r.w
	f := c.broken
	switch {
	case r.stopped:
	case f.err == keyspace.ErrLimit:
		r.skip(f)
	case f.err == keyspace.ErrTruncated && w.err != io.EOF:
		w.pos = w.end // the medium failed; resp says so
	case f.err == keyspace.ErrTruncated:
		// If commands follow inside of what the end of the file seems to cut,
		// then it is not cut: its length is wrong.
		if !r.o.Resync || !r.search(f.at, insideCut) {
			w.pos = w.end
			r.torn(c.start, f.what, f.err)
			return
		}
		r.lost(c.start, f.what)
	default:
		r.damage(c.start, f.at, f.what)
	}
}

// skip reports an argument that is over a limit and passes over the rest of its
// command.
func (r *Reader) skip(f fault) {
	c := &r.cmd
	err := &keyspace.FormatError{Pos: r.pos(f.at), What: f.what, Err: f.err}
	if !r.o.Resync {
		r.fail(err)
		return
	}
	r.note(keyspace.Damage, f.at, f.size, err)
	c.halted, c.broken = r.stopped, fault{}
	if f.size > 0 {
		c.discardData(opened{header: f.at, at: f.at, size: f.size, left: f.size})
	}
	c.skip(c.argc)
	if c.broken.err != nil {
		r.resume() // skipping knows no limits, so this is not skip again
	}
}

// damage goes on at the next command that can be believed behind the one at
// offset at, whose argument at offset arg is broken.
func (r *Reader) damage(at, arg int64, what string) {
	if !r.o.Resync {
		r.fail(&keyspace.FormatError{Pos: r.pos(at), What: what, Err: keyspace.ErrCorrupt})
		return
	}
	r.search(arg, anywhere)
	r.lost(at, what)
}

// stray goes on where no command begins. It may be that the one before ended
// where its last argument says by chance: then the search finds a command that
// begins in it, and it is what is damaged.
func (r *Reader) stray() {
	const what = "no command begins here"
	at := r.w.offset()
	if !r.o.Resync {
		r.damage(at, at, what)
		return
	}
	if r.inline() {
		return
	}
	if c := &r.cmd; c.whole && c.start+c.length == at {
		c.suspect()
	}
	if r.search(at, anywhere) && r.w.offset() < at {
		at = r.cmd.start
	}
	r.lost(at, what)
}

// lost reports what lies between offset at and the window's position as damage.
func (r *Reader) lost(at int64, what string) {
	r.multi = -1 // its EXEC may lie in what was lost
	r.presume()
	err := &keyspace.FormatError{Pos: r.pos(at), What: what, Err: keyspace.ErrCorrupt}
	r.note(keyspace.Damage, at, r.w.offset()-at, err)
	r.cmd.suspects = r.cmd.suspects[:0]
}

// search moves the window's position behind offset arg to the next command that
// can be believed, or to the end of the file. It looks into the arguments under
// suspicion, but passes over those behind arg that are whole: what looks like a
// command in them is what a client stored.
func (r *Reader) search(arg int64, chain int) bool {
	w := &r.w
	from := arg
	if s := r.cmd.suspects; len(s) > 0 {
		from = s[0].start
	}
	r.goTo(from)
	for {
		if w.avail() < len(w.buf)/2 {
			w.fillBehind(lookBehind)
			r.gaps()
		}
		b := w.buf[:w.end]
		i := bytes.IndexAny(b[w.pos:], "*$")
		if i < 0 {
			if w.pos = w.end; w.err != nil {
				return false
			}
			continue
		}
		if w.pos += i; w.avail() < len(w.buf)/2 && w.err == nil {
			continue
		}
		switch {
		case b[w.pos] == '*' && r.believe(w.pos, chain):
			w.pos = annotated(b, w.pos)
			return true
		case b[w.pos] == '$' && w.offset() >= arg:
			w.pos = behindArgument(b, w.pos)
		default:
			w.pos++
		}
	}
}

// goTo moves the window back to an offset, opening the file anew where the
// window has slid past it; where that cannot be, or was done too often, to what
// is left of the window.
func (r *Reader) goTo(offset int64) {
	w := &r.w
	if again := w.at(w.end) - offset; offset < w.base && r.o.Reopen != nil && r.rewound <= rewindFactor*(w.at(w.end)-r.o.Offset) && r.reopen(offset) {
		r.rewound += again
	}
	w.pos = int(min(max(0, offset-w.base), int64(w.end)))
}

// reopen opens the file anew at an offset, or some before it.
func (r *Reader) reopen(offset int64) bool {
	from := max(offset-lookBehind, r.o.Offset)
	src, err := r.o.Reopen(from)
	if err != nil {
		return false
	}
	r.close()
	r.closer = src
	r.w.restart(contextReader{r.ctx, src}, from)
	r.w.fill()
	return true
}

// behindArgument returns the index behind the argument at index i of b if it is
// whole and something of RESP follows it, and the index behind its '$' otherwise.
func behindArgument(b []byte, i int) int {
	if _, end, st := argument(b, i); st == done && lineStart(b, i) {
		if next := end + 2; next == len(b) || b[next] == '*' || b[next] == '$' || b[next] == '#' {
			return next
		}
	}
	return i + 1
}

// lineStart reports whether a line ends in front of index i.
func lineStart(b []byte, i int) bool { return i >= 2 && b[i-2] == '\r' && b[i-1] == '\n' }

// believe reports whether a command begins at index i of the window: one of the
// table, at the start of a line, as far as can be seen, and if it is to be more
// than that, or does not stand at the start of a line, those behind it too.
// Inside of an argument under suspicion they must run past its end, which what a
// client stored in it does not.
func (r *Reader) believe(i, chain int) bool {
	w := &r.w
	line := lineStart(w.buf, i)
	past := r.suspected(w.at(i))
	need := chain
	switch {
	case line:
	case past > 0 || chain == insideCut:
		return false
	default:
		need = max(need, 2)
	}
	for n := 1; n <= maxProbe; n++ {
		end, st := r.probe(i)
		switch {
		case st == wrong:
			return false
		case st == short:
			return chain == anywhere && (line || n > 1)
		case w.at(end) > past && (n >= need || end == w.end && w.err == io.EOF):
			return true
		}
		i = end
	}
	return false
}

// suspected returns the offset behind the suspected argument that holds offset
// at, its line end included, or 0.
func (r *Reader) suspected(at int64) int64 {
	for _, s := range r.cmd.suspects {
		if s.start <= at && at < s.end {
			return s.end + 2
		}
	}
	return 0
}

// probe looks at the command at index i of the window: short is one that can be
// believed as far as it was looked at.
func (r *Reader) probe(i int) (end int, st status) {
	b := r.w.buf[:r.w.end]
	if i >= len(b) {
		return i, short
	}
	if b[i] != '*' {
		return i, wrong
	}
	argc, p, st := number(b, i+1)
	if st != done {
		return i, wrong
	}
	for n := int64(0); n < argc; n++ {
		start, end, st := argument(b, p)
		switch {
		case n == 0 && st != done:
			return i, wrong
		case n == 0:
			if s, ok := LookupCommand(b[start:end]); !ok || !s.Takes(argc) {
				return i, wrong
			}
		case st != done:
			return i, st
		case n == maxProbe:
			return i, short
		}
		p = end + 2
	}
	if argc == 0 {
		return i, wrong
	}
	return p, done
}

// annotated returns the index of the "#TS" line that ends at index i of b, or i.
func annotated(b []byte, i int) int {
	line := b[max(0, i-lookBehind):i]
	if j := bytes.LastIndex(line, tsLine); j >= 0 {
		if _, end, st := number(line, j+len(tsLine)); st == done && end == len(line) && (j == 0 || line[j-1] == '\n') {
			return i - len(line) + j
		}
	}
	return i
}
