package salvage

import (
	"context"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Source is a file that can be read any number of times.
type Source interface {
	Name() string
	// Events reads it, going on behind damage; the same each time.
	Events(ctx context.Context) keyspace.Seq
	// Raw is Events, but may end with an error of which AsDamage makes a Damage event,
	// perhaps that of the last one.
	Raw(ctx context.Context) keyspace.Seq
	AsDamage(err error) *keyspace.Event // nil: it says nothing of what the file holds
	// Logical opens its bytes as the events count them.
	Logical() (io.ReadCloser, error)
}

// Options say what is made of a file.
type Options struct {
	Clean  io.Writer    // the clean file goes there; nil: none is wanted
	JSONL  io.Writer    // the keys go there as JSON lines, and the map without what those say; nil: nowhere
	Names  *sweep.Names // masks what reports name; nil masks nothing
	MaxMem int64        // bytes that may be held
	Tmp    string       // where the rest is spilled to
}

const defaultMem = 64 << 20

// Run reads a file up to four times and writes what is wanted of it. The map says
// what was found; an error is one of the work itself.
func Run(ctx context.Context, src Source, o Options) (*Map, *Cleaned, error) {
	if o.MaxMem <= 0 {
		o.MaxMem = defaultMem
	}
	s := &survey{m: newMap(src, o), names: o.Names}
	if o.Clean != nil {
		s.seen = newNameSet(o.MaxMem)
	}
	err := s.run(ctx, src)
	m := s.m
	if err == nil && o.Clean != nil && (!m.sound() || s.seen.again()) {
		m, err = thorough(ctx, src, o)
	}
	if err != nil {
		return nil, nil, err
	}
	if o.JSONL != nil {
		if err := objects(ctx, src, m, o.JSONL, o.Names); err != nil {
			return nil, nil, err
		}
	}
	var c *Cleaned
	if o.Clean != nil {
		if c, err = clean(ctx, src, m, o.Clean, o); err != nil {
			return nil, nil, err
		}
	}
	if o.JSONL != nil {
		short := *m
		short.Damage = nil
		err = WriteJSON(o.JSONL, &short, c)
	}
	return m, c, err
}

func newMap(src Source, o Options) *Map {
	return &Map{Type: "salvage", Source: o.Names.Mask(src.Name()), Parts: []*Part{}, Types: []TypeCount{}, Damage: []*report.Damage{}}
}

// thorough makes the map of a file, with what of it a server would refuse. That costs
// more than the reading, and is for files that are not sound.
func thorough(ctx context.Context, src Source, o Options) (*Map, error) {
	s := &survey{m: newMap(src, o), names: o.Names, twice: newFinder(o.Tmp, o.MaxMem/2)}
	defer s.twice.close() //nolint:errcheck // what it spilled is no longer wanted
	return s.m, s.run(ctx, src)
}
