package rdbwrite

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Values of modules: RDB_MODULE_OPCODE_* of src/rdb.h.
const (
	moduleEOF    = 0
	moduleSigned = 1
	moduleUint   = 2
	moduleFloat  = 3
	moduleDouble = 4
	moduleString = 5
)

const moduleCharset = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// moduleNameSize is the length of the name of a module's type.
const moduleNameSize = 9

// moduleID is the number that stands for a module's type: nine characters of six
// bits and an encoding version of ten (moduleTypeEncodeId of src/module.c).
func moduleID(name []byte, version int64) uint64 {
	id := uint64(0)
	for _, c := range name {
		id = id<<6 | uint64(max(strings.IndexByte(moduleCharset, c), 0))
	}
	return id<<10 | uint64(version)&1023
}

// moduleElement adds what a module stored: a number as its text, or a string.
func (w *Writer) moduleElement(e *keyspace.Event, value []byte) (err error) {
	b := &w.rec.body
	var i int64
	var u uint64
	var f float64
	switch e.Encoding {
	case keyspace.ModuleSigned:
		i, err = strconv.ParseInt(string(value), 10, 64)
		b.buf = appendLength(append(b.buf, moduleSigned), uint64(i))
	case keyspace.ModuleUnsigned:
		u, err = strconv.ParseUint(string(value), 10, 64)
		b.buf = appendLength(append(b.buf, moduleUint), u)
	case keyspace.ModuleFloat:
		f, err = strconv.ParseFloat(string(value), 32)
		b.buf = binary.LittleEndian.AppendUint32(append(b.buf, moduleFloat), math.Float32bits(float32(f)))
	case keyspace.ModuleDouble:
		f, err = strconv.ParseFloat(string(value), 64)
		b.buf = binary.LittleEndian.AppendUint64(append(b.buf, moduleDouble), math.Float64bits(f))
	default:
		b.buf = append(b.buf, moduleString)
		return w.text(value)
	}
	if err != nil {
		return w.refuse(e, "a module's number")
	}
	return b.shelve()
}
