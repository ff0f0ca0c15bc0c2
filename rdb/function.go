package rdb

import (
	"bytes"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// function reads RDB_OPCODE_FUNCTION2 (src/functions.c, rdbFunctionLoad): the
// source of a library, whose first line names it: #!lua name=LIBRARY.
func (r *Reader) function() (err error) {
	if err = r.whole("function"); err != nil {
		return err
	}
	if !bytes.HasPrefix(r.member, []byte("#!")) {
		return r.failAt(r.ev.Record, "function: no shebang, which no server takes", keyspace.ErrCorrupt)
	}
	r.ev.Key = libraryName(r.member)
	return r.emit()
}

// libraryName finds name= on the first line of a library's source.
func libraryName(code []byte) []byte {
	line, _, _ := bytes.Cut(code[:min(len(code), 4096)], []byte("\n"))
	for _, word := range bytes.Fields(line) {
		if name, ok := bytes.CutPrefix(word, []byte("name=")); ok {
			return bytes.Trim(name, `"'`)
		}
	}
	return nil
}

// functionPreGA reads RDB_OPCODE_FUNCTION_PRE_GA of Redis 7.0's release
// candidates: name, engine, whether there is a description, it, the source.
func (r *Reader) functionPreGA() (err error) {
	if r.field, err = r.name(r.field[:0], "function name"); err != nil {
		return err
	}
	r.other(keyspace.Function)
	r.ev.Key = r.field
	if r.member, err = r.name(r.member[:0], "function engine"); err != nil {
		return err
	}
	described, err := r.length("function")
	if err != nil {
		return err
	}
	if described != 0 {
		if err := r.auxValue(keyspace.Function, "function description"); err != nil {
			return err
		}
	}
	return r.auxValue(keyspace.Function, "function source")
}
