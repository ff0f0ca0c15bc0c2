package rdb

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// dumpFooter is the end of a DUMP payload: RDB version (LE16) and CRC-64 of
// all before the checksum (createDumpPayload of src/cluster.c).
const dumpFooter = 10

// Dump yields Key, elements and KeyEnd of a serialized value as DUMP gives and
// RESTORE takes it. Options.Offset is where the payload stands in the source.
// An expiry of keyspace.NoExpire is none.
func Dump(payload, key []byte, db int32, expire int64, o Options) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		r := NewReader(nil, o)
		r.yield, r.ctx = yield, context.Background()
		r.in = newWindow(payload, o.Offset)
		if err := r.dump(payload, key, db, expire); err != nil && err != errStop {
			yield(nil, err)
		}
	}
}

func (r *Reader) dump(payload, key []byte, db int32, expire int64) error {
	r.clear()
	if len(payload) < dumpFooter+1 {
		return r.fail("serialized value: shorter than its footer", keyspace.ErrTruncated)
	}
	foot := payload[len(payload)-dumpFooter:]
	r.version = int(binary.LittleEndian.Uint16(foot))
	r.magic = "REDIS"
	if r.version >= minValkey {
		r.magic = "VALKEY"
	}
	r.types = dialectOf(r.magic)
	if r.version > maxRedis && r.version < minValkey || r.version > maxValkey {
		return r.fail(fmt.Sprintf("serialized value: version %d", r.version), keyspace.ErrUnsupported)
	}
	r.in.w -= dumpFooter
	r.ev.DB, r.ev.Record = db, r.in.offset()
	r.expire, r.idle, r.freq = expire, -1, -1
	op := payload[0]
	r.in.r++
	if op == opKeyMeta && r.magic == "REDIS" {
		if err := r.keyMeta(); err != nil {
			return err
		}
		if !r.in.need(1) {
			return r.short("serialized value")
		}
		op = r.in.buf[r.in.r]
		r.in.r++
	}
	r.key = append(r.key[:0], key...)
	d := &r.types[op]
	if d.read == nil {
		return r.fail(fmt.Sprintf("serialized value: type %d", op), keyspace.ErrUnsupported)
	}
	if err := r.keyValue(d, op); err != nil {
		return err
	}
	if r.in.need(1) {
		return r.fail("serialized value: bytes after its end", keyspace.ErrCorrupt)
	}
	stored := binary.LittleEndian.Uint64(foot[2:])
	if sum := Checksum(0, payload[:len(payload)-8]); stored != 0 && stored != sum {
		return r.failAt(r.o.Offset+int64(len(payload))-8, "checksum of the serialized value", keyspace.ErrChecksum)
	}
	return nil
}
