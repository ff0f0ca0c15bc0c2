package lifecycle

import (
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// TestOps holds what each command does to values.
func TestOps(t *testing.T) {
	for _, tt := range []struct {
		name string
		log  string // commands, one a line or separated by ;
		want string // values in log order, with their states
		asOf int64
	}{
		{name: "set", log: "SET k a", want: "a live"},
		{name: "set over", log: "SET k a; SET k b", want: "a overwritten, b live"},
		{name: "set over another type", log: "HSET k f a; SET k b", want: "a overwritten, b live"},
		{name: "another type over set", log: "SET k a; RESTORE-SET k b", want: "a overwritten, b live"},
		{name: "del", log: "SET k a; DEL k", want: "a deleted"},
		{name: "del, set", log: "SET k a; DEL k; SET k b", want: "a deleted, b live"},
		{name: "del of several", log: "SET k a; SET l b; SET m c; DEL k m", want: "a deleted, b live, c deleted"},
		{name: "append", log: "SET k a; APPEND k b; APPEND k c", want: "a live, b live, c live"},
		{name: "append, set", log: "SET k a; APPEND k b; SET k c", want: "a overwritten, b overwritten, c live"},
		{name: "append to nothing", log: "APPEND k a; DEL k", want: "a deleted"},
		{name: "mention", log: "SET k a; MENTION k b; DEL k", want: "a deleted, b unknown"},

		{name: "hset", log: "HSET k f a g b; HSET k f c", want: "a overwritten, b live, c live"},
		{name: "hdel", log: "HSET k f a g b; HDEL k f", want: "a deleted, b live"},
		{name: "hash emptied", log: "HSET k f a; PEXPIREAT k 5000; HDEL k f; HSET k f b", want: "a deleted, b live", asOf: 9000},
		{name: "hash not emptied", log: "HSET k f a g c; PEXPIREAT k 5000; HDEL k f; HSET k f b", want: "a deleted, c expired, b expired", asOf: 9000},
		{name: "hincrby", log: "HSET k f 10; HINCRBY k f 5; HDEL k f", want: "10 overwritten, 5 deleted"},
		{name: "same field elsewhere", log: "HSET k f a; HSET l f b; HDEL k f", want: "a deleted, b live"},
		{name: "field expiry", log: "HSET k f a g b; HPEXPIREAT k 5000 FIELDS 1 f", want: "a expired, b live", asOf: 9000},
		{name: "field expiry reset by hset", log: "HSET k f a; HPEXPIREAT k 5000 FIELDS 1 f; HSET k f b", want: "a overwritten, b live", asOf: 9000},
		{name: "field expiry kept by hincrby", log: "HSET k f 1; HPEXPIREAT k 5000 FIELDS 1 f; HINCRBY k f 2", want: "1 overwritten, 2 expired", asOf: 9000},
		{name: "hsetex", log: "HSETEX k PXAT 5000 FIELDS 1 f a; HSETEX k PXAT 50000 FIELDS 1 g b", want: "a expired, b live", asOf: 9000},

		{name: "sadd", log: "SADD k a b; SREM k a", want: "a deleted, b live"},
		{name: "sadd again", log: "SADD k a; SADD k a", want: "a overwritten, a live"},
		{name: "smove", log: "SADD k a b; SMOVE k l a; SREM k b", want: "a live, b deleted"},
		{name: "smove, del", log: "SADD k a b; SADD l c; SMOVE k l a; DEL l", want: "a deleted, b live, c deleted"},
		{name: "smove of the last", log: "SADD k a; PEXPIREAT k 5000; SMOVE k l a; SADD k b", want: "a live, b live", asOf: 9000},
		{name: "smove on a member", log: "SADD k a; SADD l a; SMOVE k l a", want: "a live, a overwritten"},
		{name: "smove of none", log: "SADD k a; SMOVE k l x; DEL l", want: "a live"},
		{name: "spop", log: "SADD k a b; SPOP k; SADD k c", want: "a unknown, b unknown, c live"},
		{name: "spop, srem", log: "SADD k a b; SPOP k; SREM k a", want: "a deleted, b unknown"},
		{name: "spop, del", log: "SADD k a b; SPOP k; DEL k", want: "a deleted, b deleted"},
		{name: "spop, smove", log: "SADD k a b; SPOP k; SMOVE k l a", want: "a unknown, b unknown"},
		{name: "store", log: "SADD k a b; PEXPIREAT k 5000; SUNIONSTORE k; SADD k c; SREM k c; SADD k d", want: "a overwritten, b overwritten, c deleted, d live", asOf: 9000},
		{name: "source removed", log: "SADD k a b; SUNIONSTORE d k; SREM k a; DEL k; SADD k c; DEL k", want: "a live, b live, c deleted"},
		{name: "source removed of a sort", log: "SADD k a b; SORT-STORE d k; SREM k a; DEL k; SADD k c; DEL k", want: "a unknown, b unknown, c deleted"},
		{name: "source stays", log: "SADD k a b; SUNIONSTORE d k; SREM k a; DEL d", want: "a deleted, b live"},
		{name: "source stays of a sort", log: "SADD k a b; SORT-STORE d k; SREM k a; DEL d", want: "a unknown, b live"},
		{name: "source twice", log: "SADD k a; SUNIONSTORE d k; SADD k b c; SUNIONSTORE d k; SADD k e; DEL k", want: "a live, b live, c live, e deleted"},
		{name: "source twice of a sort", log: "SADD k a; SORT-STORE d k; SADD k b c; SORT-STORE d k; SADD k e; DEL k", want: "a unknown, b unknown, c unknown, e deleted"},
		{name: "source that got a source's member", log: "SADD k a; SUNIONSTORE d k; SADD l b; SMOVE k l a; SUNIONSTORE d l; DEL l", want: "a live, b live"},
		{name: "source that got a source's member of a sort", log: "SADD k a; SORT-STORE d k; SADD l b; SMOVE k l a; SORT-STORE d l; DEL l", want: "a unknown, b unknown"},
		{name: "source is the destination", log: "SADD k a; SADD l b; SUNIONSTORE k k l; DEL l", want: "a live, b live"},
		{name: "source is the destination of a sort", log: "SADD k a; SADD l b; SORT-STORE k k l; DEL l", want: "a unknown, b unknown"},
		{name: "source is a string", log: "SET k a; APPEND k b; SUNIONSTORE d k; SET k c", want: "a unknown, b unknown, c live"},
		{name: "source expired", log: "SADD k a; PEXPIREAT k 5000; SUNIONSTORE d k", want: "a live", asOf: 9000},
		{name: "source expired of a sort", log: "SADD k a; PEXPIREAT k 5000; SORT-STORE d k", want: "a unknown", asOf: 9000},
		{name: "source moved on", log: "SADD k a b; SUNIONSTORE d k; SMOVE k l a; RENAME k m; DEL m", want: "a live, b live"},
		{name: "source moved on of a sort", log: "SADD k a b; SORT-STORE d k; SMOVE k l a; RENAME k m; DEL m", want: "a live, b unknown"},
		{name: "sources that share a member", log: "SADD k a b; SADD l b c; SUNIONSTORE d k l; DEL k l", want: "a live, b live, b unknown, c live"},
		{name: "sinterstore", log: "SADD k a b; SADD l b c; SINTERSTORE d k l; DEL k; DEL l", want: "a deleted, b live, b unknown, c deleted"},
		{name: "sinterstore with nothing", log: "SADD d x; SADD k a; SINTERSTORE d k l; DEL k", want: "x overwritten, a deleted"},
		{name: "sdiffstore", log: "SADD k a b; SADD l b c; SDIFFSTORE d k l; DEL k; DEL l", want: "a live, b deleted, b deleted, c deleted"},
		{name: "sdiffstore behind spop", log: "SADD k a b; SADD l b c; SPOP l; SDIFFSTORE d k l; DEL k; DEL l", want: "a live, b unknown, b unknown, c deleted"},
		{name: "expiry of a field on condition", log: "HSET k f a g b; HPEXPIREAT k 5000 FIELDS 1 f; HPEXPIREAT k 99000 NX FIELDS 1 f; HPEXPIREAT k 6000 NX FIELDS 1 g", want: "a expired, b expired", asOf: 9000},
		{name: "expiry of a field that is kept", log: "HSET k f a; HPEXPIREAT k 5000 FIELDS 1 f; HSETEX k KEEPTTL FIELDS 1 f b", want: "a overwritten, b expired", asOf: 9000},
		{name: "range of ranks", log: "ZADD k 1 a 2 b 3 c 4 d; ZRANGESTORE e k 1 -2; DEL k", want: "a deleted, b live, c live, d deleted"},
		{name: "range of ranks in reverse", log: "ZADD k 1 a 2 b 3 c 4 d; ZRANGESTORE e k 0 1 REV; DEL k", want: "a deleted, b deleted, c live, d live"},
		{name: "range of mixed ranks", log: "ZADD k 1 a 2 b 3 c 4 d; ZRANGESTORE e k -3 2; DEL k", want: "a deleted, b live, c live, d deleted"},
		{name: "range whose source stays", log: "ZADD k 1 a 2 b; ZRANGESTORE e k 0 0; DEL e", want: "a live, b live"},
		{name: "range of scores", log: "ZADD k 1 a 2 b 3 c 4 d; ZRANGESTORE e k (1 3 BYSCORE; DEL k", want: "a deleted, b live, c live, d deleted"},
		{name: "range of all scores", log: "ZADD k 1 a 2 b; ZRANGESTORE e k -inf +inf byscore; DEL k; ZREMRANGEBYSCORE e 1 1", want: "a deleted, b live"},
		{name: "range of scores in reverse with limit", log: "ZADD k 1 a 2 b 3 c 4 d; ZRANGESTORE e k 4 (1 BYSCORE REV LIMIT 1 1; DEL k", want: "a deleted, b deleted, c live, d deleted"},
		{name: "range behind an offset", log: "ZADD k 1 a 2 b 3 c; ZRANGESTORE e k 1 3 BYSCORE LIMIT 1 -1; DEL k", want: "a deleted, b live, c live"},
		{name: "range behind a negative offset", log: "ZADD k 1 a; ZADD e 1 x; ZRANGESTORE e k 1 3 BYSCORE LIMIT -1 1; DEL k", want: "a unknown, x overwritten"},
		{name: "range of nothing", log: "ZADD k 1 a; ZADD e 1 x; ZRANGESTORE e k 5 9 BYSCORE; ZADD e 1 y", want: "a live, x overwritten, y live"},
		{name: "range of no key", log: "ZADD e 1 x; ZRANGESTORE e k 0 -1", want: "x overwritten"},
		{name: "range of equal scores", log: "ZADD k 1 a 1 b 2 c; ZRANGESTORE e k 0 0; DEL k; ZREMRANGEBYRANK e 0 0", want: "a unknown, b unknown, c deleted"},
		{name: "range of names", log: "ZADD k 1 a 1 b; ZRANGESTORE e k [a (b BYLEX; ZREM k a b", want: "a unknown, b unknown"},
		{name: "range of names whose result is gone", log: "ZADD k 1 a; ZRANGESTORE e k [a (b BYLEX; DEL e; DEL k", want: "a deleted"},
		{name: "range behind spop", log: "ZADD k 1 a 2 b; SPOP k; ZRANGESTORE e k 0 0; ZREM k a b", want: "a unknown, b unknown"},
		{name: "range into itself", log: "ZADD k 1 a 2 b; ZRANGESTORE k k 0 0; ZADD k 5 c; ZREMRANGEBYRANK k 1 1", want: "a live, b overwritten, c deleted"},
		{name: "range of nonsense", log: "ZADD k 1 a; ZRANGESTORE e k x y; ZREM k a", want: "a unknown"},
		{name: "found by place", log: "ZADD k 1 a 2 b; GEOSEARCHSTORE e k; DEL k; ZREM e a", want: "a deleted, b unknown"},
		{name: "result overwritten", log: "SADD k a; SUNIONSTORE d k; DEL k; SET d x", want: "a overwritten, x live"},
		{name: "result of nothing", log: "SADD d a; SUNIONSTORE d k", want: "a overwritten"},
		{name: "source rolled back", log: "SADD k a; MULTI; SUNIONSTORE d k; TORN 2", want: "a live"},
		{name: "source is a list", log: "RPUSH k a b; SUNIONSTORE d k; LPOP k 1; RPOP k 1", want: "a unknown, b unknown"},

		{name: "zadd", log: "ZADD k 1 a 2 b; ZADD k 3 a; ZREM k b", want: "a overwritten, b deleted, a live"},
		{name: "zincrby", log: "ZINCRBY k 1 a; ZINCRBY k 1 b; ZREM k a", want: "a deleted, b live"},

		{name: "ranks", log: "ZADD k 3 a 1 b 2 c 4 d; ZREMRANGEBYRANK k 1 -2", want: "a deleted, b live, c deleted, d live"},
		{name: "ranks of equal scores", log: "ZADD k 1 a 2 b 2 c 3 d; ZREMRANGEBYRANK k 0 1; ZREMRANGEBYRANK k -1 -1", want: "a deleted, b unknown, c unknown, d unknown"},
		{name: "ranks of all equal scores", log: "ZADD k 1 a 2 b 2 c 3 d; ZREMRANGEBYRANK k 1 2; ZREMRANGEBYRANK k -1 -1", want: "a live, b deleted, c deleted, d deleted"},
		{name: "ranks outside", log: "ZADD k 1 a; ZREMRANGEBYRANK k 1 5; ZREMRANGEBYRANK k -5 -2", want: "a live"},
		{name: "last rank", log: "ZADD k 1 a; PEXPIREAT k 5000; ZREMRANGEBYRANK k 0 0; ZADD k 1 b", want: "a deleted, b live", asOf: 9000},
		{name: "ranks behind spop", log: "ZADD k 1 a 2 b; SPOP k; ZREMRANGEBYRANK k 0 0", want: "a unknown, b unknown"},
		{name: "ranks of what is computed", log: "SUNIONSTORE k; ZADD k 1 a; ZREMRANGEBYRANK k 0 0", want: "a unknown"},
		{name: "ranks of what zadd may have kept", log: "ZADD k 1 a 2 b; ZADD-GT k 0 b; ZREMRANGEBYRANK k 0 0", want: "a unknown, b overwritten, b unknown"},
		{name: "scores", log: "ZADD k 1 a 2 b 3 c 4 d; ZREMRANGEBYSCORE k (1 3; ZREMRANGEBYSCORE k 5 +inf", want: "a live, b deleted, c deleted, d live"},
		{name: "scores moved", log: "ZADD k 1 a 2 b; ZINCRBY k 5 a; ZADD k 9 b; ZREMRANGEBYSCORE k -inf 6", want: "a overwritten, b overwritten, a deleted, b live"},
		{name: "scores that are none", log: "ZADD k 1 a; ZREMRANGEBYSCORE k x 6", want: "a unknown"},
		{name: "scores behind spop", log: "ZADD k 1 a 2 b; SPOP k; ZREMRANGEBYSCORE k 1 1", want: "a deleted, b unknown"},
		{name: "expiry of a field of a sorted set", log: "ZADD k 7 a; HPEXPIREAT k 5000 FIELDS 1 a; ZREMRANGEBYSCORE k 7 7", want: "a deleted", asOf: 9000},
		{name: "score like an expiry", log: "ZADD k 5000 a", want: "a live", asOf: 9000},

		{name: "rpush", log: "RPUSH k a b; LPUSH k c d", want: "a live@2, b live@3, c live@1, d live@0"},
		{name: "list of a snapshot", log: "RESTORE-LIST k a b c; LPOP k 1", want: "a deleted, b live@0, c live@1"},
		{name: "lpop", log: "RPUSH k a b c; LPOP k 1; RPOP k 1", want: "a deleted, b live@0, c deleted"},
		{name: "lpop of more than all", log: "RPUSH k a b c; LPOP k 9; RPUSH k d", want: "a deleted, b deleted, c deleted, d live@0"},
		{name: "lset", log: "RPUSH k a b c; LSET k 1 d; LSET k -1 e", want: "a live@0, b overwritten, c overwritten, d live@1, e live@2"},
		{name: "lset outside", log: "RPUSH k a; LSET k 1 d; LSET k -2 e", want: "a live@0, d unknown, e unknown"},
		{name: "linsert", log: "RPUSH k a b a; LINSERT k BEFORE a c; LINSERT k AFTER a d; LINSERT k AFTER x e", want: "a live@1, b live@3, a live@4, c live@0, d live@2, e unknown"},
		{name: "lrem from the head", log: "RPUSH k a b a a; LREM k 2 a", want: "a deleted, b live@0, a deleted, a live@1"},
		{name: "lrem from the tail", log: "RPUSH k a b a a; LREM k -2 a", want: "a live@0, b live@1, a deleted, a deleted"},
		{name: "lrem all", log: "RPUSH k a b a a; LREM k 0 a", want: "a deleted, b live@0, a deleted, a deleted"},
		{name: "ltrim", log: "RPUSH k a b c d; LTRIM k 1 -2", want: "a deleted, b live@0, c live@1, d deleted"},
		{name: "ltrim to nothing", log: "RPUSH k a b; LTRIM k 2 1; RPUSH k c", want: "a deleted, b deleted, c live@0"},
		{name: "ltrim beyond", log: "RPUSH k a b; LTRIM k -9 9", want: "a live@0, b live@1"},
		{name: "ltrim behind the end", log: "RPUSH k a b; LTRIM k 5 9", want: "a deleted, b deleted"},
		{name: "lmove", log: "RPUSH k a b c; RPUSH l d; LMOVE k l LEFT RIGHT; LMOVE k l RIGHT LEFT", want: "a live@2, b live@0, c live@0, d live@1"},
		{name: "lmove, lpop", log: "RPUSH k a b; LMOVE k l LEFT RIGHT; LPOP l 1", want: "a deleted, b live@0"},
		{name: "rotation", log: "RPUSH k a; PEXPIREAT k 5000; LMOVE k k LEFT RIGHT; RPUSH k b", want: "a expired, b expired", asOf: 9000},
		{name: "lmove through three", log: "RPUSH k a b; LMOVE k l RIGHT LEFT; LMOVE l m RIGHT LEFT; DEL l k", want: "a deleted, b live@0"},
		{name: "lmove, lrem", log: "RPUSH k a; LMOVE k l RIGHT LEFT; LREM l 1 a", want: "a deleted"},
		{name: "lmove of none", log: "RPUSH l a; LMOVE k l LEFT LEFT", want: "a live@0"},

		{name: "xadd", log: "XADD k 5-1 f a g b; XADD k 5-2 f c; XDEL k 5-1", want: "a deleted, b deleted, c live"},
		{name: "maxlen", log: "XADD k 5-1 f a g b; XADD k 5-2 f c; XADD k 6-0 f d; XTRIM k MAXLEN 2", want: "a deleted, b deleted, c live, d live"},
		{name: "maxlen behind xdel", log: "XADD k 5-1 f a; XADD k 5-2 f b; XADD k 6-0 f c; XDEL k 5-2; XTRIM k MAXLEN 2", want: "a live, b deleted, c live"},
		{name: "minid", log: "XADD k 5-1 f a; XADD k 5-2 f b; XADD k 6-0 f c; XTRIM k MINID 5-2", want: "a deleted, b live, c live"},
		{name: "minid by ms", log: "XADD k 5-1 f a; XADD k 6-2 f b; XTRIM k MINID 6-0", want: "a deleted, b live"},
		{name: "stream stays when empty", log: "XADD k 5-1 f a; PEXPIREAT k 5000; XDEL k 5-1; XADD k 6-1 f b", want: "a deleted, b expired", asOf: 9000},
		{name: "groups", log: "XADD k 5-1 f a; XGROUP-CREATE k g; XGROUP-CREATE k h; XCLAIM k g c 1 5-1; XTRIM k MAXLEN 0; XGROUP-DESTROY k g", want: "a deleted, g deleted, h live, c deleted"},
		{name: "consumers", log: "XCLAIM k g c 1 5-1; XCLAIM k g d 1 5-1; XGROUP-DELCONSUMER k g c", want: "c deleted, d live"},

		{name: "rename", log: "SET k a; RENAME k l", want: "a live"},
		{name: "rename over", log: "SET k a; SET l b; RENAME k l", want: "a live, b overwritten"},
		{name: "rename, del of the old name", log: "SET k a; RENAME k l; SET k b; DEL k", want: "a live, b deleted"},
		{name: "rename, del of the new name", log: "SET k a; RENAME k l; SET k b; DEL l", want: "a deleted, b live"},
		{name: "rename to and fro", log: "SET k a; SET l b; RENAME k m; RENAME l k; RENAME m l; DEL l", want: "a deleted, b live"},
		{name: "rename to itself", log: "SET k a; RENAME k k; DEL k", want: "a deleted"},
		{name: "rename a hash", log: "HSET k f a; RENAME k l; HSET l f b; HSET k f c; HDEL l f", want: "a overwritten, b deleted, c live"},
		{name: "rename keeps the expiry", log: "SET k a PXAT 5000; RENAME k l; SET k b", want: "a expired, b live", asOf: 9000},
		{name: "many through one name", log: "SET t a; RENAME t k; SET t b; RENAME t l; SET t c; RENAME t k; DEL l", want: "a overwritten, b deleted, c live"},
		{name: "copy", log: "SET k a; COPY k l 0; DEL k", want: "a live"},
		{name: "copy, both gone", log: "SET k a; COPY k l 0; DEL k; SET l b", want: "a overwritten, b live"},
		{name: "copy over", log: "SET k a; SET l b; COPY k l 0", want: "a live, b overwritten"},
		{name: "copy a hash", log: "HSET k f a g b; COPY k l 0; HDEL k f; HDEL l f g", want: "a deleted, b live"},
		{name: "copy a list", log: "RPUSH k a b; COPY k l 0; LPOP k 1; LPOP l 2", want: "a deleted, b live@0"},
		{name: "copy with its expiry", log: "SET k a PXAT 5000; COPY k l 0; PERSIST l", want: "a live", asOf: 9000},
		{name: "copy to another database", log: "SET k a; COPY k k 1; @1; FLUSHDB; @0; DEL k", want: "a deleted"},
		{name: "move", log: "SET k a; MOVE k 1; SET k b; @1; DEL k", want: "a deleted, b live"},
		{name: "move, flushdb", log: "SET k a; MOVE k 1; SET k b; FLUSHDB", want: "a live, b flushed"},
		{name: "move, flushdb there", log: "SET k a; MOVE k 1; SET k b; @1; FLUSHDB", want: "a flushed, b live"},
		{name: "swapdb", log: "SET k a; @1; SET k b; SWAPDB 0 1; DEL k", want: "a deleted, b live"},
		{name: "swapdb, flushdb", log: "SET k a; @1; SET k b; SWAPDB 0 1; FLUSHDB; SET k c", want: "a flushed, b live, c live"},
		{name: "swapdb twice", log: "SET k a; @1; SET k b; SWAPDB 0 1; SWAPDB 1 2; @2; DEL k", want: "a deleted, b live"},

		{name: "flushdb", log: "SET k a; @1; SET k b; FLUSHDB; SET k c", want: "a live, b flushed, c live"},
		{name: "flushall", log: "SET k a; @1; HSET k f b; FLUSHALL; SET k c", want: "a flushed, b flushed, c live"},
		{name: "del, flushall", log: "SET k a; DEL k; FLUSHALL", want: "a deleted"},
		{name: "flushall at the end", log: "RPUSH k a; LMOVE k l LEFT LEFT; FLUSHALL", want: "a flushed"},
		{name: "unknown database", log: "SET k a; @-1; SET k b; SET l c; DEL l; @0; DEL k", want: "a deleted, b unknown, c deleted"},
		{name: "unknown database, flushall", log: "@-1; SET k a; FLUSHALL", want: "a flushed"},
		{name: "unknown database, functions", log: "FUNCTION-LOAD k a; @-1; SET k b; DEL k; SET k c; FUNCTION-FLUSH", want: "a flushed, b deleted, c unknown"},
		{name: "functions", log: "FUNCTION-LOAD lib a; FUNCTION-LOAD lib b; FLUSHALL", want: "a overwritten, b live"},
		{name: "function delete", log: "FUNCTION-LOAD lib a; FUNCTION-LOAD mib b; FUNCTION-DELETE lib", want: "a deleted, b live"},
		{name: "function flush", log: "SET k a; FUNCTION-LOAD lib b; FUNCTION-FLUSH", want: "a live, b flushed"},

		{name: "expired at the end", log: "SET k a PXAT 5000; SET l b PXAT 5001", want: "a expired, b live", asOf: 5000},
		{name: "no time, none expired", log: "SET k a PXAT 5000", want: "a live"},
		{name: "expiry gone by set", log: "SET k a PXAT 5000; SET k b", want: "a overwritten, b live", asOf: 9000},
		{name: "expiry kept by set", log: "SET k a PXAT 5000; SET k b KEEPTTL", want: "a overwritten, b expired", asOf: 9000},
		{name: "persist", log: "SET k a PXAT 5000; PERSIST k", want: "a live", asOf: 9000},
		{name: "time of the log", log: "SET k a PXAT 5000; #TS:6; SET l b PXAT 7000", want: "a expired, b live"},

		{name: "path of a document", log: "JSON.SET k $ a; JSON.SET k $.x b; JSON.SET k $.x c", want: "a unknown, b overwritten, c live"},
		{name: "path removed", log: "JSON.SET k $ a; JSON.SET k $.x b; JSON.DEL k $.x", want: "a unknown, b deleted"},
		{name: "document replaced", log: "JSON.SET k $ a; JSON.SET k $ b", want: "a overwritten, b live"},
		{name: "array", log: "ARSET k 1 a; ARSET k 2 b; ARSET k 1 c; ARDEL k 2", want: "a overwritten, b deleted, c live"},

		{name: "multi", log: "MULTI; SET k a; EXEC; SET k b", want: "a overwritten, b live"},
		{name: "multi without exec", log: "SET k a; MULTI; SET k b; DEL k; SET l c; TORN 4", want: "a live, b recovered, c recovered"},
		{name: "cut inside a command", log: "SET k a; MULTI; DEL k; EXEC; HSET k f b; TORN 1", want: "a deleted, b recovered"},
		{name: "rename rolled back", log: "SET k a; SET l b; MULTI; RENAME k l; TORN 2", want: "a live, b live"},
		{name: "flushall rolled back", log: "SET k a; MULTI; FLUSHALL; TORN 2", want: "a live"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s script
			for _, line := range strings.FieldsFunc(tt.log, func(r rune) bool { return r == ';' || r == '\n' }) {
				s.do(strings.TrimSpace(line))
			}
			for _, mem := range []int64{0, 1 << 14} {
				got, res := resolve(t, s.events, Options{AsOf: tt.asOf, MaxMem: mem})
				if list := strings.Join(slices.Collect(values(got)), ", "); list != tt.want {
					t.Errorf("with %d bytes\n got %s\nwant %s\n%+v", mem, list, tt.want, res)
				}
			}
		})
	}
}

// TestDeletedOrExpired holds how the server's own deletions are told from others.
func TestDeletedOrExpired(t *testing.T) {
	for _, tt := range []struct{ name, log, want string }{
		{"after its time by #TS", "#TS:1;SET k a PXAT 5000;#TS:9;DEL k", "a expired"},
		{"before its time by #TS", "#TS:1;SET k a PXAT 50000;DEL k;#TS:9;SET l b", "a deleted, b live"},
		{"in the second of its time", "#TS:5;SET k a PXAT 5500;DEL k;#TS:9;SET l b", "a expired, b live"},
		{"no expiry", "#TS:1;SET k a;#TS:9;DEL k", "a deleted"},
		{"expiry taken back", "#TS:1;SET k a PXAT 5000;PERSIST k;#TS:9;DEL k", "a deleted"},
		{"several keys", "#TS:1;SET k a PXAT 5000;#TS:9;DEL k l", "a deleted"},
		{"client's spelling", "#TS:1;SET k a PXAT 5000;#TS:9;del k", "a deleted"},
		{"unlink", "#TS:1;SET k a PXAT 5000;#TS:9;UNLINK k", "a expired"},
		{"no time at all", "SET k a PXAT 5000;DEL k", "a deleted"},
		{"a later deadline before its time", "SET k a PXAT 9000;DEL k;SET l b PXAT 4000;XCLAIM s g c 9500 1-1", "a deleted, b live, c live"},
		{"a later deadline behind its time", "SET k a PXAT 5000;DEL k;SET l b PXAT 7000;XCLAIM s g c 9500 1-1", "a expired, b live, c live"},
		{"an earlier deadline says nothing", "SET l b PXAT 4000;SET k a PXAT 9000;DEL k;XCLAIM s g c 9500 1-1", "b live, a expired, c live"},
		{"time reached by delivery", "SET k a PXAT 5000;DEL k;XCLAIM s g c 5001 1-1", "a expired, c live"},
		{"time not reached", "SET k a PXAT 5000;DEL k;XCLAIM s g c 4999 1-1", "a deleted, c live"},
		{"time reached by entry", "SET k a PXAT 5000;DEL k;XADD s 6000-0 f b", "a expired, b live"},
		{"an entry from the end of time", "SET k a PXAT 5000;DEL k;XADD s 1700000000000000000-0 f b", "a deleted, b live"},
		{"field by hdel", "#TS:1;HSET k f a g b;HPEXPIREAT k 5000 FIELDS 1 f;#TS:9;HDEL k f g", "a expired, b deleted"},
		{"field by hgetdel", "#TS:1;HSET k f a;HPEXPIREAT k 5000 FIELDS 1 f;#TS:9;hdel k f", "a deleted"},
		{"field before its time", "#TS:1;HSET k f a;HPEXPIREAT k 50000 FIELDS 1 f;HDEL k f;#TS:9;SET l b", "a deleted, b live"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s script
			for line := range strings.SplitSeq(tt.log, ";") {
				s.do(line)
			}
			got, _ := resolve(t, s.events, Options{})
			if list := strings.Join(slices.Collect(values(got)), ", "); list != tt.want {
				t.Errorf("got %s, want %s", list, tt.want)
			}
		})
	}
}

// TestKeys holds the states of Key events: a record lives as long as one of its values.
func TestKeys(t *testing.T) {
	for _, tt := range []struct{ name, log, want string }{
		{"string", "SET k a; SET k b", "k overwritten, k live"},
		{"hash", "HSET k f a g b; HSET k f c; HDEL k g", "k deleted, k live"},
		{"hash in part", "HSET k f a g b; HDEL k g", "k live"},
		{"moved", "SADD k a b; SMOVE k l a; SREM k b", "k live"},
		{"without a value", "INCR k; INCR k; DEL k; INCR k", "k overwritten, k deleted, k live"},
		{"emptied", "RPUSH k a b; LPOP k 2", "k deleted"},
		{"flushed", "RPUSH k a; FLUSHALL", "k flushed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s script
			for line := range strings.SplitSeq(tt.log, "; ") {
				s.do(line)
			}
			got, _ := resolve(t, s.events, Options{})
			var list []string
			for i := range got {
				if got[i].Kind == keyspace.Key {
					list = append(list, string(got[i].Key)+" "+got[i].State.String())
				}
			}
			if list := strings.Join(list, ", "); list != tt.want {
				t.Errorf("got %s, want %s", list, tt.want)
			}
		})
	}
}
