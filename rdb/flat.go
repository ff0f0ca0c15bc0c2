package rdb

import "github.com/valkeyfs/valkeyfs/keyspace"

// Most keys of most snapshots are one string each, one behind the other. Runs of them
// are read in a loop that does no more than such a key takes. Whatever is not as simple
// is left to record, and so is the last key of a run: it leaves the reader as it is
// behind any key.

// flat is where the parts are of a record whose value is one string, in a slice that
// holds all of it.
type flat struct{ at, typeAt, name, nameEnd, value, end int }

// longFlat is how long a name may be that is read in a run; see mayMislead.
const longFlat = 1024

// packed are the types whose values are one string each, of which but for that of type 0
// all hold others.
var packed = [256]bool{0: true, 9: true, 10: true, 11: true, 12: true, 13: true, 16: true, 17: true, 20: true}

// flatAt finds at b[i:] a plain string with a plain name, of which nothing else is said.
// One that may be passed over may have an expiry, be of a type whose value is one string,
// and that in any encoding.
func (r *Reader) flatAt(b []byte, i int) (f flat, ok bool) {
	pass := r.o.Pass != nil
	f.at = i
	if pass && i < len(b) && b[i] == opExpireMS {
		i += 9
	}
	if i >= len(b) || b[i] != 0 && !(pass && packed[b[i]]) {
		return f, false
	}
	n, name, ok := flatLength(b, i+1)
	if !ok || n == 0 || n > longFlat || n >= shortString && n > r.lim.MaxKey || name+n >= len(b) {
		return f, false
	}
	f.typeAt, f.name, f.nameEnd = i, name, name+n
	n, value, ok := flatLength(b, f.nameEnd)
	switch {
	case ok:
		ok = pass || n < shortString || n <= r.lim.MaxChunk
	case pass:
		n, value, ok = r.oddLength(b, f.nameEnd)
	}
	f.value, f.end = value, value+n
	return f, ok && f.end <= len(b)
}

// flatLength reads a length of one byte or two at b[i:].
func flatLength(b []byte, i int) (n, next int, ok bool) {
	switch {
	case i < len(b) && b[i] < 64:
		return int(b[i]), i + 1, true
	case i+1 < len(b) && b[i] < 128:
		return int(b[i]&63)<<8 | int(b[i+1]), i + 2, true
	}
	return 0, 0, false
}

// oddLength reads how much a number or a compressed string takes at b[i:].
func (r *Reader) oddLength(b []byte, i int) (n, next int, ok bool) {
	switch b[i] {
	case 0xc0, 0xc1, 0xc2: // RDB_ENC_INT8, 16, 32
		return 1 << (b[i] & 3), i + 1, true
	case 0xc3: // RDB_ENC_LZF
		if n, next, ok = flatLength(b, i+1); !ok {
			return 0, 0, false
		}
		full, next, ok := flatLength(b, next)
		return n, next, ok && n > 0 && full > 0 && full/lzfMaxRatio <= n && int64(full) <= r.lim.MaxInflate
	}
	return 0, 0, false
}

// ahead is what was found of a run, some keys at a time.
type ahead struct {
	keys  [aheadKeys]flat
	n, i  int   // how many, and which is next
	base  int64 // of the window in which they are
	names [aheadKeys][]byte
	pass  [aheadKeys]bool // what Options.Pass says
}

const aheadKeys = 128

// flatRoom is more than a plain string takes whose lengths are of one byte.
const flatRoom = 1 + 2*shortString

// scout finds keys that may be part of a run at the current place, in b, but for the
// last of them.
func (r *Reader) scout(b []byte) (found bool) {
	q, i, n := r.ahead, r.in.r, 0
	if q == nil {
		if _, ok := r.flatAt(b, i); !ok {
			return false
		}
		q = &ahead{}
		r.ahead = q
	}
	for n < len(q.keys) {
		f := &q.keys[n]
		if i+flatRoom <= len(b) { // flatAt for most
			p := b[i : i+flatRoom]
			if l := uint(p[1]); p[0] == 0 && l-1 < shortString-1 && p[2+l] < shortString {
				value := i + int(l) + 3
				f.at, f.typeAt, f.name, f.nameEnd, f.value, f.end = i, i, i+2, value-1, value, value+int(p[2+l])
				q.names[n] = p[2 : 2+l]
				i = f.end
				n++
				continue
			}
		}
		g, ok := r.flatAt(b, i)
		if !ok {
			break
		}
		*f, q.names[n] = g, b[g.name:g.nameEnd]
		i = g.end
		n++
	}
	q.n, q.i, q.base = max(n-1, 0), 0, r.in.base
	if q.n > 0 && r.o.Pass != nil {
		clear(q.pass[:])
		r.o.Pass(r.ev.DB, q.names[:q.n], q.pass[:q.n])
	}
	return q.n > 0
}

// flats reads a run of keys but for its last: it yields their events or, where
// Options.Pass says so, passes them over.
func (r *Reader) flats() error {
	w, y, pass := &r.in, &r.way, r.o.Pass != nil
	if w.offset() <= r.failed || r.o.Resync && y.expiring.strings >= 0 || !pass && (r.asks || !r.bare || r.start >= 0) {
		return nil
	}
	b := w.buf[:w.w]
	if end := r.size + r.o.Offset - w.base; r.size > 0 && r.env == nil && end < int64(len(b)) {
		b = b[:max(end, 0)] // what is there beyond the end is not believed
	}
	from, suspect := w.r, -1
	for {
		q := r.ahead
		if q == nil || q.i == q.n || q.base != w.base || q.keys[q.i].at != w.r {
			if !r.scout(b) {
				break
			}
			if err := r.ctx.Err(); err != nil {
				return err
			}
			q = r.ahead
		}
		f := &q.keys[q.i]
		q.i++
		if !pass {
			if err := r.yieldFlat(b, f); err != nil {
				return err
			}
		} else if !q.pass[q.i-1] {
			break
		}
		w.r = f.end
		if b[f.typeAt] == 0 && f.end-f.at > longString {
			suspect = f.at
		}
		r.habits.note(b[f.typeAt], q.names[q.i-1], false, false)
		y.recent[y.read%len(y.recent)] = w.base + int64(f.at)
		y.read++
	}
	if r.o.Resync && w.r > from {
		r.noteFlats(b, from, w.r, suspect)
	}
	return nil
}

// yieldFlat yields the events of a plain string behind a key that was read whole, as
// keyValue would.
func (r *Reader) yieldFlat(b []byte, f *flat) error {
	ev, base := &r.ev, r.in.base
	ev.Record = base + int64(f.typeAt)
	ev.Kind, ev.Op, ev.Type, ev.Encoding, ev.Part = keyspace.Key, keyspace.OpCreate, keyspace.String, keyspace.Raw, keyspace.Whole
	ev.Key, ev.Index, ev.State = b[f.name:f.nameEnd], 0, keyspace.Live
	ev.Name = keyspace.Place{Offset: base + int64(f.name), Inner: -1, Length: int64(f.nameEnd - f.name)}
	ev.Pos.Offset, ev.Pos.Inner, ev.Length = ev.Record, -1, -1
	if !r.yield(ev, nil) {
		return errStop
	}
	ev.Kind, ev.Op, ev.Value = keyspace.Element, keyspace.OpPut, b[f.value:f.end]
	ev.Pos.Offset, ev.Length = base+int64(f.value), int64(f.end-f.value)
	if !r.yield(ev, nil) {
		return errStop
	}
	ev.Kind, ev.Op, ev.Value, ev.Index = keyspace.KeyEnd, keyspace.OpNone, nil, 1
	ev.Pos.Offset, ev.Length = ev.Record, base+int64(f.end)-ev.Record
	if !r.yield(ev, nil) {
		return errStop
	}
	return nil
}

// noteFlats is note for the records of a run, from an offset of b to another, of which
// the last that is a suspect begins at suspect; -1: none is.
func (r *Reader) noteFlats(b []byte, from, to, suspect int) {
	y, base := &r.way, r.in.base
	if suspect >= 0 {
		f, _ := r.flatAt(b, suspect)
		y.suspect.begin, y.suspect.typeAt, y.suspect.end, y.suspect.in = base+int64(suspect), base+int64(f.typeAt), base+int64(f.end), r.chosen()
		y.begins, from = append(y.begins[:0], y.suspect.begin), f.end
	}
	for y.suspect.end > 0 && from < to {
		begin := base + int64(from)
		if begin-y.suspect.end > stray {
			y.suspect.end = 0
			return
		}
		y.begins = append(y.begins, begin)
		f, _ := r.flatAt(b, from)
		from = f.end
	}
}
