package lifecycle

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// How objects and elements are known: by hashes.

// functionsDB stands for the libraries, which belong to no database and which
// FLUSHALL leaves alone.
const functionsDB = ^uint32(0)

// unknownDB stands for the database that is chosen where the log does not say
// which: what became of its keys is not known, unless all are flushed.
const unknownDB = functionsDB - 1

// hash is how names are known: keyed anew in every run, so that no input can
// make names collide.
func (r *recorder) hash(b []byte) uint64 { return maphash.Bytes(r.seed, b) }

// db returns the number that a database began with.
func (r *recorder) db(n int32) uint32 {
	if p, ok := r.physical[n]; ok {
		n = p
	}
	if n < 0 {
		return unknownDB
	}
	return uint32(n)
}

// swap takes SWAPDB.
func (r *recorder) swap(a, b int32) {
	if a < 0 || b < 0 {
		return
	}
	if len(r.physical) > maxSwapped {
		r.forgot++
		return
	}
	r.physical[a], r.physical[b] = int32(r.db(b)), int32(r.db(a))
}

// maxSwapped is how many databases may be swapped; servers have 16, unless they are
// told otherwise.
const maxSwapped = 1 << 16

// object returns the object that a key names, and its name.
func (r *recorder) object(db uint32, key []byte) (id, name uint64) {
	name = mix(r.hash(key), uint64(db))
	if len(r.moved) > 0 {
		if id, ok := r.moved[name]; ok {
			return id, name
		}
	}
	return name, name
}

// name returns the name of the element that an event is about. Of a member in
// several parts the first stands for the whole.
func (r *recorder) name(ev *keyspace.Event) uint64 {
	switch ev.Type {
	case keyspace.Hash, keyspace.Module:
		return r.hash(ev.Field)
	case keyspace.Stream:
		var b [16]byte
		binary.LittleEndian.PutUint64(b[:8], ev.ID.MS)
		binary.LittleEndian.PutUint64(b[8:], ev.ID.Seq)
		return r.hash(b[:])
	case keyspace.Array:
		return mix(0, uint64(ev.Index)+1)
	}
	return r.hash(ev.Value)
}

// consumer returns the name of a consumer of a group, or of the group if both are
// the same.
func consumer(group, name uint64) uint64 { return mix(group, name|1) }

// mix returns a hash of both; mix(h, 0) is h.
func mix(h, n uint64) uint64 {
	if n == 0 {
		return h
	}
	// The finalizer of splitmix64.
	n *= 0x9e3779b97f4a7c15
	n ^= n >> 30
	n *= 0xbf58476d1ce4e5b9
	n ^= n >> 27
	h += n
	h ^= h >> 30
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}
