package rdb

import (
	"bytes"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// habits are what the writer of a file is known to do, from the records that were
// read of it. A search holds a place for the start of a record only if the record
// agrees.
type habits struct {
	types [256]bool
	keys  uint64
	seen  int64            // keys that were looked at
	idles int64            // those with an idle time: all or none (rdb.c, rdbSaveKeyValuePair)
	freqs int64            // those with an access frequency: all or none
	names [nameKinds]int64 // those with a name of a kind
}

// enough is how many keys must have been read to tell habits by.
const enough = 8

// Of the first keys all are looked at and then one in so many: that tells what is
// common, and costs nothing.
const (
	firstKeys = 1024
	oneKeyIn  = 256
)

// note takes a key that was read.
func (h *habits) note(typ byte, key []byte, idle, freq bool) {
	h.types[typ] = true
	if h.keys++; h.keys <= firstKeys || h.keys%oneKeyIn == 0 {
		h.look(key, idle, freq)
	}
}

func (h *habits) look(key []byte, idle, freq bool) {
	h.seen++
	h.names[kindOfName(key)]++
	if idle {
		h.idles++
	}
	if freq {
		h.freqs++
	}
}

// mayHave reports whether a key may have what n of the keys had.
func (h *habits) mayHave(n int64) bool { return n > 0 || h.keys < enough }

// agree reports whether a key with or without idle time and access frequency is
// like those before it.
func (h *habits) agree(idle, freq bool) bool {
	return h.keys < enough || idle == (h.idles > 0) && freq == (h.freqs > 0)
}

// rareShare is the part of a file's keys, one in so many, up to which names of a kind
// are rare in it.
const rareShare = 8

// doubtful reports whether the record at hand is one that chance makes easily of
// what is left of a damaged record: its key has an odd name, of a kind that is rare
// in this file, and its value no form that could be wrong.
func (r *Reader) doubtful() bool {
	if r.ev.Kind != keyspace.KeyEnd || !r.unproven {
		return false
	}
	kind := kindOfName(r.key)
	return kind != textName && r.habits.names[kind]*rareShare <= r.habits.seen
}

// nameKind is what a key's name looks like.
type nameKind uint8

const (
	textName nameKind = iota
	shortName
	numberName
	binaryName
	nameKinds
)

// OddName reports whether a key's name is short, a number or no text: what chance
// makes of bytes that are no snapshot.
func OddName(key []byte) bool { return kindOfName(key) != textName }

func kindOfName(key []byte) nameKind {
	const (
		short = 4
		long  = 1024
	)
	if len(key) > long { // its start tells, up to a character's
		key = bytes.TrimRightFunc(key[:long], func(c rune) bool { return c == utf8.RuneError })
	}
	number := len(key) > 0
	for _, c := range key {
		if c < ' ' || c == 0x7f {
			return binaryName
		}
		number = number && (c >= '0' && c <= '9' || c == '-')
	}
	switch {
	case !utf8.Valid(key):
		return binaryName
	case number:
		return numberName
	case len(key) < short:
		return shortName
	}
	return textName
}

// mayHold reports whether a file of this version can hold a type, or this file
// was seen to do so.
func (r *Reader) mayHold(typ byte) bool {
	if r.types[typ].read == nil {
		return false
	}
	if r.habits.types[typ] {
		return true
	}
	written := writtenByValkey
	switch {
	case r.headless:
		written = writtenByAny
	case r.magic != "VALKEY":
		v := min(r.version, maxRedis)
		if v < len(newestBefore) {
			return typ <= newestBefore[v]
		}
		written = writtenByRedis[v-len(newestBefore)]
	}
	return typ < 64 && written>>typ&1 != 0
}

// newestBefore is the greatest type byte by version before 9, RDB_VERSION and
// RDB_TYPE_* in the history of src/rdb.h.
var newestBefore = [...]byte{4, 4, 9, 9, 13, 13, 13, 14, 14}

// What servers write by version, a bit a type: rdbSaveObjectType of src/rdb.c in
// the history of both servers. What they read only, of versions before, is not
// among it.
var (
	writtenByRedis = [maxRedis + 1 - len(newestBefore)]uint64{
		bits(0, 2, 4, 5, 7, 11, 12, 13, 14, 15),     // 9
		bits(0, 2, 4, 5, 7, 11, 16, 17, 18, 19),     // 10
		bits(0, 2, 4, 5, 7, 11, 16, 17, 18, 20, 21), // 11
		bits(0, 2, 4, 5, 7, 11, 16, 17, 18, 20, 21, 22, 23, 24, 25),
		bits(0, 2, 4, 5, 7, 11, 16, 17, 18, 20, 21, 24, 25, 26),
		bits(0, 2, 4, 5, 7, 11, 16, 17, 18, 20, 24, 25, 26, 27, 28),
		bits(0, 2, 4, 5, 7, 11, 16, 17, 18, 20, 24, 25, 26, 27, 28, 29, 30, 31, 32),
	}
	writtenByValkey = bits(0, 2, 4, 5, 7, 11, 16, 17, 18, 20, 21, 22)
	writtenByAny    = func() (all uint64) {
		for _, w := range writtenByRedis {
			all |= w
		}
		return all | writtenByValkey
	}()
)

func bits(types ...byte) (set uint64) {
	for _, t := range types {
		set |= 1 << t
	}
	return set
}

// resizeSince is the first version in which each database begins with its size,
// RDB_OPCODE_RESIZEDB of src/rdb.h.
const resizeSince = 7

// mayFollow reports whether the database that was just selected can stand here:
// servers write databases in ascending order, each with its size.
func (r *Reader) mayFollow() bool {
	if r.ev.Kind != keyspace.DB || r.ev.DB <= r.known() {
		return false
	}
	w := &r.in
	return r.magic == "REDIS" && r.version < resizeSince || !w.need(1) || w.buf[w.r] == opResizeDB
}
