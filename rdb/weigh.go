package rdb

import (
	"bytes"
	"encoding/binary"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// What a record weighs as evidence that bytes of unknown origin are a snapshot.
const (
	// byOdd is the weight of one that nothing but its place in a sequence proves, under
	// an odd name: tables in programs are full of them.
	byOdd = 2
	// byName is that of one whose name is text.
	byName = 24
	// byForm is added where its value has a form that could be wrong.
	byForm = 24
	// believed is the weight from which on a chain is believed where nothing else is
	// known of the file: five records that nothing but their sequence proves, or two
	// and a half whose values have a form that could be wrong.
	believed = 5 * byName
)

// weigh is chain for bytes of unknown origin, which may end anywhere: instead of
// counting records, it weighs them.
func (p *Prober) weigh(r *Reader, b []byte) bool {
	p.r, r.in, r.typ = r, newWindow(b, 0), 0
	r.clear()
	r.ev.DB = 0
	r.nameless, r.inflated = -1, 0
	r.templates, r.templateBytes = nil, 0 // those of another place
	var t table
	doubt, odd, keys, weight := false, 0, 0, 0
	idle, freq := false, false
	p.odd, p.numbers.last, p.numbers.found = p.odd[:0], nil, false
	for weight < believed {
		more, err := r.record()
		if err != nil {
			return false
		}
		if !more {
			return weight > believed/2 && !doubt && !p.numbers.found
		}
		if r.implausible() {
			return false
		}
		if r.ev.Kind != keyspace.KeyEnd { // an opcode proves little
			if keys == 0 && r.ev.Kind != keyspace.DB {
				return false
			}
			continue
		}
		if keys > 0 && bytes.Equal(r.key, p.key) {
			return false // a name is there once: this is a table
		}
		name, record := OddName(r.key), b[r.typeAt:r.in.offset()]
		if keys == 0 {
			p.proven, p.first.heads = !r.unproven, p.first.heads[:0]
			p.first.open(r, 0)
			p.named = !name
			doubt = r.unproven && name
			idle, freq = r.idle >= 0, r.freq >= 0
		} else if doubt {
			t.row(p, record)
		}
		if idle != (r.idle >= 0) || freq != (r.freq >= 0) {
			return false // all keys of a file have them, or none
		}
		p.numbers.row(record)
		if keys++; name {
			odd++
			if end, ok := behindKey(b, int(r.typeAt)+1); ok {
				p.odd = append(p.odd, span{int(r.typeAt) + 1, end})
			}
		}
		weight += weightOf(record, r.unproven, name)
		p.key = append(p.key[:0], r.key...)
	}
	return (!doubt || 2*odd > keys && !t.is(keys)) && !p.numbers.found
}

// weightOf is that of a key whose record from its type on is b.
func weightOf(b []byte, unproven, odd bool) int {
	if !unproven {
		if odd {
			return byName
		}
		return byName + byForm
	}
	weight := byName
	if odd {
		weight = byOdd
	}
	if b[0] == 0 && b[len(b)-1] == 0 {
		weight /= 2 // an empty string is a zero, as are its type and what fills up a table
	}
	return weight
}

// table tells a table of a program from records, both of plain strings under odd names.
type table struct{ rising, falling, loose int }

// row takes the record b; the name of the one before it is still p's.
func (t *table) row(p *Prober, b []byte) {
	switch bytes.Compare(p.r.key, p.key) {
	case 1:
		t.rising++
	case -1:
		t.falling++
	}
	if b[0] == 0 && p.packer.loose(b[1:]) {
		t.loose++
	}
}

// is reports whether so many records are a table: in the order of their names, which
// those of a snapshot are not, since they come out of a hash table; or with strings that
// servers would have compressed.
func (t *table) is(records int) bool {
	return 8*max(t.rising, t.falling) > 7*records || 4*t.loose > records
}

// numbers tells rows that are numbered through from records: in strings that are no text,
// the same two bytes rise or fall by the same step from one to the next of four rows, as
// those of constants do in a class file of Java. Out of a hash table records come in no
// such order.
type numbers struct {
	last  []byte
	steps [63]uint16 // from the row before the last to it, by column
	again uint64     // columns whose step was the one before
	found bool
}

// row takes the record b.
func (x *numbers) row(b []byte) {
	value := shortValue(b)
	var again uint64
	columns := max(min(len(value), len(x.last))-1, 0)
	for i := range columns {
		step := binary.BigEndian.Uint16(value[i:]) - binary.BigEndian.Uint16(x.last[i:])
		if step != 0 && step == x.steps[i] {
			again |= 1 << i
		}
		x.steps[i] = step
	}
	clear(x.steps[columns:])
	x.found = x.found || again&x.again != 0
	x.last, x.again = value, again
}

// shortValue returns the value of the record b if it is a string of up to 63 bytes that
// is no text.
func shortValue(b []byte) []byte {
	at, ok := behindKey(b, 1)
	if b[0] != 0 || !ok {
		return nil
	}
	n, body, ok := shortLength(b, at)
	if !ok || n >= 64 || body+n != len(b) || isName(b[body:]) {
		return nil
	}
	return b[body:]
}

// compressed is the length from which on servers compress a string that LZF makes
// shorter by four bytes or more (rdbSaveRawString and rdbSaveLzfStringObject of
// src/rdb.c), unless told otherwise.
const compressed = 21

// packer knows where three bytes stood last, by their hash.
type packer struct{ at [256]uint16 }

// loose reports whether one of the two strings at the start of b stands as it is, though
// servers would have compressed it.
func (k *packer) loose(b []byte) bool {
	i := 0
	for range 2 {
		if i+1 >= len(b) {
			return false
		}
		n, at, ok := shortLength(b, i)
		if !ok || at+n > len(b) {
			return false
		}
		if n >= compressed && k.saves(b[at:at+min(n, 256)]) >= 4 {
			return true
		}
		i = at + n
	}
	return false
}

// saves is about how many bytes LZF saves of up to 256.
func (k *packer) saves(b []byte) int {
	clear(k.at[:])
	saved, literals := 0, 0
	for i := 0; i+3 <= len(b); i++ {
		h := (uint(b[i]) | uint(b[i+1])<<8 | uint(b[i+2])<<16) * 0x9e3779b1 >> 16 & 0xff
		j := int(k.at[h]) - 1
		k.at[h] = uint16(i + 1)
		if j < 0 || b[j] != b[i] || b[j+1] != b[i+1] || b[j+2] != b[i+2] {
			literals++
			continue
		}
		n := 3
		for i+n < len(b) && b[j+n] == b[i+n] {
			n++
		}
		saved += n - 2
		if n >= 9 {
			saved-- // a byte of its length
		}
		i += n - 1
	}
	return saved - 1 - literals/lzfMaxLiteral
}
