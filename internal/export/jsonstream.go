package export

import (
	"github.com/valkeyfs/valkeyfs/keyspace"
)

// streamForm is a stream: an object of entries, IDs and groups.
type streamForm struct {
	state   keyspace.State // the key's
	entry   bool           // an entry is open
	entries bool           // one was written
	fields  bool           // one of the open entry was written
	meta    bool           // entries are closed
	groups  bool           // one is open
	list    list           // of the open group
	some    bool           // the list has an element
}

// list is what of a group is being written.
type list uint8

const (
	noList      list = iota
	pendingList      // of the group
	consumers        // between two
	consumerPending
)

func (f *streamForm) open(b []byte) []byte {
	f.entries, f.entry = false, false
	return append(b, `{"entries":[`...)
}

func (f *streamForm) before(b []byte, e *keyspace.Event, _ bool) []byte {
	if e.Index == 0 || !f.entry {
		b = f.closeEntry(b)
		if f.entries {
			b = append(b, ',')
		}
		b = append(appendID(append(b, `{"id":"`...), e.ID), '"')
		if e.State != f.state {
			b = appendName(b, `,"state":"`, e.State.String())
		}
		b = append(b, `,"fields":[`...)
		f.entry, f.entries, f.fields = true, true, false
	}
	if f.fields {
		b = append(b, ',')
	}
	f.fields = true
	return append(appendBytes(append(b, '['), e.Field), ',')
}

func (f *streamForm) after(b []byte, _ *keyspace.Event) []byte { return append(b, ']') }

func (f *streamForm) closeEntry(b []byte) []byte {
	if f.entry {
		b = append(b, "]}"...)
	}
	f.entry = false
	return b
}

// event takes what follows the entries.
func (f *streamForm) event(b []byte, e *keyspace.Event) []byte {
	switch e.Kind {
	case keyspace.StreamMeta:
		b = append(f.closeEntry(b), `],"length":`...)
		b = appendInt(b, "", e.Index, -1)
		b = append(appendID(append(b, `,"last_id":"`...), e.ID), '"')
		if len(e.Field) > 0 {
			b = appendBytes(append(b, `,"first_id":`...), e.Field)
		}
		if len(e.Value) > 0 {
			b = appendBytes(append(b, `,"max_deleted_id":`...), e.Value)
		}
		b = appendInt(b, `,"entries_added":`, e.Count, -1)
		b = append(b, `,"groups":[`...)
		f.meta = true
	case keyspace.Group:
		if !f.meta {
			return b
		}
		b = f.closeGroup(b)
		if f.groups {
			b = append(b, ',')
		}
		b = appendBytes(append(b, `{"name":`...), e.Field)
		b = append(appendID(append(b, `,"last_id":"`...), e.ID), '"')
		b = appendInt(b, `,"entries_read":`, e.Index, -1)
		b = append(b, `,"pending":[`...)
		f.groups, f.list, f.some = true, pendingList, false
	case keyspace.Consumer:
		if f.list == noList {
			return b
		}
		if f.list == pendingList {
			b = append(b, `],"consumers":[`...)
			f.some = false
		}
		b = f.closeConsumer(b)
		if f.some {
			b = append(b, ',')
		}
		b = appendBytes(append(b, `{"name":`...), e.Value)
		b = appendInt(b, `,"seen_ms":`, e.Time, 0)
		b = appendInt(b, `,"active_ms":`, e.Expire, keyspace.NoExpire)
		b = append(b, `,"pending":[`...)
		f.list, f.some = consumerPending, false
	case keyspace.Pending:
		if f.list != pendingList && f.list != consumerPending {
			return b
		}
		if f.some {
			b = append(b, ',')
		}
		f.some = true
		if f.list == consumerPending {
			return append(appendID(append(b, '"'), e.ID), '"')
		}
		b = append(appendID(append(b, `["`...), e.ID), '"')
		b = appendInt(b, ",", e.Time, -1)
		b = appendInt(b, ",", e.Index, -1)
		b = append(b, ']')
	}
	return b
}

func (f *streamForm) closeConsumer(b []byte) []byte {
	if f.list == consumerPending {
		b = append(b, "]}"...)
		f.some = true
	}
	f.list = consumers
	return b
}

func (f *streamForm) closeGroup(b []byte) []byte {
	switch f.list {
	case pendingList:
		b = append(b, `],"consumers":[]}`...)
	case consumerPending, consumers:
		b = append(f.closeConsumer(b), "]}"...)
	}
	f.list = noList
	return b
}

func (f *streamForm) close(b []byte) []byte {
	b = f.closeGroup(f.closeEntry(b))
	return append(b, "]}"...)
}
