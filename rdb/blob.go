package rdb

import "github.com/valkeyfs/valkeyfs/keyspace"

// blob is the content of one string while it is walked: b[i:] is visible, left
// bytes follow that are not. A short string is visible whole; a long one slides
// through a window of about MaxChunk, decompressed on the way.
type blob struct {
	b     []byte
	i     int
	left  int64 // bytes of content behind b
	at    int64 // where the string's data starts in the file (or inside an envelope)
	size  int64 // bytes of the string in the file
	inner int64 // offset of b[0] inside the content
	lzf   bool
	data  int64 // LZF: bytes of compressed data not yet consumed
	own   bool  // b is r.inflate, not the window
	full  int64 // bytes of content, as the file says
	cut   error // why b is all there is of it
}

// offset is that of the next byte inside the content.
func (b *blob) offset() int64 { return b.inner + int64(b.i) }

// openBlob begins the string whose header was just read. There is one blob at a time.
func (r *Reader) openBlob(t text, what string) (*blob, error) {
	w := &r.in
	b := &r.bl
	if t.enc != keyspace.Int && r.beyond(t.size) {
		return b, r.fail(what, errBeyond)
	}
	*b = blob{at: w.offset(), size: t.size, left: t.full, full: t.full}
	chunk := int64(max(r.lim.MaxChunk, minChunk))
	switch t.enc {
	case keyspace.Raw:
		if t.size <= chunk {
			n := int(t.size)
			if !w.need(n) {
				return b, r.remnant(b, w.buf[w.r:w.w], r.short(what))
			}
			b.b, b.left = w.buf[w.r:w.r+n], 0
			w.r += n
			return b, nil
		}
		if !w.need(1) {
			return b, r.short(what)
		}
		n := min(int64(w.w-w.r), t.size)
		b.b, b.left = w.buf[w.r:w.r+int(n)], t.size-n
	case keyspace.LZF:
		b.lzf, b.data, b.own = true, t.size, true
		if t.full <= chunk && t.size <= chunk {
			if !w.need(int(t.size)) {
				return b, r.short(what)
			}
			n := int(t.full)
			if len(r.inflate) < n+lzfSlack {
				r.inflate = make([]byte, max(n, 16<<10)+lzfSlack)
			}
			used, end, ok := lzfDecode(r.inflate, 0, n, w.buf[w.r:w.r+int(t.size)])
			if !ok || end != n || used != int(t.size) {
				return b, r.remnant(b, r.inflate[:end], r.fail(what+": invalid LZF data", keyspace.ErrCorrupt))
			}
			w.r += used
			r.inflated += int64(n)
			b.b, b.left, b.data = r.inflate[:n], 0, 0
			return b, nil
		}
		b.b = r.inflate[:0]
	default: // Int
		p := r.formatInt(t.num)
		b.b, b.left, b.full = p, 0, int64(len(p))
		b.at -= t.size
	}
	return b, nil
}

// remnant makes of a string that is cut or damaged what could be had of it: where
// reading goes on behind damage, the error comes once that is used up.
func (r *Reader) remnant(b *blob, p []byte, why error) error {
	if r.silent || r.skip || !r.o.Resync {
		return why
	}
	b.b, b.left, b.data, b.cut = p, 0, 0, why
	return nil
}

// minChunk keeps even tiny settings of MaxChunk clear of LZF's look-back.
const minChunk = 16 << 10

// needBlob makes n bytes visible.
func (r *Reader) needBlob(b *blob, n int, what string) error {
	if len(b.b)-b.i >= n {
		return nil
	}
	return r.slideBlob(b, n, what)
}

// slideBlob drops what was consumed and makes at least n bytes visible.
func (r *Reader) slideBlob(b *blob, n int, what string) error {
	if b.cut != nil {
		return b.cut
	}
	if int64(n) > int64(len(b.b)-b.i)+b.left {
		return r.blobFail(b, what+": runs past its end", keyspace.ErrCorrupt)
	}
	if b.lzf {
		return r.inflateMore(b, n, what)
	}
	w := &r.in
	w.r += b.i
	b.inner += int64(b.i)
	total := int64(len(b.b)-b.i) + b.left
	ok := w.need(n)
	m := min(int64(w.w-w.r), total)
	b.b, b.i, b.left = w.buf[w.r:w.r+int(m)], 0, total-m
	if !ok {
		return r.short(what)
	}
	return nil
}

// inflateMore decompresses until n bytes are visible, keeping the 8 KiB that
// LZF may look back to.
func (r *Reader) inflateMore(b *blob, n int, what string) error {
	w := &r.in
	keep := max(0, b.i-lzfMaxDistance)
	chunk := max(r.lim.MaxChunk, minChunk)
	room := lzfMaxDistance + max(n, chunk) + lzfMaxCopy
	visible := len(b.b) - keep
	buf := r.inflate
	if len(buf) < room+lzfSlack {
		buf = make([]byte, room+lzfSlack)
	}
	copy(buf, b.b[keep:])
	r.inflate = buf
	b.inner += int64(keep)
	b.i -= keep
	o := visible
	defer func() { b.b = buf[:o] }()
	for o-b.i < n {
		limit := int(min(int64(room), int64(o)+b.left))
		if !w.need(1) {
			return r.short(what)
		}
		in := w.buf[w.r:min(int64(w.w), int64(w.r)+b.data)]
		used, end, ok := lzfDecode(buf, o, limit, in)
		if !ok {
			o = end
			return r.blobFail(b, what+": invalid LZF data", keyspace.ErrCorrupt)
		}
		w.r += used
		b.data -= int64(used)
		b.left -= int64(end - o)
		r.inflated += int64(end - o)
		if used == 0 {
			// The next instruction is cut by what is visible of the data, or is false.
			switch {
			case int64(len(in)) < b.data && w.need(len(in)+1):
			case int64(len(in)) < b.data:
				return r.short(what)
			default:
				return r.blobFail(b, what+": invalid LZF data", keyspace.ErrCorrupt)
			}
		}
		o = end
		if b.left == 0 && b.data > 0 {
			return r.blobFail(b, what+": LZF data longer than it says", keyspace.ErrCorrupt)
		}
	}
	return nil
}

// closeBlob checks that the content was consumed and leaves the window behind it.
func (r *Reader) closeBlob(b *blob, what string) error {
	if b.cut != nil {
		return b.cut
	}
	if int64(len(b.b)-b.i)+b.left != 0 || b.data != 0 {
		return r.blobFail(b, what+": bytes after its end", keyspace.ErrCorrupt)
	}
	if !b.own && b.size > int64(max(r.lim.MaxChunk, minChunk)) {
		r.in.r += b.i
		b.i, b.b = 0, nil
	}
	return nil
}

// blobFail says that the blob's content is wrong at its current place.
func (r *Reader) blobFail(b *blob, what string, err error) error {
	e := r.failAt(b.at, what, err).(*keyspace.FormatError)
	switch {
	case b.lzf && r.start < 0:
		e.Pos.Inner = b.offset()
	case !b.lzf && r.start < 0:
		e.Pos.Offset += b.offset()
	}
	return e
}

// nameIn is placeIn for the event's name.
func (r *Reader) nameIn(b *blob, offset, n int64) {
	switch {
	case r.start >= 0:
		r.nameAt(b.at+offset, n)
	case b.lzf:
		r.ev.Name = keyspace.Place{Offset: b.at, Inner: offset, Length: b.size}
	default:
		r.ev.Name = keyspace.Place{Offset: b.at + offset, Inner: -1, Length: n}
	}
}

// placeIn sets the event's place for n bytes at offset of the blob's content:
// the bytes themselves where they stand in the file as they are, otherwise the
// compressed string and the offset inside it.
func (r *Reader) placeIn(b *blob, offset, n int64) {
	switch {
	case r.start >= 0:
		r.place(b.at+offset, n)
	case b.lzf:
		r.ev.Pos.Offset, r.ev.Pos.Inner, r.ev.Length = b.at, offset, b.size
	default:
		r.ev.Pos.Offset, r.ev.Pos.Inner, r.ev.Length = b.at+offset, -1, n
	}
}
