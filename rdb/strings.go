package rdb

import (
	"encoding/binary"
	"fmt"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Lengths and strings: rdbLoadLenByRef, rdbLoadIntegerObject and
// rdbLoadLzfStringObject of src/rdb.c.

// lenOrEnc reads a length, or, where enc is true, the number of a special encoding.
func (r *Reader) lenOrEnc(what string) (n uint64, enc bool, err error) {
	w := &r.in
	if !w.need(1) {
		return 0, false, r.short(what)
	}
	c := w.buf[w.r]
	switch c >> 6 {
	case 0:
		w.r++
		return uint64(c), false, nil
	case 1:
		if !w.need(2) {
			return 0, false, r.short(what)
		}
		n = uint64(c&63)<<8 | uint64(w.buf[w.r+1])
		w.r += 2
		return n, false, nil
	case 3:
		w.r++
		return uint64(c & 63), true, nil
	}
	switch c {
	case 0x80: // RDB_32BITLEN
		if !w.need(5) {
			return 0, false, r.short(what)
		}
		n = uint64(binary.BigEndian.Uint32(w.buf[w.r+1:]))
		w.r += 5
		return n, false, nil
	case 0x81: // RDB_64BITLEN
		if !w.need(9) {
			return 0, false, r.short(what)
		}
		n = binary.BigEndian.Uint64(w.buf[w.r+1:])
		w.r += 9
		return n, false, nil
	}
	return 0, false, r.fail(what+": invalid length byte", keyspace.ErrCorrupt)
}

// length reads a plain length.
func (r *Reader) length(what string) (uint64, error) {
	n, enc, err := r.lenOrEnc(what)
	if err == nil && enc {
		err = r.fail(what+": a length was expected", keyspace.ErrCorrupt)
	}
	return n, err
}

// count reads the number of elements that a record claims.
func (r *Reader) count(what string) (uint64, error) {
	n, err := r.length(what)
	if err == nil && n > r.lim.MaxElements {
		err = r.fail(what+": number of elements", keyspace.ErrLimit)
	}
	return n, err
}

// shortString is the length from which a string's length takes more than a byte.
const shortString = 64

// header of a string.
type text struct {
	enc  keyspace.Encoding // Raw, Int or LZF
	size int64             // bytes of data that follow in the file
	full int64             // bytes after decompression
	num  int64             // Int: the number; its bytes are consumed
}

func (r *Reader) text(what string) (t text, err error) {
	n, enc, err := r.lenOrEnc(what)
	if err != nil {
		return t, err
	}
	w := &r.in
	if !enc {
		if n > 1<<62 {
			return t, r.fail(what+": length beyond any file", keyspace.ErrCorrupt)
		}
		return text{enc: keyspace.Raw, size: int64(n), full: int64(n)}, nil
	}
	switch n {
	case 0, 1, 2: // RDB_ENC_INT8, 16, 32
		size := 1 << n
		if !w.need(size) {
			return t, r.short(what)
		}
		t = text{enc: keyspace.Int, size: int64(size)}
		p := w.buf[w.r:]
		switch n {
		case 0:
			t.num = int64(int8(p[0]))
		case 1:
			t.num = int64(int16(binary.LittleEndian.Uint16(p)))
		case 2:
			t.num = int64(int32(binary.LittleEndian.Uint32(p)))
		}
		w.r += size
		return t, nil
	case 3: // RDB_ENC_LZF
		size, err := r.length(what)
		if err != nil {
			return t, err
		}
		full, err := r.length(what)
		if err != nil {
			return t, err
		}
		if size == 0 || size > 1<<62 || full == 0 || full/lzfMaxRatio > size {
			return t, r.fail(what+": impossible compressed length", keyspace.ErrCorrupt)
		}
		if full > uint64(r.lim.MaxInflate) {
			return t, r.fail(what+": decompressed length", keyspace.ErrLimit)
		}
		return text{enc: keyspace.LZF, size: int64(size), full: int64(full)}, nil
	}
	return t, r.fail(what+": unknown string encoding", keyspace.ErrCorrupt)
}

// name appends a whole string to dst: a key, a field, whatever must be at hand
// at once. It is bounded by Limits.MaxKey. The event's Name becomes its place.
func (r *Reader) name(dst []byte, what string) ([]byte, error) {
	w := &r.in
	if i := w.r + 1; i <= w.w {
		if n := int(w.buf[i-1]); n < shortString && i+n <= w.w {
			r.nameAt(w.base+int64(i), int64(n))
			w.r = i + n
			return append(dst, w.buf[i:i+n]...), nil
		}
	}
	t, err := r.text(what)
	if err != nil {
		return dst, err
	}
	at := w.offset()
	if t.enc == keyspace.Int {
		at -= t.size
	}
	r.nameAt(at, t.size)
	if t.enc == keyspace.LZF {
		r.ev.Name.Inner = max(r.ev.Name.Inner, 0)
	}
	return r.stringOf(dst, t, what)
}

// Names end bombs: what they decompress to in all may exceed namesFree bytes only
// while it stays below namesRatio times what was read. Each is looked at in many
// ways, and those of servers' users are compressed to a fifth at best.
const (
	namesFree  = 256 << 20
	namesRatio = 16
)

// errNames ends the reading of a file, behind damage or not.
var errNames = fmt.Errorf("%w: names of this file decompress to more than %d times its size, and it is not read on", keyspace.ErrLimit, namesRatio)

// stringOf appends the string whose header was just read to dst.
func (r *Reader) stringOf(dst []byte, t text, what string) ([]byte, error) {
	w := &r.in
	if t.full > int64(r.lim.MaxKey) {
		return dst, r.fail(what+": length", keyspace.ErrLimit)
	}
	switch t.enc {
	case keyspace.Int:
		return append(dst, r.formatInt(t.num)...), nil
	case keyspace.LZF:
		if r.unpacked += t.full; r.unpacked > namesFree && r.unpacked/namesRatio > w.offset()-r.o.Offset {
			return dst, r.fail(what, errNames)
		}
		b, err := r.openBlob(t, what)
		if err != nil {
			return dst, err
		}
		for {
			dst = append(dst, b.b[b.i:]...)
			b.i = len(b.b)
			if b.left == 0 {
				return dst, r.closeBlob(b, what)
			}
			if err := r.slideBlob(b, 1, what); err != nil {
				return dst, err
			}
		}
	}
	if r.beyond(t.size) {
		return dst, r.fail(what, errBeyond)
	}
	for n := int(t.size); n > 0; {
		if !w.need(1) {
			return dst, r.short(what)
		}
		p := w.buf[w.r:min(w.w, w.r+n)]
		dst = append(dst, p...)
		w.r += len(p)
		n -= len(p)
	}
	return dst, nil
}

// value reads a string as the Value of one element, in parts where it is long.
func (r *Reader) value(what string) error {
	w := &r.in
	// Most strings are short and plain.
	if i := w.r + 1; i <= w.w {
		if n := int(w.buf[i-1]); 0 < n && n < shortString && i+n <= w.w {
			w.r = i + n
			r.elements++
			if r.silent || r.skip {
				return nil
			}
			r.place(w.base+int64(i), int64(n))
			r.ev.Kind, r.ev.Encoding, r.ev.Value = keyspace.Element, keyspace.Raw, w.buf[i:i+n]
			return r.emit()
		}
	}
	t, err := r.text(what)
	if err != nil {
		return err
	}
	if r.skip {
		if t.enc == keyspace.Int {
			return nil
		}
		return r.pass(t.size, what)
	}
	if t.enc == keyspace.Int {
		r.place(w.offset()-t.size, t.size)
		return r.element(r.formatInt(t.num), keyspace.Int)
	}
	b, err := r.openBlob(t, what)
	if err != nil {
		return err
	}
	r.place(b.at, t.size)
	if t.enc == keyspace.LZF {
		r.ev.Pos.Inner = max(r.ev.Pos.Inner, 0)
	}
	if err := r.bytesOf(b, t.full, t.enc, what); err != nil {
		return err
	}
	return r.closeBlob(b, what)
}

// pass consumes n bytes without looking at them.
func (r *Reader) pass(n int64, what string) error {
	if r.beyond(n) {
		return r.fail(what, errBeyond)
	}
	if !r.in.skip(n) {
		return r.short(what)
	}
	return nil
}

// bytesOf yields the next n bytes of b as one Value, in parts where n exceeds
// Limits.MaxChunk. Pos and Length are set already.
func (r *Reader) bytesOf(b *blob, n int64, enc keyspace.Encoding, what string) error {
	limit := int64(r.lim.MaxChunk)
	if n <= limit {
		if err := r.needBlob(b, int(n), what); err != nil {
			return r.fragment(b, keyspace.First, enc, err)
		}
		p := b.b[b.i : b.i+int(n)]
		b.i += int(n)
		return r.element(p, enc)
	}
	for part := keyspace.First; ; part = keyspace.Middle {
		step := min(n, limit)
		if err := r.needBlob(b, int(step), what); err != nil {
			return r.fragment(b, part, enc, err)
		}
		p := b.b[b.i : b.i+int(step)]
		b.i += int(step)
		n -= step
		if n == 0 {
			part = keyspace.Last
		}
		r.ev.Part = part
		if err := r.element(p, enc); err != nil {
			return err
		}
		if n == 0 {
			r.ev.Part = keyspace.Whole
			return nil
		}
	}
}

// fragment yields what there is of a value that ends in damage: its last part does
// not come.
func (r *Reader) fragment(b *blob, part keyspace.Part, enc keyspace.Encoding, why error) error {
	p := b.b[b.i:]
	if r.silent || r.skip || !r.o.Resync || len(p) == 0 {
		return why
	}
	r.ev.Part = part
	if err := r.element(p, enc); err != nil {
		return err
	}
	return why
}

// element yields p as the Value of an Element; all else is set already.
func (r *Reader) element(p []byte, enc keyspace.Encoding) error {
	if r.ev.Part.Ends() {
		r.elements++
	}
	if len(p) == 0 && (r.ev.Type == keyspace.Set || r.ev.Type == keyspace.SortedSet) {
		if r.hollow > 0 {
			// Servers refuse a member that is there twice, rdbLoadObject of src/rdb.c:
			// this is a false number of them that leads over other records.
			return r.fail("a second member without a name", keyspace.ErrCorrupt)
		}
		r.hollow++
	}
	if r.silent || r.skip {
		return nil
	}
	if r.tick++; r.tick&1023 == 0 && r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	r.ev.Kind, r.ev.Encoding, r.ev.Value = keyspace.Element, enc, p
	return r.emit()
}
