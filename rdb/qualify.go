package rdb

import "github.com/valkeyfs/valkeyfs/keyspace"

// qualifier is a set of what stands before a key and belongs to it.
type qualifier uint8

const (
	qualifyExpire qualifier = 1 << iota
	qualifyIdle
	qualifyFreq
	qualifyMeta
)

// qualify adds an opcode to what was said of the key to come. Servers read, but
// never write (rdb.c, rdbSaveKeyValuePair), the same about a key twice, and
// anything else between it and its key.
func (r *Reader) qualify(said qualifier, op byte) (qualifier, error) {
	var q qualifier
	switch {
	case op == opExpireMS || op == opExpire:
		q = qualifyExpire
	case op == opIdle:
		q = qualifyIdle
	case op == opFreq:
		q = qualifyFreq
	case op == opKeyMeta && r.magic != "VALKEY":
		q = qualifyMeta
	}
	switch {
	case q == 0 && said != 0:
		return 0, r.fail("no key behind an expiry, an idle time, an access frequency or metadata", keyspace.ErrCorrupt)
	case q&said != 0:
		return 0, r.fail("an expiry, an idle time, an access frequency or metadata twice before one key", keyspace.ErrCorrupt)
	}
	return said | q, nil
}
