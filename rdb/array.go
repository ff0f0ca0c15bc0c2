package rdb

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// array reads RDB_TYPE_ARRAY of Redis 8.8 as redis/librdb does
// (elementRawArray): number of elements, a flag and, where it is 1, the index
// of the next insertion; then index, tag and payload of each element.
func array(r *Reader) error {
	const text, integer, float, short = 0, 1, 2, 3
	n, err := r.count("number of elements")
	if err == nil && n == 0 {
		err = r.fail("array: without elements", keyspace.ErrCorrupt)
	}
	if err != nil {
		return err
	}
	flag, err := r.length("array flag")
	if err != nil {
		return err
	}
	switch flag {
	case 0:
	case 1:
		if _, err := r.length("array insertion index"); err != nil {
			return err
		}
	default:
		return r.fail("array: flag", keyspace.ErrCorrupt)
	}
	w := &r.in
	for ; n > 0; n-- {
		index, err := r.length("array index")
		if err != nil {
			return err
		}
		if index == math.MaxUint64 {
			return r.fail("array: index", keyspace.ErrCorrupt)
		}
		tag, err := r.length("array tag")
		if err != nil {
			return err
		}
		r.ev.Index = int64(index)
		at := w.offset()
		switch tag {
		case text, short:
			err = r.value("array element")
		case integer, float:
			if !w.need(8) {
				return r.short("array element")
			}
			bits := binary.LittleEndian.Uint64(w.buf[w.r:])
			w.r += 8
			r.place(at, 8)
			if tag == integer {
				err = r.element(r.formatInt(int64(bits)), keyspace.Int)
			} else {
				err = r.element(strconv.AppendFloat(r.scratch[:0], math.Float64frombits(bits), 'g', -1, 64), keyspace.ModuleDouble)
			}
		default:
			err = r.failAt(at, "array: unknown tag", keyspace.ErrUnsupported)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
