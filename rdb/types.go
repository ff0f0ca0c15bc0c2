package rdb

import "github.com/valkeyfs/valkeyfs/keyspace"

// Versions of the format that are known: RDB_VERSION of both servers' src/rdb.h.
const (
	maxRedis  = 15 // Redis 8.10
	minValkey = 80 // Valkey 9.0
	maxValkey = 81 // Valkey 9.2
	crcSince  = 5  // the first REDIS version with a checksum
)

// decoder reads the value of one type byte.
type decoder struct {
	typ  keyspace.Type
	enc  keyspace.Encoding
	op   keyspace.Op // of its elements
	read func(*Reader) error
}

// plain are the encodings that are runs of strings, which have no form that could
// be wrong.
var plain = [256]bool{
	keyspace.Raw: true, keyspace.Linkedlist: true, keyspace.Hashtable: true, keyspace.HashtableEx: true,
	keyspace.Skiplist: true, keyspace.Sparse: true,
}

// dialectOf picks the table of types. Redis and Valkey parted ways at type 22
// and opcode 242: the magic decides, never an aux field.
func dialectOf(magic string) *[256]decoder {
	if magic == "VALKEY" {
		return &valkeyTypes
	}
	return &redisTypes
}

// commonTypes are RDB_TYPE_* of src/rdb.h up to 21, the same for both servers.
func commonTypes() (t [256]decoder) {
	const put, push = keyspace.OpPut, keyspace.OpPushTail
	t[0] = decoder{keyspace.String, keyspace.Raw, put, func(r *Reader) error { return r.value("string") }}
	t[1] = decoder{keyspace.List, keyspace.Linkedlist, push, runOf}
	t[2] = decoder{keyspace.Set, keyspace.Hashtable, put, runOf}
	t[3] = decoder{keyspace.SortedSet, keyspace.Skiplist, put, zsetOf(false)}
	t[4] = decoder{keyspace.Hash, keyspace.Hashtable, put, hashOf}
	t[5] = decoder{keyspace.SortedSet, keyspace.Skiplist, put, zsetOf(true)}
	t[6] = decoder{keyspace.Module, keyspace.ModuleValue, put, modulePreGA}
	t[7] = decoder{keyspace.Module, keyspace.ModuleValue, put, module2}
	t[9] = decoder{keyspace.Hash, keyspace.Zipmap, put, hashIn(keyspace.Zipmap)}
	t[10] = decoder{keyspace.List, keyspace.Ziplist, push, listIn(keyspace.Ziplist)}
	t[11] = decoder{keyspace.Set, keyspace.Intset, put, listIn(keyspace.Intset)}
	t[12] = decoder{keyspace.SortedSet, keyspace.Ziplist, put, zsetIn(keyspace.Ziplist)}
	t[13] = decoder{keyspace.Hash, keyspace.Ziplist, put, hashIn(keyspace.Ziplist)}
	t[14] = decoder{keyspace.List, keyspace.Quicklist, push, quicklist}
	t[15] = decoder{keyspace.Stream, keyspace.Radix, put, stream(1)}
	t[16] = decoder{keyspace.Hash, keyspace.Listpack, put, hashIn(keyspace.Listpack)}
	t[17] = decoder{keyspace.SortedSet, keyspace.Listpack, put, zsetIn(keyspace.Listpack)}
	t[18] = decoder{keyspace.List, keyspace.Quicklist2, push, quicklist2}
	t[19] = decoder{keyspace.Stream, keyspace.Radix, put, stream(2)}
	t[20] = decoder{keyspace.Set, keyspace.Listpack, put, listIn(keyspace.Listpack)}
	t[21] = decoder{keyspace.Stream, keyspace.Radix, put, stream(3)}
	return t
}

// redisTypes adds what Redis 7.4 to 8.10 brought.
var redisTypes = func() [256]decoder {
	const put, push = keyspace.OpPut, keyspace.OpPushTail
	t := commonTypes()
	t[22] = decoder{keyspace.Hash, keyspace.HashtableEx, put, hashExpiresRedis(true)}
	t[23] = decoder{keyspace.Hash, keyspace.ListpackEx, put, hashExpiresIn(true)}
	t[24] = decoder{keyspace.Hash, keyspace.HashtableEx, put, hashExpiresRedis(false)}
	t[25] = decoder{keyspace.Hash, keyspace.ListpackEx, put, hashExpiresIn(false)}
	t[26] = decoder{keyspace.Stream, keyspace.Radix, put, stream(4)}
	t[27] = decoder{keyspace.Stream, keyspace.Radix, put, stream(5)}
	t[28] = decoder{keyspace.Array, keyspace.Sparse, put, array}
	t[29] = decoder{keyspace.Hash, keyspace.Template, put, hashTemplate(true, true)}
	t[30] = decoder{keyspace.Hash, keyspace.Template, put, hashTemplate(true, false)}
	t[31] = decoder{keyspace.Hash, keyspace.Template, put, hashTemplate(false, true)}
	t[32] = decoder{keyspace.Hash, keyspace.Template, put, hashTemplate(false, false)}
	// 33 GCRA: its final layout has not been seen (Redis pull requests 14905, 15191 disagree).
	return t
}()

// valkeyTypes adds what Valkey 9 brought.
var valkeyTypes = func() [256]decoder {
	t := commonTypes()
	t[22] = decoder{keyspace.Hash, keyspace.HashtableEx, keyspace.OpPut, hashExpiresValkey}
	// 23 PATH_HASH (Valkey pull request 4506): parts of its layout are unknown.
	return t
}()

// orphanTypes are those of a snapshot that has lost its header. The type on which the
// servers differ is Valkey's: of Redis, release candidates alone wrote theirs.
var orphanTypes = func() [256]decoder {
	t := redisTypes
	t[typeForked] = valkeyTypes[typeForked]
	return t
}()

// origin is the magic of a snapshot that has lost it, where what was read tells.
func (r *Reader) origin() []byte {
	if r.headless && r.o.Headless == "" && r.habits.types[typeForked] {
		return []byte("VALKEY")
	}
	return nil
}
