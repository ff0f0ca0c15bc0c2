package keyspace

import (
	"bytes"
	"iter"
	"slices"
)

// Seq is a stream of events; see the package documentation for its contract.
type Seq = iter.Seq2[*Event, error]

// Kind says what an event reports.
type Kind uint8

// The kinds of events. Which fields of the Event each of them sets is noted
// beside it; DB, Pos and Record are set on all.
const (
	KindNone   Kind = iota
	Header          // start of a file: Value = magic ("REDIS", "VALKEY", "RESP"), Index = format version
	Aux             // Key = name, Value = value
	DB              // SELECT: DB; Index = keys and Count = keys with an expiry, as the file claims, -1 if it does not say
	Slot            // cluster slot info: Index = slot, Count = keys as the file claims
	Function        // Key = library name, Value = code
	Key             // start of a key's record: Op, Key, Type, Encoding, Expire, Idle, Freq; Module: Field = module's name, Index = its encoding version
	Element         // one element, see the table at Type; Op, Part, Length
	Group           // stream consumer group: Field = group, ID = last delivered, Index = entries read (-1 unknown)
	Consumer        // Field = group, Value = consumer, Time = seen ms, Expire = active ms (NoExpire: never or not recorded)
	Pending         // Field = group, Value = consumer (nil: the group's own list, which carries Time and Index), ID, Time = delivered ms, Index = delivery count
	StreamMeta      // end of a stream: ID = last id, Index = length, Count = entries added; Field = first id and Value = max deleted id as text, if recorded
	KeyEnd          // end of the key's record: Length = bytes of the record, Index = number of elements; Value = serialized value if the reader was told to keep it
	Delete          // Op says what is removed: the key, an element, a range
	Expire          // Key (and Field: the field's) expiry becomes Expire; NoExpire = persist; Op says on which condition
	Flush           // DB, or every database when DB is -1
	Rename          // Op = OpRename, OpCopy or OpMove: Key becomes Value in database Index; or OpMoveMember, OpShare
	SwapDB          // databases DB and Index change places
	Command         // Args = the arguments, as many as were buffered; Index = how many there are, Length = bytes of the command
	Damage          // Pos, Length = bytes not understood, Err = why; Key = that of the record, where only its value was not
	Torn            // the last file of a log ends inside a command or a MULTI, as a crash leaves it: Pos, Length = bytes that a server drops when it starts, Err = why
	End             // end of the file: Length = bytes read, Index = Checksum verdict, Count = bytes after the end marker; Value = magic of a snapshot that has lost it, where its records tell
	kinds           // number of kinds
)

var kindNames = [kinds]string{"none", "header", "aux", "db", "slot", "function", "key", "element", "group", "consumer",
	"pending", "stream-meta", "key-end", "delete", "expire", "flush", "rename", "swapdb", "command", "damage", "torn", "end"}

func (k Kind) String() string { return name(kindNames[:], k) }

// Type is the type of a value, as the TYPE command names it.
//
//	type       an Element carries
//	String     Value
//	List       Value, Index
//	Set        Value = member
//	SortedSet  Value = member, Score; Count = 1: the member may have kept another (ZADD NX, XX, GT, LT)
//	Hash       Field, Value, Expire = the field's; Count = 1: it keeps the one it has (KEEPTTL)
//	Stream     one Element a field of an entry: ID, Field, Value, Index = position in the entry
//	Module     Value = a string, or a number as text (Encoding tells), Index
//	VectorSet  as Module
//	Array      Value, Index
//	RateLimit  Value = the time as text
type Type uint8

// The types of values.
const (
	TypeNone Type = iota
	String
	List
	Set
	SortedSet
	Hash
	Stream
	Module
	VectorSet
	Array     // Redis 8.8
	RateLimit // Redis 8.10 GCRA
	types
)

var typeNames = [types]string{"none", "string", "list", "set", "zset", "hash", "stream", "module", "vectorset", "array", "gcra"}

func (t Type) String() string { return name(typeNames[:], t) }

// Encoding says how the file holds a value. On a Key event it is the encoding of
// the whole; on an Element that of its own string.
type Encoding uint8

// The encodings of values and strings.
const (
	EncodingNone Encoding = iota
	Raw                   // a plain string; a collection of plain strings
	Int                   // an integer in 1, 2, 4 or 8 bytes
	LZF                   // a string compressed by LZF
	Linkedlist            // list as a run of strings
	Hashtable             // set or hash as a run of strings
	Skiplist              // sorted set as member and score
	Zipmap
	Ziplist
	Intset
	Listpack
	ListpackEx // hash listpack with field expiries
	Quicklist  // of ziplists
	Quicklist2 // of listpacks and plain nodes
	HashtableEx
	Radix // stream: radix tree of listpacks
	ModuleValue
	ModuleSigned
	ModuleUnsigned
	ModuleFloat
	ModuleDouble
	Template // hash that refers to a template of field names
	Sparse   // array
	RESP     // an argument of a command
	encodings
)

var encodingNames = [encodings]string{"none", "raw", "int", "lzf", "linkedlist", "hashtable", "skiplist", "zipmap", "ziplist",
	"intset", "listpack", "listpackex", "quicklist", "quicklist2", "hashtable-ex", "stream", "module", "sint", "uint", "float",
	"double", "template", "array", "resp"}

func (e Encoding) String() string { return name(encodingNames[:], e) }

// State is what became of a value by the end of the input.
type State uint8

// The states of a value.
const (
	Unknown     State = iota // nothing was resolved
	Live                     // part of the data set that a server would load
	Expired                  // its expiry had passed, or the server logged its expiry
	Overwritten              // another value took its place
	Deleted                  // removed by a command
	Flushed                  // removed by FLUSHDB or FLUSHALL
	Recovered                // never or no longer part of a data set: salvage, a MULTI without EXEC
	states
)

var stateNames = [states]string{"unknown", "live", "expired", "overwritten", "deleted", "flushed", "recovered"}

func (s State) String() string { return name(stateNames[:], s) }

// Part tells which piece of a long value an Element carries. Values up to
// Limits.MaxChunk arrive whole. Of a long one, Score and Expire are right from
// the Last part on: they may stand behind it in the file.
type Part uint8

// The parts of a value.
const (
	Whole Part = iota
	First
	Middle
	Last
	parts
)

var partNames = [parts]string{"whole", "first", "middle", "last"}

func (p Part) String() string { return name(partNames[:], p) }

// Begins reports whether the part is the start of a value.
func (p Part) Begins() bool { return p == Whole || p == First }

// Ends reports whether the part is the end of a value.
func (p Part) Ends() bool { return p == Whole || p == Last }

// Op says how an event changes the keyspace, or what is known of a command.
// Snapshots use OpCreate and OpPut only.
type Op uint8

// The operations, by the kind of event that carries them.
const (
	// OpNone, of a Key or an Element of an AOF, is a mention: data that a command
	// names but does not store, such as a value to compare with, or an argument of
	// a script or of an unknown command. Nothing changes. The Key may be nil.
	OpNone Op = iota

	// Key.
	OpCreate // the key now holds what follows, whatever it held before
	OpUpdate // what follows is added to what the key holds

	// Element.
	OpPut          // replaces the element of the same name: field, member, entry ID, the string itself
	OpAppend       // becomes part of the string, or changes it in place: nothing else is replaced
	OpPushTail     // list: behind the last
	OpPushHead     // list: before the first
	OpSetIndex     // list: replaces the element at Index (negative: from the tail)
	OpInsertBefore // list: before the first element equal to Field
	OpInsertAfter  // list: after the first element equal to Field

	// Delete.
	OpDeleteKey
	OpDeleteElement // Field (hash), Value (set, zset member) or ID (stream)
	OpPopHead       // list: the first Index elements
	OpPopTail       // list: the last Index elements
	OpTrim          // list: keeps Index to Count (LTRIM)
	OpRemove        // list: Index elements equal to Value (LREM: negative from the tail, 0 all)
	OpMoveEnd       // list: one element of Key goes to the list Value; Index bit 0: taken from the tail, bit 1: put at the tail
	OpTrimLength    // stream: keeps the newest Index entries
	OpTrimID        // stream: removes entries below ID
	OpDeleteScores  // zset: members whose scores lie from Field to Value, each a number that "(" excludes
	OpDeleteRanks   // zset: members at Index to Count in the order of scores (negative: from the end)
	OpDeleteSome    // removes elements that the file does not name (SPOP, ZREMRANGEBYLEX …): what was there becomes Unknown
	OpDeleteGroup   // stream: consumer group Field or, if Value is not nil, its consumer Value
	OpAck           // stream: ID is no longer pending in group Field; the entry stays
	OpReplaceSome   // the result of a computation (SORT STORE, ZUNIONSTORE, BITOP …): what was there is Overwritten

	// Rename.
	OpRename
	OpCopy
	OpMove
	OpMoveMember // SMOVE: member Field of set Key goes to set Value
	OpShare      // a source of OpReplaceSome: what Value holds from then on may be elements of Key, which keeps them

	// Command.
	OpNeverLogged // no server from 7.0 on writes the command to a log

	// Expire, of a field.
	OpIfNone   // it must have no expiry (NX)
	OpIfSome   // it must have one (XX)
	OpIfLater  // it must have an earlier one (GT)
	OpIfSooner // it must have none or a later one (LT)

	// Delete, of no key.
	OpDeleteLibrary // the function library Key or, if that is nil, all of them; DB is -1

	ops
)

var opNames = [ops]string{"none", "create", "update", "put", "append", "push-tail", "push-head", "set-index", "insert-before",
	"insert-after", "delete-key", "delete-element", "pop-head", "pop-tail", "trim", "remove", "move-end", "trim-length", "trim-id",
	"delete-scores", "delete-ranks", "delete-some", "delete-group", "ack", "replace-some", "rename", "copy", "move", "move-member", "share", "never-logged",
	"expire-if-none", "expire-if-some", "expire-if-later", "expire-if-sooner", "delete-library"}

func (o Op) String() string { return name(opNames[:], o) }

// Replaces reports whether an Expire event with that Op puts an expiry in the place of
// the one that a field has.
func (o Op) Replaces(old, expire int64) bool {
	switch o {
	case OpIfNone:
		return old == NoExpire
	case OpIfSome:
		return old != NoExpire
	case OpIfLater:
		return old != NoExpire && expire > old
	case OpIfSooner:
		return old == NoExpire || expire < old
	}
	return true
}

// NoExpire is the Expire of a key or field that has none.
const NoExpire int64 = -1

// StreamID is the ID of a stream entry.
type StreamID struct{ MS, Seq uint64 }

// Pos is a place in the input.
type Pos struct {
	Source string // the input's path as it was given
	Offset int64  // bytes from the start of the source, after its outer compression or sealing
	Inner  int64  // offset inside the decompressed blob at Offset, or -1
}

// Place is where a string stands in the source of its event; see the fields of
// the same names in [Pos] and [Event]. The zero Place says that it is not known.
type Place struct{ Offset, Inner, Length int64 }

// Checksum is the verdict on a file's checksum, in the Index of an End event.
type Checksum int64

// The verdicts.
const (
	ChecksumUnchecked Checksum = iota // the format has none
	ChecksumDisabled                  // the file holds 0 in its place
	ChecksumOK
	ChecksumFailed
	checksums
)

var checksumNames = [checksums]string{"unchecked", "disabled", "ok", "failed"}

func (c Checksum) String() string { return name(checksumNames[:], c) }

// Event is one step of a stream. The comment at each [Kind] says which fields it
// sets; the others hold zero values or, for Key, DB, Type and Encoding, what the
// enclosing key's event held.
type Event struct {
	Kind     Kind
	Op       Op
	Type     Type
	Encoding Encoding
	State    State
	Part     Part
	Presumed bool  // DB is what was selected before damage, or in a snapshot likelier by stray bytes
	Freq     int16 // LFU counter of a Key, -1 when not recorded
	DB       int32 // -1 where there is none
	Pos      Pos   // where the record, the string or the blob that holds the element starts: its data, behind any length
	Name     Place // where the name of a Key, the Field of an Element the Score of a sorted set's, or the Value of a Rename stands; of other events it says nothing
	Record   int64 // offset of the key's record (its expiry and other prefixes included) or of the command
	Length   int64 // bytes at Pos.Offset in the source; -1 while they stream
	Key      []byte
	Field    []byte
	Value    []byte
	Index    int64
	Count    int64
	Score    float64
	ID       StreamID
	Expire   int64 // Unix milliseconds, or NoExpire
	Idle     int64 // seconds since the last access, of a Key; -1 when not recorded
	Time     int64 // Unix milliseconds at which it was written, if the file says so; 0 otherwise
	Args     [][]byte
	Err      error
}

// Clone returns a copy that shares no memory with e.
func (e *Event) Clone() *Event {
	c := *e
	c.Key, c.Field, c.Value = bytes.Clone(e.Key), bytes.Clone(e.Field), bytes.Clone(e.Value)
	c.Args = slices.Clone(e.Args)
	for i, a := range c.Args {
		c.Args[i] = bytes.Clone(a)
	}
	return &c
}

func name[T ~uint8 | ~int64](names []string, v T) string {
	if v < 0 || int(v) >= len(names) {
		return "invalid"
	}
	return names[v]
}
