package rdb

import (
	"errors"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Going on behind damage. A place is taken for the start of a record when a
// chain of records that parse without fault begins there; the figures behind
// the numbers are in the documentation of salvage.
const (
	chainLength = 3         // records in a row
	lookahead   = 256 << 10 // bytes that a trial may look ahead
	// trialBudget bounds the work of a search, in bytes parsed per byte passed:
	// hostile bytes may otherwise make every place look like the start of a long
	// record.
	trialBudget = 64
	// trialCost is what a trial costs at least, in the same measure.
	trialCost = 32
)

// damaged reports what could not be understood from the record at begin on,
// and looks for the next record behind it. It returns an error where the
// sequence ends.
func (r *Reader) damaged(begin int64, why error) error {
	if !r.o.Resync || errors.Is(why, errStop) || r.ctx.Err() != nil {
		return why
	}
	w := &r.in
	w.mark = -1
	r.skip, r.ev.Part = false, keyspace.Whole
	bad := w.offset()
	// What of the record is still in memory is searched too: its length may be
	// what is damaged.
	w.r = min(max(int(begin+1-w.base), w.first), w.w)
	found, err := r.search()
	if err != nil {
		return err
	}
	end := w.offset()
	r.clear()
	r.ev.Record = begin
	if err := r.damage(begin, max(end, bad)-begin, why); err != nil {
		return err
	}
	if err := r.reportGaps(); err != nil {
		return err
	}
	if found {
		return nil
	}
	r.other(keyspace.End)
	r.ev.DB = 0
	r.place(end, end-r.o.Offset)
	r.ev.Index = int64(keyspace.ChecksumUnchecked)
	if err := r.emit(); err != nil {
		return err
	}
	return errStop
}

// search moves the window to the next place where a chain of records begins;
// false where there is none up to the end.
func (r *Reader) search() (found bool, err error) {
	w := &r.in
	r.silent = true
	defer func() { r.silent, w.pin = false, -1 }()
	budget := int64(lookahead) * trialBudget
	for n := 0; ; n++ {
		if n&0xffff == 0 && r.ctx.Err() != nil {
			return false, r.ctx.Err()
		}
		if !w.need(1) {
			return false, nil
		}
		if budget > 0 && r.mayBegin() {
			ok, cost := r.trial()
			budget -= cost
			if ok {
				return true, nil
			}
		}
		w.r++
		budget = min(budget+trialBudget, lookahead*trialBudget)
	}
}

// mayBegin tells by the next two bytes whether a record can start here: with an
// opcode, or with a known type and a key that has a name.
func (r *Reader) mayBegin() bool {
	w := &r.in
	op := w.buf[w.r]
	if op >= opFirst {
		return true
	}
	return r.types[op].read != nil && w.need(2) && w.buf[w.r+1] != 0
}

// trial parses a chain of records from the current place on and returns to it.
func (r *Reader) trial() (ok bool, cost int64) {
	w := &r.in
	w.pin, w.far = w.r, false
	from := w.offset()
	save, keyed := r.ev, 0
	r.inflated = 0
	for range chainLength {
		more, err := r.record()
		if err != nil && w.far {
			break // what was seen of the chain is without fault
		}
		if err != nil || r.implausible() {
			keyed = -1
			break
		}
		keyed++
		if !more {
			// The end marker and a checksum behind it, and nothing else.
			ok = keyed > 1 || !w.need(1)
			break
		}
		if w.offset()-from > lookahead {
			break
		}
	}
	if keyed > 0 && !ok {
		ok = keyed == chainLength || w.far || w.offset()-from > lookahead
	}
	cost = w.offset() - from + r.inflated + trialCost
	r.ev, r.skip = save, false
	w.r, w.pin, w.far = w.pin, -1, false
	return ok, cost
}

// implausible rejects what parses but no server writes: keys without a name
// (a run of zeros is a run of empty strings without a name), expiries far from
// any present, databases beyond any configuration.
func (r *Reader) implausible() bool {
	const (
		year2009  = 1_230_768_000_000 // before the first Redis
		year2200  = 7_258_118_400_000
		databases = 1 << 20
	)
	if r.expire != keyspace.NoExpire && (r.expire < year2009 || r.expire > year2200) {
		return true
	}
	switch r.ev.Kind {
	case keyspace.KeyEnd:
		return len(r.key) == 0 || r.elements == 0 && r.ev.Type != keyspace.Stream && r.ev.Type != keyspace.Module
	case keyspace.DB:
		return r.ev.DB > databases
	case keyspace.Aux:
		return len(r.field) == 0
	}
	return false
}
