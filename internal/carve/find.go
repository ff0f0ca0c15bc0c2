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
// all places of what is none of it, and a few more of what is left.
type finder struct {
	probe                *rdb.Prober
	records, others, all list // places of a block
}

func newFinder() *finder { return &finder{probe: rdb.NewProber()} }

// block is how many places are looked at before what may begin there is judged.
const block = rdb.SieveBlock

// next returns what may begin at or behind index from of b, before to.
func (f *finder) next(b []byte, from, to int) (found, bool) {
	f.probe.Reset()
	end := min(to+4, len(b)-1) // what shows a listpack or a string stands behind its first bytes
	for at := from; at < end; {
		start := at
		at = min(start+block, end)
		behind := start // of zeros that were passed over
		for _, place := range f.candidates(b, start, at-start) {
			i := start + int(place)
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

// candidates returns those of n places of b from start on, a block at most and followed by
// another byte, at which something may begin.
func (f *finder) candidates(b []byte, start, n int) []uint16 {
	b = b[start:]
	var records, others, prefixes [block / 64]uint64
	k := n / 64
	mark(b, marks{records[:k], others[:k], prefixes[:k]})
	for i := 64 * k; i < n; i++ {
		class := firstOf(b[i]) & secondOf(b[i+1])
		if class&(classRecord|classPrefix) != 0 {
			records[k] |= 1 << (i % 64)
		}
		if class&classOther != 0 {
			others[k] |= 1 << (i % 64)
		}
	}
	if n == block {
		prefixed(&records, &others, &prefixes)
	} else {
		for k, p := range prefixes {
			records[k] |= p
		}
	}
	if len(b) < rdb.SieveAhead {
		return f.all.merge(f.records.of(&records), f.others.of(&others))
	}
	return f.all.merge(rdb.Sieve(b, f.records.of(&records)), sieve(b, f.others.of(&others)))
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
