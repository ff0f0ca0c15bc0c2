package rdb

import (
	"bytes"
	"math"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// typeExpiring is Redis' hash whose fields expire, RDB_TYPE_HASH_METADATA of src/rdb.h.
// A field without an expiry is a zero, a name and a value: just as a string is, with its
// type and key. If the number of fields is false, only the others tell what they are.
const typeExpiring = 24

const (
	// followers is how many strings behind such a hash may turn out to be fields of it.
	followers = 4096
	// maxShapes is how many shapes of names are known.
	maxShapes = 64
)

// expiring is the hash whose fields expire that was read last, if nothing but strings
// has been read since.
type expiring struct {
	begin, typeAt int64
	strings       int // -1: there is none
}

// note takes a record that was read.
func (x *expiring) note(r *Reader, begin int64) {
	switch {
	case r.ev.Kind != keyspace.KeyEnd:
		x.strings = -1
	case r.typ == typeExpiring && r.magic != "VALKEY":
		*x = expiring{begin, r.typeAt, 0}
	case r.typ == 0 && r.typeAt == begin && x.strings >= 0 && x.strings < followers:
		x.strings++
	default:
		x.strings = -1
	}
}

// overran looks for a hash whose fields expire at the damage at begin, or before it if
// nothing but strings lies between: it returns where that begins and where the fields end
// that cannot be strings, behind the damage's begin; 0 where there is none.
func (r *Reader) overran(begin int64) (from, end int64) {
	x := r.way.expiring
	if r.magic == "VALKEY" || r.o.Reopen == nil { // what was passed over could not be read again
		return 0, 0
	}
	if r.ev.Record == begin && r.typ == typeExpiring && r.typeAt >= begin {
		x = expiring{begin, r.typeAt, 0}
	}
	if x.strings < 0 || x.typeAt <= 0 || begin-x.begin > longest || !r.goTo(x.typeAt) {
		return 0, 0
	}
	p := r.silently()
	end = p.fieldsEnd()
	r.in = p.in
	if end <= begin || r.holdsRecords(x.typeAt+1, end) {
		return 0, 0
	}
	return x.begin, end
}

// holdsRecords reports whether between two offsets a chain begins with a record that has
// an expiry or a form that could be wrong: a false length of a field has led over it.
func (r *Reader) holdsRecords(from, to int64) bool {
	for r.goTo(from) {
		if found, err := r.search(to); !found || err != nil {
			return false
		}
		from = r.in.offset() + 1
		p := r.silently()
		more, err := p.record()
		r.in = p.in
		if err == nil && more && (!p.unproven || p.expire != keyspace.NoExpire) {
			return true
		}
	}
	return true
}

// fieldsEnd reads a hash whose fields expire, whatever number of them it claims, and
// returns where those end that can be nothing else; 0: there is none.
func (r *Reader) fieldsEnd() (end int64) {
	w := &r.in
	if !w.need(1) || w.buf[w.r] != typeExpiring {
		return 0
	}
	w.r++
	var err error
	if r.key, err = r.name(r.key[:0], "key"); err != nil {
		return 0
	}
	if least, err := r.leastFieldExpire(); err != nil || least < year2009 || least > year2200 && least != maxFieldExpire+1 {
		return 0
	}
	if _, err = r.count("number of fields"); err != nil {
		return 0
	}
	end, _ = r.fieldRun(r.shapeOf(r.key), longest)
	return end
}

// amid reports whether the chain at the current place is of fields, and where they end
// that can be nothing else. Where it is not known that a hash was damaged, one will not do.
func (r *Reader) amid(hash bool) (end int64, yes bool) {
	w := &r.in
	if r.magic == "VALKEY" || !r.mayHold(typeExpiring) || r.o.Reopen == nil || !w.need(1) || w.buf[w.r] != 0 {
		return 0, false
	}
	p, at := r.silently(), w.offset()
	p.in.pin = p.in.r
	end, sure := p.fieldRun(nil, lookahead)
	r.in = p.in
	w.r, w.pin, w.far = int(at-w.base), -1, false
	yes = (sure > 1 || sure > 0 && hash) && !r.holdsRecords(at, end)
	r.goTo(at)
	return end, yes
}

// fieldRun reads fields from the current place on, up to a number of bytes, and returns
// where those end that can be nothing else, and how many of them can be no strings. Of
// names like own it does not take the shape for theirs.
func (r *Reader) fieldRun(own []byte, most int64) (end int64, sure int) {
	w := &r.in
	var shapes, unsure [][]byte
	expires := false // what was read last can be no string, if something follows it
	from, budget := w.offset(), int64(lookahead)*trialBudget
	for {
		before := w.offset()
		if before-from > most || len(unsure) > followers || r.ctx.Err() != nil || !w.need(1) {
			return end, sure
		}
		typ, record := w.buf[w.r], false
		if typ > 0 && (typ >= opFirst || r.mayHold(typ)) {
			var cost int64
			record, cost = r.leads()
			budget -= cost
		}
		ttl, err := uint64(0), error(nil)
		if !record && budget > 0 {
			ttl, err = r.expiringField()
		}
		if expires && err == nil {
			end = before
			sure++
			for _, s := range unsure {
				if len(shapes) < maxShapes && s != nil && !bytes.Equal(s, own) && !knows(shapes, s) {
					shapes = append(shapes, s)
				}
			}
			unsure = unsure[:0]
		}
		if record || budget <= 0 || err != nil {
			return end, sure
		}
		expires = ttl == 1 && !r.mayHold(1) || ttl >= 1<<14 && typ == len32 || ttl > math.MaxUint32
		shape := r.shapeOf(r.field)
		if !expires && end == before && knows(shapes, shape) {
			end = w.offset()
			continue
		}
		unsure = append(unsure, shape)
	}
}

// len32 is RDB_32BITLEN of src/rdb.h.
const len32 = 0x80

// expiringField reads a field, and what it says of its expiry.
func (r *Reader) expiringField() (ttl uint64, err error) {
	if ttl, err = r.length("field expiry"); err != nil {
		return 0, err
	}
	if r.field, err = r.name(r.field[:0], "field"); err != nil {
		return 0, err
	}
	return ttl, r.value("value")
}

// leads reports whether a chain of records begins at the current place, and returns to it.
func (r *Reader) leads() (ok bool, cost int64) {
	w := &r.in
	at, pinned := w.offset(), w.pin >= 0
	if !pinned {
		w.pin = w.r
	}
	r.inflated = 0
	ok, _, cost = r.chain(nil)
	if w.r = int(at - w.base); !pinned {
		w.pin = -1
	}
	w.far = false
	return ok, cost + r.inflated
}

func knows(shapes [][]byte, s []byte) bool {
	for _, t := range shapes {
		if bytes.Equal(s, t) {
			return true
		}
	}
	return false
}

// shapeOf is what names of a kind have in common: what stands before the first digit
// or sign that divides words.
// It is nil where keys have such names, too, for all that is known.
func (r *Reader) shapeOf(name []byte) []byte {
	const long = 32
	kind := kindOfName(name)
	if kind != textName {
		if r.habits.seen < enough || r.habits.names[kind]*rareShare > r.habits.seen {
			return nil
		}
		return []byte{byte(kind)}
	}
	n := bytes.IndexAny(name, "0123456789-:_./ ")
	if n < 0 {
		n = len(name)
	}
	return bytes.Clone(name[:min(n, long)])
}
