package rdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Opcodes, RDB_OPCODE_* of both servers' src/rdb.h.
const (
	opTemplate    = 242 // Redis 8.10: HASH_TEMPLATE; Valkey 9.2: UPDATE
	opKeyMeta     = 243 // Redis 8.6: KEY_META; Valkey 9.0: SLOT_IMPORT
	opSlotInfo    = 244
	opFunction2   = 245
	opFunction    = 246 // release candidates of Redis 7.0
	opModuleAux   = 247
	opIdle        = 248
	opFreq        = 249
	opAux         = 250
	opResizeDB    = 251
	opExpireMS    = 252
	opExpire      = 253
	opSelectDB    = 254
	opEOF         = 255
	opFirst       = opTemplate
	maxKeyMeta    = 7  // classes of key metadata, Redis' src/keymeta.h
	slotImportJob = 40 // bytes of a slot import's name
)

// opcodeSince is the first version of Redis that has the opcodes 242 to 246.
var opcodeSince = [...]int{15, 13, 12, 10, 10}

// record reads up to and including one key, or one opcode that stands for
// itself; false after the end marker.
func (r *Reader) record() (more bool, err error) {
	w := &r.in
	if !r.bare {
		r.expire, r.idle, r.freq = keyspace.NoExpire, -1, -1
	}
	r.ev.Record = w.offset()
	if !w.need(1) {
		return false, r.short("end marker")
	}
	typ := w.buf[w.r]
	if typ >= opFirst {
		return r.prefixed()
	}
	r.typeAt = w.offset()
	w.r++
	err = r.keyRecord(typ)
	r.bare = err == nil
	return true, err
}

// prefixed is record from an opcode on.
func (r *Reader) prefixed() (more bool, err error) {
	w := &r.in
	r.bare = false
	r.typeAt = w.offset()
	r.unproven = true // an opcode's strings; a key's type tells
	var qualified qualifier
	for {
		if !w.need(1) {
			return false, r.short("end marker")
		}
		op := w.buf[w.r]
		if op < opFirst {
			r.typeAt = w.offset()
			w.r++
			return true, r.keyRecord(op)
		}
		if qualified, err = r.qualify(qualified, op); err != nil {
			return false, err
		}
		w.r++
		prefix, err := r.opcode(op)
		if err != nil {
			return false, err
		}
		if op == opEOF {
			return false, nil
		}
		if !prefix {
			return true, nil
		}
	}
}

// opcode reads what follows an opcode; prefix is true where it belongs to the key that comes next.
func (r *Reader) opcode(op byte) (prefix bool, err error) {
	w := &r.in
	if r.magic == "REDIS" && op-opFirst < byte(len(opcodeSince)) && r.version < opcodeSince[op-opFirst] {
		return false, r.failAt(r.in.offset()-1, fmt.Sprintf("opcode %d in a file of version %d", op, r.version), keyspace.ErrCorrupt)
	}
	switch op {
	case opExpireMS:
		// Before RDB 9 in the byte order of the host that wrote it: little-endian on all but a few.
		if !w.need(8) {
			return false, r.short("expiry")
		}
		r.expire = int64(binary.LittleEndian.Uint64(w.buf[w.r:]))
		w.r += 8
		return true, nil
	case opExpire:
		if !w.need(4) {
			return false, r.short("expiry")
		}
		r.expire = int64(int32(binary.LittleEndian.Uint32(w.buf[w.r:]))) * 1000
		w.r += 4
		return true, nil
	case opFreq:
		if !w.need(1) {
			return false, r.short("access frequency")
		}
		r.freq = int16(w.buf[w.r])
		w.r++
		return true, nil
	case opIdle:
		n, err := r.length("idle time")
		r.idle = int64(min(n, 1<<62))
		return true, err
	case opSelectDB:
		n, err := r.length("database number")
		if err == nil && n > 1<<31-1 {
			err = r.fail("database number", keyspace.ErrCorrupt)
		}
		if err != nil {
			return false, err
		}
		if r.silent {
			r.ev.DB = int32(n)
		} else {
			r.selects(int32(n))
		}
		r.other(keyspace.DB)
		r.ev.Index, r.ev.Count = -1, -1
		return false, r.emit()
	case opResizeDB:
		keys, err := r.length("number of keys")
		if err != nil {
			return false, err
		}
		expires, err := r.length("number of expiring keys")
		if err != nil {
			return false, err
		}
		if !r.silent {
			r.selection.sizes(keys)
		}
		r.other(keyspace.DB)
		r.ev.Index, r.ev.Count = int64(min(keys, 1<<62)), int64(min(expires, 1<<62))
		return false, r.emit()
	case opAux:
		return false, r.aux()
	case opFunction2:
		r.other(keyspace.Function)
		return false, r.function()
	case opFunction:
		return false, r.functionPreGA()
	case opModuleAux:
		return false, r.moduleAux()
	case opSlotInfo:
		var n [3]uint64
		for i := range n {
			if n[i], err = r.length("slot info"); err != nil {
				return false, err
			}
		}
		r.other(keyspace.Slot)
		r.ev.Index, r.ev.Count = int64(min(n[0], 1<<62)), int64(min(n[1], 1<<62))
		return false, r.emit()
	case opKeyMeta:
		if r.magic == "VALKEY" {
			return false, r.slotImport()
		}
		return true, r.keyMeta()
	case opTemplate:
		if r.magic == "VALKEY" {
			return false, r.update()
		}
		return false, r.template()
	}
	return false, r.footer() // opEOF
}

// other prepares the event of something that is no key.
func (r *Reader) other(k keyspace.Kind) {
	rec := r.ev.Record
	r.clear()
	r.ev.Kind, r.ev.Record = k, rec
	r.ev.Pos.Offset = rec
	r.place(rec, r.in.offset()-rec)
}

// keyRecord reads key and value of a type byte.
func (r *Reader) keyRecord(typ byte) (err error) {
	d := &r.types[typ]
	if r.typ = typ; d.read == nil {
		return r.unknownType(typ)
	}
	if r.key, err = r.name(r.key[:0], "key"); err != nil {
		return err
	}
	if len(r.key) == 0 && r.nameless == r.ev.DB {
		// A name is there once: these are zeros, a run of empty strings without one.
		return r.failAt(r.ev.Record, "a second key without a name", keyspace.ErrCorrupt)
	}
	if err := r.keyValue(d, typ); err != nil {
		return err
	}
	if r.silent {
		return nil
	}
	if r.habits.note(typ, r.key, r.idle >= 0, r.freq >= 0); len(r.key) == 0 {
		r.nameless = r.ev.DB
	}
	return nil
}

// unknownType is the error of a type whose layout is not known. The key stands
// before the value and is kept for the Damage event.
func (r *Reader) unknownType(typ byte) error {
	err := r.failAt(r.in.offset()-1, fmt.Sprintf("type %d", typ), keyspace.ErrUnsupported)
	w := &r.in
	if r.silent || !r.o.Resync || !w.need(2) {
		return err
	}
	// A plain string of up to 16 KiB; nothing else is worth moving the window for.
	head, n := 1, int(w.buf[w.r])
	if n >= 64 {
		head, n = 2, (n&0x3f)<<8|int(w.buf[w.r+1])
	}
	if w.buf[w.r] < 128 && n > 0 && w.need(head+n) && isName(w.buf[w.r+head:w.r+head+n]) {
		r.key = append(r.key[:0], w.buf[w.r+head:w.r+head+n]...)
		r.orphan = r.key
	}
	return err
}

// isName reports whether p reads as text. Among damage, noise has a type and a
// length, too.
func isName(p []byte) bool {
	return utf8.Valid(p) && bytes.IndexFunc(p, unicode.IsControl) < 0
}

// keyValue yields the events of a key whose name stands in r.key. Most keys follow
// one that was read whole, with nothing in between: what the event of such a key does
// not say is still zero, and is not set again.
func (r *Reader) keyValue(d *decoder, typ byte) (err error) {
	ev := &r.ev
	ev.Kind, ev.Op, ev.Type, ev.Encoding, ev.Part = keyspace.Key, keyspace.OpCreate, d.typ, d.enc, keyspace.Whole
	ev.Key, ev.Index, ev.State = r.key, 0, r.keyState()
	if !r.bare {
		ev.Field, ev.Value = nil, nil
		ev.Expire, ev.Idle, ev.Freq = r.expire, r.idle, r.freq
		ev.Count, ev.Score, ev.ID = 0, 0, keyspace.StreamID{}
	}
	r.place(ev.Record, -1)
	r.elements, r.hollow = 0, 0
	if d.typ == keyspace.Module {
		if err := r.moduleHead(); err != nil {
			return err
		}
	}
	if err := r.emit(); err != nil {
		return err
	}
	if r.asks {
		r.ask(typ)
	}
	ev.Op = d.op
	if !r.bare {
		ev.Idle, ev.Freq = -1, -1
	}
	if d.typ == keyspace.Hash {
		ev.Expire = keyspace.NoExpire // a field's is its own
	}
	r.unproven = plain[d.enc]
	err = d.read(r)
	var value []byte
	if r.asks {
		value = r.answer()
	}
	if err != nil {
		return err
	}
	ev.Kind, ev.Op, ev.Encoding = keyspace.KeyEnd, keyspace.OpNone, d.enc
	ev.Value, ev.Index, ev.State = value, r.elements, r.keyState()
	if d.typ != keyspace.String {
		ev.Field, ev.Expire, ev.Count, ev.Score, ev.ID = nil, r.expire, 0, 0, keyspace.StreamID{}
	}
	r.place(ev.Record, r.in.offset()-ev.Record)
	if !r.o.Skim {
		err = r.emit()
	}
	if value != nil {
		ev.Value = nil
	}
	return err
}

// ask finds out whether the value of the Key event at hand is wanted, and kept.
func (r *Reader) ask(typ byte) {
	if r.silent {
		return
	}
	r.skip = r.o.Skim || r.o.Want != nil && !r.o.Want(&r.ev)
	if r.skip || r.o.KeepValue == nil {
		return
	}
	if limit := r.o.KeepValue(&r.ev); limit > 0 {
		r.keep = true
		r.in.capture(typ, limit)
		if r.types[typ].typ == keyspace.Module {
			r.in.mark -= r.idSize // DUMP has the module's id in the value
		}
	}
}

// answer is the value that was kept, if one was.
func (r *Reader) answer() (value []byte) {
	r.skip = false
	if r.keep {
		value = r.in.captured()
	}
	r.keep = false
	return value
}

// keyState is Live or Expired for the current key.
func (r *Reader) keyState() keyspace.State {
	if r.expire >= 0 && r.asOf > 0 && r.expire <= r.asOf {
		return keyspace.Expired
	}
	return keyspace.Live
}

// aux reads an aux field. ctime gives the time against which keys have expired; slot-info
// is of Valkey what RDB_OPCODE_SLOT_INFO is of Redis. Servers compare names as C does.
func (r *Reader) aux() (err error) {
	if r.field, err = r.name(r.field[:0], "name of an aux field"); err != nil {
		return err
	}
	r.other(keyspace.Aux)
	r.ev.Key = r.field
	if err := r.whole("aux field"); err != nil {
		return err
	}
	name, _, _ := bytes.Cut(r.field, []byte{0})
	switch {
	case string(name) == "ctime":
		if sec, ok := parseDecimal(r.member); ok && r.o.AsOf == 0 {
			r.asOf = sec * 1000
		}
	case bytes.EqualFold(name, []byte("slot-info")):
		slot, keys, ok := slotInfo(r.member)
		if !ok {
			return r.failAt(r.ev.Record, "slot-info: no numbers, which no server takes", keyspace.ErrCorrupt)
		}
		r.other(keyspace.Slot)
		r.ev.Index, r.ev.Count = slot, keys
	}
	return r.emit()
}

// slotInfo is what an aux field says of a slot: its number and how many keys it has, how
// many of them expire, and since Valkey 9 a fourth number (rdbLoadRioWithLoadingCtx of
// src/rdb.c).
func slotInfo(p []byte) (slot, keys int64, ok bool) {
	var numbers [2]int64
	n := 0
	for word := range bytes.SplitSeq(p, []byte(",")) {
		number, ok := parseDecimal(word)
		if !ok {
			return 0, 0, false
		}
		if n < len(numbers) {
			numbers[n] = number
		}
		n++
	}
	return numbers[0], numbers[1], n >= 3
}

// auxValue reads a string as the Value of an event that is no element.
func (r *Reader) auxValue(k keyspace.Kind, what string) error {
	if err := r.whole(what); err != nil {
		return err
	}
	r.ev.Kind = k
	return r.emit()
}

// whole reads a string into the event's Value, with its place and encoding.
func (r *Reader) whole(what string) error {
	t, err := r.text(what)
	if err != nil {
		return err
	}
	at := r.in.offset()
	if t.enc == keyspace.Int {
		at -= t.size
	}
	if r.member, err = r.stringOf(r.member[:0], t, what); err != nil {
		return err
	}
	r.place(at, t.size)
	if t.enc == keyspace.LZF {
		r.ev.Pos.Inner = max(r.ev.Pos.Inner, 0)
	}
	r.ev.Value, r.ev.Encoding = r.member, t.enc
	return nil
}

// parseDecimal reads a non-negative number of at most 15 digits.
func parseDecimal(p []byte) (n int64, ok bool) {
	for _, c := range p {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(p) > 0 && len(p) <= 15
}

// keyMeta passes over the metadata of a key of Redis 8.6: a number of classes,
// for each a 32-bit id and values as a module writes them.
func (r *Reader) keyMeta() error {
	n, err := r.length("key metadata")
	if err == nil && (n == 0 || n > maxKeyMeta) {
		err = r.fail("key metadata: number of classes", keyspace.ErrCorrupt)
	}
	for ; err == nil && n > 0; n-- {
		if !r.in.skip(4) {
			return r.short("key metadata")
		}
		// What modules attach to a key is data like any other; the key's name comes after it.
		r.other(keyspace.Aux)
		r.ev.Key = append(r.field[:0], "key-meta"...)
		err = r.moduleValues(func(enc keyspace.Encoding, p []byte) error {
			if p == nil {
				return r.auxValue(keyspace.Aux, "key metadata")
			}
			return nil
		})
	}
	return err
}

// slotImport passes over the state of a slot migration of Valkey 9: its name
// and ranges of slots.
func (r *Reader) slotImport() (err error) {
	if r.field, err = r.name(r.field[:0], "slot import"); err != nil {
		return err
	}
	if len(r.field) != slotImportJob {
		return r.fail("slot import: length of its name", keyspace.ErrCorrupt)
	}
	n, err := r.length("slot import")
	for ; err == nil && n > 0; n-- {
		if _, err = r.length("slot import"); err == nil {
			_, err = r.length("slot import")
		}
	}
	return err
}
