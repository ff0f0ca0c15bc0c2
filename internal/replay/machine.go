package replay

import (
	"bytes"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// machine is a data set that events are applied to, as a server applies the
// commands that they stand for. What a command computes from values that are
// there (INCR, SUNIONSTORE …) it computes from the command; what no event and no
// computation tells makes a value inexact.
type machine struct {
	dbs   map[int32]map[string]*object
	libs  map[string][]byte // function libraries
	held  int64             // about what the values take
	limit int64             // of held
	work  int64             // times workShare: of spent
	spent int64             // steps, see afford
	all   bool              // it has all keys

	// before, if not nil, is called before a key changes, which holds o, and before each
	// element of one does; a flush or a rename calls it for each key that it changes.
	before func(db int32, key string, o *object, e *keyspace.Event)
	// after, if not nil, is called when a command was computed.
	after func()

	// headless says that a key which holds nothing here may have held something before the
	// log's beginning.
	headless bool

	open struct { // the key whose record is being read
		db   int32
		key  string
		o    *object
		made bool // whatever was there: when it expires is known, too
	}
	parts []byte         // of a string, field or element that arrives in parts
	whole keyspace.Event // an element as before sees it
	said  struct {       // what a command says of groups, and its events do not
		source string
		record int64
		newest bool              // XGROUP CREATE or SETID to $
		last   keyspace.StreamID // XCLAIM: what was delivered last
	}
	computed computed
	spare    spare
}

// What elements take in memory beside their bytes, about: the entry of a map, its
// string and slice headers.
const (
	perKey     = 200
	perElement = 80
)

// newMachine returns an empty machine that holds up to limit bytes, and may spend
// workShare steps for each of work.
func newMachine(limit, work int64) *machine {
	return &machine{dbs: map[int32]map[string]*object{}, libs: map[string][]byte{}, limit: limit, work: work}
}

// clear removes all keys.
func (m *machine) clear() {
	for _, keys := range m.dbs {
		for _, o := range keys {
			m.spare.take(o)
		}
		clear(keys)
	}
	m.held, m.spent, m.open.o = 0, 0, nil
}

// each calls do with all keys in order until it returns false.
func (m *machine) each(do func(db int32, key string, o *object) bool) {
	for _, db := range slices.Sorted(maps.Keys(m.dbs)) {
		keys := m.dbs[db]
		if len(keys) == 1 {
			for key, o := range keys {
				if !do(db, key, o) {
					return
				}
			}
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if !do(db, key, keys[key]) {
				return
			}
		}
	}
}

// errFull says that the values do not fit into the machine's memory.
var errFull = fmt.Errorf("values of one key, or of keys that are linked by commands: %w", keyspace.ErrLimit)

func (m *machine) grow(n int) error {
	if m.held += int64(n); m.held > m.limit {
		return errFull
	}
	return nil
}

// room reports whether a string may grow to n bytes: while it does, both its old
// place and its new one are taken, beside what is held. That may be half as much
// again as the limit.
func (m *machine) room(s []byte, n int) error {
	if n <= cap(s) {
		return nil
	}
	if m.held+int64(n)+int64(n)/4 > m.limit+m.limit/2 {
		return errFull
	}
	clean(n)
	return nil
}

// clean gives back what is not used any more, before so much is taken at once that
// the collector would be late.
func clean(n int) {
	if n >= 8<<20 {
		debug.FreeOSMemory()
	}
}

// keptParts is how much room for parts outlives a value.
const keptParts = 4 << 20

func (m *machine) get(db int32, key string) *object { return m.dbs[db][key] }

// free reports whether a key holds nothing, or a value of the type: a server refuses
// what would be put into another.
func (m *machine) free(db int32, key string, t keyspace.Type) bool {
	o := m.get(db, key)
	return o == nil || o.typ == t
}

// put makes a key hold a value that was not there, as an event says.
func (m *machine) put(e *keyspace.Event, db int32, key string, o *object) {
	o.presumed = o.presumed || e.Presumed
	o.inexact = o.inexact || m.headless && m.get(db, key) == nil && (e.Kind != keyspace.Rename || e.Op == keyspace.OpMoveMember)
	if m.dbs[db] == nil {
		m.dbs[db] = map[string]*object{}
	}
	m.dbs[db][key] = o
}

func (m *machine) remove(db int32, key string) {
	if o := m.get(db, key); o != nil {
		m.held -= o.size() + int64(len(key)) + perKey
		delete(m.dbs[db], key)
	}
}

// tidy removes a key whose value has become empty.
func (m *machine) tidy(db int32, key string) {
	if o := m.get(db, key); o != nil && o.empty() && !o.inexact {
		m.remove(db, key)
	}
}

// size is about what a value takes.
func (o *object) size() int64 {
	n := len(o.str)
	for _, v := range o.list.all() {
		n += len(v) + perElement
	}
	for k, f := range o.hash {
		n += len(k) + len(f.value) + perElement
	}
	for k := range o.set {
		n += len(k) + perElement
	}
	for k := range o.zset {
		n += len(k) + perElement
	}
	if o.stream != nil {
		for _, e := range o.stream.entries {
			n += perElement
			for _, f := range e.fields {
				n += len(f[0]) + len(f[1]) + perElement
			}
		}
	}
	for _, x := range o.other {
		n += len(x.field) + len(x.value) + perElement
	}
	return int64(n)
}

// changing is called before an event changes a key.
func (m *machine) changing(db int32, key string, e *keyspace.Event) {
	if m.before == nil && !e.Presumed {
		return
	}
	o := m.get(db, key)
	if e.Presumed && o != nil {
		o.presumed = true
	}
	if m.before != nil {
		m.before(db, key, o, e)
	}
}

// apply does what an event says. What a key takes of which nothing else is held counts,
// too.
func (m *machine) apply(e *keyspace.Event) error {
	if err := m.do(e); err != nil {
		return err
	}
	return m.grow(0)
}

func (m *machine) do(e *keyspace.Event) error {
	if e.Kind == keyspace.Command {
		m.groupCommand(e)
		if m.computed.see(e); m.computed.ok {
			err := computing[commandName(e)](m, e, e.Args)
			if m.after != nil {
				m.after()
			}
			return err
		}
		return nil
	}
	if m.computed.has(e) {
		return nil
	}
	switch e.Kind {
	case keyspace.Key:
		return m.key(e)
	case keyspace.Element:
		// A stream keeps entries that were deleted, and marks them.
		if m.open.o == nil || e.Op == keyspace.OpNone || e.State == keyspace.Deleted || e.State == keyspace.Recovered {
			return nil
		}
		return m.element(e)
	case keyspace.Group, keyspace.Consumer, keyspace.Pending, keyspace.StreamMeta:
		if m.open.o != nil && m.open.o.stream != nil {
			m.group(e, m.open.o.stream)
		}
	case keyspace.KeyEnd:
		if m.open.o != nil {
			m.tidy(m.open.db, m.open.key)
		}
		m.open.o = nil
	case keyspace.Delete:
		m.delete(e)
	case keyspace.Expire:
		m.expire(e)
	case keyspace.Flush:
		m.flush(e)
	case keyspace.Rename:
		return m.rename(e)
	case keyspace.SwapDB:
		m.dbs[e.DB], m.dbs[int32(e.Index)] = m.dbs[int32(e.Index)], m.dbs[e.DB]
	case keyspace.Function:
		if err := m.grow(len(e.Value)); err != nil {
			return err
		}
		if e.Part.Begins() {
			m.libs[string(e.Key)] = nil
		}
		m.libs[string(e.Key)] = append(m.libs[string(e.Key)], e.Value...)
	}
	return nil
}

// groupCommand takes from a command what its events do not say: that a group is
// to begin at the end of the stream, and what an XCLAIM that stands for an
// XREADGROUP says was delivered last.
func (m *machine) groupCommand(e *keyspace.Event) {
	s := &m.said
	s.source, s.record, s.newest, s.last = e.Pos.Source, e.Record, false, keyspace.StreamID{}
	switch commandName(e) {
	case "xgroup":
		s.newest = len(e.Args) > 4 && string(e.Args[4]) == "$"
	case "xclaim":
		for i := 6; i+1 < len(e.Args); i++ {
			if is(e.Args[i], "LASTID") {
				s.last, _ = parseID(e.Args[i+1])
			}
		}
	}
}

// key begins the record of a key.
func (m *machine) key(e *keyspace.Event) error {
	m.open.o = nil
	if e.Op == keyspace.OpNone {
		return nil
	}
	key := string(e.Key)
	m.changing(e.DB, key, e)
	o := m.get(e.DB, key)
	if e.Op == keyspace.OpCreate || o == nil || o.typ != e.Type && e.Type != keyspace.TypeNone {
		if o == nil {
			if err := m.grow(len(key) + perKey); err != nil {
				return err
			}
		} else {
			m.held -= o.size()
		}
		keep := keyspace.NoExpire
		if e.Op != keyspace.OpCreate && o != nil {
			keep = o.expire
		}
		o = m.spare.object(e.Type)
		o.expire = keep
		m.put(e, e.DB, key, o)
	}
	if e.Op == keyspace.OpCreate {
		o.expire = e.Expire
	}
	o.inexact = o.inexact || isOpaque(e)
	if len(e.Field) > 0 { // of a module's type, its name
		o.module, o.modVer = string(e.Field), e.Index
	}
	m.open.db, m.open.key, m.open.o, m.open.made = e.DB, key, o, e.Op == keyspace.OpCreate
	return nil
}

// element applies an element of the open key. A value in parts is applied with
// its last.
func (m *machine) element(e *keyspace.Event) error {
	value := e.Value
	if e.Part != keyspace.Whole {
		if e.Part.Begins() {
			m.parts = m.parts[:0]
		}
		if err := m.grow(len(e.Value)); err != nil {
			return err
		}
		if err := m.room(m.parts, len(m.parts)+len(e.Value)); err != nil {
			return err
		}
		m.parts = append(m.parts, e.Value...)
		if !e.Part.Ends() {
			return nil
		}
		value = m.parts
		m.held -= int64(len(value))
	}
	clean(len(value))
	o := m.open.o
	if m.before != nil {
		whole := e
		if e.Part != keyspace.Whole {
			m.whole = *e
			m.whole.Value, m.whole.Part = value, keyspace.Whole
			whole = &m.whole
		}
		m.before(m.open.db, m.open.key, o, whole)
	}
	if err := m.grow(len(value) + len(e.Field) + perElement); err != nil {
		return err
	}
	err := m.keep(e, o, value)
	if cap(m.parts) > keptParts {
		m.parts = nil
	}
	return err
}

// keep puts the value of an element into an object, which does not share its memory.
func (m *machine) keep(e *keyspace.Event, o *object, value []byte) error {
	switch o.typ {
	case keyspace.String:
		switch e.Op {
		case keyspace.OpPut:
			m.held -= int64(len(o.str)) + perElement
			o.str, o.inexact = bytes.Clone(value), o.inexact && m.headless && !m.open.made
		default: // changed in place, by a command too long to be computed
			if err := m.room(o.str, len(o.str)+len(value)); err != nil {
				return err
			}
			o.str, o.inexact = append(o.str, value...), true
		}
	case keyspace.Hash:
		expire := e.Expire
		if old, ok := o.hash[string(e.Field)]; ok {
			m.held -= int64(len(old.value)+len(e.Field)) + perElement
			if e.Count > 0 {
				expire = old.expire
			}
		}
		o.hash[string(e.Field)] = field{bytes.Clone(value), expire}
		o.inexact = o.inexact || e.Op == keyspace.OpAppend
	case keyspace.Set:
		o.set[string(value)] = struct{}{}
	case keyspace.SortedSet:
		o.score(string(value), e.Score)
		o.inexact = o.inexact || e.Op == keyspace.OpAppend || e.Count != 0 // it may have kept its score
	case keyspace.List:
		listElement(e, o, bytes.Clone(value))
	case keyspace.Stream:
		o.inexact = o.inexact || e.Op == keyspace.OpAppend
		o.stream.put(e.ID, bytes.Clone(e.Field), bytes.Clone(value), e.Index)
	default:
		o.other = append(o.other, other{e.Encoding, bytes.Clone(e.Field), bytes.Clone(value), e.Index, e.Score})
		// What commands of modules change is known element by element only.
		o.inexact = o.inexact || e.Encoding == keyspace.RESP
	}
	return nil
}

func listElement(e *keyspace.Event, o *object, value []byte) {
	l := &o.list
	switch e.Op {
	case keyspace.OpPushHead:
		l.pushHead(value)
	case keyspace.OpSetIndex:
		if i := l.at(e.Index); i >= 0 {
			l.items[i] = value
		}
	case keyspace.OpInsertBefore, keyspace.OpInsertAfter:
		if i := l.find(e.Field); i >= 0 {
			if e.Op == keyspace.OpInsertAfter {
				i++
			}
			l.insert(i, value)
		}
	default:
		l.pushTail(value)
	}
}

// group applies what an event says of a stream beside its entries.
func (m *machine) group(e *keyspace.Event, s *stream) {
	said := m.said.record == e.Record && m.said.source == e.Pos.Source
	switch e.Kind {
	case keyspace.Group:
		g := s.group(e.Field)
		if g.last, g.read = e.ID, e.Index; said && m.said.newest {
			g.last = s.meta
		}
	case keyspace.Consumer:
		g := s.group(e.Field)
		if _, ok := g.consumers[string(e.Value)]; !ok || e.Time != 0 {
			g.consumers[string(e.Value)] = consumer{e.Time, e.Expire}
		}
	case keyspace.Pending:
		g := s.group(e.Field)
		p := g.pending[e.ID]
		if e.Value == nil { // the group's own list holds the times
			p.time, p.count = e.Time, e.Index
		} else {
			p.consumer = string(e.Value)
			if e.Op == keyspace.OpPut && e.Time != 0 {
				p.time, p.count = e.Time, e.Index
			}
			if _, ok := g.consumers[p.consumer]; !ok {
				g.consumers[p.consumer] = consumer{}
			}
		}
		g.pending[e.ID] = p
		if said && compareID(m.said.last, g.last) > 0 {
			g.last = m.said.last
		}
	case keyspace.StreamMeta:
		s.meta = e.ID
		s.added = e.Count
		if id, ok := parseID(e.Value); ok {
			s.maxDel = id
		}
	}
}
