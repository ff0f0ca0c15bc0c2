package salvage

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"github.com/valkeyfs/valkeyfs/internal/rdbwrite"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

const (
	// recentMax is how many records are kept back, because damage behind them may
	// take them back: it reaches back over one long record and 4 KiB of short ones.
	recentMax = 8192
	// maxTypes bounds the counts by database and type.
	maxTypes = 1 << 16
	// headerSize is the length of a snapshot's header.
	headerSize = 9
)

// survey makes the map of a file from its events.
type survey struct {
	m     *Map
	p     *Part
	names *sweep.Names
	seen  *nameSet // nil: nobody asks whether a name may come twice
	twice *finder  // nil: nobody asks what a server would refuse
	elems elements

	open    record // the key or command at hand
	inside  bool   // there is one
	some    bool   // and there is an element of it
	calm    bool   // of keys no more need be done than follow does
	damaged error  // of the last damage
	recent  []record
	limbo   limbo
	gaps    []span
	counts  map[typeKey]uint64
	db      int32  // that the part's cuts select for what comes next; -1: not known
	whole   uint64 // keys of the part that are whole
	need    int    // the version that has all encodings met
	multi   struct {
		open     bool
		from, to int64
		commands uint64 // before it
	}
	library record // the function library at hand, whose end is not known yet
}

type span struct{ from, to int64 }

func (s span) meets(o span) bool { return s.from < o.to && o.from < s.to }

// record is a key of a snapshot or a command of a log.
type record struct {
	span
	key      typeKey
	name     [nameSize]byte // hash of database and name, if somebody asks what comes twice
	refused  bool           // a server does not take its elements
	presumed bool           // its database is
}

type typeKey struct {
	db  int32
	typ keyspace.Type
}

// offsetOf is where the record that e reports stands in the logical file.
func offsetOf(e *keyspace.Event) int64 {
	if e.Pos.Inner >= 0 {
		return e.Pos.Inner
	}
	return e.Pos.Offset
}

func (s *survey) run(ctx context.Context, src Source) error {
	s.counts, s.m.sizes = map[typeKey]uint64{}, map[int32]*dbSize{}
	if err := s.follow(ctx, src); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for k, n := range s.counts {
		s.m.Types = append(s.m.Types, TypeCount{k.db, k.typ.String(), n})
	}
	slices.SortFunc(s.m.Types, func(a, b TypeCount) int {
		return cmp.Or(cmp.Compare(a.DB, b.DB), cmp.Compare(b.Keys, a.Keys), cmp.Compare(a.Name, b.Name))
	})
	for _, t := range s.m.Types {
		s.m.sizeOf(t.DB).keys += t.Keys
	}
	for _, p := range s.m.Parts {
		p.arrange()
		for _, c := range p.cuts {
			if c.why == lost || c.why == partial {
				s.m.Damaged += c.to - c.from
			}
		}
	}
	if s.twice == nil || len(s.m.Parts) == 0 {
		return nil
	}
	p := s.m.Parts[0]
	err := s.twice.each(func(c cut) error { return p.cut(c) })
	p.arrange()
	return err
}

// follow takes all events, and what ends them if that is damage.
func (s *survey) follow(ctx context.Context, src Source) error {
	var failed, ended error
	// Not a range statement: what that checks at each step is as much as is done here.
	src.Raw(ctx)(func(e *keyspace.Event, err error) bool {
		if err != nil {
			ended = err
			return false
		}
		if s.calm {
			switch e.Kind {
			case keyspace.Element:
				s.some = true
				return true
			case keyspace.Key:
				if e.DB == s.db {
					s.begins(e)
					if s.seen != nil {
						s.name(e.DB, e.Key)
					}
					return true
				}
			case keyspace.KeyEnd:
				if n := len(s.recent); n < min(recentMax, cap(s.recent)) && (s.some || !neverEmpty(s.open.key.typ)) {
					s.ends(e)
					s.recent = s.recent[:n+1]
					s.recent[n].set(&s.open)
					return true
				}
			}
		}
		failed = s.event(e)
		s.calm = s.twice == nil && s.p != nil && !s.p.log && !s.p.NoHead && s.limbo.empty() && len(s.gaps) == 0
		return failed == nil
	})
	if failed != nil || ended == nil {
		return failed
	}
	d := src.AsDamage(ended)
	switch {
	case d == nil:
		return ended
	case ended == s.damaged:
		return nil
	}
	return s.event(d)
}

func (s *survey) event(e *keyspace.Event) error {
	if s.p == nil && e.Kind != keyspace.Header {
		// The header is lost.
		s.begin(&Part{Format: "unknown", NoHead: true})
	}
	if s.library.from != 0 {
		if err := s.endLibrary(e); err != nil {
			return err
		}
	}
	switch e.Kind {
	case keyspace.Header:
		s.header(e)
	case keyspace.Damage, keyspace.Torn:
		return s.damage(e)
	case keyspace.End:
		return s.end(e)
	case keyspace.Command:
		return s.command(e)
	}
	if s.p.log {
		if e.Kind == keyspace.Rename || e.Kind == keyspace.SwapDB {
			s.reaches(e)
		}
		return nil
	}
	if !s.limbo.empty() {
		s.rejoin(e)
	}
	switch e.Kind {
	case keyspace.DB:
		if e.Index >= 0 {
			s.m.sizeOf(e.DB).expires = uint64(e.Count)
		}
		return s.selects(e)
	case keyspace.Slot:
		return s.selects(e)
	case keyspace.Aux:
		s.p.Salvaged = s.p.Salvaged || string(e.Key) == rdbwrite.Salvaged
	case keyspace.Function:
		s.library = record{span: span{from: e.Record}, name: s.name(-1, e.Key), refused: s.twice != nil && refusedLibrary(e.Value)}
	case keyspace.Key:
		s.begins(e)
		s.open.name = s.name(e.DB, e.Key)
		s.need = max(s.need, versionOf(e))
		s.elems.begin(e, s.twice != nil)
		if e.DB != s.db { // damage came between, and no bytes that select it
			s.db = e.DB
			return s.p.cut(cut{e.Record, e.Record, selected, e.DB})
		}
	case keyspace.Element:
		s.some = true
		s.open.refused = s.elems.refuses(e) || s.open.refused
	case keyspace.StreamMeta, keyspace.Group, keyspace.Consumer, keyspace.Pending:
		s.open.refused = s.elems.refuses(e) || s.open.refused
	case keyspace.KeyEnd:
		s.ends(e)
		s.open.refused = s.open.refused || s.elems.refused(s.open.key.typ) || !s.some && neverEmpty(s.open.key.typ)
		return s.keyEnd()
	}
	return nil
}

// selects takes what selects a database, or says how many keys are in it or in a slot: a
// server makes room for as many, and a clean file says what it keeps.
func (s *survey) selects(e *keyspace.Event) error {
	s.db = e.DB
	return s.p.cut(cut{e.Record, e.Record + e.Length, selected, e.DB})
}

// begins opens the record of a key, but for its name.
func (s *survey) begins(e *keyspace.Event) {
	r := &s.open
	r.from, r.key.db, r.key.typ, r.refused, r.presumed = e.Record, e.DB, e.Type, false, e.Presumed
	s.inside, s.some = true, false
}

// ends says where the record ends.
func (s *survey) ends(e *keyspace.Event) {
	s.inside = false
	s.open.to = e.Record + e.Length
}

// neverEmpty reports whether no key of a type is without elements: servers delete
// such a key, and older ones refuse the file for it (rdbLoadObject of src/rdb.c).
func neverEmpty(t keyspace.Type) bool {
	return t == keyspace.List || t == keyspace.Set || t == keyspace.SortedSet || t == keyspace.Hash
}

// begin starts a part.
func (s *survey) begin(p *Part) {
	p.Checksum = keyspace.ChecksumUnchecked.String()
	s.p = p
	s.m.Parts = append(s.m.Parts, p)
	s.inside, s.whole, s.recent, s.db = false, 0, s.recent[:0], 0
	s.limbo.close()
}

func (s *survey) header(e *keyspace.Event) {
	at := offsetOf(e)
	if string(e.Value) == "RESP" {
		s.begin(&Part{Format: "RESP", From: at, log: true})
		return
	}
	s.begin(&Part{Format: fmt.Sprintf("%s %d", e.Value, e.Index), From: at + headerSize, envelope: e.Pos.Inner >= 0,
		version: rdbwrite.Version{Magic: string(e.Value), Number: int(e.Index)}})
}

// keyEnd takes the open key, which is whole.
func (s *survey) keyEnd() error {
	for _, g := range s.gaps {
		if g.meets(s.open.span) {
			return s.part(s.open, s.open.to)
		}
	}
	if err := s.room(); err != nil {
		return err
	}
	s.recent = append(s.recent, s.open)
	return nil
}

// room makes room for a recent record.
func (s *survey) room() error {
	if s.recent == nil {
		s.recent = make([]record, 0, recentMax)
	}
	if len(s.recent) < recentMax {
		return nil
	}
	return s.settle(len(s.recent) - recentMax/2)
}

// set makes r what o is but for its name, field by field as o was written: processors wait
// where a larger piece is read than was written just before.
func (r *record) set(o *record) {
	r.from, r.to, r.key.db, r.key.typ, r.refused, r.presumed = o.from, o.to, o.key.db, o.key.typ, o.refused, o.presumed
}

// settle counts the first n of the recent records, which nothing takes back any more.
func (s *survey) settle(n int) error {
	if s.p.log {
		for i := range s.recent[:n] {
			s.m.logged = max(s.m.logged, int64(s.recent[i].key.db)+1)
		}
		s.recent = append(s.recent[:0], s.recent[n:]...)
		return nil
	}
	s.whole += uint64(n)
	var key typeKey
	var alike uint64 // records before the one at hand whose key that is
	for i := range s.recent[:n] {
		r := &s.recent[i]
		if r.key != key {
			s.count(key, alike)
			key, alike = r.key, 0
		}
		alike++
		s.presume(r)
		if err := s.note(r, false); err != nil {
			return err
		}
		if r.refused {
			if err := s.p.cut(cut{from: r.from, to: r.to, why: refused}); err != nil {
				return err
			}
		}
	}
	s.count(key, alike)
	s.recent = append(s.recent[:0], s.recent[n:]...)
	return nil
}

// command takes a command of a log. It is whole unless damage takes it back.
func (s *survey) command(e *keyspace.Event) error {
	if err := s.room(); err != nil {
		return err
	}
	s.open = record{span: span{e.Record, e.Record + max(e.Length, 1)}, key: typeKey{db: e.DB}}
	for _, g := range s.gaps {
		if g.meets(s.open.span) {
			return s.p.cut(cut{from: s.open.from, to: s.open.to, why: lost})
		}
	}
	s.recent = append(s.recent, s.open)
	s.m.Commands++
	if len(e.Args) == 0 || e.Index != 1 {
		return nil
	}
	switch multi := &s.multi; {
	case bytes.EqualFold(e.Args[0], []byte("MULTI")):
		err := s.balance()
		multi.open, multi.from, multi.to, multi.commands = true, e.Record, e.Record+e.Length, s.m.Commands-1
		return err
	case bytes.EqualFold(e.Args[0], []byte("EXEC")), bytes.EqualFold(e.Args[0], []byte("DISCARD")):
		if !multi.open {
			return s.p.cut(cut{from: e.Record, to: e.Record + e.Length, why: unbalanced})
		}
		multi.open = false
	}
	return nil
}

// reaches notes into which database the command that was read last puts something.
func (s *survey) reaches(e *keyspace.Event) {
	n := len(s.recent)
	if n == 0 || s.recent[n-1].from != e.Record {
		return
	}
	db := &s.recent[n-1].key.db
	*db = max(*db, e.DB, int32(min(max(e.Index, 0), math.MaxInt32)))
}

// balance leaves out a MULTI whose EXEC was lost: a server would hold back what
// follows it.
func (s *survey) balance() error {
	if !s.multi.open {
		return nil
	}
	s.multi.open = false
	return s.p.cut(cut{from: s.multi.from, to: s.multi.to, why: unbalanced})
}

// end takes the end of a part.
func (s *survey) end(e *keyspace.Event) error {
	p := s.p
	s.rejoin(e)
	if err := s.settle(len(s.recent)); err != nil {
		return err
	}
	at := offsetOf(e)
	if p.log {
		p.To = at
		s.m.Size = max(s.m.Size, at)
		return nil
	}
	p.To = at - 1
	for _, c := range p.cuts {
		if c.to == at { // what was lost reaches to the end
			p.To, p.NoEnd = at, true
		}
	}
	p.Checksum = keyspace.Checksum(e.Index).String()
	if p.NoHead {
		p.version = rdbwrite.Version{Magic: "REDIS", Number: max(s.need, leastVersion)}
		if string(e.Value) == "VALKEY" {
			p.version = rdbwrite.Version{Magic: "VALKEY", Number: leastValkey}
		}
	}
	if p.vouched() {
		s.m.Keys.Intact += s.whole
	} else {
		s.m.Keys.Unverified += s.whole
	}
	if keyspace.Checksum(e.Index) == keyspace.ChecksumOK {
		// What could not be understood is of a type that is not known, and sound.
		p.cuts = slices.DeleteFunc(p.cuts, func(c cut) bool { return c.why != selected })
	}
	s.m.Size = max(s.m.Size, e.Length+e.Count)
	return nil
}

// endLibrary takes a function library, once what follows tells where it ends.
func (s *survey) endLibrary(e *keyspace.Event) error {
	if e.Kind == keyspace.Damage && isRead(e.Err) {
		return nil
	}
	r := s.library
	s.library.from = 0
	r.to = e.Record
	if e.Kind == keyspace.End {
		r.to = offsetOf(e) - 1
	}
	if r.to <= r.from {
		return nil
	}
	if r.refused {
		s.list(&keyspace.Event{Kind: keyspace.Damage, Pos: keyspace.Pos{Source: e.Pos.Source, Offset: r.from, Inner: -1}, Length: r.to - r.from,
			Err: &keyspace.FormatError{What: "function library: its text is not what a server takes", Err: keyspace.ErrCorrupt}})
		return s.p.cut(cut{from: r.from, to: r.to, why: lost})
	}
	return s.note(&r, false)
}

// note has the name of a record, whole or partial, compared with the others.
func (s *survey) note(r *record, partial bool) error {
	if s.twice == nil {
		return nil
	}
	return s.twice.add(r, partial)
}

// name stands for a name as far as names are compared, now or when its record is noted. Where
// a name is taken back there is damage, and nobody asks the set.
func (s *survey) name(db int32, name []byte) (sum [nameSize]byte) {
	if s.seen != nil {
		s.seen.add(s.seen.hash(db, name))
	}
	if s.twice != nil {
		return nameHash(db, name)
	}
	return sum
}

// presume counts a key if its database is presumed.
func (s *survey) presume(r *record) {
	if r.presumed {
		s.m.Presumed++
	}
}

// count counts n keys that are whole.
func (s *survey) count(k typeKey, n uint64) {
	if n == 0 {
		return
	}
	if _, known := s.counts[k]; !known && len(s.counts) >= maxTypes {
		k.db = -1
	}
	s.counts[k] += n
}

const nameSize = 16

// nameHash stands for a name in a database: a key's, or in database -1 a library.
func nameHash(db int32, name []byte) (sum [nameSize]byte) {
	h := fnv.New128a()
	h.Write([]byte{byte(db), byte(db >> 8), byte(db >> 16), byte(db >> 24)})
	h.Write(name)
	h.Sum(sum[:0])
	return sum
}

// leastVersion is what the header of a snapshot that lost it says at least.
const (
	leastVersion = 9
	leastValkey  = 80 // of Valkey's own
)

// versionOf is the version of Redis' format that brought the encoding of a key.
func versionOf(e *keyspace.Event) int {
	switch e.Encoding {
	case keyspace.ListpackEx, keyspace.HashtableEx:
		return 12
	case keyspace.Listpack:
		if e.Type == keyspace.Set {
			return 11
		}
		return 10
	case keyspace.Quicklist2:
		return 10
	case keyspace.Sparse:
		return 14
	case keyspace.Template:
		return 15
	}
	return leastVersion
}
