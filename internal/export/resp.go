package export

import (
	"encoding/binary"
	"hash/crc64"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

const (
	// batchElements and batchBytes bound one command.
	batchElements = 512
	batchBytes    = 64 << 10
	// restoreSize is the length of commands up to which a key is rather restored
	// from its serialized value, if the reader kept it.
	restoreSize = 16 << 20
	// maxBulk is the longest string that a server takes: proto-max-bulk-len of its
	// default configuration.
	maxBulk = 512 << 20
)

// respWriter writes RESP: the keys of snapshots as the commands that build
// them, the commands of append-only files as they are.
type respWriter struct {
	out     *output
	buf     []byte
	match   func(*keyspace.Event) bool
	refused func(error) // Options.Refused

	version  int64 // of the snapshot's format
	commands bool  // what comes is an append-only file's
	multi    bool  // between its MULTI and EXEC
	rebuilt  bool  // a command that did not come whole is built from what it does
	db       int32 // selected; -1: unknown

	open   bool           // between Key and KeyEnd of a key that is exported
	key    keyspace.Event // Op, Type, Encoding, Expire and Pos of its Key event
	name   []byte
	begin  int // where in buf its commands start; -1 once some were written
	batch  batch
	ttls   []byte // HPEXPIREATs that follow the batch
	long   []byte // a string that arrives in parts
	field  []byte
	stream streamCommands
}

// batch is a command that grows: name, key, and arguments by the element.
type batch struct {
	command  string
	args     []byte
	n        int // arguments
	elements int
}

func newRESPWriter(out *output, o Options) *respWriter {
	return &respWriter{out: out, match: o.Match, refused: o.Refused, db: -1}
}

func (x *respWriter) event(e *keyspace.Event) error {
	switch e.Kind {
	case keyspace.Element:
		if x.open {
			return x.element(e)
		}
	case keyspace.Key:
		x.interrupt()
		if x.exports(e) {
			x.start(e)
		}
	case keyspace.KeyEnd:
		if x.open {
			return x.end(e)
		}
	case keyspace.StreamMeta, keyspace.Group, keyspace.Consumer, keyspace.Pending:
		if x.open {
			return x.streamEvent(e)
		}
	case keyspace.Function:
		if !x.commands && x.match == nil && len(e.Value) > 0 {
			x.command("FUNCTION", []byte("LOAD"), e.Value)
		}
	case keyspace.Command:
		return x.copy(e)
	case keyspace.Delete, keyspace.Expire, keyspace.Flush, keyspace.Rename, keyspace.SwapDB:
		if x.rebuilt {
			return x.change(e)
		}
	case keyspace.Header:
		x.header(e)
	case keyspace.Damage, keyspace.Torn:
		x.interrupt()
		x.endRebuilt("DISCARD")
	}
	return nil
}

// exports reports whether the key that e begins is built by commands.
func (x *respWriter) exports(e *keyspace.Event) bool {
	if x.commands {
		return x.rebuilt && e.Op != keyspace.OpNone
	}
	return x.match == nil || x.match(e)
}

// header begins a file: a snapshot, or commands, which begin in database 0
// (loadSingleAppendOnlyFile of src/aof.c).
func (x *respWriter) header(e *keyspace.Event) {
	x.interrupt()
	x.endCommands()
	x.version, x.commands = e.Index, string(e.Value) == "RESP"
	if x.commands {
		x.selectDB(0)
	}
}

func (x *respWriter) selectDB(db int32) {
	if x.db != db {
		x.db = db
		x.buf = appendBulkInt(appendBulkString(appendHead(x.buf, 2), "SELECT"), int64(db))
	}
}

// start begins a key.
func (x *respWriter) start(e *keyspace.Event) {
	x.selectDB(max(e.DB, 0))
	x.open = true
	x.key = keyspace.Event{Op: e.Op, Type: e.Type, Encoding: e.Encoding, Expire: e.Expire, Pos: e.Pos}
	x.name = append(x.name[:0], e.Key...)
	x.begin = len(x.buf)
	x.batch = batch{args: x.batch.args[:0]}
	x.ttls = x.ttls[:0]
	x.stream.reset()
	if x.rebuilt && e.Op == keyspace.OpCreate && e.Type != keyspace.String {
		x.command("DEL", x.name)
	}
}

// end completes a key: from its serialized value, if that is there and none of
// its commands is written yet, or with its expiry.
func (x *respWriter) end(e *keyspace.Event) error {
	x.open = false
	switch {
	case len(e.Value) > 0 && x.begin >= 0:
		x.buf = x.buf[:x.begin]
		x.restore(e.Value)
	case !x.byCommands():
		return x.refuse(&keyspace.FormatError{Pos: x.key.Pos, What: x.key.Type.String() + " without its serialized value", Err: keyspace.ErrUnsupported})
	default:
		x.flushBatch()
		x.expire()
	}
	return x.flush(flushSize)
}

// refuse leaves out a key of which nothing was written, if that may be.
func (x *respWriter) refuse(err error) error {
	if x.refused == nil || x.begin < 0 {
		return err
	}
	x.buf = x.buf[:x.begin]
	x.refused(err)
	return nil
}

// byCommands reports whether there are commands that build a value of the key's type.
func (x *respWriter) byCommands() bool {
	return x.key.Type >= keyspace.String && x.key.Type <= keyspace.Stream
}

// interrupt completes a key as far as it was read.
func (x *respWriter) interrupt() {
	if x.open {
		x.open = false
		x.flushBatch()
		x.expire()
	}
}

func (x *respWriter) expire() {
	if x.key.Expire != keyspace.NoExpire && x.key.Op != keyspace.OpUpdate {
		x.buf = appendBulk(appendBulkString(appendHead(x.buf, 3), "PEXPIREAT"), x.name)
		x.buf = appendBulkInt(x.buf, x.key.Expire)
	}
}

// restore writes RESTORE. The payload of DUMP is the value, the version of the
// snapshot's format (LE16) and the CRC-64 of both (createDumpPayload of
// src/cluster.c). A time to live of 0 is none.
func (x *respWriter) restore(value []byte) {
	b := appendHead(x.buf, 5)
	b = appendBulkString(b, "RESTORE")
	b = appendBulk(b, x.name)
	b = appendBulkInt(b, max(x.key.Expire, 0))
	b = append(strconv.AppendInt(append(b, '$'), int64(len(value)+10), 10), "\r\n"...)
	from := len(b)
	b = binary.LittleEndian.AppendUint16(append(b, value...), uint16(x.version))
	b = binary.LittleEndian.AppendUint64(b, checksum(b[from:]))
	b = append(b, "\r\n"...)
	x.buf = appendBulkString(b, "ABSTTL")
}

// element adds an element to the batch.
func (x *respWriter) element(e *keyspace.Event) error {
	if !x.byCommands() {
		return nil
	}
	if x.rebuilt && !buildable(e.Op) {
		return tooLong(e)
	}
	if e.Part != keyspace.Whole {
		return x.piece(e)
	}
	return x.add(e, e.Field, e.Value)
}

// piece takes a part of a long string: appends it to a string, gathers that of a collection.
func (x *respWriter) piece(e *keyspace.Event) error {
	if x.key.Type == keyspace.String {
		command := "APPEND"
		if e.Part == keyspace.First && e.Op != keyspace.OpAppend {
			command = "SET"
		}
		x.command(command, x.name, e.Value)
		return x.spill()
	}
	if e.Part == keyspace.First {
		x.long, x.field = x.long[:0], append(x.field[:0], e.Field...)
	}
	if len(x.long)+len(e.Value) > maxBulk {
		return &keyspace.FormatError{Pos: e.Pos, What: "element longer than a server takes", Err: keyspace.ErrLimit}
	}
	x.long = append(x.long, e.Value...)
	if e.Part != keyspace.Last {
		return nil
	}
	err := x.add(e, x.field, x.long)
	if cap(x.long) > restoreSize {
		x.long = nil
	}
	return err
}

// add adds an element whose strings are field and value.
func (x *respWriter) add(e *keyspace.Event, field, value []byte) error {
	b := &x.batch
	switch x.key.Type {
	case keyspace.String:
		command := "SET"
		if e.Op == keyspace.OpAppend {
			command = "APPEND"
		}
		x.command(command, x.name, value)
		return x.spill()
	case keyspace.List:
		b.command = "RPUSH"
		if e.Op == keyspace.OpPushHead {
			b.command = "LPUSH"
		}
	case keyspace.Set:
		b.command = "SADD"
	case keyspace.SortedSet:
		b.command = "ZADD"
		b.args = appendScore(b.args, e.Score)
		b.n++
	case keyspace.Hash:
		b.command = "HSET"
		b.args = appendBulk(b.args, field)
		b.n++
		if e.Expire != keyspace.NoExpire {
			x.fieldExpire(field, e.Expire)
		}
	case keyspace.Stream:
		if e.State == keyspace.Deleted {
			return nil
		}
		if err := x.entry(e); err != nil {
			return err
		}
		b.args = appendBulk(b.args, field)
		b.n++
	}
	b.args = appendBulk(b.args, value)
	b.n++
	b.elements++
	if x.key.Type != keyspace.Stream && (b.elements >= batchElements || len(b.args)+len(x.ttls) >= batchBytes) {
		x.flushBatch()
		return x.spill()
	}
	return nil
}

// fieldExpire notes the expiry of a field, to be set once the field is.
func (x *respWriter) fieldExpire(field []byte, ms int64) {
	x.ttls = appendBulkString(appendHead(x.ttls, 6), "HPEXPIREAT")
	x.ttls = appendBulk(x.ttls, x.name)
	x.ttls = appendBulkInt(x.ttls, ms)
	x.ttls = appendBulk(append(x.ttls, "$6\r\nFIELDS\r\n$1\r\n1\r\n"...), field)
}

// flushBatch completes the command that grew.
func (x *respWriter) flushBatch() {
	b := &x.batch
	if b.n == 0 {
		return
	}
	x.buf = appendBulk(appendBulkString(appendHead(x.buf, b.n+2), b.command), x.name)
	x.buf = append(append(x.buf, b.args...), x.ttls...)
	*b = batch{args: b.args[:0]}
	x.ttls = x.ttls[:0]
}

// spill writes out what is there of a long key, unless it may still be restored.
func (x *respWriter) spill() error {
	if x.key.Type == keyspace.Stream && x.begin >= 0 && len(x.buf)-x.begin < restoreSize {
		return nil
	}
	if len(x.buf) < flushSize {
		return nil
	}
	x.begin = -1
	return x.flush(0)
}

func (x *respWriter) flush(atLeast int) (err error) {
	if len(x.buf) >= atLeast {
		x.buf, err = x.out.write(x.buf)
	}
	return err
}

func (x *respWriter) close() error {
	x.interrupt()
	x.endCommands()
	return x.flush(0)
}

// command writes a command.
func (x *respWriter) command(name string, args ...[]byte) {
	x.buf = appendBulkString(appendHead(x.buf, 1+len(args)), name)
	for _, a := range args {
		x.buf = appendBulk(x.buf, a)
	}
}

func appendHead(b []byte, args int) []byte {
	return append(strconv.AppendInt(append(b, '*'), int64(args), 10), "\r\n"...)
}

func appendBulk(b, p []byte) []byte {
	b = append(strconv.AppendInt(append(b, '$'), int64(len(p)), 10), "\r\n"...)
	return append(append(b, p...), "\r\n"...)
}

func appendBulkString(b []byte, s string) []byte {
	b = append(strconv.AppendInt(append(b, '$'), int64(len(s)), 10), "\r\n"...)
	return append(append(b, s...), "\r\n"...)
}

func appendBulkInt(b []byte, n int64) []byte {
	var room [20]byte
	return appendBulk(b, strconv.AppendInt(room[:0], n, 10))
}

func appendBulkID(b []byte, id keyspace.StreamID) []byte {
	var room [41]byte
	return appendBulk(b, appendID(room[:0], id))
}

// appendScore appends a score so that it reads back exactly.
func appendScore(b []byte, f float64) []byte {
	var room [32]byte
	p := appendFloat(room[:0], f)
	if p[0] == '"' { // inf, -inf
		p = p[1 : len(p)-1]
	}
	return appendBulk(b, p)
}

// jones is the polynomial of the servers' CRC-64, reflected (src/crc64.c).
var jones = crc64.MakeTable(0x95ac9329ac4bc9b5)

// checksum is the servers' CRC-64: without the complements that hash/crc64
// applies before and after.
func checksum(p []byte) uint64 { return ^crc64.Update(^uint64(0), jones, p) }
