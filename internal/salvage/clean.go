package salvage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Cleaned says what a clean file holds.
type Cleaned struct {
	Bytes    int64  `json:"bytes"`
	Rebuilt  uint64 `json:"rebuilt,omitempty"`  // keys encoded anew, from what could be had of their values
	Twice    uint64 `json:"twice,omitempty"`    // records left out, since their key comes before, too
	Left     uint64 `json:"left_out,omitempty"` // damaged keys left out: nothing of them can be encoded
	Balanced uint64 `json:"balanced,omitempty"` // MULTI and EXEC left out, since the other of the pair is lost
	// Databases is how many a server needs for it, if it has fewer unless told otherwise:
	// for the key of another it refuses a snapshot, and has one of a log in the wrong place.
	Databases int64 `json:"databases,omitempty"`
}

// usualDatabases is how many databases servers have unless told otherwise (databases of
// src/config.c).
const usualDatabases = 16

// needs says that a server needs so many databases.
func (c *Cleaned) needs(databases int64) {
	if databases > usualDatabases {
		c.Databases = max(c.Databases, databases)
	}
}

// errEnveloped says that commands behind an envelope have no offsets in common with it.
var errEnveloped = errors.New("commands behind a VCS envelope are not salvaged into a clean file: cut the file in two")

// cleaner writes what can be believed of a file into a file that a server loads.
type cleaner struct {
	src Source
	m   *Map
	o   Options
	out *counting
	raw *bufio.Reader
	at  int64 // of the next byte of raw
	p   *Part
	cut int // of p, the next to be met
	sum Cleaned
}

// clean writes the file that m is the map of to w, without what was lost.
func clean(ctx context.Context, src Source, m *Map, w io.Writer, o Options) (*Cleaned, error) {
	r, err := src.Logical()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if m.sound() {
		n, err := io.Copy(&counting{w: w}, r) // evidence is read, and handed to no other system call
		if err == nil && n < m.Size {
			err = fmt.Errorf("%s has shrunk to %d bytes while it was read: %w", src.Name(), n, io.ErrUnexpectedEOF)
		}
		sum := &Cleaned{Bytes: n}
		sum.needs(m.logged)
		for _, p := range m.Parts {
			for _, c := range p.cuts { // what selects a database
				sum.needs(int64(c.db) + 1)
			}
		}
		return sum, err
	}
	x := &cleaner{src: src, m: m, o: o, out: &counting{w: w}, raw: bufio.NewReaderSize(gapless{r}, 256<<10)}
	for _, p := range m.Parts {
		x.p, x.cut = p, 0
		if p.From < x.at {
			return nil, errEnveloped
		}
		if err := x.skip(ctx, p.From); err != nil {
			return nil, err
		}
		write := x.snapshot
		if p.log {
			write = x.commands
		}
		if err := write(ctx); err != nil {
			return nil, err
		}
	}
	x.sum.Bytes = x.out.n
	return &x.sum, nil
}

// commands copies the commands of a log that are whole.
func (x *cleaner) commands(ctx context.Context) error {
	put := func(n int64) error {
		_, err := io.CopyN(x.out, x.raw, n)
		return err
	}
	x.sum.needs(x.m.logged)
	return x.copy(ctx, x.p.To, put, func(cut) error { return nil })
}

// snapshot copies the records that are whole and encodes the others anew.
func (x *cleaner) snapshot(ctx context.Context) error {
	w, err := rdbwrite.New(x.out, x.p.version, rdbwrite.Options{MaxMem: x.o.MaxMem / 4, Tmp: x.o.Tmp})
	if err != nil {
		return err
	}
	if x.p.Checksum != keyspace.ChecksumOK.String() && !x.p.Salvaged {
		if err := w.Unverified(); err != nil {
			return err
		}
	}
	put := func(n int64) error { return w.Raw(x.raw, n) }
	meet := func(c cut) error {
		if c.why != selected || c.db == w.DB() {
			return nil
		}
		if err := w.Select(c.db); err != nil {
			return err
		}
		size := x.m.sizeOf(c.db)
		return w.Resize(size.keys, min(size.keys, size.expires))
	}
	for _, c := range x.p.cuts {
		if c.why.rebuilt() {
			if err := x.rebuild(ctx, w, func(at int64) error { return x.copy(ctx, at, put, meet) }); err != nil {
				return err
			}
			break
		}
	}
	if err := x.copy(ctx, x.p.To, put, meet); err != nil {
		return err
	}
	x.sum.needs(w.Databases())
	return w.Close()
}

// rebuild reads the events once more, for the records that cannot be copied. Each
// is written when upTo has copied what lies before it.
func (x *cleaner) rebuild(ctx context.Context, w *rdbwrite.Writer, upTo func(int64) error) error {
	b := &builder{w: w, p: x.p, sum: &x.sum}
	for e, err := range x.src.Events(ctx) {
		if err != nil {
			return err
		}
		switch e.Kind {
		case keyspace.Key:
			b.drop()
			if c, ok := x.p.at(e.Record); ok && c.why.rebuilt() && c.from == e.Record {
				if err := upTo(c.from); err != nil {
					return err
				}
				b.begin(c)
			}
		case keyspace.Damage:
			if b.open && offsetOf(e) == b.cut.from {
				if err := b.end(); err != nil {
					return err
				}
			}
		case keyspace.End:
			return ctx.Err()
		}
		if b.open {
			if err := b.event(e); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// copy copies the part up to an offset, without its cuts.
func (x *cleaner) copy(ctx context.Context, to int64, put func(int64) error, meet func(cut) error) error {
	for ; x.cut < len(x.p.cuts) && x.p.cuts[x.cut].from <= to && x.at <= to; x.cut++ {
		c := x.p.cuts[x.cut]
		if c.from == to && c.why.rebuilt() && to < x.p.To {
			break // it is to be rebuilt first
		}
		if err := x.through(ctx, c.from, put); err != nil {
			return err
		}
		switch c.why {
		case twice:
			x.sum.Twice++
		case unbalanced:
			x.sum.Balanced++
		}
		if err := meet(c); err != nil {
			return err
		}
		if err := x.skip(ctx, min(c.to, x.p.To)); err != nil {
			return err
		}
	}
	return x.through(ctx, to, put)
}

// through copies all bytes up to an offset.
func (x *cleaner) through(ctx context.Context, to int64, put func(int64) error) error {
	const step = 64 << 20 // between two looks at the context
	for x.at < to {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(to-x.at, step)
		if err := put(n); err != nil {
			return err
		}
		x.at += n
	}
	return nil
}

// skip passes over all bytes up to an offset.
func (x *cleaner) skip(ctx context.Context, to int64) error {
	return x.through(ctx, to, func(n int64) error {
		_, err := x.raw.Discard(int(n))
		return err
	})
}

// builder builds one key at a time from what of its events can be believed.
type builder struct {
	w     *rdbwrite.Writer
	p     *Part
	sum   *Cleaned
	open  bool
	cut   cut
	parts bool // the last element came in parts and has not ended
	str   bool // it is a string
	elems elements
}

func (b *builder) begin(c cut) { b.open, b.cut, b.parts = true, c, false }

// drop forgets a key that was taken back.
func (b *builder) drop() {
	if b.open {
		b.open = false
		b.w.Drop()
	}
}

// event takes the next event of the key.
func (b *builder) event(e *keyspace.Event) error {
	switch e.Kind {
	case keyspace.Key:
		if e.Type == keyspace.Module || e.Type == keyspace.VectorSet { // a module takes back all that it has written, or refuses the file
			b.open = false
			b.sum.Left++
			return nil
		}
		b.elems.begin(e, true)
		b.str = e.Type == keyspace.String
	case keyspace.Element:
		if b.p.beyond(e, b.cut) || b.elems.refuses(e) {
			return nil
		}
		b.parts = !e.Part.Ends()
	case keyspace.Group, keyspace.Consumer:
		if b.elems.refuses(e) {
			return nil
		}
	case keyspace.Pending:
		return nil // without all of them on both sides no server loads the stream
	case keyspace.KeyEnd:
		return b.end()
	}
	err := b.w.Event(e)
	if errors.Is(err, keyspace.ErrUnsupported) {
		b.open = false
		b.sum.Left++
		return nil
	}
	return err
}

// end writes the key as far as it came.
func (b *builder) end() error {
	b.open = false
	if b.parts && b.str {
		last := keyspace.Event{Kind: keyspace.Element, Type: keyspace.String, Op: keyspace.OpPut, Part: keyspace.Last, Expire: keyspace.NoExpire}
		if err := b.w.Event(&last); err != nil {
			return err
		}
	}
	before := b.w.Len()
	err := b.w.End()
	switch {
	case errors.Is(err, keyspace.ErrUnsupported):
		b.sum.Left++
		return nil
	case b.w.Len() > before:
		b.sum.Rebuilt++
	default:
		b.sum.Left++
	}
	return err
}

// beyond reports whether an element of the damaged record that c is reaches into
// the record that comes next: a false number of elements has led into it.
func (p *Part) beyond(e *keyspace.Event, c cut) bool {
	at := e.Pos.Offset
	if p.envelope {
		at = e.Pos.Inner
	}
	return at+max(e.Length, 0) > c.to
}

// counting counts what is written.
type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// gapless reads on where the medium has gaps: zeros stand for them.
type gapless struct{ r io.Reader }

func (g gapless) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if gap := (*keyspace.GapError)(nil); errors.As(err, &gap) {
		err = nil
	}
	return n, err
}
