package rdb

import (
	"encoding/binary"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Flags of a stream entry, STREAM_ITEM_FLAG_* of src/stream.h.
const (
	entryDeleted    = 1
	entrySameFields = 2
)

// stream reads RDB_TYPE_STREAM_LISTPACKS in its versions 1 to 5 (types 15, 19,
// 21, 26, 27): rdbLoadObject of src/rdb.c; 4 and 5 as redis/librdb reads them.
func stream(version int) func(*Reader) error {
	return func(r *Reader) error {
		nodes, err := r.streamEntries()
		if err != nil {
			return err
		}
		r.unproven = nodes == 0 // numbers alone have no form that could be wrong
		if err := r.streamMeta(version, nodes); err != nil {
			return err
		}
		groups, err := r.count("number of groups")
		for ; err == nil && groups > 0; groups-- {
			err = r.group(version)
		}
		if err == nil && version >= 4 {
			err = r.producers()
		}
		return err
	}
}

// streamEntries reads the listpacks of the radix tree, each under the ID of its
// first entry. It returns how many there are.
func (r *Reader) streamEntries() (nodes uint64, err error) {
	nodes, err = r.count("number of nodes")
	for i := uint64(0); err == nil && i < nodes; i++ {
		if r.member, err = r.name(r.member[:0], "stream node"); err != nil {
			return nodes, err
		}
		if len(r.member) != 16 {
			return nodes, r.fail("stream: length of a node's ID", keyspace.ErrCorrupt)
		}
		if r.skip {
			err = r.passString("stream node")
		} else {
			err = r.streamNode(rawID(r.member))
		}
	}
	return nodes, err
}

func rawID(p []byte) keyspace.StreamID {
	return keyspace.StreamID{MS: binary.BigEndian.Uint64(p), Seq: binary.BigEndian.Uint64(p[8:])}
}

// streamNode reads one listpack of entries (src/t_stream.c, streamAppendItem):
// number of live and of deleted entries, the master entry's fields and a 0,
// then entries: flags, ID relative to the master's, fields and values, or
// values alone where the fields are the master's, and the number of cells of
// the entry.
func (r *Reader) streamNode(master keyspace.StreamID) error {
	w, err := r.openWalk(keyspace.Listpack)
	if err != nil {
		return err
	}
	live, err := r.cellNumber(&w)
	if err != nil {
		return err
	}
	deleted, err := r.cellNumber(&w)
	if err != nil {
		return err
	}
	fields, err := r.cellNumber(&w)
	if err != nil {
		return err
	}
	r.fields.reset()
	for ; fields > 0; fields-- {
		if err := r.must(&w, &r.cell); err != nil {
			return err
		}
		var p []byte
		if p, r.field, err = r.cellBytes(w.b, &r.cell, r.field, "field"); err != nil {
			return err
		}
		if len(r.fields.data)+len(p) > r.lim.MaxKey {
			return r.blobFail(w.b, "stream: fields of the master entry", keyspace.ErrLimit)
		}
		r.fields.add(p, r.ev.Name)
	}
	if _, err := r.cellNumber(&w); err != nil { // the master entry's terminator
		return err
	}
	for {
		ok, err := r.step(&w, &r.cell)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if !r.cell.isInt {
			return r.blobFail(w.b, "stream: flags of an entry", keyspace.ErrCorrupt)
		}
		flags := r.cell.num
		if flags&entryDeleted != 0 {
			deleted--
		} else {
			live--
		}
		if err := r.streamEntry(&w, master, flags); err != nil {
			return err
		}
	}
	if live != 0 || deleted != 0 {
		return r.blobFail(w.b, "stream: number of entries is not what the node says", keyspace.ErrCorrupt)
	}
	return nil
}

// streamEntry yields the fields of one entry, those of a deleted one as Deleted:
// XDEL only marks it.
func (r *Reader) streamEntry(w *walk, master keyspace.StreamID, flags int64) error {
	ms, err := r.cellNumber(w)
	if err != nil {
		return err
	}
	seq, err := r.cellNumber(w)
	if err != nil {
		return err
	}
	id := keyspace.StreamID{MS: master.MS + uint64(ms), Seq: master.Seq + uint64(seq)}
	same := flags&entrySameFields != 0
	n := int64(r.fields.len())
	if !same {
		if n, err = r.cellNumber(w); err != nil {
			return err
		}
	}
	state := r.keyState()
	if flags&entryDeleted != 0 {
		state = keyspace.Deleted
	}
	before := r.elements
	for i := int64(0); i < n; i++ {
		if same {
			r.ev.Field, r.ev.Name = r.fields.at(int(i)), r.fields.places[i]
		} else {
			if err := r.must(w, &r.cell); err != nil {
				return err
			}
			if r.ev.Field, r.field, err = r.cellBytes(w.b, &r.cell, r.field, "field"); err != nil {
				return err
			}
		}
		if err := r.must(w, &r.cell); err != nil {
			return err
		}
		r.ev.ID, r.ev.Index, r.ev.State = id, i, state
		if err := r.cellValue(w.b, &r.cell, keyspace.Listpack, "value"); err != nil {
			return err
		}
	}
	r.elements = before
	if state != keyspace.Deleted {
		r.elements++ // an entry is one element of its stream
	}
	r.ev.State = r.keyState()
	cells, err := r.cellNumber(w)
	if err == nil {
		want := n + 3
		if !same {
			want = 2*n + 4
		}
		if cells != want {
			err = r.blobFail(w.b, "stream: size of an entry is not what it says", keyspace.ErrCorrupt)
		}
	}
	return err
}

// cellNumber reads the next cell, which has to be a number.
func (r *Reader) cellNumber(w *walk) (int64, error) {
	if err := r.must(w, &r.cell); err != nil {
		return 0, err
	}
	if !r.cell.isInt {
		return 0, r.blobFail(w.b, "stream: a number was expected", keyspace.ErrCorrupt)
	}
	return r.cell.num, nil
}

// streamMeta reads length and IDs behind the entries. Entries without a node are
// refused by servers, too (rdbLoadObject).
func (r *Reader) streamMeta(version int, nodes uint64) error {
	at := r.in.offset()
	length, err := r.length("stream length")
	if err != nil {
		return err
	}
	if nodes == 0 && length > 0 {
		return r.fail("stream: entries without a node", keyspace.ErrCorrupt)
	}
	r.entries = int64(length)
	last, err := r.streamID("last ID")
	if err != nil {
		return err
	}
	r.ev.Count, r.ev.Field, r.ev.Value = -1, nil, nil
	if version >= 2 {
		first, err := r.streamID("first ID")
		if err != nil {
			return err
		}
		deleted, err := r.streamID("greatest deleted ID")
		if err != nil {
			return err
		}
		added, err := r.length("entries added")
		if err != nil {
			return err
		}
		r.ev.Count = int64(added)
		r.field, r.member = appendID(r.field[:0], first), appendID(r.member[:0], deleted)
		r.ev.Field, r.ev.Value = r.field, r.member
	}
	r.ev.Kind, r.ev.ID, r.ev.Index = keyspace.StreamMeta, last, int64(length)
	r.place(at, r.in.offset()-at)
	err = r.emit()
	r.ev.Value, r.ev.Count = nil, 0
	return err
}

// appendID writes an ID as the servers do.
func appendID(dst []byte, id keyspace.StreamID) []byte {
	dst = append(strconv.AppendUint(dst, id.MS, 10), '-')
	return strconv.AppendUint(dst, id.Seq, 10)
}

// streamID reads an ID as two lengths.
func (r *Reader) streamID(what string) (id keyspace.StreamID, err error) {
	if id.MS, err = r.length(what); err == nil {
		id.Seq, err = r.length(what)
	}
	return id, err
}

// idBytes reads an ID as it stands in a radix tree: 16 bytes, big-endian.
func (r *Reader) idBytes() (id keyspace.StreamID, err error) {
	if !r.in.need(16) {
		return id, r.short("pending ID")
	}
	id = rawID(r.in.buf[r.in.r:])
	r.in.r += 16
	return id, nil
}

// millis reads a LE64 time.
func (r *Reader) millis(what string) (int64, error) {
	if !r.in.need(8) {
		return 0, r.short(what)
	}
	ms := int64(binary.LittleEndian.Uint64(r.in.buf[r.in.r:]))
	r.in.r += 8
	return ms, nil
}

// group reads a consumer group: its name, last ID, pending entries, consumers.
func (r *Reader) group(version int) (err error) {
	ev := &r.ev
	if r.field, err = r.name(r.field[:0], "group"); err != nil {
		return err
	}
	last, err := r.streamID("group's last ID")
	if err != nil {
		return err
	}
	read := int64(-1)
	if version >= 2 {
		n, err := r.length("entries read")
		if err != nil {
			return err
		}
		read = int64(n)
	}
	r.placeName()
	ev.Kind, ev.Field, ev.Value, ev.ID, ev.Index = keyspace.Group, r.field, nil, last, read
	if err := r.emit(); err != nil {
		return err
	}
	if err := r.pendingOfGroup(); err != nil {
		return err
	}
	consumers, err := r.count("number of consumers")
	for ; err == nil && consumers > 0; consumers-- {
		err = r.consumer(version)
	}
	if err == nil && version >= 5 {
		// IDs given back without acknowledgement, Redis 8.8.
		var n uint64
		if n, err = r.count("number of IDs given back"); err == nil {
			err = r.pendingIDs(n, nil)
		}
	}
	ev.Field, ev.Value, ev.Time, ev.ID, ev.Index = nil, nil, 0, keyspace.StreamID{}, 0
	ev.Expire = r.expire
	return err
}

func (r *Reader) pendingOfGroup() error {
	ev := &r.ev
	n, err := r.count("number of pending entries")
	for ; err == nil && n > 0; n-- {
		at := r.in.offset()
		if ev.ID, err = r.idBytes(); err != nil {
			return err
		}
		if ev.Time, err = r.millis("delivery time"); err != nil {
			return err
		}
		count, err := r.length("delivery count")
		if err != nil {
			return err
		}
		r.place(at, r.in.offset()-at)
		ev.Kind, ev.Value, ev.Index = keyspace.Pending, nil, int64(count)
		if err := r.emit(); err != nil {
			return err
		}
	}
	ev.Time, ev.Index = 0, 0
	return err
}

func (r *Reader) consumer(version int) (err error) {
	ev := &r.ev
	if r.member, err = r.name(r.member[:0], "consumer"); err != nil {
		return err
	}
	seen, err := r.millis("consumer's last seen time")
	if err != nil {
		return err
	}
	active := keyspace.NoExpire
	if version >= 3 {
		if active, err = r.millis("consumer's last active time"); err != nil {
			return err
		}
	}
	r.placeName()
	ev.Kind, ev.Value, ev.Time, ev.Expire = keyspace.Consumer, r.member, seen, active
	ev.ID, ev.Index = keyspace.StreamID{}, 0
	err = r.emit()
	ev.Time, ev.Expire = 0, r.expire
	if err != nil {
		return err
	}
	n, err := r.count("number of a consumer's pending entries")
	if err == nil {
		err = r.pendingIDs(n, r.member)
	}
	return err
}

func (r *Reader) pendingIDs(n uint64, consumer []byte) (err error) {
	ev := &r.ev
	for ; n > 0; n-- {
		at := r.in.offset()
		if ev.ID, err = r.idBytes(); err != nil {
			return err
		}
		if consumer == nil {
			continue // they stand in the group's own list too
		}
		r.place(at, 16)
		ev.Kind, ev.Value = keyspace.Pending, consumer
		if err := r.emit(); err != nil {
			return err
		}
	}
	return nil
}

// producers reads the idempotent producers of Redis 8.6: duration, greatest
// number of entries, producers (name, their IDs and sequence numbers), two
// counters. The names are yielded as consumers of a group without a name.
func (r *Reader) producers() error {
	for range 2 {
		if _, err := r.length("stream's idempotence settings"); err != nil {
			return err
		}
	}
	producers, err := r.count("number of producers")
	for ; err == nil && producers > 0; producers-- {
		if err = r.whole("producer"); err != nil {
			return err
		}
		r.ev.Kind, r.ev.Field, r.ev.Time, r.ev.Expire = keyspace.Consumer, nil, 0, keyspace.NoExpire
		if err = r.emit(); err != nil {
			return err
		}
		var n uint64
		n, err = r.count("number of a producer's entries")
		for ; err == nil && n > 0; n-- {
			if r.field, err = r.name(r.field[:0], "producer's entry"); err != nil {
				return err
			}
			for i := 0; err == nil && i < 2; i++ {
				_, err = r.length("producer's entry")
			}
		}
	}
	for i := 0; err == nil && i < 2; i++ {
		_, err = r.length("stream's idempotence counters")
	}
	return err
}
