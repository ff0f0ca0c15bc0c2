package timeline

import (
	"context"
	"io/fs"
	"time"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Options say what a timeline holds.
type Options struct {
	MaxMem int64          // bytes of events in memory before they spill
	Tmp    string         // where to
	Zone   *time.Location // of logs that do not say in which zone they count; nil: UTC
	// Want chooses keys; facts without a key are not asked. It may be nil.
	Want func(db int32, key []byte) bool
	// Mask masks the secrets in a text, Key those in the name of a key. They may be nil.
	Mask, Key func(string) string
	// From and Until, where they are not zero, bound the times: From <= t < Until.
	From, Until time.Time
}

// Summary is what a timeline was made of.
type Summary struct {
	Events   int64            `json:"events"`
	ByKind   map[string]int64 `json:"by_kind"`
	Undated  int64            `json:"undated"` // facts that nothing dates
	Damaged  int64            `json:"damaged"` // ranges that were not understood
	Complete bool             `json:"complete"`
}

// Timeline holds the events of inputs. Close it.
type Timeline struct {
	Summary Summary
	sorter  *spill.Sorter
}

// Close frees what the timeline holds.
func (t *Timeline) Close() error { return t.sorter.Close() }

// Events yields all events by time; those of one time in the order of the input.
func (t *Timeline) Events(yield func(*Event, error) bool) {
	for record, err := range t.sorter.Sorted() {
		var e *Event
		if err == nil {
			e, err = decode(record)
		}
		if !yield(e, err) || err != nil {
			return
		}
	}
}

// New reads the inputs, and logs twice. If ctx ends, what was read so far makes
// the timeline, and the context's error is returned with it.
func New(ctx context.Context, in *source.Inputs, o Options) (*Timeline, error) {
	same := func(s string) string { return s }
	if o.Mask == nil {
		o.Mask = same
	}
	if o.Key == nil {
		o.Key = same
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	t := &Timeline{sorter: spill.NewSorter(o.Tmp, o.MaxMem), Summary: Summary{ByKind: map[string]int64{}}}
	c := &collector{o: o, t: t, roles: map[string]source.Role{}}
	err := c.run(ctx, in)
	t.Summary.Complete = err == nil && t.Summary.Damaged == 0
	if err != nil && ctx.Err() == nil {
		_ = t.Close()
		return nil, err
	}
	return t, err
}

// collector turns events of inputs into events of a timeline.
type collector struct {
	o      Options
	t      *Timeline
	number uint64
	buf    []byte
	roles  map[string]source.Role // of files, by path, that are no part of a data set now
}

func (c *collector) run(ctx context.Context, in *source.Inputs) error {
	for u, err := range in.Units(ctx) {
		if err != nil {
			return err
		}
		for _, f := range u.Files {
			switch f.Role {
			case source.HistoryFile, source.Orphan, source.Temporary:
				c.roles[f.Path] = f.Role
			}
			if err := c.file(f); err != nil {
				return err
			}
		}
		if err := c.unit(ctx, u); err != nil {
			return err
		}
		if err := u.Close(ctx); err != nil {
			return err
		}
	}
	return nil
}

// unit collects what a unit holds.
func (c *collector) unit(ctx context.Context, u *source.Unit) error {
	kind := u.Kind()
	switch {
	case kind == source.Log:
		return c.each(ctx, u, (&logReader{c: c, source: u.Name()}).event)
	case kind == source.History:
		return c.each(ctx, u, (&historyReader{c: c, file: u.Files[0]}).event)
	case kind.IsText():
		return nil // its times are those of the file
	case kind == source.RDB:
		return c.each(ctx, u, (&valueReader{c: c}).event)
	}
	first, err := firstTime(ctx, u)
	if err != nil {
		return err
	}
	r := &commandReader{valueReader: valueReader{c: c}, firstTime: first, modified: map[string]time.Time{}}
	for _, f := range u.Files {
		r.modified[f.Path] = f.Modified
	}
	return c.each(ctx, u, r.event)
}

func (c *collector) each(ctx context.Context, u *source.Unit, do func(*keyspace.Event) error) error {
	for e, err := range u.Events(ctx) {
		if err == nil && e.Kind == keyspace.Damage {
			c.t.Summary.Damaged++
		}
		if err == nil {
			err = do(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// file adds the times that the file system keeps of a file.
func (c *collector) file(f *source.File) error {
	if f.Streamed() || f.Modified.IsZero() {
		return nil
	}
	stat := &Stat{Mode: modeText(f.Mode), UID: f.UID, GID: f.GID, Size: f.Size, Times: [4]int64{unix(f.Accessed), unix(f.Modified), unix(f.Changed), unix(f.Born)}}
	told := false
	for _, e := range []struct {
		kind, what, of string
		at             time.Time
	}{
		{"file-born", "created", "birth time", f.Born},
		{"file-modified", "modified", "mtime", f.Modified},
		{"file-changed", "status changed", "ctime of the file", f.Changed},
		{"file-accessed", "last accessed", "atime", f.Accessed},
	} {
		if e.at.IsZero() || !c.wanted(e.at) {
			continue
		}
		ev := &Event{Time: e.at.UTC(), Basis: Recorded, Of: e.of, Kind: e.kind, Message: "file " + e.what, Source: f.Path, Offset: -1, DB: -1, File: stat}
		stat.Whole = !told
		told = true
		if err := c.add(ev); err != nil {
			return err
		}
	}
	return nil
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// modeText is a mode as ls(1) and bodyfiles write it.
func modeText(m fs.FileMode) string {
	kind := byte('-')
	switch {
	case m&fs.ModeDir != 0:
		kind = 'd'
	case m&fs.ModeSymlink != 0:
		kind = 'l'
	case m&fs.ModeNamedPipe != 0:
		kind = 'p'
	case m&fs.ModeSocket != 0:
		kind = 's'
	case m&fs.ModeCharDevice != 0:
		kind = 'c'
	case m&fs.ModeDevice != 0:
		kind = 'b'
	}
	return string(kind) + m.Perm().String()[1:]
}

// wanted reports whether a time lies in the span that was asked for.
func (c *collector) wanted(at time.Time) bool {
	return (c.o.From.IsZero() || !at.Before(c.o.From)) && (c.o.Until.IsZero() || at.Before(c.o.Until))
}

// add takes an event whose texts are not masked yet.
func (c *collector) add(e *Event) error {
	if !c.wanted(e.Time) {
		return nil
	}
	e.Role = string(c.roles[e.Source])
	e.Message, e.Source = cut(c.o.Mask(e.Message)), cut(c.o.Mask(e.Source))
	var err error
	if c.buf, err = encode(c.buf[:0], e, c.number); err != nil {
		return err
	}
	c.number++
	c.t.Summary.Events++
	c.t.Summary.ByKind[e.Kind]++
	return c.t.sorter.Add(c.buf)
}

// keyed adds an event of a key, if it is wanted.
func (c *collector) keyed(e *Event, db int32, key []byte) error {
	e.DB = db
	if len(key) > 0 {
		if c.o.Want != nil && !c.o.Want(db, key) {
			return nil
		}
		name := c.o.Key(string(key[:min(len(key), maxText)]))
		if utf8.ValidString(name) {
			e.Key = name
		} else {
			e.KeyB64 = []byte(name)
		}
	}
	return c.add(e)
}

// bounded dates an event by what came before and after it. Where neither is
// known, it is counted as undated and left out.
func (c *collector) bounded(e *Event, of string, from, to time.Time, db int32, key []byte) error {
	if from.IsZero() && to.IsZero() {
		c.t.Summary.Undated++
		return nil
	}
	e.Basis, e.Of, e.Time = Bounded, of, from
	if from.IsZero() {
		e.Time = to
	} else {
		e.NotBefore = &from
	}
	if !to.IsZero() && !to.Before(from) {
		e.NotAfter = &to
	}
	return c.keyed(e, db, key)
}
