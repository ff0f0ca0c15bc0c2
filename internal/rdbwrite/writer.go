package rdbwrite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/valkeyfs/valkeyfs/internal/spill"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// Opcodes, RDB_OPCODE_* of both servers' src/rdb.h.
const (
	opFunction2 = 245
	opIdle      = 248
	opFreq      = 249
	opAux       = 250
	opResizeDB  = 251
	opExpireMS  = 252
	opSelectDB  = 254
	opEOF       = 255
)

// Versions from which on a part of the format is known.
const (
	sinceChecksum = 5
	sinceQuick    = 7 // quicklists, aux fields, RESIZEDB
	sinceBinary   = 8 // binary scores, modules
	sinceStreams  = 9
	sinceStreams2 = 10 // functions, too
	sinceStreams3 = 11
	sinceFieldTTL = 12 // of Redis; Valkey's own versions all have it
)

// Version is the header of a snapshot.
type Version struct {
	Magic  string // "REDIS" or "VALKEY"
	Number int    // 1 to 15, or 80 to 81
}

// valkey reports whether types from 22 on are Valkey's.
func (v Version) valkey() bool { return v.Magic == "VALKEY" }

// header is the nine bytes that stand first.
func (v Version) header() (string, error) {
	switch {
	case v.valkey() && v.Number >= 80 && v.Number <= 81:
		return fmt.Sprintf("VALKEY%03d", v.Number), nil
	case v.Magic == "REDIS" && v.Number >= 1 && v.Number <= 15:
		return fmt.Sprintf("REDIS%04d", v.Number), nil
	}
	return "", fmt.Errorf("no such version of a snapshot: %s %d", v.Magic, v.Number)
}

// Options say what a Writer may take. The zero value keeps up to 32 MiB of a record
// in memory and spills into the system's directory for temporary files.
type Options struct {
	MaxMem int64  // bytes of a record that are held in memory
	Tmp    string // where the rest is spilled to, encrypted
}

const defaultMem = 32 << 20

// Writer writes one snapshot. Its first error sticks: every method returns it from
// then on. It is not safe for concurrent use.
type Writer struct {
	w       io.Writer
	version Version
	crc     uint64
	n       int64
	err     error
	db      int32  // of what follows; -1: none
	in      int32  // of the record that was written last; -1: none
	most    int32  // the greatest that was selected; -1: none
	ahead   []byte // what selects db, to be written before the next record
	store   *spill.Store
	vouches bool // the checksum is written
	buf     []byte
	rec     record
	lib     *library
}

// New returns a Writer that has written the header. Close it.
func New(w io.Writer, v Version, o Options) (*Writer, error) {
	head, err := v.header()
	if err != nil {
		return nil, err
	}
	if o.MaxMem <= 0 {
		o.MaxMem = defaultMem
	}
	x := &Writer{w: w, version: v, db: -1, in: -1, most: -1, store: spill.New(o.Tmp, o.MaxMem), vouches: true}
	x.rec.init(x.store, o.MaxMem)
	return x, x.write([]byte(head))
}

// Len is how many bytes were written.
func (w *Writer) Len() int64 { return w.n }

// write writes p and adds it to the checksum.
func (w *Writer) write(p []byte) error {
	if w.err != nil {
		return w.err
	}
	w.crc = rdb.Checksum(w.crc, p)
	n, err := w.w.Write(p)
	w.n += int64(n)
	w.err = err
	return err
}

// Aux writes an aux field, such as redis-ver. Versions before 7 have none.
func (w *Writer) Aux(name, value []byte) error {
	if !w.version.valkey() && w.version.Number < sinceQuick {
		return w.err
	}
	w.buf = appendString(appendString(append(w.buf[:0], opAux), name), value)
	return w.write(w.buf)
}

// Salvaged is the name of an aux field which says that nothing vouches for what the
// snapshot was made of: its own checksum proves only that it is as it was written.
const Salvaged = "salvaged"

// Unverified writes that field. Versions that have none get no checksum.
func (w *Writer) Unverified() error {
	w.vouches = w.version.valkey() || w.version.Number >= sinceQuick
	return w.Aux([]byte(Salvaged), []byte("valkeyfs"))
}

// DB is the database of what follows, -1 before the first.
func (w *Writer) DB() int32 { return w.db }

// Select chooses the database of what follows. It is written before the next record, so
// that none is selected in which there is none: a server may have fewer databases.
func (w *Writer) Select(db int32) error {
	if db == w.db {
		return w.err
	}
	w.db, w.ahead = db, w.ahead[:0]
	if db != w.in {
		w.ahead = appendLength(append(w.ahead, opSelectDB), uint64(db))
	}
	return w.err
}

// Resize says how many keys the database has that was just selected, and how many of them
// expire: servers make room for them. It may be left out.
func (w *Writer) Resize(keys, expires uint64) error {
	if len(w.ahead) > 0 && (w.version.valkey() || w.version.Number >= sinceQuick) {
		w.ahead = appendLength(appendLength(append(w.ahead, opResizeDB), keys), expires)
	}
	return w.err
}

// enter writes what selects the database of the record that comes next.
func (w *Writer) enter() error {
	if len(w.ahead) == 0 {
		return w.err
	}
	err := w.write(w.ahead)
	w.in, w.most, w.ahead = w.db, max(w.most, w.db), w.ahead[:0]
	return err
}

// Databases is how many a server needs that loads what was written.
func (w *Writer) Databases() int64 { return int64(w.most) + 1 }

// Function writes the source of a library of functions, which names itself.
func (w *Writer) Function(code []byte) error {
	if !w.version.valkey() && w.version.Number < sinceStreams2 {
		return w.unsupported("functions")
	}
	w.buf = appendString(append(w.buf[:0], opFunction2), code)
	return w.write(w.buf)
}

// Raw copies n bytes of r: whole records of another snapshot, as they stand there.
// One that selects a database must not be among them.
func (w *Writer) Raw(r io.Reader, n int64) error {
	if n <= 0 {
		return w.err
	}
	if err := w.enter(); err != nil {
		return err
	}
	if cap(w.buf) < copySize {
		w.buf = make([]byte, 0, copySize)
	}
	for n > 0 {
		p := w.buf[:min(n, copySize)]
		if _, err := io.ReadFull(r, p); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			w.err = err
			return err
		}
		if err := w.write(p); err != nil {
			return err
		}
		n -= int64(len(p))
	}
	return nil
}

const copySize = 64 << 10

// Close writes the end marker and the checksum, and frees what was spilled. It does
// not close the io.Writer.
func (w *Writer) Close() error {
	err := w.write([]byte{opEOF})
	if err == nil && (w.version.valkey() || w.version.Number >= sinceChecksum) {
		sum := w.crc
		if !w.vouches {
			sum = 0 // none
		}
		err = w.write(binary.LittleEndian.AppendUint64(nil, sum))
	}
	if e := w.store.Close(); err == nil {
		err = e
	}
	return err
}
