package rdbwrite

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Bounds of a node, stream-node-max-entries and -bytes of valkey.conf.
const (
	nodeEntries = 100
	nodeBytes   = 4096
)

// stream is what of a stream is not yet part of its record: rdbSaveObject and
// rdbSaveStreamConsumers of src/rdb.c.
type stream struct {
	node    listpack
	master  keyspace.StreamID // of the node
	entries int               // of the node
	nodes   uint64

	id     keyspace.StreamID // of the entry that grows
	fields [][]byte          // its names and values
	first  keyspace.StreamID
	length uint64

	meta   keyspace.Event
	firstD []byte // first ID and greatest deleted ID, as the StreamMeta has them
	maxDel []byte

	// A group's head, its pending entries, its consumers and theirs are numbers of
	// things followed by these: each is gathered on its own.
	groups    body
	pending   body
	consumers body
	owned     body
	counts    struct{ groups, pending, consumers, owned uint64 }
	group     []byte // head of the open group
	consumer  []byte // head of the open consumer
}

func (s *stream) reset() {
	s.entries, s.nodes, s.length, s.fields = 0, 0, 0, s.fields[:0]
	s.first = keyspace.StreamID{}
	s.meta = keyspace.Event{}
	s.group, s.consumer = s.group[:0], s.consumer[:0]
	s.counts.groups, s.counts.pending, s.counts.consumers, s.counts.owned = 0, 0, 0, 0
	for _, b := range []*body{&s.groups, &s.pending, &s.consumers, &s.owned} {
		b.reset()
	}
}

// entryField adds a field to the entry that grows.
func (w *Writer) entryField(e *keyspace.Event, field, value []byte) error {
	r := &w.rec
	s := &r.stream
	if e.State == keyspace.Deleted {
		r.long.reset()
		return nil
	}
	if len(s.fields) > 0 && (e.Index == 0 || e.ID != s.id) {
		if err := w.endEntry(); err != nil {
			return err
		}
	}
	if value == nil {
		value = make([]byte, 0, r.long.len())
		err := r.long.each(func(p []byte) error { value = append(value, p...); return nil })
		r.long.reset()
		if err != nil {
			return err
		}
	}
	s.id = e.ID
	s.fields = append(s.fields, bytes.Clone(field), bytes.Clone(value))
	return nil
}

// endEntry puts the entry that grew into a node: streamAppendItem of src/t_stream.c,
// without the short form for entries whose fields are the master's.
func (w *Writer) endEntry() error {
	s := &w.rec.stream
	n := len(s.fields) / 2
	if n == 0 {
		return nil
	}
	if s.entries > 0 && (s.entries >= nodeEntries || len(s.node.b) >= nodeBytes) {
		if err := w.endNode(); err != nil {
			return err
		}
	}
	if s.entries == 0 {
		// The master entry: room for the number of entries, none deleted, no fields, its end.
		s.master = s.id
		s.node.reset()
	}
	if s.length == 0 {
		s.first = s.id
	}
	s.entries++
	s.length++
	cells := 2*n + 4
	s.node.int(0) // flags
	s.node.int(int64(s.id.MS - s.master.MS))
	s.node.int(int64(s.id.Seq - s.master.Seq))
	s.node.int(int64(n))
	for _, p := range s.fields {
		s.node.bytes(p)
	}
	s.node.int(int64(cells))
	s.fields = s.fields[:0]
	return nil
}

// endNode writes the node, under the ID of its first entry.
func (w *Writer) endNode() error {
	s := &w.rec.stream
	if s.entries == 0 {
		return nil
	}
	var master listpack
	master.reset()
	for _, v := range []int{s.entries, 0, 0, 0} { // live, deleted, fields, end of the master entry
		master.int(int64(v))
	}
	master.b = append(master.b, s.node.b[listpackHeader:]...)
	master.n += s.node.n
	lp := master.close()
	b := &w.rec.body
	b.buf = appendID(append(b.buf, 16), s.master)
	b.buf = appendLength(b.buf, uint64(len(lp)))
	s.nodes++
	s.entries = 0
	return b.write(lp)
}

// appendID writes an ID as it stands in a radix tree.
func appendID(b []byte, id keyspace.StreamID) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, id.MS), id.Seq)
}

func appendIDLengths(b []byte, id keyspace.StreamID) []byte {
	return appendLength(appendLength(b, id.MS), id.Seq)
}

// streamEvent takes what follows the entries of a stream.
func (w *Writer) streamEvent(e *keyspace.Event) error {
	s := &w.rec.stream
	switch e.Kind {
	case keyspace.StreamMeta:
		s.firstD, s.maxDel = append(s.firstD[:0], e.Field...), append(s.maxDel[:0], e.Value...)
		s.meta = *e
		s.meta.Field, s.meta.Value, s.meta.Key, s.meta.Args = s.firstD, s.maxDel, nil, nil
	case keyspace.Group:
		if err := w.endGroup(); err != nil {
			return err
		}
		s.counts.groups++
		s.group = appendIDLengths(appendString(s.group[:0], e.Field), e.ID)
		if w.rec.typ != typeStream {
			s.group = appendLength(s.group, uint64(e.Index)) // -1, not known, is all bits, as in the file
		}
	case keyspace.Consumer:
		if len(e.Field) == 0 && len(s.group) == 0 {
			return nil // an idempotent producer
		}
		if err := w.endConsumer(); err != nil {
			return err
		}
		s.counts.consumers++
		s.consumer = binary.LittleEndian.AppendUint64(appendString(s.consumer[:0], e.Value), uint64(e.Time))
		if w.rec.typ == typeStream3 {
			s.consumer = binary.LittleEndian.AppendUint64(s.consumer, uint64(e.Expire))
		}
	case keyspace.Pending:
		if e.Value != nil {
			s.counts.owned++
			s.owned.buf = appendID(s.owned.buf, e.ID)
			return s.owned.shelve()
		}
		s.counts.pending++
		b := appendID(s.pending.buf, e.ID)
		b = binary.LittleEndian.AppendUint64(b, uint64(e.Time))
		s.pending.buf = appendLength(b, uint64(e.Index))
		return s.pending.shelve()
	}
	return nil
}

// endConsumer completes the open consumer: its pending IDs follow it.
func (w *Writer) endConsumer() error {
	s := &w.rec.stream
	if len(s.consumer) == 0 {
		return nil
	}
	s.consumers.buf = appendLength(append(s.consumers.buf, s.consumer...), s.counts.owned)
	s.consumer, s.counts.owned = s.consumer[:0], 0
	if err := s.consumers.shelve(); err != nil {
		return err
	}
	return s.consumers.take(&s.owned)
}

// endGroup completes the open group: its pending entries and consumers follow it.
func (w *Writer) endGroup() error {
	s := &w.rec.stream
	if err := w.endConsumer(); err != nil || len(s.group) == 0 {
		return err
	}
	s.groups.buf = appendLength(append(s.groups.buf, s.group...), s.counts.pending)
	if err := s.groups.shelve(); err != nil {
		return err
	}
	if err := s.groups.take(&s.pending); err != nil {
		return err
	}
	s.groups.buf = appendLength(s.groups.buf, s.counts.consumers)
	s.group, s.counts.pending, s.counts.consumers = s.group[:0], 0, 0
	return s.groups.take(&s.consumers)
}

// endStream writes the record of a stream.
func (w *Writer) endStream() error {
	r := &w.rec
	s := &r.stream
	for _, end := range []func() error{w.endEntry, w.endNode, w.endGroup, w.head} {
		if err := end(); err != nil {
			return err
		}
	}
	if err := w.write(appendLength(nil, s.nodes)); err != nil {
		return err
	}
	if err := r.body.each(w.write); err != nil {
		return err
	}
	if err := w.write(appendLength(w.appendMeta(nil), s.counts.groups)); err != nil {
		return err
	}
	return s.groups.each(w.write)
}

// appendMeta writes the counts and IDs between the entries and the groups. What a
// snapshot of an older version did not record is what a server takes for it when it
// loads one.
func (w *Writer) appendMeta(b []byte) []byte {
	s := &w.rec.stream
	last, added := s.meta.ID, int64(-1)
	var deleted keyspace.StreamID
	if s.meta.Kind == keyspace.StreamMeta {
		if id, ok := parseID(s.maxDel); ok {
			deleted, added = id, s.meta.Count
		}
	} else {
		last = s.id // the stream was read in part
	}
	b = appendIDLengths(appendLength(b, s.length), last)
	if w.rec.typ == typeStream {
		return b
	}
	if added < 0 {
		added = int64(s.length)
	}
	return appendLength(appendIDLengths(appendIDLengths(b, s.first), deleted), uint64(added))
}

// parseID reads an ID as the servers write it.
func parseID(p []byte) (id keyspace.StreamID, ok bool) {
	ms, seq, ok := bytes.Cut(p, []byte("-"))
	if !ok {
		return id, false
	}
	var err1, err2 error
	id.MS, err1 = strconv.ParseUint(string(ms), 10, 64)
	id.Seq, err2 = strconv.ParseUint(string(seq), 10, 64)
	return id, err1 == nil && err2 == nil
}
