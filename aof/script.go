package aof

import (
	"bytes"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// applyEval is EVAL script numkeys key [key …] arg [arg …], EVALSHA with the hash
// and FCALL with the name of a function in its place. Servers log what a script
// does; those before Redis 5 logged the script, and what it did is not known.
func applyEval(c *command) {
	c.mentionOne(keyspace.Unknown)
	for n := c.integer(); n > 0 && c.more(); n-- {
		c.readKey()
		c.event(keyspace.Delete, keyspace.OpDeleteSome, keyspace.TypeNone)
		c.emit()
	}
}

// applyFunctionLoad is FUNCTION LOAD [REPLACE] code.
func applyFunctionLoad(c *command) {
	c.skip(c.argc - 1 - c.next)
	code, at := c.name(otherSlot)
	e := c.event(keyspace.Function, keyspace.OpCreate, keyspace.TypeNone)
	e.DB, e.Pos.Offset, e.Length, e.Key, e.Value = -1, at, int64(len(code)), libraryName(code), code
	c.emit()
}

// libraryName returns what the first line of a library's code, such as
// "#!lua name=mylib", calls it (functions.c, functionExtractLibMetaData).
func libraryName(code []byte) []byte {
	line, _, _ := bytes.Cut(code[:min(len(code), maxShebang)], []byte("\n"))
	_, name, ok := bytes.Cut(line, []byte(" name="))
	if !ok || !bytes.HasPrefix(line, []byte("#!")) {
		return nil
	}
	name, _, _ = bytes.Cut(name, []byte(" "))
	return bytes.Trim(name, "\"'\r")
}

// maxShebang bounds the first line of a library.
const maxShebang = 4096

// applyFunctionDelete is FUNCTION DELETE library.
func applyFunctionDelete(c *command) {
	e := c.deleteFunctions()
	c.named(&e.Key)
	c.emit()
}

// applyFunctionFlush is FUNCTION FLUSH [ASYNC|SYNC].
func applyFunctionFlush(c *command) {
	c.deleteFunctions()
	c.emit()
	c.skip(c.argc)
}

func (c *command) deleteFunctions() *keyspace.Event {
	e := c.event(keyspace.Delete, keyspace.OpDeleteLibrary, keyspace.TypeNone)
	e.DB = -1
	return e
}

// applyFunctionRestore is FUNCTION RESTORE payload [FLUSH|APPEND|REPLACE].
func applyFunctionRestore(c *command) {
	payload, at := c.name(otherSlot)
	if is(c.word(), "FLUSH") {
		c.deleteFunctions()
		c.emit()
	}
	c.restoreFunctions(payload, at)
}
