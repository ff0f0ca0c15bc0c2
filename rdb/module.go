package rdb

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Modules: a 64-bit id of nine characters of six bits and an encoding version
// of ten (src/module.c, moduleTypeEncodeId), then values, each behind its
// opcode (RDB_MODULE_OPCODE_* of src/rdb.h), so that a file can be read without
// the module.
const (
	moduleEOF    = 0
	moduleSigned = 1
	moduleUint   = 2
	moduleFloat  = 3
	moduleDouble = 4
	moduleString = 5
)

const moduleCharset = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// moduleName decodes a module's id.
func moduleName(dst []byte, id uint64) []byte {
	for shift := 58; shift >= 10; shift -= 6 {
		dst = append(dst, moduleCharset[id>>shift&63])
	}
	return dst
}

// minModuleID is below every id that a module has: nine characters of six bits
// over ten bits of version (module.c, moduleTypeEncodeId), of which a smaller id
// would have three of 'A' in front. 0 is an error's; chance makes small ones.
const minModuleID = 1 << 32

func (r *Reader) moduleID() (uint64, error) {
	id, err := r.length("module id")
	if err == nil && id < minModuleID {
		err = r.fail(fmt.Sprintf("module id: %d", id), keyspace.ErrCorrupt)
	}
	return id, err
}

// moduleHead reads the id in front of a module's value into the Key event.
func (r *Reader) moduleHead() error {
	at := r.in.offset()
	id, err := r.moduleID()
	if err != nil {
		return err
	}
	r.idSize = int(r.in.offset() - at)
	r.member = moduleName(r.member[:0], id)
	r.ev.Field, r.ev.Index = r.member, int64(id&1023)
	if string(r.member) == "vectorset" {
		r.ev.Type = keyspace.VectorSet
	}
	return nil
}

func modulePreGA(r *Reader) error {
	return r.fail("type 6: a module's value of a pre-release of Redis 4.0 has no frame", keyspace.ErrUnsupported)
}

// module2 yields the values of a module, one element each.
func module2(r *Reader) error {
	r.ev.Field = nil
	return r.moduleValues(func(enc keyspace.Encoding, p []byte) error {
		r.ev.Index = r.elements
		if p == nil {
			return r.value("module string")
		}
		return r.element(p, enc)
	})
}

// moduleValues reads values up to the closing opcode. each gets numbers as
// text, and nil where a string follows in the file that it has to read.
func (r *Reader) moduleValues(each func(keyspace.Encoding, []byte) error) error {
	w := &r.in
	for n := uint64(0); ; n++ {
		if n > r.lim.MaxElements {
			return r.fail("module: number of values", keyspace.ErrLimit)
		}
		op, err := r.length("module opcode")
		if err != nil {
			return err
		}
		at := w.offset()
		var enc keyspace.Encoding
		var text []byte
		switch op {
		case moduleEOF:
			return nil
		case moduleSigned, moduleUint:
			v, err := r.length("module number")
			if err != nil {
				return err
			}
			enc, text = keyspace.ModuleUnsigned, strconv.AppendUint(r.scratch[:0], v, 10)
			if op == moduleSigned {
				enc, text = keyspace.ModuleSigned, r.formatInt(int64(v))
			}
		case moduleFloat:
			if !w.need(4) {
				return r.short("module float")
			}
			f := math.Float32frombits(binary.LittleEndian.Uint32(w.buf[w.r:]))
			w.r += 4
			enc, text = keyspace.ModuleFloat, strconv.AppendFloat(r.scratch[:0], float64(f), 'g', -1, 32)
		case moduleDouble:
			if !w.need(8) {
				return r.short("module double")
			}
			f := math.Float64frombits(binary.LittleEndian.Uint64(w.buf[w.r:]))
			w.r += 8
			enc, text = keyspace.ModuleDouble, strconv.AppendFloat(r.scratch[:0], f, 'g', -1, 64)
		case moduleString:
			if each == nil {
				err = r.passString("module string")
			} else {
				err = each(keyspace.Raw, nil)
			}
			if err != nil {
				return err
			}
			continue
		default:
			return r.failAt(at, "module: unknown opcode", keyspace.ErrCorrupt)
		}
		if each != nil {
			r.place(at, w.offset()-at)
			if err := each(enc, text); err != nil {
				return err
			}
		}
	}
}

// moduleAux reads RDB_OPCODE_MODULE_AUX: what a module keeps beside the keys.
// Its strings are yielded as aux fields under the module's name.
func (r *Reader) moduleAux() error {
	id, err := r.moduleID()
	if err != nil {
		return err
	}
	for _, what := range []string{"module aux: opcode", "module aux: when"} {
		n, err := r.length(what)
		if err != nil {
			return err
		}
		if what == "module aux: opcode" && n != moduleUint {
			return r.fail(what, keyspace.ErrCorrupt)
		}
	}
	r.other(keyspace.Aux)
	r.field = moduleName(r.field[:0], id)
	r.ev.Key = r.field
	r.ev.Type = keyspace.Module
	err = r.moduleValues(func(enc keyspace.Encoding, p []byte) error {
		if p == nil {
			return r.auxValue(keyspace.Aux, "module string")
		}
		r.ev.Value, r.ev.Encoding = p, enc
		return r.emit()
	})
	r.ev.Type = keyspace.TypeNone
	return err
}
