package export

import (
	"cmp"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// maxPending bounds the pending entries of a group, which have to be held until
// the consumers that they belong to are known.
const maxPending = 4 << 20

// streamCommands builds a stream that is not restored from its serialized value:
// XADD, XSETID, XGROUP and XCLAIM, as rewriteStreamObject of src/aof.c does. What
// no command can set is lost: when consumers were last seen, and entries that
// are pending although they were deleted.
type streamCommands struct {
	id      keyspace.StreamID // of the entry in the batch
	entries bool              // one was added
	group   []byte
	pending []delivery
}

// delivery is a pending entry.
type delivery struct {
	id    keyspace.StreamID
	time  int64
	count int64
}

func (s *streamCommands) reset() {
	*s = streamCommands{group: s.group[:0], pending: s.pending[:0]}
}

// entry makes the batch an XADD of the entry that e belongs to.
func (x *respWriter) entry(e *keyspace.Event) error {
	b, s := &x.batch, &x.stream
	if b.n > 0 && e.Index > 0 && e.ID == s.id {
		return nil
	}
	x.flushBatch()
	err := x.spill()
	s.id, s.entries = e.ID, true
	b.command, b.n = "XADD", 1
	b.args = appendBulkID(b.args, e.ID)
	return err
}

func (x *respWriter) streamEvent(e *keyspace.Event) error {
	x.flushBatch()
	s := &x.stream
	switch e.Kind {
	case keyspace.StreamMeta:
		x.streamMeta(e)
	case keyspace.Group:
		s.group, s.pending = append(s.group[:0], e.Field...), s.pending[:0]
		args := 5
		if e.Index >= 0 && x.version >= streamCounts {
			args = 7
		}
		b := appendBulkString(appendBulkString(appendHead(x.buf, args), "XGROUP"), "CREATE")
		b = appendBulkID(appendBulk(appendBulk(b, x.name), s.group), e.ID)
		if args == 7 {
			b = appendBulkInt(appendBulkString(b, "ENTRIESREAD"), e.Index)
		}
		x.buf = b
	case keyspace.Consumer:
		// XREADGROUP of what is pending to a new consumer creates it, and nothing
		// else; CREATECONSUMER is not known before Redis 6.2.
		if x.version >= streamCounts {
			x.command("XGROUP", []byte("CREATECONSUMER"), x.name, s.group, e.Value)
		} else {
			x.command("XREADGROUP", []byte("GROUP"), s.group, e.Value, []byte("COUNT"), []byte("1"), []byte("STREAMS"), x.name, []byte("0"))
		}
	case keyspace.Pending:
		return x.pending(e)
	}
	return x.spill()
}

// streamCounts is the RDB version from which on streams record how many entries
// were added and read: Redis 7.0.
const streamCounts = 10

// streamMeta writes the last ID, and makes the key if it has no entries.
func (x *respWriter) streamMeta(e *keyspace.Event) {
	if !x.stream.entries {
		x.command("XADD", x.name, []byte("MAXLEN"), []byte("0"), []byte("0-1"), []byte("x"), []byte("y"))
	}
	counted := e.Count >= 0 && len(e.Value) > 0
	args := 3
	if counted {
		args = 7
	}
	b := appendBulkID(appendBulk(appendBulkString(appendHead(x.buf, args), "XSETID"), x.name), e.ID)
	if counted {
		b = appendBulkInt(appendBulkString(b, "ENTRIESADDED"), e.Count)
		b = appendBulk(appendBulkString(b, "MAXDELETEDID"), e.Value)
	}
	x.buf = b
}

// pending keeps a group's deliveries until a consumer's list says whose they are.
func (x *respWriter) pending(e *keyspace.Event) error {
	s := &x.stream
	if e.Value == nil {
		if len(s.pending) >= maxPending {
			return &keyspace.FormatError{Pos: e.Pos, What: "pending entries of a group", Err: keyspace.ErrLimit}
		}
		s.pending = append(s.pending, delivery{e.ID, e.Time, e.Index})
		return nil
	}
	i, ok := slices.BinarySearchFunc(s.pending, e.ID, func(d delivery, id keyspace.StreamID) int {
		return cmp.Or(cmp.Compare(d.id.MS, id.MS), cmp.Compare(d.id.Seq, id.Seq))
	})
	if !ok {
		return nil // the server refuses such a file
	}
	d := s.pending[i]
	b := appendBulkString(appendHead(x.buf, 12), "XCLAIM")
	b = appendBulk(appendBulk(appendBulk(b, x.name), s.group), e.Value)
	b = appendBulkID(appendBulkInt(b, 0), d.id)
	b = appendBulkInt(appendBulkString(b, "TIME"), d.time)
	b = appendBulkInt(appendBulkString(b, "RETRYCOUNT"), d.count)
	x.buf = appendBulkString(appendBulkString(b, "JUSTID"), "FORCE")
	return x.spill()
}
