package diff

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Records are compared by their bytes: database, name of the key, and of an element
// its kind and name, each name ended so that no other begins with it; then the side,
// and what is to be compared.

// maxName is how much of a name is kept; a longer one is told apart by its digest.
const maxName = 4096

// appendName writes a name: zeros as 0 255, its end as 0 and whether it was cut: 1, and
// the digest of all of it, or 0.
func (x *hasher) appendName(b, name []byte) []byte {
	cut := len(name) > maxName
	for _, c := range name[:min(len(name), maxName)] {
		b = append(b, c)
		if c == 0 {
			b = append(b, 255)
		}
	}
	if !cut {
		return append(b, 0, 0)
	}
	x.write(name)
	d := x.sum()
	b = append(b, 0, 1)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, d[0]), d[1])
}

var errRecord = errors.New("diff: a record is not what was written")

// parseName reads a name and returns what follows it.
func parseName(dst, b []byte) (name, rest []byte, err error) {
	for {
		i := bytes.IndexByte(b, 0)
		if i < 0 || i+1 >= len(b) {
			return nil, nil, errRecord
		}
		dst = append(dst, b[:i]...)
		switch b[i+1] {
		case 255:
			dst = append(dst, 0)
			b = b[i+2:]
			continue
		case 0:
			return dst, b[i+2:], nil
		}
		if len(b) < i+2+16 {
			return nil, nil, errRecord
		}
		return dst, b[i+2+16:], nil
	}
}

// appendKey writes what stands first in each record of a key. Databases sort by their
// number, functions, of database -1, before them.
func (x *hasher) appendKey(b []byte, db int32, name []byte) []byte {
	return x.appendName(binary.BigEndian.AppendUint32(b, uint32(db)+1), name)
}

const keyTail = 1 + 8 + 8 + 8 + 8 + 16

// appendKeyed writes the record of a key, which is the nth of its side. Where damage has
// a key there more than once, its places decide which of them are compared; digests are
// others in every run.
func (x *hasher) appendKeyed(b []byte, k *keyed, nth uint64) []byte {
	b = append(x.appendKey(b, k.db, k.name), byte(k.typ))
	for _, n := range []uint64{nth, uint64(k.expire), uint64(k.count), uint64(k.size), k.sum[0], k.sum[1]} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// head is the part of a record of a key that names it.
func head(record []byte) []byte { return record[:len(record)-keyTail] }

func parseKeyed(k *keyed, b []byte) error {
	if len(b) < 4 {
		return errRecord
	}
	k.db = int32(binary.BigEndian.Uint32(b) - 1)
	var err error
	if k.name, b, err = parseName(k.name[:0], b[4:]); err != nil || len(b) != keyTail {
		return errRecord
	}
	k.typ = keyspace.Type(b[0])
	n := func(i int) uint64 { return binary.BigEndian.Uint64(b[1+8*i:]) }
	k.expire, k.count, k.size, k.sum = int64(n(1)), int64(n(2)), int64(n(3)), digest{n(4), n(5)}
	return nil
}

// appendElement writes the record of an element of a key, of a side.
func (x *hasher) appendElement(b []byte, k *keyed, e *element, side byte) []byte {
	b = append(x.appendKey(b, k.db, k.name), byte(e.kind))
	b = append(x.appendName(b, e.name), side)
	for _, n := range []uint64{e.id, uint64(e.size), uint64(e.expire), math.Float64bits(e.score), e.content[0], e.content[1]} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return append(b, e.value...)
}

// read is an element of a record.
type read struct {
	keyed
	element
	side  byte
	name  []byte // of the element
	place []byte // the record up to side: the same for the same element
}

func (r *read) parse(b []byte) (err error) {
	record := b
	if len(b) < 4 {
		return errRecord
	}
	r.db = int32(binary.BigEndian.Uint32(b) - 1)
	if r.keyed.name, b, err = parseName(r.keyed.name[:0], b[4:]); err != nil || len(b) < 1 {
		return errRecord
	}
	r.kind = Kind(b[0])
	if r.name, b, err = parseName(r.name[:0], b[1:]); err != nil || len(b) < 1+6*8 {
		return errRecord
	}
	r.side = b[0]
	r.place = append(r.place[:0], record[:len(record)-len(b)]...)
	n := func(i int) uint64 { return binary.BigEndian.Uint64(b[1+8*i:]) }
	r.id, r.element.size, r.element.expire = n(0), int64(n(1)), int64(n(2))
	r.score, r.content = math.Float64frombits(n(3)), digest{n(4), n(5)}
	r.value = append(r.value[:0], b[1+6*8:]...)
	return nil
}
