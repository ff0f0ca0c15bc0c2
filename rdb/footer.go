package rdb

import (
	"encoding/binary"
	"math"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// footer checks what stands at the end: the checksum, and that nothing follows.
func (r *Reader) footer() error {
	end := r.in.offset()
	verdict, err := r.verdict()
	if err != nil || r.silent {
		return err
	}
	trailing, err := r.believe(end, verdict)
	if err != nil {
		return err
	}
	var failed error
	if verdict == keyspace.ChecksumFailed {
		if failed, err = r.doubt(end, "checksum of the file", keyspace.ErrChecksum); err != nil {
			return err
		}
	}
	if !r.o.Preamble {
		n, err := r.trail()
		if err != nil {
			return err
		}
		trailing += n
	}
	if verdict == keyspace.ChecksumUnchecked && trailing == 8 {
		if failed, err = r.doubt(end, "a checksum behind a version that has none", keyspace.ErrCorrupt); err != nil {
			return err
		}
	}
	if err := r.end(end, trailing, verdict); err != nil {
		return err
	}
	return failed
}

// verdict reads the checksum, of a version that has one, and judges it.
func (r *Reader) verdict() (keyspace.Checksum, error) {
	if r.magic != "VALKEY" && r.version < crcSince {
		return keyspace.ChecksumUnchecked, nil
	}
	var sum uint64
	var known bool
	if !r.silent {
		sum, known = r.checksum()
	}
	w := &r.in
	if !w.need(8) {
		return keyspace.ChecksumUnchecked, r.short("checksum")
	}
	stored := binary.LittleEndian.Uint64(w.buf[w.r:])
	w.r += 8
	switch {
	case stored == 0:
		return keyspace.ChecksumDisabled, nil
	case known && stored == sum:
		return keyspace.ChecksumOK, nil
	case known && r.env == nil:
		// Inside an envelope the servers do not check it either (Valkey pull request 3531).
		return keyspace.ChecksumFailed, nil
	}
	return keyspace.ChecksumUnchecked, nil
}

// believe looks, where more follows and no checksum vouches for this end, for records
// behind it: it may be a byte of what is damaged. It returns how far it has read.
func (r *Reader) believe(end int64, verdict keyspace.Checksum) (trailing int64, err error) {
	w := &r.in
	if !r.o.Resync || verdict == keyspace.ChecksumOK || !w.need(1) || r.beginsLog() {
		return 0, nil
	}
	behind := w.offset()
	switch found, err := r.search(math.MaxInt64); {
	case err != nil:
		return 0, err
	case found:
		return 0, r.failAt(end-1, "an end marker before the end", keyspace.ErrCorrupt)
	}
	return w.offset() - behind, nil
}

// doubt says what is wrong with the checksum at end: by a Damage event or, where
// damage ends the reading, by an error that stands behind the End event.
func (r *Reader) doubt(end int64, what string, reason error) (failed, err error) {
	failed = r.failAt(end, what, reason)
	if !r.o.Resync {
		return failed, nil
	}
	return nil, r.damage(end, 8, failed)
}

// trail reads what follows to the end of the input, and returns how much it is.
func (r *Reader) trail() (n int64, err error) {
	w := &r.in
	for w.need(1) {
		n += int64(w.w - w.r)
		w.r = w.w
	}
	if !w.ended() {
		if err := r.short("after the end marker"); !r.o.Resync {
			return 0, err
		} else if err := r.damage(w.offset(), 0, err); err != nil {
			return 0, err
		}
	}
	return n, r.reportGaps()
}

// end yields End.
func (r *Reader) end(at, trailing int64, verdict keyspace.Checksum) error {
	w := &r.in
	r.other(keyspace.End)
	r.ev.Value = r.origin()
	r.ev.DB, r.ev.Presumed = 0, false
	r.place(at, w.offset()-r.o.Offset-trailing)
	if r.start >= 0 {
		r.ev.Length = w.offset() - trailing
	}
	r.ev.Index, r.ev.Count = int64(verdict), trailing
	return r.emit()
}

// beginsLog reports whether commands follow a preamble, as they should.
func (r *Reader) beginsLog() bool {
	c := r.in.buf[r.in.r]
	return r.o.Preamble && (c == '*' || c == '#')
}

// checksum is that of all bytes up to the current position. It is not known
// after a search for records that looked far ahead or went back; ok is then false.
func (r *Reader) checksum() (sum uint64, ok bool) {
	w := &r.in
	if w.r < w.sumAt || w.blind {
		return 0, false
	}
	return Checksum(w.sum, w.buf[w.sumAt:w.r]), true
}
