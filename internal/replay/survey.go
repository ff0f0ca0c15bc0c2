package replay

import (
	"context"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Point is a point of a log: before it, commands count, from it on they do not.
// The zero Point is the end.
type Point struct {
	Kind   PointKind
	Source string // AtOffset: the file; "" is the last one that is long enough
	Offset int64  // AtOffset: commands that begin here or behind do not count
	Time   int64  // AtTime: Unix ms; commands of a later #TS do not count
	Flush  int    // BeforeFlush: which flush, counted from the last: 1 is that
}

// PointKind says how a point is given.
type PointKind uint8

// The kinds of points.
const (
	AtEnd PointKind = iota
	AtOffset
	AtTime
	BeforeFlush
)

// maxClaimed is how many keys of a database a base is believed to hold.
const maxClaimed = 1 << 32

// survey is what a first reading of a log tells.
type survey struct {
	commands int64
	bytes    int64 // about what all values of all times would take
	taken    []retraction
	flushes  []int64 // numbers of the commands that flush
	point    int64   // number of the first command that does not count; -1: the end
	when     int64   // the last #TS before the point
	saved    int64   // ms; when the log's base was saved, 0: not known
	links    links
	seen     *sightings
	bases    bases
	damage   damage
	missed   unfollowed
	order    map[string]uint64 // numbers of the files, in the order of the log
	paths    []string          // the same the other way round
}

// damage is what of a log could not be understood.
type damage struct {
	places int64
	first  error
}

func (d *damage) note(e *keyspace.Event) {
	if e.Kind != keyspace.Damage {
		return
	}
	if d.places++; d.first == nil {
		d.first = e.Err
	}
}

// endOfTime is a second that no server's clock shows: 10000-01-01.
const endOfTime = 253402300800

// retraction is what a Damage or Torn event takes back: commands of a file from an
// offset on that were yielded before a number.
type retraction struct {
	source string
	offset int64
	before int64
}

// bases are the snapshots in a log. A reading that passes over values does not meet the
// damage inside of them, behind which another reading may find other names.
type bases struct {
	open    bool // one is being read
	doubted bool // no checksum says of all of them that they are as they were written
	damaged bool // one is not
}

// see notes an event, and reports whether it is damage of a snapshot.
func (b *bases) see(e *keyspace.Event) (damage bool) {
	switch e.Kind {
	case keyspace.Header:
		b.open = string(e.Value) != "RESP"
	case keyspace.Command:
		b.open = false
	case keyspace.Damage, keyspace.Torn:
		damage = b.open
	case keyspace.End:
		sum := keyspace.Checksum(e.Index)
		b.doubted = b.doubted || b.open && sum != keyspace.ChecksumOK
		damage = b.open && sum == keyspace.ChecksumFailed
	}
	b.damaged = b.damaged || damage
	return damage
}

// look reads a log once.
func look(ctx context.Context, events Events, r Reading, p Point, maxMem int64) (*survey, error) {
	s := &survey{point: -1, links: newLinks(), seen: newSightings(maxMem), order: map[string]uint64{}}
	defer s.seen.wait()
	if r.Skim {
		r.Pass = s.pass
	}
	n := 0
	for e, err := range events(r) {
		if n++; n%64 == 0 && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		s.bases.see(e)
		s.event(e, p)
		s.seen.see(e)
	}
	s.seen.end()
	switch n := len(s.flushes); {
	case p.Kind != BeforeFlush:
	case p.Flush < 1 || p.Flush > n:
		return nil, ErrNoFlush
	default:
		s.point = s.flushes[n-p.Flush]
	}
	return s, nil
}

// pass notes the names of keys of a base, of which no more is needed.
func (s *survey) pass(_ int32, names [][]byte, pass []bool) {
	for i, name := range names {
		s.key(name)
		s.seen.written(name)
		pass[i] = true
	}
}

// key counts a key that is written.
func (s *survey) key(key []byte) {
	if s.commands > 0 {
		s.bytes += int64(len(key)) + perKey
	}
}

func (s *survey) event(e *keyspace.Event, p Point) {
	if s.point < 0 {
		s.missed.see(e)
	}
	if n := len(s.paths); n == 0 || s.paths[n-1] != e.Pos.Source {
		s.file(e.Pos.Source)
	}
	switch e.Kind {
	case keyspace.Command:
		s.command(e, p)
	case keyspace.Aux:
		if s.commands == 0 && string(e.Key) == "ctime" {
			if sec, err := strconv.ParseInt(string(e.Value), 10, 64); err == nil && sec > 0 && sec < endOfTime {
				s.saved = sec * 1000
			}
		}
	case keyspace.Element:
		if s.commands > 0 {
			s.bytes += int64(len(e.Field)+len(e.Value)) + perElement
		}
	case keyspace.Key:
		s.key(e.Key)
	case keyspace.DB:
		s.bytes += min(max(e.Index, 0), maxClaimed) * perKey
	case keyspace.End:
		if s.commands == 0 { // of a base no more is read than how long it is
			s.bytes += e.Length
		}
	case keyspace.Flush:
		if n := len(s.flushes); n == 0 || s.flushes[n-1] != s.commands-1 {
			s.flushes = append(s.flushes, s.commands-1)
		}
	case keyspace.Rename:
		if e.Op != keyspace.OpShare {
			s.links.join(e.Key, e.Value)
		}
	case keyspace.Delete:
		if e.Op == keyspace.OpMoveEnd {
			s.links.join(e.Key, e.Value)
		}
	case keyspace.Damage, keyspace.Torn:
		s.damage.note(e)
		if s.commands > 0 { // what a snapshot holds before and behind damage is there
			s.taken = append(s.taken, retraction{e.Pos.Source, e.Pos.Offset, s.commands})
		}
	}
}

// file numbers a file that is met for the first time.
func (s *survey) file(path string) {
	if _, ok := s.order[path]; !ok {
		s.order[path] = uint64(len(s.paths))
		s.paths = append(s.paths, path)
	}
}

func (s *survey) command(e *keyspace.Event, p Point) {
	if s.point < 0 {
		past := false
		switch p.Kind {
		case AtOffset:
			past = (p.Source == "" || p.Source == e.Pos.Source) && e.Record >= p.Offset
		case AtTime:
			past = e.Time > p.Time
		}
		if past {
			s.point = s.commands
		}
	}
	if s.point < 0 {
		s.missed.take(e)
		if e.Time != 0 {
			s.when = e.Time
		}
	}
	s.commands++
	keys := linkedKeys(e)
	for i := 1; i < len(keys); i++ {
		s.links.join(keys[0], keys[i])
	}
}

// back reports whether a command was taken back.
func (s *survey) back(e *keyspace.Event, number int64) bool {
	for i := range s.taken {
		t := &s.taken[i]
		if number < t.before && e.Record >= t.offset && e.Pos.Source == t.source {
			return true
		}
	}
	return false
}

// links are sets of keys that commands connect: their values are to be replayed
// together. Names stand for all keys of that name, in any database.
type links struct {
	up   map[uint64]uint64
	lost bool // there are too many to tell apart: all of them are one set
}

// maxLinked bounds how many names are told apart; each takes some 40 bytes.
const maxLinked = 1 << 20

func newLinks() links { return links{up: map[uint64]uint64{}} }

// hashOf is the same in any run, so that the order of what comes out is.
func hashOf(key []byte) uint64 {
	return xxhash.Sum64(key)
}

func (l *links) root(h uint64) uint64 {
	for {
		p, ok := l.up[h]
		if !ok || p == h {
			return h
		}
		if g, ok := l.up[p]; ok {
			l.up[h] = g
		}
		h = p
	}
}

func (l *links) join(a, b []byte) {
	x, y := l.root(hashOf(a)), l.root(hashOf(b))
	if x == y {
		return
	}
	if len(l.up) >= maxLinked {
		l.lost = true
		return
	}
	l.up[max(x, y)] = min(x, y)
	if _, ok := l.up[min(x, y)]; !ok {
		l.up[min(x, y)] = min(x, y)
	}
}

// of returns what stands for the set of a key.
func (l *links) of(key []byte) uint64 {
	if l.lost {
		return 0
	}
	return l.root(hashOf(key))
}
