package replay

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// computation is a command whose result depends on values that are there.
type computation func(m *machine, e *keyspace.Event, args [][]byte) error

// computing are the commands that a machine computes, by their names in lower
// case. All others are applied by the events that they become.
var computing = map[string]computation{
	"incr":        func(m *machine, e *keyspace.Event, a [][]byte) error { return m.add(e, a, 1) },
	"decr":        func(m *machine, e *keyspace.Event, a [][]byte) error { return m.add(e, a, -1) },
	"incrby":      func(m *machine, e *keyspace.Event, a [][]byte) error { return m.addBy(e, a, 1) },
	"decrby":      func(m *machine, e *keyspace.Event, a [][]byte) error { return m.addBy(e, a, -1) },
	"append":      appendString,
	"setrange":    setRange,
	"setbit":      setBit,
	"bitfield":    bitField,
	"bitop":       bitOp,
	"pfadd":       countUniques,
	"pfmerge":     countUniques,
	"pfcount":     keepCount,
	"hincrby":     hashAdd,
	"sunionstore": setStore,
	"sinterstore": setStore,
	"sdiffstore":  setStore,
	"sort":        sortStore,

	"zadd":             zadd,
	"zincrby":          zincrby,
	"geoadd":           geoadd,
	"zremrangebyrank":  zremrange,
	"zremrangebyscore": zremrange,
	"zremrangebylex":   zremrange,
	"zpopmin":          zpop,
	"zpopmax":          zpop,
	"zunionstore":      zstore,
	"zinterstore":      zstore,
	"zdiffstore":       zstore,
	"zrangestore":      zrangestore,

	"geosearchstore":    geoStore,
	"georadius":         geoStore,
	"georadiusbymember": geoStore,
}

// followed are the commands whose Command events tell what their events do not.
var followed = map[string]string{"xgroup": "xgroup", "xclaim": "xclaim"}

func init() {
	for name := range computing {
		followed[name] = name
	}
}

// commandName is the name of a Command event in lower case, "" if it is none of
// followed.
func commandName(e *keyspace.Event) string {
	var lower [17]byte // the longest of them
	if len(e.Args) == 0 || len(e.Args[0]) > len(lower) {
		return ""
	}
	n := copy(lower[:], e.Args[0])
	for i, c := range lower[:n] {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c | 0x20
		}
	}
	return followed[string(lower[:n])]
}

// computed is a command that is computed whole: what its events say is passed over.
type computed struct {
	source string
	record int64
	ok     bool
}

// see notes the last command.
func (c *computed) see(e *keyspace.Event) {
	*c = computed{e.Pos.Source, e.Record, computes(e)}
}

// has reports whether an event is one of the command.
func (c *computed) has(e *keyspace.Event) bool {
	return c.ok && e.Record == c.record && e.Pos.Source == c.source
}

// computes reports whether a machine computes a command: all of it is there.
func computes(e *keyspace.Event) bool {
	_, ok := computing[commandName(e)]
	return ok && int64(len(e.Args)) == e.Index
}

// combined are the commands that make one key of others.
var combined = map[string]bool{"sunionstore": true, "sinterstore": true, "sdiffstore": true, "zunionstore": true, "zinterstore": true, "zdiffstore": true,
	"zrangestore": true, "bitop": true, "sort": true, "geosearchstore": true, "georadius": true, "georadiusbymember": true}

// linkedKeys returns the keys of a command that makes one of others, nil of any
// other.
func linkedKeys(e *keyspace.Event) [][]byte {
	name, a := commandName(e), e.Args
	if !combined[name] {
		return nil
	}
	switch {
	case name == "bitop" && len(a) > 3:
		return a[2:]
	case name == "sort" && len(a) > 3:
		return [][]byte{a[1], parseSort(a).to}
	case (name == "zrangestore" || name == "geosearchstore") && len(a) > 2:
		return a[1:3]
	case strings.HasPrefix(name, "geo"):
		s, _ := parseGeoSearch(e)
		return [][]byte{s.from, s.to}
	case strings.HasPrefix(name, "z") && len(a) > 3:
		n, err := strconv.Atoi(string(a[2]))
		if err != nil || n < 1 || n > len(a)-3 {
			return nil
		}
		return append(a[1:2:2], a[3:3+n]...)
	case strings.HasPrefix(name, "s") && len(a) > 2:
		return a[1:]
	}
	return nil
}

// change returns the value of a command's key, if it has the type that the command
// is for; made says to make it where there is none.
func (m *machine) change(e *keyspace.Event, key []byte, t keyspace.Type, made bool) *object {
	name := string(key)
	o := m.get(e.DB, name)
	if o != nil && o.typ != t || o == nil && !made && !m.headless {
		return nil
	}
	m.changing(e.DB, name, e)
	if o == nil {
		o = m.spare.object(t)
		m.put(e, e.DB, name, o)
		m.held += int64(len(name)) + perKey
	}
	return o
}

// replace makes a key hold a new value, or none.
func (m *machine) replace(e *keyspace.Event, key []byte, o *object) error {
	name := string(key)
	m.changing(e.DB, name, e)
	m.remove(e.DB, name)
	o.inexact = o.inexact || m.headless
	if !o.inexact && (o.empty() || o.typ == keyspace.String && len(o.str) == 0) {
		return nil
	}
	m.put(e, e.DB, name, o)
	return m.grow(int(o.size()) + len(name) + perKey)
}

// countUniques is PFADD and PFMERGE key …: registers of a HyperLogLog change.
func countUniques(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 2 {
		return nil
	}
	if o := m.change(e, a[1], keyspace.String, true); o != nil {
		o.inexact = true
	}
	return nil
}

// keepCount is PFCOUNT key, which is logged where it puts what it has counted into the key.
func keepCount(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) != 2 {
		return nil
	}
	if o := m.change(e, a[1], keyspace.String, false); o != nil {
		o.inexact = true
	}
	return nil
}

func integer(b []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil
}

// number parses a score as strtod does, infinities included.
func number(b []byte) (float64, bool) {
	f, err := strconv.ParseFloat(string(b), 64)
	return f, err == nil && !math.IsNaN(f)
}

func is(word []byte, name string) bool { return strings.EqualFold(string(word), name) }

func (m *machine) add(e *keyspace.Event, a [][]byte, n int64) error {
	if len(a) < 2 {
		return nil
	}
	o := m.change(e, a[1], keyspace.String, true)
	if o == nil {
		return nil
	}
	var old int64
	if len(o.str) > 0 {
		var ok bool
		if old, ok = integer(o.str); !ok {
			return nil
		}
	}
	o.str = strconv.AppendInt(nil, old+n, 10)
	return nil
}

func (m *machine) addBy(e *keyspace.Event, a [][]byte, sign int64) error {
	if len(a) < 3 {
		return nil
	}
	n, ok := integer(a[2])
	if !ok {
		return nil
	}
	return m.add(e, a, sign*n)
}

func appendString(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 3 {
		return nil
	}
	o := m.change(e, a[1], keyspace.String, true)
	if o == nil {
		return nil
	}
	if err := m.room(o.str, len(o.str)+len(a[2])); err != nil {
		return err
	}
	o.str = append(o.str, a[2]...)
	return m.grow(len(a[2]))
}

// maxString is the most that a string may hold (proto-max-bulk-len's default). What lies
// beyond is not followed.
const maxString = 512 << 20

// widen makes a string at least n bytes long.
func (m *machine) widen(o *object, n int64) error {
	if n <= int64(len(o.str)) {
		return nil
	}
	if n > maxString {
		return errFull
	}
	if err := m.grow(int(n) - len(o.str)); err != nil {
		return err
	}
	o.str = append(o.str, make([]byte, int(n)-len(o.str))...)
	return nil
}

func setRange(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 4 {
		return nil
	}
	at, ok := integer(a[2])
	if !ok || at < 0 || len(a[3]) == 0 {
		return nil
	}
	o := m.change(e, a[1], keyspace.String, true)
	if o == nil {
		return nil
	}
	if at > maxString {
		o.inexact = true
		return nil
	}
	if err := m.widen(o, at+int64(len(a[3]))); err != nil {
		return err
	}
	copy(o.str[at:], a[3])
	return nil
}

func setBit(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 4 {
		return nil
	}
	at, ok := integer(a[2])
	if !ok || at < 0 {
		return nil
	}
	o := m.change(e, a[1], keyspace.String, true)
	if o == nil {
		return nil
	}
	if at>>3 >= maxString {
		o.inexact = true
		return nil
	}
	if err := m.widen(o, at>>3+1); err != nil {
		return err
	}
	bit := byte(0x80) >> (at & 7)
	if o.str[at>>3] &^= bit; len(a[3]) == 1 && a[3][0] == '1' {
		o.str[at>>3] |= bit
	}
	return nil
}

// bitField is BITFIELD key [GET type offset] [OVERFLOW WRAP|SAT|FAIL] [SET type
// offset value] [INCRBY type offset increment] …
func bitField(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 2 {
		return nil
	}
	o := m.change(e, a[1], keyspace.String, true)
	if o == nil {
		return nil
	}
	overflow := "wrap"
	for a = a[2:]; len(a) > 1; {
		if is(a[0], "OVERFLOW") {
			overflow = strings.ToLower(string(a[1]))
			a = a[2:]
			continue
		}
		if is(a[0], "GET") {
			a = a[min(3, len(a)):]
			continue
		}
		if len(a) < 4 {
			break
		}
		if err := m.bits(o, a[:4], overflow); err != nil {
			return err
		}
		a = a[4:]
	}
	m.dropEmptyString(e, o)
	return nil
}

// dropEmptyString removes a string that a command made and left empty.
func (m *machine) dropEmptyString(e *keyspace.Event, o *object) {
	if len(o.str) == 0 && !o.inexact {
		m.remove(e.DB, string(e.Args[1]))
	}
}

// bits applies one SET or INCRBY of a BITFIELD.
func (m *machine) bits(o *object, a [][]byte, overflow string) error {
	if len(a[1]) < 2 {
		return nil
	}
	signed := a[1][0] == 'i' || a[1][0] == 'I'
	width, ok := integer(a[1][1:])
	n, ok2 := integer(a[3])
	if !ok || !ok2 || width < 1 || width > 64 {
		return nil
	}
	text, scale := a[2], int64(1)
	if rest, found := bytes.CutPrefix(text, []byte("#")); found {
		text, scale = rest, width
	}
	at, ok := integer(text)
	if !ok || at < 0 {
		return nil
	}
	if at > maxString*8/width {
		o.inexact = true
		return nil
	}
	at *= scale
	if err := m.widen(o, (at+width+7)/8); err != nil {
		return err
	}
	if is(a[0], "INCRBY") {
		if n, ok = summed(readBits(o.str, at, width, signed), n, width, signed, overflow); !ok {
			return nil
		}
	} else if n, ok = summed(0, n, width, signed, overflow); !ok {
		return nil
	}
	for i := range width {
		bit := byte(0x80) >> ((at + i) & 7)
		if o.str[(at+i)>>3] &^= bit; uint64(n)>>(width-1-i)&1 != 0 {
			o.str[(at+i)>>3] |= bit
		}
	}
	return nil
}

func readBits(s []byte, at, width int64, signed bool) int64 {
	var v uint64
	for i := range width {
		v = v<<1 | uint64(s[(at+i)>>3]>>(7-(at+i)&7)&1)
	}
	if signed && width < 64 && v>>(width-1)&1 != 0 {
		v |= ^uint64(0) << width
	}
	return int64(v)
}

// summed adds within a width; ok is false where the overflow makes the command do
// nothing.
func summed(old, n, width int64, signed bool, overflow string) (sum int64, ok bool) {
	lo, hi := int64(0), int64(math.MaxInt64)
	if width < 64 {
		hi = 1<<width - 1
	}
	if signed {
		lo, hi = -1<<(width-1), 1<<(width-1)-1
	}
	sum = old + n
	over := n > 0 && (old > hi-n) || old > 0 && n > 0 && sum < 0 || !signed && old == 0 && n > hi
	under := n < 0 && (old < lo-n)
	switch {
	case !over && !under, overflow == "wrap":
		return sum, true
	case overflow == "sat" && over:
		return hi, true
	case overflow == "sat":
		return lo, true
	}
	return 0, false
}

// bitOp is BITOP AND|OR|XOR|NOT|DIFF|DIFF1|ANDOR|ONE destination key [key …].
func bitOp(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 4 {
		return nil
	}
	longest, inexact := 0, false
	var in [][]byte
	for _, key := range a[3:] {
		var s []byte
		if o := m.get(e.DB, string(key)); o != nil {
			if o.typ != keyspace.String {
				return nil
			}
			s, inexact = o.str, inexact || o.inexact
		}
		in = append(in, s)
		longest = max(longest, len(s))
	}
	if err := m.grow(longest); err != nil {
		return err
	}
	m.held -= int64(longest)
	o := newObject(keyspace.String)
	if o.inexact = inexact || !m.afford(int64(longest)*int64(len(in))); o.inexact {
		return m.replace(e, a[2], o)
	}
	o.str = make([]byte, longest)
	op := strings.ToLower(string(a[1]))
	for i := range o.str {
		o.str[i] = combineBytes(op, in, i)
	}
	return m.replace(e, a[2], o)
}

// combineBytes is the byte at i of the result of BITOP.
func combineBytes(op string, in [][]byte, i int) byte {
	at := func(s []byte) byte {
		if i < len(s) {
			return s[i]
		}
		return 0
	}
	v := at(in[0])
	if op == "not" {
		return ^v
	}
	var or, once, twice byte
	for k, s := range in {
		b := at(s)
		twice |= once & b
		once |= b
		if k == 0 {
			continue
		}
		or |= b
		switch op {
		case "and":
			v &= b
		case "or":
			v |= b
		case "xor":
			v ^= b
		}
	}
	switch op {
	case "diff":
		return v &^ or
	case "diff1":
		return or &^ v
	case "andor":
		return v & or
	case "one":
		return once &^ twice
	}
	return v
}

func hashAdd(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 4 {
		return nil
	}
	n, ok := integer(a[3])
	if !ok {
		return nil
	}
	o := m.change(e, a[1], keyspace.Hash, true)
	if o == nil {
		return nil
	}
	f, found := o.hash[string(a[2])]
	var old int64
	if found {
		if old, ok = integer(f.value); !ok {
			return nil
		}
	} else {
		f.expire = keyspace.NoExpire
	}
	f.value = strconv.AppendInt(nil, old+n, 10)
	o.hash[string(a[2])] = f
	if found {
		return nil
	}
	return m.grow(len(a[2]) + len(f.value) + perElement)
}

// setStore is SUNIONSTORE, SINTERSTORE and SDIFFSTORE destination key [key …].
func setStore(m *machine, e *keyspace.Event, a [][]byte) error {
	if len(a) < 3 {
		return nil
	}
	work := int64(0)
	for _, key := range a[2:] {
		in := m.get(e.DB, string(key))
		if in != nil && in.typ != keyspace.Set {
			return nil
		}
		work += m.sizeOf(e.DB, key)
	}
	o := newObject(keyspace.Set)
	if !m.afford(work) {
		o.inexact = true
		return m.replace(e, a[1], o)
	}
	for i, key := range a[2:] {
		var members map[string]struct{}
		if in := m.get(e.DB, string(key)); in != nil {
			members = in.set
			o.inexact = o.inexact || in.inexact
		}
		o.combine(commandName(e), i == 0, members)
	}
	return m.replace(e, a[1], o)
}

// combine is one step of a command that makes a set of sets.
func (o *object) combine(name string, first bool, members map[string]struct{}) {
	switch {
	case first || name == "sunionstore":
		for v := range members {
			o.set[v] = struct{}{}
		}
	case name == "sdiffstore":
		for v := range members {
			delete(o.set, v)
		}
	default:
		for v := range o.set {
			if _, ok := members[v]; !ok {
				delete(o.set, v)
			}
		}
	}
}

// parseID reads a stream's ID, as StreamMeta carries it in text.
func parseID(b []byte) (id keyspace.StreamID, ok bool) {
	ms, seq, _ := bytes.Cut(b, []byte("-"))
	var err error
	if id.MS, err = strconv.ParseUint(string(ms), 10, 64); err != nil {
		return id, false
	}
	id.Seq, err = strconv.ParseUint(string(seq), 10, 64)
	return id, err == nil || len(seq) == 0
}
