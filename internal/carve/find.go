package carve

import (
	"bytes"
	"encoding/binary"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// hit is what may begin at a place.
type hit uint8

const (
	hitNone hit = iota
	hitSnapshot
	hitFragment // of a snapshot, of either server
	hitForked   // of one that Valkey wrote
	hitCommands
	hitListpack
	hitString
	hitGzip
	hitZstd
)

// found is a hit and its index.
type found struct {
	at   int
	what hit
}

// finder looks for what may begin where, in one pass: two bytes rule out nearly
// all places of what is none of it.
type finder struct {
	probe  *rdb.Prober
	places [block]uint16
}

func newFinder() *finder { return &finder{probe: rdb.NewProber()} }

// block is how many places are looked at before what may begin there is judged.
const block = 512

// begins tells by two bytes, the second the upper half of the index, whether
// anything may begin with them: 1 or 0.
var begins = func() (table [1 << 16]uint8) {
	allow := func(a, b byte) { table[uint(b)<<8|uint(a)] = 1 }
	for a := range 256 {
		for b := range 256 {
			if rdb.MayBegin(byte(a), byte(b)) {
				allow(byte(a), byte(b))
			}
		}
	}
	for _, m := range rdb.Magics() {
		allow(m[0], m[1])
	}
	for d := byte('1'); d <= '9'; d++ {
		allow('*', d)
	}
	allow(0, 0) // in a listpack's length
	for c := range 256 {
		if mayBeginText(byte(c)) { // behind the kind of a string
			allow(1, byte(c))
			allow(2, byte(c))
		}
	}
	allow(gzipMagic[0], gzipMagic[1])
	allow(zstdMagic[0], zstdMagic[1])
	return table
}()

// next returns what may begin at or behind index from of b, before to.
func (f *finder) next(b []byte, from, to int) (found, bool) {
	f.probe.Reset()
	end := min(to+4, len(b)-1) // what shows a listpack or a string stands behind its first bytes
	for at := from; at < end; {
		start := at
		at = min(start+block, end)
		behind := start // of zeros that were passed over
		for _, p := range f.candidates(b[start : at+1]) {
			i := start + int(p)
			if i < behind {
				continue
			}
			if b[i] == 0 && b[i+1] == 0 {
				if l := listpackAround(b, i, from, to); l >= 0 {
					return found{l, hitListpack}, true
				}
				behind = max(i+zeros(b[i:end])-1, i+1) // at the last of them
				at = max(at, behind)
				continue
			}
			if kind := b[i]; kind == 1 || kind == 2 {
				if s := stringAround(b, i, from, to); s >= 0 {
					return found{s, hitString}, true
				}
			}
			if i >= to {
				continue
			}
			if what := f.at(b, i); what != hitNone {
				return found{i, what}, true
			}
		}
	}
	return found{}, false
}

// listpackAround returns the index of the listpack of whose length the upper half
// is the zeros that begin at i, or -1. It begins one or two bytes before them.
func listpackAround(b []byte, i, from, to int) int {
	for at := max(i-2, from); at < min(i, to); at++ {
		if beginsListpack(b[at:]) {
			return at
		}
	}
	return -1
}

// candidates returns the indices in b, but for the last, whose two bytes anything
// may begin with. It does not branch on what it finds, which no processor foresees.
func (f *finder) candidates(b []byte) []uint16 {
	n, i := 0, 0
	note := func(n int, pair uint16, at int) int {
		f.places[n&(block-1)] = uint16(at)
		return n + int(begins[pair])
	}
	for ; i+9 <= len(b); i += 8 {
		v, next := binary.LittleEndian.Uint64(b[i:]), uint16(b[i+8])
		n = note(n, uint16(v), i)
		n = note(n, uint16(v>>8), i+1)
		n = note(n, uint16(v>>16), i+2)
		n = note(n, uint16(v>>24), i+3)
		n = note(n, uint16(v>>32), i+4)
		n = note(n, uint16(v>>40), i+5)
		n = note(n, uint16(v>>48), i+6)
		n = note(n, uint16(v>>56)|next<<8, i+7)
	}
	for ; i+1 < len(b); i++ {
		n = note(n, uint16(b[i])|uint16(b[i+1])<<8, i)
	}
	return f.places[:n]
}

// at returns what may begin at an index.
func (f *finder) at(b []byte, i int) hit {
	switch b[i] {
	case 'R', 'V':
		if rdb.SniffWhole(b[i:]) {
			return hitSnapshot
		}
	case '*':
		if beginsCommand(b[i:]) {
			return hitCommands
		}
	case gzipMagic[0]:
		if bytes.HasPrefix(b[i:], gzipMagic) && len(b) > i+9 && b[i+3]&0xe0 == 0 {
			return hitGzip
		}
	case zstdMagic[0]:
		if bytes.HasPrefix(b[i:], zstdMagic) {
			return hitZstd
		}
	}
	if rdb.MayBegin(b[i], b[i+1]) && f.probe.At(b, i) {
		if f.probe.Magic() == "VALKEY" {
			return hitForked
		}
		return hitFragment
	}
	return hitNone
}

// zeros returns how many zeros b begins with.
func zeros(b []byte) int {
	n := 0
	for n+8 <= len(b) && binary.LittleEndian.Uint64(b[n:]) == 0 {
		n += 8
	}
	for n < len(b) && b[n] == 0 {
		n++
	}
	return n
}

// beginsCommand reports whether b begins with a command that logs hold: its number
// of arguments, and its name.
func beginsCommand(b []byte) bool {
	argc, rest, ok := number(b, '*')
	if !ok || argc < 1 {
		return false
	}
	size, rest, ok := number(rest, '$')
	if !ok || size < 1 || size > maxName || int64(len(rest)) < size+2 {
		return false
	}
	spec, ok := aof.LookupCommand(rest[:size])
	return ok && spec.Takes(argc) && rest[size] == '\r' && rest[size+1] == '\n'
}

// maxName is the longest name of a command that is looked up.
const maxName = 32

// number reads a line of RESP: a sign, up to nine digits, and its end.
func number(b []byte, sign byte) (n int64, rest []byte, ok bool) {
	if len(b) < 4 || b[0] != sign {
		return 0, nil, false
	}
	i := 1
	for ; i < len(b)-1 && i <= 9 && b[i] >= '0' && b[i] <= '9'; i++ {
		n = n*10 + int64(b[i]-'0')
	}
	if i == 1 || i+1 >= len(b) || b[i] != '\r' || b[i+1] != '\n' {
		return 0, nil, false
	}
	return n, b[i+2:], true
}
