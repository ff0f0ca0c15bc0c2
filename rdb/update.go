package rdb

import (
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// update reads RDB_OPCODE_UPDATE of Valkey 9.2 (forkless replication): one
// command in RESP inside the snapshot. It is yielded as a Command, and each of
// its arguments as an Element without a type, so that none is overlooked.
func (r *Reader) update() error {
	argc, err := r.respNumber('*')
	if err != nil {
		return err
	}
	if argc == 0 || argc > r.lim.MaxElements {
		return r.fail("update: number of arguments", keyspace.ErrCorrupt)
	}
	r.other(keyspace.Command)
	r.ev.Index, r.ev.Args = int64(argc), nil
	r.ev.Length = -1
	if err := r.emit(); err != nil {
		return err
	}
	w := &r.in
	r.elements = 0
	for i := uint64(0); i < argc; i++ {
		n, err := r.respNumber('$')
		if err != nil {
			return err
		}
		if n > 1<<62 {
			return r.fail("update: length of an argument", keyspace.ErrCorrupt)
		}
		b, err := r.openBlob(text{enc: keyspace.Raw, size: int64(n), full: int64(n)}, "update")
		if err != nil {
			return err
		}
		r.place(b.at, int64(n))
		r.ev.Index = int64(i)
		if err := r.bytesOf(b, int64(n), keyspace.RESP, "update"); err != nil {
			return err
		}
		if err := r.closeBlob(b, "update"); err != nil {
			return err
		}
		if !w.need(2) {
			return r.short("update")
		}
		if w.buf[w.r] != '\r' || w.buf[w.r+1] != '\n' {
			return r.fail("update: end of an argument", keyspace.ErrCorrupt)
		}
		w.r += 2
	}
	return nil
}

// respNumber reads a RESP prefix such as *3 or $10 and its line end.
func (r *Reader) respNumber(prefix byte) (n uint64, err error) {
	w := &r.in
	if !w.need(4) {
		return 0, r.short("update")
	}
	if w.buf[w.r] != prefix {
		return 0, r.fail("update: no RESP command", keyspace.ErrCorrupt)
	}
	for i := 1; i < 21; i++ {
		if !w.need(i + 2) {
			return 0, r.short("update")
		}
		c := w.buf[w.r+i]
		if c == '\r' && i > 1 && w.buf[w.r+i+1] == '\n' {
			w.r += i + 2
			return n, nil
		}
		if c < '0' || c > '9' || n > 1<<59 {
			break
		}
		n = n*10 + uint64(c-'0')
	}
	return 0, r.fail("update: number", keyspace.ErrCorrupt)
}
