package rdb

import (
	"encoding/binary"
	"math"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Collections: rdbLoadObject of src/rdb.c.

// runOf reads the strings of a list or set that is stored as a run of them.
func runOf(r *Reader) error {
	n, err := r.count("number of elements")
	for i := uint64(0); err == nil && i < n; i++ {
		r.ev.Index = int64(i)
		err = r.value("element")
	}
	return err
}

// zsetOf reads pairs of member and score; binary tells how the score is stored.
func zsetOf(binaryScore bool) func(*Reader) error {
	return func(r *Reader) error {
		n, err := r.count("number of members")
		for i := uint64(0); err == nil && i < n; i++ {
			err = r.scored(binaryScore)
		}
		return err
	}
}

// scored reads one member and its score.
func (r *Reader) scored(binaryScore bool) error {
	w := &r.in
	// A short plain member and its score, both in the window.
	if w.need(1) {
		if n := int(w.buf[w.r]); binaryScore && n < 64 && w.need(1+n+8) {
			p := w.buf[w.r+1 : w.r+1+n]
			r.ev.Score = math.Float64frombits(binary.LittleEndian.Uint64(w.buf[w.r+1+n:]))
			r.place(w.offset()+1, int64(n))
			r.nameAt(w.offset()+1+int64(n), 8)
			w.r += 1 + n + 8
			return r.element(p, keyspace.Raw)
		}
	}
	return r.followed("member", func() (err error) {
		at := r.in.offset()
		r.ev.Score, err = r.score(binaryScore)
		if !binaryScore {
			at++ // its length
		}
		r.nameAt(at, max(0, r.in.offset()-at))
		return err
	})
}

// followed reads a string as a Value whose event needs what stands behind it in
// the file and then reads. Of a long string only the last part waits for that.
func (r *Reader) followed(what string, then func() error) error {
	t, err := r.text(what)
	if err != nil {
		return err
	}
	b, err := r.openBlob(t, what)
	if err != nil {
		return err
	}
	at, left, chunk := b.at, t.full, int64(r.lim.MaxChunk)
	if t.enc == keyspace.Int {
		left = int64(len(b.b))
	}
	place := func() {
		r.place(at, t.size)
		if t.enc == keyspace.LZF {
			r.ev.Pos.Inner = max(r.ev.Pos.Inner, 0)
		}
	}
	place()
	for part := keyspace.First; left > chunk; part = keyspace.Middle {
		if err := r.needBlob(b, int(chunk), what); err != nil {
			return err
		}
		p := b.b[b.i : b.i+int(chunk)]
		b.i += int(chunk)
		left -= chunk
		r.ev.Part = part
		if err := r.element(p, t.enc); err != nil {
			return err
		}
	}
	if err := r.needBlob(b, int(left), what); err != nil {
		return err
	}
	last := b.b[b.i : b.i+int(left)]
	if !r.silent { // a trial asks but for its length
		r.member = append(r.member[:0], last...)
		last = r.member
	}
	b.i += int(left)
	if err := r.closeBlob(b, what); err != nil {
		return err
	}
	if err := then(); err != nil {
		return err
	}
	place()
	if r.ev.Part != keyspace.Whole {
		r.ev.Part = keyspace.Last
	}
	err = r.element(last, t.enc)
	r.ev.Part = keyspace.Whole
	return err
}

// chunked yields bytes that are at hand as one Value, in parts where they exceed MaxChunk.
func (r *Reader) chunked(p []byte, enc keyspace.Encoding) error {
	if len(p) <= r.lim.MaxChunk {
		return r.element(p, enc)
	}
	for part := keyspace.First; len(p) > 0; part = keyspace.Middle {
		n := min(len(p), r.lim.MaxChunk)
		if n == len(p) {
			part = keyspace.Last
		}
		r.ev.Part = part
		if err := r.element(p[:n], enc); err != nil {
			return err
		}
		p = p[n:]
	}
	r.ev.Part = keyspace.Whole
	return nil
}

// score reads a double: rdbLoadBinaryDoubleValue or rdbLoadDoubleValue.
func (r *Reader) score(binaryScore bool) (float64, error) {
	w := &r.in
	if binaryScore {
		if !w.need(8) {
			return 0, r.short("score")
		}
		f := math.Float64frombits(binary.LittleEndian.Uint64(w.buf[w.r:]))
		w.r += 8
		return f, nil
	}
	if !w.need(1) {
		return 0, r.short("score")
	}
	n := int(w.buf[w.r])
	switch n {
	case 253, 254, 255:
		w.r++
		return [...]float64{math.NaN(), math.Inf(1), math.Inf(-1)}[n-253], nil
	}
	if !w.need(1 + n) {
		return 0, r.short("score")
	}
	f, ok := parseScore(w.buf[w.r+1 : w.r+1+n])
	if !ok {
		return 0, r.fail("score", keyspace.ErrCorrupt)
	}
	w.r += 1 + n
	return f, nil
}

// hashOf reads pairs of field and value.
func hashOf(r *Reader) error {
	n, err := r.count("number of fields")
	for i := uint64(0); err == nil && i < n; i++ {
		err = r.pair()
	}
	return err
}

func (r *Reader) pair() error {
	if err := r.fieldName(); err != nil {
		return err
	}
	return r.value("value")
}

// fieldName reads the name of a field. A trial passes over it.
func (r *Reader) fieldName() (err error) {
	if !r.silent {
		r.field, err = r.name(r.field[:0], "field")
		r.ev.Field = r.field
		return err
	}
	t, err := r.text("field")
	if err != nil {
		return err
	}
	if t.enc == keyspace.Raw && (t.size < shortString || t.size <= int64(r.lim.MaxKey)) { // those that name takes
		return r.pass(t.size, "field")
	}
	r.field, err = r.stringOf(r.field[:0], t, "field")
	return err
}

// hashExpiresValkey reads RDB_TYPE_HASH_2 of Valkey 9 (rdbSaveObject): field,
// value and the field's expiry, LE64 milliseconds, -1 for none.
func hashExpiresValkey(r *Reader) error {
	n, err := r.count("number of fields")
	for i := uint64(0); err == nil && i < n; i++ {
		err = r.expiringPair()
	}
	return err
}

func (r *Reader) expiringPair() error {
	if err := r.fieldName(); err != nil {
		return err
	}
	return r.followed("value", r.fieldExpire)
}

// fieldExpire reads the LE64 expiry of a field.
func (r *Reader) fieldExpire() error {
	if !r.in.need(8) {
		return r.short("field expiry")
	}
	ms := int64(binary.LittleEndian.Uint64(r.in.buf[r.in.r:]))
	if ms < -1 {
		return r.fail("field expiry: negative, which no server takes", keyspace.ErrCorrupt)
	}
	r.in.r += 8
	r.setFieldExpire(ms)
	return nil
}

// setFieldExpire gives the event a field and its expiry, NoExpire for none.
func (r *Reader) setFieldExpire(ms int64) {
	r.ev.Field, r.ev.Expire = r.field, keyspace.NoExpire
	r.ev.State = r.keyState()
	if ms >= 0 {
		r.ev.Expire = ms
		if r.asOf > 0 && ms <= r.asOf {
			r.ev.State = keyspace.Expired
		}
	}
}

// maxFieldExpire is EB_EXPIRE_TIME_MAX of Redis' src/ebuckets.h: rdbLoadObject takes no
// expiry of a field beyond it.
const maxFieldExpire = 1<<48 - 1

// hashExpiresRedis reads RDB_TYPE_HASH_METADATA of Redis 7.4: the smallest
// expiry (LE64), then for each field a length that is 0 for none or the expiry
// minus the smallest plus 1, the field, the value. Release candidates wrote
// neither (RDB_TYPE_HASH_METADATA_PRE_GA): the length is the expiry itself.
func hashExpiresRedis(preGA bool) func(*Reader) error {
	return func(r *Reader) error {
		least := int64(1)
		if !preGA {
			var err error
			if least, err = r.leastFieldExpire(); err != nil {
				return err
			}
		}
		n, err := r.count("number of fields")
		for i := uint64(0); err == nil && i < n; i++ {
			var ttl uint64
			if ttl, err = r.length("field expiry"); err != nil {
				return err
			}
			if err = r.fieldName(); err != nil {
				return err
			}
			ms := keyspace.NoExpire
			if ttl != 0 {
				ms = least + int64(ttl) - 1
			}
			if ttl != 0 && uint64(ms) > maxFieldExpire {
				return r.fail("field expiry: beyond any that a server takes", keyspace.ErrCorrupt)
			}
			r.setFieldExpire(ms)
			err = r.value("value")
		}
		return err
	}
}

// leastFieldExpire reads the LE64 expiry that comes first, one more than any where no
// field has one.
func (r *Reader) leastFieldExpire() (int64, error) {
	const what = "smallest field expiry"
	if !r.in.need(8) {
		return 0, r.short(what)
	}
	ms := binary.LittleEndian.Uint64(r.in.buf[r.in.r:])
	if ms > maxFieldExpire+1 {
		return 0, r.fail(what+": beyond any that a server takes", keyspace.ErrCorrupt)
	}
	r.in.r += 8
	return int64(ms), nil
}

// listIn reads a list or set that is one container.
func listIn(enc keyspace.Encoding) func(*Reader) error {
	return func(r *Reader) error {
		_, err := r.walkValues(enc, 0)
		return err
	}
}

// walkValues yields every entry of the next string as an element, numbered from index on.
func (r *Reader) walkValues(enc keyspace.Encoding, index int64) (int64, error) {
	if r.skip {
		return index, r.passString(enc.String())
	}
	w, err := r.openWalk(enc)
	if err != nil {
		return index, err
	}
	for {
		ok, err := r.step(&w, &r.cell)
		if !ok || err != nil {
			return index, err
		}
		r.ev.Index = index
		index++
		if err := r.cellValue(w.b, &r.cell, enc, "element"); err != nil {
			return index, err
		}
	}
}

// passString consumes a string undecoded.
func (r *Reader) passString(what string) error {
	t, err := r.text(what)
	if err != nil {
		return err
	}
	if t.enc == keyspace.Int {
		return nil
	}
	return r.pass(t.size, what)
}

// zsetIn reads a sorted set that is one container of members and scores.
func zsetIn(enc keyspace.Encoding) func(*Reader) error {
	return func(r *Reader) error {
		if r.skip {
			return r.passString(enc.String())
		}
		w, err := r.openWalk(enc)
		if err != nil {
			return err
		}
		for {
			ok, err := r.step(&w, &r.cell)
			if !ok || err != nil {
				return err
			}
			c := r.cell
			var member []byte
			if member, r.member, err = r.cellBytes(w.b, &c, r.member, "member"); err != nil {
				return err
			}
			if err := r.must(&w, &r.cell); err != nil {
				return err
			}
			r.nameIn(w.b, r.cell.off, r.cell.n)
			if r.ev.Score, err = r.cellScore(w.b, &r.cell, enc.String()); err != nil {
				return err
			}
			r.placeIn(w.b, c.off, c.n)
			e := enc
			if c.isInt {
				e = keyspace.Int
			}
			if err := r.chunked(member, e); err != nil {
				return err
			}
		}
	}
}

// hashIn reads a hash that is one container of fields and values.
func hashIn(enc keyspace.Encoding) func(*Reader) error {
	return func(r *Reader) error {
		if r.skip {
			return r.passString(enc.String())
		}
		w, err := r.openWalk(enc)
		if err != nil {
			return err
		}
		for {
			ok, err := r.step(&w, &r.cell)
			if !ok || err != nil {
				return err
			}
			if r.ev.Field, r.field, err = r.cellBytes(w.b, &r.cell, r.field, "field"); err != nil {
				return err
			}
			if err := r.must(&w, &r.cell); err != nil {
				return err
			}
			if err := r.cellValue(w.b, &r.cell, enc, "value"); err != nil {
				return err
			}
		}
	}
}

// hashExpiresIn reads RDB_TYPE_HASH_LISTPACK_EX of Redis 7.4: the smallest
// expiry (LE64; not in release candidates), then a listpack of fields, values
// and absolute expiries, 0 for none.
func hashExpiresIn(preGA bool) func(*Reader) error {
	return func(r *Reader) error {
		if !preGA {
			if _, err := r.leastFieldExpire(); err != nil {
				return err
			}
		}
		if r.skip {
			return r.passString("listpack")
		}
		w, err := r.openWalk(keyspace.ListpackEx)
		if err != nil {
			return err
		}
		for {
			ok, err := r.step(&w, &r.cell)
			if !ok || err != nil {
				return err
			}
			var field, value []byte
			if field, r.field, err = r.cellBytes(w.b, &r.cell, r.field, "field"); err != nil {
				return err
			}
			if err := r.must(&w, &r.cell); err != nil {
				return err
			}
			c, name := r.cell, r.ev.Name
			if value, r.member, err = r.cellBytes(w.b, &c, r.member, "value"); err != nil {
				return err
			}
			if err := r.must(&w, &r.cell); err != nil {
				return err
			}
			if !r.cell.isInt {
				return r.blobFail(w.b, "listpack: field expiry is no number", keyspace.ErrCorrupt)
			}
			ms := keyspace.NoExpire
			if r.cell.num != 0 {
				ms = r.cell.num
			}
			r.setFieldExpire(ms)
			r.ev.Field, r.ev.Name = field, name
			r.placeIn(w.b, c.off, c.n)
			e := keyspace.ListpackEx
			if c.isInt {
				e = keyspace.Int
			}
			if err := r.chunked(value, e); err != nil {
				return err
			}
		}
	}
}

// quicklist reads RDB_TYPE_LIST_QUICKLIST: a run of ziplists.
func quicklist(r *Reader) error {
	n, err := r.count("number of nodes")
	index := int64(0)
	for i := uint64(0); err == nil && i < n; i++ {
		index, err = r.walkValues(keyspace.Ziplist, index)
	}
	return err
}

// Containers of a quicklist's node: QUICKLIST_NODE_CONTAINER_* of src/quicklist.h.
const (
	nodePlain  = 1
	nodePacked = 2
)

// quicklist2 reads RDB_TYPE_LIST_QUICKLIST_2: a run of container kind and node.
func quicklist2(r *Reader) error {
	n, err := r.count("number of nodes")
	index := int64(0)
	for i := uint64(0); err == nil && i < n; i++ {
		var kind uint64
		if kind, err = r.length("quicklist container"); err != nil {
			return err
		}
		switch kind {
		case nodePlain:
			r.unproven = true
			r.ev.Index = index
			index++
			err = r.value("element")
		case nodePacked:
			index, err = r.walkValues(keyspace.Listpack, index)
		default:
			err = r.fail("quicklist: unknown container", keyspace.ErrCorrupt)
		}
	}
	return err
}
