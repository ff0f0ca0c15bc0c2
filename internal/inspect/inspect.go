// Package inspect counts what a file holds, without keeping any of it: what its
// header and aux fields say, keys by database, type and encoding, commands by
// name, and how much of it could be understood.
package inspect

import (
	"cmp"
	"slices"
	"time"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Report is what one file holds, or one of the files of a log.
type Report struct {
	Type     string   `json:"type"` // "inspect"
	Path     string   `json:"path"`
	PathB64  string   `json:"path_b64,omitempty"`
	Kind     string   `json:"kind"`
	Role     string   `json:"role,omitempty"`
	Layers   []string `json:"layers,omitempty"`
	Headers  []Header `json:"headers"` // an append-only file with an RDB preamble has two
	Server   string   `json:"server,omitempty"`
	Version  string   `json:"server_version,omitempty"`
	Saved    string   `json:"saved,omitempty"` // RFC 3339, from the aux field ctime
	Checksum string   `json:"checksum"`        // ok, disabled, failed, unchecked
	Verdict  string   `json:"verdict"`         // ok, failed, or unchecked where there is no checksum to say
	Intact   bool     `json:"intact"`

	Size     int64  `json:"size"`     // bytes read, after compression or sealing
	Trailing int64  `json:"trailing"` // bytes behind the end marker
	Ended    bool   `json:"ended"`    // the end marker was read, or a log to its end
	Keys     uint64 `json:"keys"`
	Elements uint64 `json:"elements"`
	Expires  uint64 `json:"expires"` // keys with an expiry
	Expired  uint64 `json:"expired"` // keys whose expiry had passed

	DBs       []DB             `json:"dbs"`
	OtherDBs  *OtherDBs        `json:"other_dbs,omitempty"` // that are too many to be told apart
	Types     []Type           `json:"types"`
	Aux       []Aux            `json:"aux"`
	Functions []string         `json:"functions"`
	Modules   []Module         `json:"modules"`
	Slots     *Slots           `json:"slots,omitempty"`
	Groups    uint64           `json:"groups"`    // consumer groups of streams
	Consumers uint64           `json:"consumers"` // and their consumers
	Pending   uint64           `json:"pending"`   // and entries that are not acknowledged
	Log       *Log             `json:"log,omitempty"`
	Damage    []*report.Damage `json:"damage"`
	Damages   uint64           `json:"damages"`
	Torn      []*report.Damage `json:"torn"`
}

// Header is what a file begins with.
type Header struct {
	Magic   string `json:"magic"` // REDIS, VALKEY, RESP
	Version int64  `json:"version"`
}

// DB counts the keys of a database. Claimed numbers are those of its RESIZEDB
// opcode, -1 where it has none.
type DB struct {
	DB             int32  `json:"db"`
	Keys           uint64 `json:"keys"`
	Expires        uint64 `json:"expires"`
	ClaimedKeys    int64  `json:"claimed_keys"`
	ClaimedExpires int64  `json:"claimed_expires"`
}

// OtherDBs counts the keys of the databases beyond those that are told apart.
type OtherDBs struct {
	Keys    uint64 `json:"keys"`
	Expires uint64 `json:"expires"`
}

// Type counts the keys of a type and encoding, and their elements.
type Type struct {
	Type     string `json:"type"`
	Encoding string `json:"encoding"`
	Keys     uint64 `json:"keys"`
	Elements uint64 `json:"elements"`
}

// Aux is an aux field of a snapshot. The value is left out where the field is
// none that servers write about themselves: a script may stand there, and what
// is in it.
type Aux struct {
	Name   string `json:"name"`
	Value  string `json:"value,omitempty"`
	Length int    `json:"length"` // bytes of the value
}

// plainAux are the aux fields of servers (rdb.c, rdbSaveInfoAuxFields and
// rdbSaveRio; Redis Enterprise's as librdb knows them).
var plainAux = map[string]bool{
	"redis-ver": true, "valkey-ver": true, "redis-bits": true, "ctime": true, "used-mem": true,
	"repl-stream-db": true, "repl-id": true, "repl-offset": true, "aof-base": true, "aof-preamble": true,
	"big-used-ram": true, "big-used-disk": true, "big-ram-overhead": true, "big-used-data": true, "bigdb-ram-keys": true, "bigdb-disk-keys": true,
}

// Module counts the keys of a module's type.
type Module struct {
	Name string `json:"name"`
	Keys uint64 `json:"keys"`
}

// Slots says what a cluster's snapshot tells of its slots.
type Slots struct {
	Count uint64 `json:"count"`
	First int64  `json:"first"`
	Last  int64  `json:"last"`
	Keys  uint64 `json:"claimed_keys"`
}

// Log counts what a log does.
type Log struct {
	Commands     uint64    `json:"commands"`
	Writes       []Type    `json:"writes"` // to keys of a type; a key counts each time
	ByName       []Command `json:"by_name"`
	OtherNames   uint64    `json:"other_names"` // commands whose names are not listed: too many, or no names
	Transactions uint64    `json:"transactions"`
	First        string    `json:"first_time,omitempty"` // RFC 3339, of the first and last #TS
	Last         string    `json:"last_time,omitempty"`
}

// Command counts the commands of a name.
type Command struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
}

// Bounds of what a report lists. Hostile files can name any number of things.
const (
	maxListed = 1000
	maxText   = 256 // bytes of an aux value
	maxDBs    = 100_000
	maxTypes  = 32
	maxEncs   = 64
)

// Counter counts the events of one unit. Use [Counter.Count], then
// [Counter.Reports].
type Counter struct {
	cur *counts // of the file whose events come
	all []*counts
}

// NewCounter returns a Counter that has counted nothing.
func NewCounter() *Counter { return &Counter{} }

// counts is a Report in the making. Everything that an event of every key or
// element touches is an array or a pointer.
type counts struct {
	r        *Report
	snapshot types
	log      types
	into     *types // whichever of the two the events belong to
	open     *tally // of the key that is open
	db       *DB
	otherDBs DB // all that are too many
	dbs      map[int32]*DB
	modules  map[string]uint64
	names    map[string]*uint64
	upper    []byte
	first    int64
	last     int64
	verdict  keyspace.Checksum
	ended    error // of the last damage
	lost     int64 // the byte behind the last damage
}

type types [maxTypes][maxEncs]tally

type tally struct{ keys, elements uint64 }

func newCounts(source string) *counts {
	s := &counts{
		// Lists are never null: a program that reads a report need not ask.
		r: &Report{
			Type: "inspect", Path: source, PathB64: report.Base64(source), Headers: []Header{}, DBs: []DB{}, Types: []Type{}, Aux: []Aux{},
			Functions: []string{}, Modules: []Module{}, Damage: []*report.Damage{}, Torn: []*report.Damage{},
		},
		dbs:     map[int32]*DB{},
		modules: map[string]uint64{},
		names:   map[string]*uint64{},
		lost:    -1,
	}
	s.into = &s.snapshot
	s.open = &s.into[0][0]
	return s
}

// Count ranges over events to their end and returns the error that ends them.
func (c *Counter) Count(events keyspace.Seq) (failed error) {
	// Not a range statement: what that checks at each step is as much as is done here.
	events(func(e *keyspace.Event, err error) bool {
		if err != nil {
			failed = err
			return false
		}
		switch e.Kind {
		case keyspace.Element:
			if e.Part <= keyspace.First && c.cur != nil { // Whole or First
				c.cur.open.elements++
			}
		case keyspace.Key:
			if c.cur == nil {
				c.begin(e.Pos.Source)
			}
			c.cur.startKey(e)
		case keyspace.KeyEnd:
		default:
			c.other(e)
		}
		return true
	})
	return failed
}

func (s *counts) startKey(e *keyspace.Event) {
	t := &s.into[e.Type%maxTypes][e.Encoding%maxEncs]
	t.keys++
	s.open = t
	if s.into == &s.log {
		return
	}
	if s.db == nil || s.db.DB != e.DB { // of otherDBs it is that of the last
		s.setDB(e.DB)
	}
	s.db.Keys++
	if e.Expire != keyspace.NoExpire {
		s.db.Expires++
	}
	if e.State == keyspace.Expired {
		s.r.Expired++
	}
	if e.Type == keyspace.Module {
		if n, ok := s.modules[string(e.Field)]; ok || len(s.modules) < maxListed {
			s.modules[string(e.Field)] = n + 1
		}
	}
}

func (s *counts) setDB(db int32) {
	if s.db = s.dbs[db]; s.db != nil {
		return
	}
	if len(s.dbs) < maxDBs {
		s.db = &DB{DB: db, ClaimedKeys: -1, ClaimedExpires: -1}
		s.dbs[db] = s.db
		return
	}
	s.db = &s.otherDBs
	s.db.DB = db
}

// note counts damage that ended the events.
func (c *Counter) note(d *keyspace.Event) {
	if c.cur == nil || c.cur.ended != d.Err {
		c.other(d)
	}
}

// other counts the rare events.
func (c *Counter) other(e *keyspace.Event) {
	if c.cur == nil || e.Pos.Source != c.cur.r.Path && (e.Kind == keyspace.Header || e.Kind == keyspace.Damage) {
		c.begin(e.Pos.Source)
	}
	s := c.cur
	r := s.r
	switch e.Kind {
	case keyspace.Header:
		r.Headers = append(r.Headers, Header{string(e.Value), e.Index})
		r.Ended = false
		if string(e.Value) == "RESP" {
			s.into = &s.log
			r.Log = &Log{}
		}
	case keyspace.Aux:
		s.aux(e)
	case keyspace.DB:
		s.setDB(e.DB)
		if e.Index >= 0 {
			s.db.ClaimedKeys, s.db.ClaimedExpires = e.Index, e.Count
		}
	case keyspace.Slot:
		if r.Slots == nil {
			r.Slots = &Slots{First: e.Index}
		}
		r.Slots.Count++
		r.Slots.First, r.Slots.Last = min(r.Slots.First, e.Index), max(r.Slots.Last, e.Index)
		r.Slots.Keys += uint64(max(e.Count, 0))
	case keyspace.Function:
		if e.Part.Begins() && len(r.Functions) < maxListed {
			r.Functions = append(r.Functions, printable(e.Key))
		}
	case keyspace.Group, keyspace.Consumer, keyspace.Pending:
		if s.into == &s.snapshot {
			s.stream(e)
		}
	case keyspace.Command:
		s.command(e)
	case keyspace.Damage:
		r.Damages++
		s.ended, s.lost = e.Err, e.Pos.Offset+e.Length
		if len(r.Damage) < maxListed {
			r.Damage = append(r.Damage, report.NewDamage(e))
		}
	case keyspace.Torn:
		r.Torn = append(r.Torn, report.NewDamage(e))
	case keyspace.End:
		r.Ended = s.lost != e.Pos.Offset || r.Log != nil // or what was lost reaches to the end
		r.Size = max(r.Size, e.Length)
		r.Trailing = e.Count
		if v := keyspace.Checksum(e.Index); v != keyspace.ChecksumUnchecked {
			s.verdict = v
		}
	}
}

func (s *counts) aux(e *keyspace.Event) {
	r := s.r
	if len(r.Aux) < maxListed {
		a := Aux{Name: printable(e.Key), Length: len(e.Value)}
		if plainAux[a.Name] {
			a.Value = printable(e.Value)
		}
		r.Aux = append(r.Aux, a)
	}
	switch string(e.Key) {
	case "valkey-ver":
		r.Server, r.Version = "valkey", printable(e.Value)
	case "redis-ver":
		r.Server, r.Version = "redis", printable(e.Value)
	}
}

// begin starts the report of another file.
func (c *Counter) begin(source string) {
	c.cur = newCounts(source)
	c.all = append(c.all, c.cur)
}

func (s *counts) stream(e *keyspace.Event) {
	switch {
	case e.Kind == keyspace.Group:
		s.r.Groups++
	case e.Kind == keyspace.Consumer:
		s.r.Consumers++
	case e.Value == nil: // the group's own list has each pending entry once
		s.r.Pending++
	}
}

func (s *counts) command(e *keyspace.Event) {
	r := s.r
	if r.Log == nil {
		r.Log = &Log{} // a log whose header was not read
	}
	r.Log.Commands++
	if e.Time != 0 {
		if s.first == 0 {
			s.first = e.Time
		}
		s.last = e.Time
	}
	if len(e.Args) == 0 {
		return
	}
	s.upper = s.upper[:0]
	for _, c := range e.Args[0][:min(len(e.Args[0]), maxText)] {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		s.upper = append(s.upper, c)
	}
	n := s.names[string(s.upper)]
	if n == nil {
		if len(s.names) >= maxListed || !isCommandName(s.upper) {
			r.Log.OtherNames++
			return
		}
		n = new(uint64)
		s.names[string(s.upper)] = n
	}
	*n++
}

// isCommandName reports whether name, in upper case, is a command that is known,
// or looks like one of a module or of a server to come. Anything else may be data
// that stands where it does not belong, and is not shown.
func isCommandName(name []byte) bool {
	if _, ok := aof.LookupCommand(name); ok {
		return true
	}
	if len(name) == 0 || len(name) > 24 {
		return false
	}
	letters := 0
	for _, c := range name {
		switch {
		case c >= 'A' && c <= 'Z':
			letters++
		case c == '.' || c == '_' || c == '-':
		default:
			return false
		}
	}
	return letters >= 3 && (letters <= 12 || letters < len(name))
}

// printable is a name or value as it goes into a report.
func printable(b []byte) string {
	if len(b) > maxText {
		return string(b[:maxText]) + "…"
	}
	return string(b)
}

// Reports returns what was counted, a report a file.
func (c *Counter) Reports() []*Report {
	var out []*Report
	for _, s := range c.all {
		s.finish()
		out = append(out, s.r)
	}
	return out
}

func (s *counts) finish() {
	r := s.r
	r.Types = append(r.Types, s.snapshot.list()...)
	for _, t := range r.Types {
		r.Keys += t.Keys
		r.Elements += t.Elements
	}
	for _, db := range s.dbs {
		r.DBs = append(r.DBs, *db)
		r.Expires += db.Expires
	}
	if o := s.otherDBs; o.Keys > 0 {
		r.OtherDBs = &OtherDBs{o.Keys, o.Expires}
		r.Expires += o.Expires
	}
	slices.SortFunc(r.DBs, func(a, b DB) int { return cmp.Compare(a.DB, b.DB) })
	for name, n := range s.modules {
		r.Modules = append(r.Modules, Module{name, n})
	}
	slices.SortFunc(r.Modules, func(a, b Module) int { return cmp.Compare(a.Name, b.Name) })
	if r.Log != nil && r.Log.Commands == 0 && len(r.Headers) > 1 {
		// A base file: a snapshot, read as the head of a log that does not go on in it.
		r.Log, r.Headers = nil, r.Headers[:1]
	}
	if l := r.Log; l != nil {
		l.Writes, l.ByName = append([]Type{}, s.log.list()...), []Command{}
		for name, n := range s.names {
			l.ByName = append(l.ByName, Command{name, *n})
			if name == "MULTI" {
				l.Transactions = *n
			}
		}
		slices.SortFunc(l.ByName, func(a, b Command) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
		})
		if s.first != 0 {
			l.First, l.Last = stamp(s.first), stamp(s.last)
		}
	}
	r.Checksum, r.Verdict = s.verdict.String(), s.verdict.String()
	if s.verdict == keyspace.ChecksumDisabled {
		r.Verdict = keyspace.ChecksumUnchecked.String()
	}
	r.Intact = r.Damages == 0 && r.Trailing == 0 && s.verdict != keyspace.ChecksumFailed && (r.Ended || len(r.Headers) == 0)
}

// list returns what is not zero, by type and encoding.
func (t *types) list() []Type {
	var out []Type
	for typ := range t {
		for enc, n := range t[typ] {
			if n.keys != 0 || n.elements != 0 {
				out = append(out, Type{keyspace.Type(typ).String(), keyspace.Encoding(enc).String(), n.keys, n.elements})
			}
		}
	}
	return out
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
