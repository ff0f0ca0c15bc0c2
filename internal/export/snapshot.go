package export

import (
	"bufio"
	"errors"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// snapshotWriter writes RDB. What is exported of a snapshot is copied from it byte
// for byte, in the order in which it stands there; only what was changed, and what
// comes from elsewhere, is encoded anew.
type snapshotWriter struct {
	sink *sink
	o    Options
	w    *rdbwrite.Writer
	raw  *rawBytes // nil: everything is built from events

	envelope bool
	at       int64 // in raw: what lies before is copied or left out
	cuts     []cut // what is to be left out behind at, in order
	loose    int64 // from here on it is cut up to the next record; -1: it is not
	good     int64 // what lies before was understood
	last     cut   // the key's record before the one at hand
	damaged  bool
	ended    bool

	size dbSize // that was told last
	key  struct {
		open, selected, build, forced bool
		record                        int64
		db                            int32
		changed                       bool
		err                           error
	}
}

type cut struct{ from, to int64 }

// dbSize is what a snapshot says of a database: of -1 nothing.
type dbSize struct {
	db            int32
	keys, expires int64
}

// maxSize is up to which number of keys a snapshot is believed. A server makes room for
// as many as it is told, before it reads one (rdb.c, rdbLoadRioWithLoadingCtx), which a
// damaged or hostile number ends; for these it takes 8 MiB, and as much for those that
// expire. That there are more it finds as it does when they are written to it.
const maxSize = 1 << 20

// copyAhead is how much is copied at once.
const copyAhead = 1 << 20

func newSnapshotWriter(out *output, o Options) *snapshotWriter {
	x := &snapshotWriter{sink: &sink{out: out}, o: o, loose: -1, size: dbSize{db: -1}}
	if o.Raw != nil {
		x.raw = &rawBytes{r: bufio.NewReaderSize(gapless{o.Raw}, 256<<10)}
	}
	return x
}

func (x *snapshotWriter) event(e *keyspace.Event) error {
	if x.w == nil && e.Kind != keyspace.Header {
		return nil
	}
	if x.loose >= 0 && e.Record > x.loose && e.Kind != keyspace.Damage {
		x.cut(x.loose, e.Record)
		x.loose = -1
	}
	switch e.Kind {
	case keyspace.Header:
		return x.header(e)
	case keyspace.DB:
		if e.Index >= 0 && x.o.Match == nil {
			x.size = dbSize{e.DB, min(e.Index, maxSize), min(e.Count, maxSize)}
		}
		x.cut(e.Record, e.Record+e.Length)
	case keyspace.Slot:
		x.cut(e.Record, e.Record+e.Length)
	case keyspace.Aux, keyspace.Function:
		return x.beside(e)
	case keyspace.Key:
		return x.begin(e)
	case keyspace.Element, keyspace.StreamMeta, keyspace.Group, keyspace.Consumer, keyspace.Pending:
		if x.key.build && x.key.err == nil {
			x.key.changed = x.key.changed || x.changed()
			x.key.err = x.w.Event(e)
		}
	case keyspace.KeyEnd:
		return x.end(e)
	case keyspace.Damage:
		x.damage(e)
	case keyspace.End:
		return x.finish(e.Record)
	}
	return nil
}

// header begins the snapshot, in the version of the one that is read.
func (x *snapshotWriter) header(e *keyspace.Event) (err error) {
	if x.w != nil {
		return nil
	}
	v := rdbwrite.Version{Magic: string(e.Value), Number: int(e.Index)}
	x.envelope = e.Pos.Inner >= 0
	x.at, x.good = headerSize, headerSize
	if x.raw != nil {
		x.raw.at = 0
	}
	x.w, err = rdbwrite.New(x.sink, v, rdbwrite.Options{MaxMem: x.o.MaxMem, Tmp: x.o.Tmp})
	if err != nil {
		return &keyspace.FormatError{Pos: e.Pos, What: err.Error(), Err: keyspace.ErrUnsupported}
	}
	return nil
}

// headerSize is the length of a snapshot's header.
const headerSize = 9

func (x *snapshotWriter) changed() bool { return x.o.Changed != nil && x.o.Changed() }

// beside takes what stands beside the keys: aux fields and functions.
func (x *snapshotWriter) beside(e *keyspace.Event) error {
	x.good = max(x.good, e.Record)
	if x.raw != nil {
		if !x.changed() {
			return nil
		}
		x.loose = e.Record
		if err := x.copyTo(e.Record); err != nil {
			return err
		}
	}
	switch {
	case e.Kind == keyspace.Function && len(e.Value) > 0:
		return x.w.Function(e.Value)
	case e.Kind == keyspace.Function:
		return nil
	case e.Type != keyspace.Module && string(e.Key) != "key-meta":
		return x.w.Aux(e.Key, e.Value)
	}
	return nil // of modules; there is no other form than the one that was there
}

// begin takes up a key.
func (x *snapshotWriter) begin(e *keyspace.Event) error {
	k := &x.key
	k.open, k.record, k.db, k.changed, k.err = true, e.Record, e.DB, x.changed(), nil
	k.selected = x.o.Match == nil || x.o.Match(e)
	k.forced = x.raw == nil || e.Record < x.at || x.loose == e.Record
	k.build = k.selected && (k.forced || x.o.Changed != nil)
	x.good = max(x.good, e.Record)
	if k.build {
		k.err = x.w.Event(e)
	}
	if x.raw != nil && (len(x.cuts) > 0 || e.Record-x.at > copyAhead) {
		return x.copyTo(e.Record)
	}
	return nil
}

// end completes a key: as it stands, anew, or not at all.
func (x *snapshotWriter) end(e *keyspace.Event) error {
	k := &x.key
	if !k.open {
		return nil
	}
	k.open = false
	anew := k.selected && (k.forced || k.changed)
	if x.raw != nil {
		x.last = cut{e.Record, e.Record + e.Length}
		x.good = max(x.good, x.last.to)
		x.loose = -1
		if !k.selected || anew {
			defer x.cut(x.last.from, x.last.to)
		}
	}
	if !k.selected {
		return nil
	}
	if err := x.enter(k.db, k.record); err != nil {
		return err
	}
	if !anew {
		x.w.Drop()
		return nil
	}
	if k.err == nil && x.raw != nil {
		k.err = x.copyTo(e.Record)
	}
	if k.err == nil {
		k.err = x.w.Event(e)
	}
	return x.refused(k.err)
}

// refused reports what could not be written and passes on other errors.
func (x *snapshotWriter) refused(err error) error {
	if err == nil || x.o.Refused == nil || !errors.Is(err, keyspace.ErrUnsupported) {
		return err
	}
	x.o.Refused(err)
	return nil
}

// enter chooses the database of the record at offset.
func (x *snapshotWriter) enter(db int32, record int64) error {
	db = max(db, 0)
	if db == x.w.DB() {
		return nil
	}
	if x.raw != nil {
		if err := x.copyTo(record); err != nil {
			return err
		}
	}
	if err := x.w.Select(db); err != nil {
		return err
	}
	if s := x.size; s.db == db {
		return x.w.Resize(uint64(s.keys), uint64(s.expires))
	}
	return nil
}

// cut leaves out a range of the snapshot.
func (x *snapshotWriter) cut(from, to int64) {
	if x.raw != nil && to > x.at {
		x.cuts = append(x.cuts, cut{from, to})
	}
}

// damage leaves out what could not be understood, and the key that it lies in, up to
// the next record that was.
func (x *snapshotWriter) damage(e *keyspace.Event) {
	x.damaged = true
	from := e.Pos.Offset
	if x.envelope {
		from = e.Pos.Inner
	}
	switch {
	case x.key.open:
		x.key.open = false
		x.w.Drop()
		from = x.key.record
	case from < x.last.to:
		from = min(from, x.last.from)
	}
	if x.loose < 0 || from < x.loose {
		x.loose = from
	}
}

// copyTo copies what lies before offset and was not cut.
func (x *snapshotWriter) copyTo(offset int64) error {
	for len(x.cuts) > 0 && x.cuts[0].from < offset {
		c := x.cuts[0]
		x.cuts = x.cuts[1:]
		if err := x.copyRange(c.from); err != nil {
			return err
		}
		x.at = max(x.at, c.to)
	}
	if len(x.cuts) == 0 {
		x.cuts = nil
	}
	return x.copyRange(offset)
}

func (x *snapshotWriter) copyRange(to int64) error {
	if to <= x.at {
		return nil
	}
	if err := x.raw.skipTo(x.at); err != nil {
		return err
	}
	if err := x.w.Raw(x.raw, to-x.at); err != nil {
		return err
	}
	x.at = to
	return nil
}

// finish copies the rest up to the end marker and writes that, behind a field which
// says that the checksum vouches for nothing, if there was damage.
func (x *snapshotWriter) finish(end int64) error {
	if x.ended {
		return nil
	}
	x.ended = true
	if x.raw != nil {
		if err := x.copyTo(end); err != nil {
			return err
		}
	}
	if x.damaged {
		if err := x.w.Unverified(); err != nil {
			return err
		}
	}
	return x.w.Close()
}

func (x *snapshotWriter) close() error {
	if x.w == nil {
		return errNoSnapshot
	}
	if x.key.open { // the stream ended in it
		x.key.open = false
		x.w.Drop()
		x.good = min(x.good, x.key.record)
	}
	if x.loose >= 0 {
		x.good = min(x.good, x.loose)
	}
	if err := x.finish(x.good); err != nil {
		return err
	}
	return x.sink.flush()
}

var errNoSnapshot = errors.New("there is nothing to be made a snapshot of")

// sink hands what is written to an output in large pieces.
type sink struct {
	out *output
	buf []byte
}

func (s *sink) Write(p []byte) (int, error) {
	s.buf = append(s.buf, p...)
	if len(s.buf) < flushSize {
		return len(p), nil
	}
	return len(p), s.flush()
}

func (s *sink) flush() (err error) {
	s.buf, err = s.out.write(s.buf)
	return err
}

// rawBytes reads a snapshot forward and knows how far it has come.
type rawBytes struct {
	r  *bufio.Reader
	at int64
}

func (r *rawBytes) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.at += int64(n)
	return n, err
}

func (r *rawBytes) skipTo(offset int64) error {
	for r.at < offset {
		n, err := r.r.Discard(int(min(offset-r.at, 1<<30)))
		r.at += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// gapless passes over what the medium could not deliver: it was reported as damage,
// and is cut.
type gapless struct{ r io.Reader }

func (g gapless) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if errors.As(err, new(*keyspace.GapError)) {
		err = nil
	}
	return n, err
}
