package timeline

import (
	"fmt"
	"strconv"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// valueReader collects the times that stand in a snapshot, and in the values of
// any file.
type valueReader struct {
	c     *collector
	saved int64 // ms; when the snapshot being read was saved, 0: it does not say
}

// event takes one event of a snapshot.
func (r *valueReader) event(e *keyspace.Event) error {
	switch e.Kind {
	case keyspace.Header:
		r.saved = 0
	case keyspace.Aux:
		return r.aux(e)
	case keyspace.Key:
		return r.key(e)
	case keyspace.Element:
		return r.element(e)
	case keyspace.Consumer, keyspace.Pending:
		return r.group(e)
	}
	return nil
}

// aux takes ctime, the server's clock when it began to save (rdb.c,
// rdbSaveInfoAuxFields).
func (r *valueReader) aux(e *keyspace.Event) error {
	if string(e.Key) != "ctime" {
		return nil
	}
	s, err := strconv.ParseInt(string(e.Value), 10, 64)
	if err != nil || s > latest/1000 || !plausible(s*1000) {
		return nil //nolint:nilerr // no time, no event
	}
	r.saved = s * 1000
	return r.c.add(&Event{Time: msTime(r.saved), Basis: Recorded, Of: "ctime", Kind: "snapshot-saved", Message: "the server began to write this snapshot",
		Source: e.Pos.Source, Offset: e.Record, DB: -1})
}

func (r *valueReader) key(e *keyspace.Event) error {
	if err := r.expiry(e, "key-expires", "the key expires", "expiry of the key"); err != nil {
		return err
	}
	// The clock of the least recently used counts seconds at best (server.h, LRU_CLOCK_RESOLUTION).
	if e.Idle < 0 || r.saved == 0 || e.Idle > r.saved/1000 {
		return nil
	}
	at := r.saved - e.Idle*1000
	if !plausible(at) {
		return nil
	}
	return r.c.keyed(&Event{Time: msTime(at), Basis: Inferred, Of: "idle time of the key", Kind: "key-accessed", Message: "the key was last read or written",
		Source: e.Pos.Source, Offset: e.Record}, e.DB, e.Key)
}

func (r *valueReader) expiry(e *keyspace.Event, kind, message, of string) error {
	if !plausible(e.Expire) {
		return nil
	}
	return r.c.keyed(&Event{Time: msTime(e.Expire), Basis: Recorded, Of: of, Kind: kind, Message: message, Source: e.Pos.Source, Offset: e.Record}, e.DB, e.Key)
}

func (r *valueReader) element(e *keyspace.Event) error {
	switch {
	case !e.Part.Begins():
		return nil
	case e.Type == keyspace.Hash && e.Expire != keyspace.NoExpire:
		return r.expiry(e, "field-expires", "a field of the hash expires", "expiry of the field")
	case e.Type == keyspace.Stream && e.Index == 0 && e.Op != keyspace.OpNone:
		return r.entry(e)
	}
	return nil
}

// entry dates a stream's entry by its ID, which is the server's clock unless the
// client chose another.
func (r *valueReader) entry(e *keyspace.Event) error {
	ms := int64(e.ID.MS)
	if e.ID.MS >= uint64(latest) || !plausible(ms) {
		return nil
	}
	return r.c.keyed(&Event{Time: msTime(ms), Basis: Inferred, Of: "ID of the entry", Kind: "entry-added",
		Message: fmt.Sprintf("entry %d-%d was added to the stream", e.ID.MS, e.ID.Seq), Source: e.Pos.Source, Offset: e.Record}, e.DB, e.Key)
}

// name is a name beside a key, with what could be a secret masked.
func (r *valueReader) name(b []byte) string { return r.c.o.Key(string(b[:min(len(b), maxText)])) }

// group takes the times of consumers and of what was delivered to them.
func (r *valueReader) group(e *keyspace.Event) error {
	add := func(ms int64, kind, message, of string) error {
		if !plausible(ms) {
			return nil
		}
		return r.c.keyed(&Event{Time: msTime(ms), Basis: Recorded, Of: of, Kind: kind, Message: message, Source: e.Pos.Source, Offset: e.Record}, e.DB, e.Key)
	}
	if e.Kind == keyspace.Pending {
		if e.Value != nil { // a consumer's list repeats what the group's own says
			return nil
		}
		return add(e.Time, "entry-delivered", fmt.Sprintf("entry %d-%d was last delivered, to be acknowledged in group %q", e.ID.MS, e.ID.Seq, r.name(e.Field)), "delivery time")
	}
	if err := add(e.Time, "consumer-seen", fmt.Sprintf("consumer %q of group %q last asked for entries", r.name(e.Value), r.name(e.Field)), "seen time"); err != nil {
		return err
	}
	return add(e.Expire, "consumer-active", fmt.Sprintf("consumer %q of group %q last got an entry", r.name(e.Value), r.name(e.Field)), "active time")
}
