package fleet

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

// What was found in an input is kept as records. Damage is its JSON. Of a finding most
// is as it was in the one before, where it is said of the key, or in the last of the
// same rule: only the rest is written, and what is hex as bytes. By BenchmarkCoder that
// takes a third of the time that JSON takes, and an eighth of the room.

// A record begins with damageRecord, or with a number behind it, of the place in which
// the last finding of the rule is remembered.
const (
	damageRecord = iota
	findingRecord
)

// rulePlaces is how many findings are remembered; rules may share a place.
const rulePlaces = 64

// What a finding's record has beside what all have, as bits: first the values that are
// other than they were, then those that are there at all. Texts follow, as texts has them.
const (
	hasIdentity = 1 << iota
	hasChain
	hasAlso
	hasProof
	hasClasses
	hasIndex
	isPresumed
	firstText
)

// texts are the texts of a finding: some are said of its rule or of the secret, and some
// of the key that it is found in. They may be more, and not other ones, as long as
// records of before are to be read.
func texts(rule, key *scan.Finding) [16]*string {
	return [...]*string{
		&key.Key, &rule.Secret, &key.ExpiresAt, &rule.Field, &key.WrittenAt, &key.EntryID, &key.State, &rule.Framework,
		&rule.Rule, &rule.Technique, &key.KeyType, &key.Encoding, &key.TTLBasis, &key.Source, &key.KeyB64, &rule.FieldB64,
	}
}

// remembered is what findings are compared with.
type remembered struct {
	before scan.Finding // what it said of its key
	rules  [rulePlaces]rememberedRule
}

type rememberedRule struct {
	last            scan.Finding
	classed         bool // the classes of last are written
	identity, proof pairs
}

// pairs are a map, in the order of its names.
type pairs struct{ names, values []string }

// placeOf is the place of a rule.
func placeOf(rule string) byte {
	sum := uint32(2166136261) // FNV-1a
	for i := range len(rule) {
		sum = (sum ^ uint32(rule[i])) * 16777619
	}
	return byte(sum>>16) % rulePlaces
}

// coder makes records.
type coder struct {
	remembered
	values []byte
}

// finding appends a record of a finding.
func (c *coder) finding(b []byte, f *scan.Finding) []byte {
	place := placeOf(f.Rule)
	r, before := &c.rules[place], &c.before
	v, has := c.values[:0], uint64(0)
	v = binary.AppendVarint(v, f.RecordOffset-before.RecordOffset)
	v = binary.AppendVarint(v, f.Offset-f.RecordOffset)
	v = binary.AppendVarint(v, f.Length)
	v = binary.AppendVarint(v, int64(f.DB)-int64(before.DB))
	v = appendSum(v, f.ID)
	v = appendSum(v, f.Fingerprint)
	before.RecordOffset, before.DB = f.RecordOffset, f.DB
	if !r.identity.are(f.Identity) {
		v, has = r.identity.become(v, f.Identity), has|hasIdentity
	}
	if last := &r.last; !sameTexts(last.Chain, f.Chain) {
		v, has = appendTexts(v, last.Chain, f.Chain), has|hasChain
		last.Chain = f.Chain
	}
	if last := &r.last; !sameTexts(last.Also, f.Also) {
		v, has = appendTexts(v, last.Also, f.Also), has|hasAlso
		last.Also = f.Also
	}
	if !r.proof.are(f.Proof) {
		v, has = r.proof.become(v, f.Proof), has|hasProof
	}
	if last := &r.last; !r.classed || classes(last) != classes(f) {
		r.classed = true
		last.Category, last.Severity, last.Confidence, last.Where = f.Category, f.Severity, f.Confidence, f.Where
		for _, name := range []string{f.Category.String(), f.Severity.String(), f.Confidence.String(), f.Where.String()} { // numbers may change
			v = appendText(v, "", name)
		}
		has |= hasClasses
	}
	if f.Index != nil {
		v, has = binary.AppendVarint(v, *f.Index), has|hasIndex
	}
	if f.Presumed {
		has |= isPresumed
	}
	was := texts(&r.last, before)
	for i, s := range texts(f, f) {
		if *s != *was[i] {
			v, has = appendText(v, *was[i], *s), has|firstText<<i
			*was[i] = *s
		}
	}
	c.values = v
	b = binary.AppendUvarint(append(b, findingRecord+place), has)
	return append(b, v...)
}

// damage appends a record of damage.
func (c *coder) damage(b []byte, d *report.Damage) ([]byte, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return appendText(append(b, damageRecord), "", string(text)), nil
}

// classes are what a finding is of few.
func classes(f *scan.Finding) [4]uint8 {
	return [...]uint8{uint8(f.Category), uint8(f.Severity), uint8(f.Confidence), uint8(f.Where)}
}

// A text begins with how much of it is left out since it is as it was, at most
// maxShared, or with wholly if all of it is.
const (
	maxShared = 254
	wholly    = 255
)

// appendText appends a text that was another.
func appendText(b []byte, was, s string) []byte {
	if s == was {
		return append(b, wholly)
	}
	n, most := 0, min(len(was), len(s), maxShared)
	for n < most && was[n] == s[n] {
		n++
	}
	b = binary.AppendUvarint(append(b, byte(n)), uint64(len(s)-n))
	return append(b, s[n:]...)
}

// appendTexts appends texts, of which there may be none, or not even none.
func appendTexts(b []byte, was, of []string) []byte {
	if of == nil {
		return append(b, 0)
	}
	b = binary.AppendUvarint(b, 1+uint64(len(of)))
	for i, s := range of {
		before := ""
		if i < len(was) {
			before = was[i]
		}
		b = appendText(b, before, s)
	}
	return b
}

func sameTexts(a, b []string) bool { return (a == nil) == (b == nil) && slices.Equal(a, b) }

// are reports whether the pairs are those of m.
func (p *pairs) are(m map[string]string) bool {
	for i, name := range p.names {
		if v, ok := m[name]; !ok || v != p.values[i] {
			return false
		}
	}
	return len(p.names) == len(m)
}

// become appends the pairs of m, which were others: their names if these were others,
// too, or else 0, and their values.
func (p *pairs) become(b []byte, m map[string]string) []byte {
	if p.named(m) {
		b = append(b, 0)
	} else {
		names := slices.AppendSeq(make([]string, 0, len(m)), maps.Keys(m)) // not nil, if there are none
		slices.Sort(names)
		b = appendTexts(b, p.names, names)
		p.names, p.values = names, make([]string, len(names))
	}
	for i, name := range p.names {
		b = appendText(b, p.values[i], m[name])
		p.values[i] = m[name]
	}
	return b
}

// named reports whether the names are those of m.
func (p *pairs) named(m map[string]string) bool {
	for _, name := range p.names {
		if _, ok := m[name]; !ok {
			return false
		}
	}
	return len(p.names) == len(m)
}

// digits are the values of hex digits, and 0xff.
var digits = func() (of [256]byte) {
	for c := range of {
		of[c] = 0xff
	}
	for i, c := range []byte("0123456789abcdef") {
		of[c] = byte(i)
	}
	return of
}()

// appendSum appends a text that is hex, but need not be.
func appendSum(b []byte, s string) []byte {
	at := len(b)
	b = binary.AppendUvarint(b, uint64(len(s))<<1|1)
	for i := 0; i+1 < len(s); i += 2 {
		high, low := digits[s[i]], digits[s[i+1]]
		if high|low > 0xf {
			return appendPlain(b[:at], s)
		}
		b = append(b, high<<4|low)
	}
	if len(s)%2 > 0 {
		return appendPlain(b[:at], s)
	}
	return b
}

func appendPlain(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))<<1), s...)
}

// decoder reads records. It keeps the first error: errRecord, or why nothing was read.
type decoder struct {
	remembered
	maps [rulePlaces]struct{ identity, proof map[string]string }
	in   *bufio.Reader
	buf  []byte
	err  error
}

var errRecord = errors.New("what is kept of an input is damaged")

// next returns a finding or damage, and io.EOF behind the last.
func (d *decoder) next() (f *scan.Finding, of *report.Damage, err error) {
	kind, err := d.in.ReadByte()
	if err != nil {
		return nil, nil, err
	}
	d.err = nil
	switch {
	case kind == damageRecord:
		of = &report.Damage{}
		if err := json.Unmarshal([]byte(d.text("")), of); err != nil || of.Key != "" && of.DB == nil {
			d.fail(errRecord)
		}
	case kind < findingRecord+rulePlaces:
		f = d.finding(kind - findingRecord)
	default:
		d.fail(errRecord)
	}
	if d.err != nil {
		return nil, nil, d.err
	}
	return f, of, nil
}

func (d *decoder) finding(place byte) *scan.Finding {
	f := &scan.Finding{}
	r, before := &d.rules[place], &d.before
	last, of := &r.last, &d.maps[place]
	has := d.count()
	before.RecordOffset += d.number()
	f.RecordOffset = before.RecordOffset
	f.Offset = f.RecordOffset + d.number()
	f.Length = d.number()
	before.DB += int32(d.number())
	f.DB = before.DB
	f.ID, f.Fingerprint = d.sum(), d.sum()
	if has&hasIdentity > 0 {
		of.identity = d.pairs(&r.identity)
	}
	if has&hasChain > 0 {
		last.Chain = d.texts(last.Chain)
	}
	if has&hasAlso > 0 {
		last.Also = d.texts(last.Also)
	}
	if has&hasProof > 0 {
		of.proof = d.pairs(&r.proof)
	}
	f.Identity, f.Chain, f.Also, f.Proof = of.identity, last.Chain, last.Also, of.proof
	if has&hasClasses > 0 {
		for _, c := range []interface{ UnmarshalText([]byte) error }{&last.Category, &last.Severity, &last.Confidence, &last.Where} {
			if c.UnmarshalText([]byte(d.text(""))) != nil {
				d.fail(errRecord)
			}
		}
	}
	f.Category, f.Severity, f.Confidence, f.Where = last.Category, last.Severity, last.Confidence, last.Where
	if has&hasIndex > 0 {
		f.Index = new(int64)
		*f.Index = d.number()
	}
	f.Presumed = has&isPresumed > 0
	was := texts(last, before)
	for i, s := range texts(f, f) {
		if has&(firstText<<i) > 0 {
			*was[i] = d.text(*was[i])
		}
		*s = *was[i]
	}
	return f
}

// fail notes an error, if it is the first.
func (d *decoder) fail(err error) {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errRecord
	}
	if d.err == nil {
		d.err = err
	}
}

// count reads what binary.AppendUvarint writes.
func (d *decoder) count() (n uint64) {
	for shift := 0; shift < 64; shift += 7 {
		c, err := d.in.ReadByte()
		if err != nil {
			d.fail(err)
			return 0
		}
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	d.fail(errRecord)
	return 0
}

// number reads what binary.AppendVarint writes.
func (d *decoder) number() int64 {
	n := d.count()
	return int64(n>>1) ^ -int64(n&1)
}

// bytes returns n bytes, valid until the next call; room is made as they come.
func (d *decoder) bytes(n uint64) []byte {
	d.buf = d.buf[:0]
	for n > 0 && d.err == nil {
		at, some := len(d.buf), int(min(n, pieceSize))
		d.buf = slices.Grow(d.buf, some)[:at+some]
		_, err := io.ReadFull(d.in, d.buf[at:])
		d.fail(err)
		n -= uint64(some)
	}
	return d.buf
}

func (d *decoder) text(was string) string {
	shared, err := d.in.ReadByte()
	switch d.fail(err); {
	case shared == wholly:
		return was
	case int(shared) > len(was):
		d.fail(errRecord)
	}
	rest := d.bytes(d.count())
	if d.err != nil {
		return ""
	}
	return was[:shared] + string(rest)
}

func (d *decoder) texts(was []string) (of []string) {
	n := d.count()
	if n == 0 || d.err != nil {
		return nil
	}
	of = []string{}
	for i := range n - 1 {
		before := ""
		if i < uint64(len(was)) {
			before = was[i]
		}
		if of = append(of, d.text(before)); d.err != nil {
			return nil
		}
	}
	return of
}

// pairs changes pairs, and returns them as a map; nil if there are none.
func (d *decoder) pairs(p *pairs) (m map[string]string) {
	if names := d.texts(p.names); names != nil {
		p.names, p.values = names, make([]string, len(names))
	}
	for i, name := range p.names {
		p.values[i] = d.text(p.values[i])
		if m == nil {
			m = map[string]string{}
		}
		m[name] = p.values[i]
	}
	return m
}

func (d *decoder) sum() string {
	n := d.count()
	if n&1 == 0 {
		return string(d.bytes(n >> 1))
	}
	return hex.EncodeToString(d.bytes(n >> 2))
}
