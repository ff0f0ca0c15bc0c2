package rdb

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Prober finds where records of a snapshot begin in bytes that may be anything:
// a disk, a memory dump. It is not safe for concurrent use.
type Prober struct {
	redis, valkey *Reader
	r             *Reader // the one of them that read the chain at hand
	first         opening // of the chain that begins said to begin
	proven        bool    // its value has a form that could be wrong
	named         bool    // its name is one that one expects
	odd           []span  // where the names of the chain stand that are none
	key           []byte  // of the record before
	packer        packer
	numbers       numbers
	budget        int64 // bytes that trials may look at
	since         int   // the place that was asked about last
}

// ProbeAhead is how many bytes behind a place a Prober may look at to believe it.
const ProbeAhead = lookahead

// NewProber returns a Prober.
func NewProber() *Prober { return &Prober{redis: silent("REDIS"), valkey: silent("VALKEY")} }

// silent returns a reader of records in memory that yields nothing.
func silent(magic string) *Reader {
	r := NewReader(nil, Options{})
	r.magic, r.version, r.types, r.headless, r.silent, r.ctx = magic, maxRedis, dialectOf(magic), true, true, context.Background()
	return r
}

// Magic is that of the snapshots in which the chain that Next found last can stand:
// "REDIS" unless only "VALKEY" will do.
func (p *Prober) Magic() string { return p.r.magic }

// leastRecord is the least number of bytes of a record that is looked at.
const leastRecord = 16

// Next returns the first index from from on, before to, at which a chain of
// records begins in b, or -1. What lies behind to only serves to believe it.
func (p *Prober) Next(b []byte, from, to int) int {
	p.Reset()
	for i := from; i < min(to, len(b)-leastRecord); i++ {
		// Nearly all places of what is no snapshot end here.
		if MayBegin(b[i], b[i+1]) && p.At(b, i) {
			return i
		}
	}
	return -1
}

// Reset is to be called before the first At of a search.
func (p *Prober) Reset() { p.budget, p.since = lookahead*trialBudget, 0 }

// At reports whether a chain of records begins at index i of b. Places are to be
// asked about in ascending order. Bytes that are made so that each place costs a
// lot are not looked at everywhere.
func (p *Prober) At(b []byte, i int) bool {
	if i+leastRecord > len(b) || !plausibleAt(b, i) {
		return false
	}
	p.budget = min(p.budget+int64(max(i-p.since, 0))*trialBudget, lookahead*trialBudget)
	if p.since = i; p.budget < 0 {
		return false
	}
	if p.begins(b[i:]) && !p.leads(b, i, true) {
		return true
	}
	p.spend()
	return false
}

// span is a range of what is looked at.
type span struct{ from, to int }

// spend takes what the last trial cost from the budget: bytes that were passed over
// cost less than those that were decompressed.
func (p *Prober) spend() { p.budget -= p.r.in.offset()/8 + p.r.inflated + trialCost }

// leads reports whether a chain at i leads over the true start of another: the first of
// its records if it is of strings that nothing vouches for, or a name in it that is none,
// over a record with a name. Chance makes lengths that lead from a record that is cut
// to the value of another. far: the other one leads over none.
func (p *Prober) leads(b []byte, i int, far bool) bool {
	r, odd := p.r, slices.Clone(p.odd) // another trial writes over the rest
	over := func(s span, named bool) bool {
		for j := i + s.from; j < min(i+s.to, len(b)-leastRecord) && p.budget > 0; j++ {
			if !MayBegin(b[j], b[j+1]) || !plausibleAt(b, j) {
				continue
			}
			if p.begins(b[j:]) && (p.named || !named) && !(far && p.leads(b, j, false)) {
				return true
			}
			p.spend()
		}
		return false
	}
	if first := p.first; !p.proven && over(span{int(first.heads[0].typeAt) + 1, int(first.end)}, false) {
		return true
	}
	if slices.ContainsFunc(odd, func(s span) bool { return over(s, true) }) {
		return true
	}
	p.r = r
	return false
}

// Before returns where the record begins that ends at index end of b, where a chain
// of records is known to begin: at or behind from, as near as possible, or -1.
func (p *Prober) Before(b []byte, from, end int) int {
	at, typeAt := -1, int64(-1)
	for i := end - 1; i >= from; i-- {
		if at >= 0 && int64(i) < typeAt-prefixes {
			break
		}
		if i+leastRecord > len(b) || !MayBegin(b[i], b[i+1]) || !plausibleAt(b, i) {
			continue
		}
		r := p.redis
		r.in = newWindow(b[i:end], int64(i))
		r.clear()
		if more, err := r.record(); err != nil || !more || r.in.offset() != int64(end) || r.ev.Kind != keyspace.KeyEnd || r.implausible() {
			continue
		}
		if at < 0 || r.typeAt == typeAt { // the same record, with what stands before its type
			at, typeAt = i, r.typeAt
		}
	}
	return at
}

// prefixes is how many bytes stand before the type of a record at most: an expiry
// and an age.
const prefixes = 9 + 10

// begins reports whether a chain of records begins at the start of b. A hash whose
// fields expire is not the same to both servers.
func (p *Prober) begins(b []byte) bool {
	b = b[:min(len(b), lookahead)]
	return p.weigh(p.redis, b) || p.redis.typ == typeForked && p.weigh(p.valkey, b)
}

// typeForked is what Redis 7.4's release candidates and Valkey 9 both call a hash.
const typeForked = 22

// plausibleAt looks at a place in a few steps, which rule out nearly all that are
// not the start of a record and none that are.
func plausibleAt(b []byte, i int) bool {
	switch b[i] {
	case opExpireMS:
		// 2004 to 2248, in LE64 milliseconds.
		return b[i+8] == 0 && b[i+7] == 0 && b[i+6] >= 1 && b[i+6] <= 7 && prefixed2(b, i+9)
	case opFreq:
		return keyAt(b, i+2)
	case opIdle:
		if b[i+1] < 64 {
			return keyAt(b, i+2)
		}
		return keyAt(b, i+3)
	case opSelectDB:
		return b[i+2] == opResizeDB
	}
	return valueAt(b, i)
}

// prefixed2 reports whether a key's record can go on behind its expiry.
func prefixed2(b []byte, i int) bool {
	switch {
	case i+4 >= len(b):
		return false
	case b[i] == opFreq:
		return keyAt(b, i+2)
	case b[i] == opIdle && b[i+1] < 64:
		return keyAt(b, i+2)
	case b[i] == opIdle:
		return true
	}
	return keyAt(b, i)
}

func keyAt(b []byte, i int) bool {
	if i+leastRecord >= len(b) {
		return false
	}
	return b[i] < opFirst && MayBegin(b[i], b[i+1]) && valueAt(b, i)
}

// valueAt reports whether behind the type at i and its key something stands that
// can begin a value of the type.
func valueAt(b []byte, i int) bool {
	typ := b[i]
	at, ok := behindKey(b, i+1)
	if !ok || at+9 >= len(b) {
		return false
	}
	switch typ {
	case 0:
		n, body, ok := shortLength(b, at)
		if !ok {
			return b[at] == 0x80 || b[at] >= 0xc0 && b[at] <= 0xc3
		}
		next := body + n
		return next >= len(b) || opens(b[next])
	case 7:
		return b[at] == 0x81 // RDB_64BITLEN of the module's id
	case 11, 12, 13, 16, 17, 20:
		return containerAt(b, at, typ == 11)
	case 24, 25:
		return b[at+6] == 0 && b[at+7] == 0 // the smallest expiry, of 48 bits
	}
	n, body, ok := shortLength(b, at)
	if !ok {
		return b[at] == 0x80 && b[at+1] < 0x10
	}
	if n == 0 || body+9 >= len(b) {
		return typ == 15 || typ == 19 || typ == 21 // a stream may be empty
	}
	switch typ {
	case 14:
		return containerAt(b, body, false)
	case 15, 19, 21, 26, 27:
		return b[body] == 16 // a stream's node is named by an ID
	case 18:
		return b[body] == nodePacked && containerAt(b, body+1, false) || b[body] == nodePlain && b[body+1] >= plainNode
	}
	return elementsAt(b, body, typ, n)
}

// containerAt reports whether a string at i can be a listpack or ziplist, which
// say how long they are, or an intset.
func containerAt(b []byte, i int, intset bool) bool {
	n, body, ok := shortLength(b, i)
	switch {
	case ok:
	case b[i] == 0x80:
		n, body = int(binary.BigEndian.Uint32(b[i+1:])), i+5
	default:
		return b[i] == 0xc3
	}
	if body+8 > len(b) {
		return false
	}
	first := binary.LittleEndian.Uint32(b[body:])
	if intset {
		return (first == 2 || first == 4 || first == 8) && n > intsetHeader
	}
	return int(first) == n
}

// elementsAt looks at the first elements of a run of n strings, or pairs of them.
func elementsAt(b []byte, i int, typ byte, n int) bool {
	for range min(2*n, 4) {
		if i+9 >= len(b) {
			return true
		}
		size, body, ok := shortLength(b, i)
		switch {
		case ok:
			i = body + size
		case b[i] >= 0xc0 && b[i] <= 0xc2:
			i += 1 + 1<<(b[i]-0xc0)
		default:
			return b[i] == 0x80 || b[i] == 0xc3
		}
		if typ == 5 { // and a score
			i += 8
		}
		if typ == 2 || typ == 5 {
			if n--; n == 0 {
				return true
			}
		}
	}
	return true
}

// behindKey returns where a string of up to 2 KiB ends.
func behindKey(b []byte, i int) (int, bool) {
	switch b[i] {
	case 0xc0, 0xc1, 0xc2:
		return i + 1 + 1<<(b[i]-0xc0), true
	case 0xc3:
		size, at, ok := shortLength(b, i+1)
		if !ok || at >= len(b)-2 {
			return 0, false
		}
		full, at, ok := shortLength(b, at)
		return at + size, ok && size > 0 && full > size && at+size < len(b)
	}
	n, at, ok := shortLength(b, i)
	return at + n, ok && at+n < len(b)
}

// plainNode is the least first byte of the length of a list's element that has a node of
// its own: those that do are of kilobytes (isLargeElement of src/quicklist.c).
const plainNode = 0x40 | 4096>>8

// shortLength reads a length of one or two bytes.
func shortLength(b []byte, i int) (n, next int, ok bool) {
	switch c := b[i]; {
	case c < 64:
		return int(c), i + 1, true
	case c < 128:
		return int(c&63)<<8 | int(b[i+1]), i + 2, true
	}
	return 0, 0, false
}

// opens reports whether a record can begin with a byte.
func opens(c byte) bool {
	return c >= opFirst || c < 64 && writtenByAny>>c&1 != 0
}

// Magics returns what snapshots begin with, each whole but for the digits of a version.
func Magics() []string { return []string{"REDIS0", "VALKEY0", envelopeMagic} }

// SniffWhole is Sniff for bytes of unknown origin: a header, and behind it what
// servers write there.
func SniffWhole(b []byte) bool {
	if bytes.HasPrefix(b, []byte(envelopeMagic)) {
		return len(b) > envelopeSize+4 && b[5] == 0 && b[6] == envelopeRDB &&
			(b[4] == envelopeLZ4 && bytes.Equal(b[7:11], []byte{0x04, 0x22, 0x4d, 0x18}) || b[4] == envelopeZstd && bytes.Equal(b[7:11], []byte{0x28, 0xb5, 0x2f, 0xfd}))
	}
	_, version, ok := parseMagic(b)
	if !ok || version == 0 || len(b) <= headerSize {
		return false
	}
	return opens(b[headerSize])
}
