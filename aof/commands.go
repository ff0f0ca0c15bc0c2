package aof

// Flags say what is known of a command.
type Flags uint8

const (
	// Write: the command changes the keyspace, so that servers log it.
	Write Flags = 1 << iota
	// NeverLogged: no server writes the command to an AOF. Where one stands,
	// something else wrote it.
	NeverLogged
)

// A CommandSpec says how a command is written. Keys stand where COMMAND says.
type CommandSpec struct {
	Name     string // in upper case
	Arity    int    // arguments, the name included; -n: at least n
	Flags    Flags
	FirstKey int // index of the first key, 0 if there is none at a fixed place
	LastKey  int // index of the last; -n counts from the end
	KeyStep  int
	NumKeys  int // index of the argument that says how many keys follow it, 0 if there is none

	apply func(*command)
}

// takes reports whether the command can have so many arguments.
func (s *CommandSpec) takes(argc int64) bool {
	if s.Arity >= 0 {
		return argc == int64(s.Arity)
	}
	return argc >= int64(-s.Arity)
}

var commands = []CommandSpec{
	{"APPEND", 3, Write, 1, 1, 1, 0, applyAppend},
	{"BITFIELD", -2, Write, 1, 1, 1, 0, applyBitField},
	{"BITOP", -4, Write, 2, -1, 1, 0, applyBitOp},
	{"BLMOVE", 6, Write, 1, 2, 1, 0, applyLMove},
	{"BLMPOP", -5, Write, 0, 0, 0, 2, applyBLMPop},
	{"BLPOP", -3, Write, 1, -2, 1, 0, applyBLPop},
	{"BRPOP", -3, Write, 1, -2, 1, 0, applyBRPop},
	{"BRPOPLPUSH", 4, Write, 1, 2, 1, 0, applyRPopLPush},
	{"BZMPOP", -5, Write, 0, 0, 0, 2, applyBZMPop},
	{"BZPOPMAX", -3, Write, 1, -2, 1, 0, applyBZPop},
	{"BZPOPMIN", -3, Write, 1, -2, 1, 0, applyBZPop},
	{"COPY", -3, Write, 1, 2, 1, 0, applyCopy},
	{"DECR", 2, Write, 1, 1, 1, 0, applyIncr},
	{"DECRBY", 3, Write, 1, 1, 1, 0, applyAppend},
	{"DEL", -2, Write, 1, -1, 1, 0, applyDel},
	{"DELEX", -2, Write, 1, 1, 1, 0, applyDelEX},
	{"DELIFEQ", 3, Write, 1, 1, 1, 0, applyDelIfEq},
	{"DISCARD", 1, NeverLogged, 0, 0, 0, 0, applyExec},
	{"EXEC", 1, 0, 0, 0, 0, 0, applyExec},
	{"EXPIRE", -3, Write, 1, 1, 1, 0, applyExpire},
	{"EXPIREAT", -3, Write, 1, 1, 1, 0, applyExpireAt},
	{"FLUSHALL", -1, Write, 0, 0, 0, 0, applyFlushAll},
	{"FLUSHDB", -1, Write, 0, 0, 0, 0, applyFlushDB},
	{"GEOADD", -5, Write, 1, 1, 1, 0, applyGeoAdd},
	{"GETDEL", 2, Write, 1, 1, 1, 0, applyDel},
	{"GETEX", -2, Write, 1, 1, 1, 0, applyGetEX},
	{"GETSET", 3, Write, 1, 1, 1, 0, applySetNX},
	{"HDEL", -3, Write, 1, 1, 1, 0, applyHDel},
	{"HEXPIRE", -6, Write, 1, 1, 1, 0, applyHExpire},
	{"HEXPIREAT", -6, Write, 1, 1, 1, 0, applyHExpireAt},
	{"HGETDEL", -5, Write, 1, 1, 1, 0, applyHGetDel},
	{"HGETEX", -5, Write, 1, 1, 1, 0, applyHGetEX},
	{"HINCRBY", 4, Write, 1, 1, 1, 0, applyHIncrBy},
	{"HINCRBYFLOAT", 4, Write, 1, 1, 1, 0, applyHIncrBy},
	{"HMSET", -4, Write, 1, 1, 1, 0, applyHSet},
	{"HPERSIST", -5, Write, 1, 1, 1, 0, applyHPersist},
	{"HPEXPIRE", -6, Write, 1, 1, 1, 0, applyHPExpire},
	{"HPEXPIREAT", -6, Write, 1, 1, 1, 0, applyHPExpireAt},
	{"HSET", -4, Write, 1, 1, 1, 0, applyHSet},
	{"HSETEX", -6, Write, 1, 1, 1, 0, applyHSetEX},
	{"HSETNX", 4, Write, 1, 1, 1, 0, applyHSet},
	{"INCR", 2, Write, 1, 1, 1, 0, applyIncr},
	{"INCRBY", 3, Write, 1, 1, 1, 0, applyAppend},
	{"INCRBYFLOAT", 3, Write, 1, 1, 1, 0, applyAppend},
	{"LINSERT", 5, Write, 1, 1, 1, 0, applyLInsert},
	{"LMOVE", 5, Write, 1, 2, 1, 0, applyLMove},
	{"LMPOP", -4, Write, 0, 0, 0, 1, applyLMPop},
	{"LPOP", -2, Write, 1, 1, 1, 0, applyLPop},
	{"LPUSH", -3, Write, 1, 1, 1, 0, applyPushHead},
	{"LPUSHX", -3, Write, 1, 1, 1, 0, applyPushHead},
	{"LREM", 4, Write, 1, 1, 1, 0, applyLRem},
	{"LSET", 4, Write, 1, 1, 1, 0, applyLSet},
	{"LTRIM", 4, Write, 1, 1, 1, 0, applyLTrim},
	{"MOVE", 3, Write, 1, 1, 1, 0, applyMove},
	{"MSET", -3, Write, 1, -1, 2, 0, applyMSet},
	{"MSETEX", -4, Write, 0, 0, 0, 1, applyMSetEX},
	{"MSETNX", -3, Write, 1, -1, 2, 0, applyMSet},
	{"MULTI", 1, 0, 0, 0, 0, 0, applyMulti},
	{"PERSIST", 2, Write, 1, 1, 1, 0, applyPersist},
	{"PEXPIRE", -3, Write, 1, 1, 1, 0, applyPExpire},
	{"PEXPIREAT", -3, Write, 1, 1, 1, 0, applyPExpireAt},
	{"PFADD", -2, Write, 1, 1, 1, 0, applyPFAdd},
	{"PFMERGE", -2, Write, 1, -1, 1, 0, applyIncr},
	{"PSETEX", 4, Write, 1, 1, 1, 0, applyPSetEX},
	{"RENAME", 3, Write, 1, 2, 1, 0, applyRename},
	{"RENAMENX", 3, Write, 1, 2, 1, 0, applyRename},
	{"RPOP", -2, Write, 1, 1, 1, 0, applyRPop},
	{"RPOPLPUSH", 3, Write, 1, 2, 1, 0, applyRPopLPush},
	{"RPUSH", -3, Write, 1, 1, 1, 0, applyPushTail},
	{"RPUSHX", -3, Write, 1, 1, 1, 0, applyPushTail},
	{"SADD", -3, Write, 1, 1, 1, 0, applySAdd},
	{"SDIFFSTORE", -3, Write, 1, -1, 1, 0, applySetStore},
	{"SELECT", 2, 0, 0, 0, 0, 0, applySelect},
	{"SET", -3, Write, 1, 1, 1, 0, applySet},
	{"SETBIT", 4, Write, 1, 1, 1, 0, applySetRange},
	{"SETEX", 4, Write, 1, 1, 1, 0, applySetEX},
	{"SETNX", 3, Write, 1, 1, 1, 0, applySetNX},
	{"SETRANGE", 4, Write, 1, 1, 1, 0, applySetRange},
	{"SINTERSTORE", -3, Write, 1, -1, 1, 0, applySetStore},
	{"SMOVE", 4, Write, 1, 2, 1, 0, applySMove},
	{"SPOP", -2, Write, 1, 1, 1, 0, applySPop},
	{"SREM", -3, Write, 1, 1, 1, 0, applySRem},
	{"SUNIONSTORE", -3, Write, 1, -1, 1, 0, applySetStore},
	{"SWAPDB", 3, Write, 0, 0, 0, 0, applySwapDB},
	{"UNLINK", -2, Write, 1, -1, 1, 0, applyDel},
	{"XADD", -5, Write, 1, 1, 1, 0, applyXAdd},
	{"XDEL", -3, Write, 1, 1, 1, 0, applyXDel},
	{"XTRIM", -4, Write, 1, 1, 1, 0, applyXTrim},
	{"ZADD", -4, Write, 1, 1, 1, 0, applyZAdd},
	{"ZDIFFSTORE", -4, Write, 1, 1, 1, 2, applyZStore},
	{"ZINCRBY", 4, Write, 1, 1, 1, 0, applyZIncrBy},
	{"ZINTERSTORE", -4, Write, 1, 1, 1, 2, applyZStore},
	{"ZMPOP", -4, Write, 0, 0, 0, 1, applyZMPop},
	{"ZPOPMAX", -2, Write, 1, 1, 1, 0, applyZPop},
	{"ZPOPMIN", -2, Write, 1, 1, 1, 0, applyZPop},
	{"ZRANGESTORE", -5, Write, 1, 2, 1, 0, applyZRangeStore},
	{"ZREM", -3, Write, 1, 1, 1, 0, applyZRem},
	{"ZREMRANGEBYLEX", 4, Write, 1, 1, 1, 0, applyZRemRange},
	{"ZREMRANGEBYRANK", 4, Write, 1, 1, 1, 0, applyZRemRange},
	{"ZREMRANGEBYSCORE", 4, Write, 1, 1, 1, 0, applyZRemRange},
	{"ZUNIONSTORE", -4, Write, 1, 1, 1, 2, applyZStore},
}
