package export

import (
	"bytes"
	"errors"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

var errFilter = errors.New("the commands of an append-only file cannot be filtered by key")

// copy takes a command of an append-only file as it is. One too long to have
// come whole is built anew from what it does, in a transaction, so that it can be
// taken back if its end is damaged.
func (x *respWriter) copy(e *keyspace.Event) error {
	x.interrupt()
	x.endRebuilt("EXEC")
	if x.match != nil {
		return errFilter
	}
	if len(e.Args) == 0 || e.State == keyspace.Recovered {
		return nil
	}
	if int64(len(e.Args)) < e.Index {
		x.rebuilt, x.db = true, e.DB
		if !x.multi {
			x.command("MULTI")
		}
		return nil
	}
	switch name := e.Args[0]; {
	case bytes.EqualFold(name, []byte("MULTI")):
		x.multi = true
	case bytes.EqualFold(name, []byte("EXEC")), bytes.EqualFold(name, []byte("DISCARD")):
		x.multi = false
	}
	x.buf = appendHead(x.buf, len(e.Args))
	for _, a := range e.Args {
		x.buf = appendBulk(x.buf, a)
	}
	x.db = -1
	return x.flush(flushSize)
}

// endRebuilt ends the transaction of a command that was built anew.
func (x *respWriter) endRebuilt(how string) {
	if x.rebuilt && !x.multi {
		x.command(how)
	}
	x.rebuilt = false
}

// endCommands ends an append-only file. A transaction that it leaves open is
// rolled back, as by a server.
func (x *respWriter) endCommands() {
	x.endRebuilt("EXEC")
	if x.multi {
		x.command("DISCARD")
		x.multi = false
	}
}

// change builds the part of a command that removes something.
func (x *respWriter) change(e *keyspace.Event) error {
	switch {
	case e.Op == keyspace.OpDeleteKey:
		x.command("DEL", e.Key)
	case e.Op == keyspace.OpDeleteElement && e.Type == keyspace.Hash:
		x.command("HDEL", e.Key, e.Field)
	case e.Op == keyspace.OpDeleteElement && e.Type == keyspace.Set:
		x.command("SREM", e.Key, e.Value)
	case e.Op == keyspace.OpDeleteElement && e.Type == keyspace.SortedSet:
		x.command("ZREM", e.Key, e.Value)
	case e.Op == keyspace.OpDeleteElement && e.Type == keyspace.Stream:
		x.buf = appendBulkID(appendBulk(appendBulkString(appendHead(x.buf, 3), "XDEL"), e.Key), e.ID)
	default:
		return tooLong(e)
	}
	return x.flush(flushSize)
}

// buildable reports whether an element's command can be told from op.
func buildable(op keyspace.Op) bool {
	switch op {
	case keyspace.OpPut, keyspace.OpAppend, keyspace.OpPushTail, keyspace.OpPushHead:
		return true
	}
	return false
}

// tooLong says that a command which did not come whole does what cannot be built.
func tooLong(e *keyspace.Event) error {
	return &keyspace.FormatError{Pos: e.Pos, What: "command too long to be copied: " + e.Op.String(), Err: keyspace.ErrLimit}
}
