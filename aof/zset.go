package aof

import "github.com/valkeyfs/valkeyfs/keyspace"

// applyZAdd is ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member [score member …].
func applyZAdd(c *command) {
	c.readKey()
	op, kept := keyspace.OpPut, int64(0)
	w := c.word()
	for ; len(w) == 2 || len(w) == 4; w = c.word() {
		if is(w, "INCR") {
			op = keyspace.OpAppend
		} else if is(w, "NX") || is(w, "XX") || is(w, "GT") || is(w, "LT") {
			kept = 1
		} else if !is(w, "CH") {
			break
		}
	}
	score := parseFloat(w)
	c.begin(keyspace.OpUpdate, keyspace.SortedSet)
	c.r.ev.Count = kept
	for {
		c.r.ev.Score, c.r.ev.Name = score, c.wordAt
		c.element(op)
		if !c.more() {
			break
		}
		score = c.float()
	}
	c.end()
}

// applyZIncrBy is ZINCRBY key increment member: Score is what is added.
func applyZIncrBy(c *command) {
	c.readKey()
	score := c.float()
	c.begin(keyspace.OpUpdate, keyspace.SortedSet)
	c.r.ev.Score, c.r.ev.Name = score, c.wordAt
	c.element(keyspace.OpAppend)
	c.end()
}

// ZREMRANGEBYSCORE and ZREMRANGEBYLEX key min max: the bounds, which of the last
// may hold data, are Field and Value.
func applyZRemRangeByScore(c *command) { c.readKey(); c.bounds(keyspace.OpDeleteScores) }
func applyZRemRangeByLex(c *command)   { c.readKey(); c.bounds(keyspace.OpDeleteSome) }

// applyZRemRangeByRank is ZREMRANGEBYRANK key start stop.
func applyZRemRangeByRank(c *command) {
	c.readKey()
	start, stop := c.integer(), c.integer()
	c.deleteRanks(start, stop)
}

// ZPOPMIN and ZPOPMAX key [count].
func applyZPopMin(c *command) { c.readKey(); c.zpop(true, c.countOf(1)) }
func applyZPopMax(c *command) { c.readKey(); c.zpop(false, c.countOf(1)) }

// countOf reads the next argument, a number, if there is one.
func (c *command) countOf(n int64) int64 {
	if c.more() {
		n = c.integer()
	}
	return n
}

// zpop removes so many members from one end of the key.
func (c *command) zpop(least bool, n int64) {
	switch {
	case n <= 0:
	case least:
		c.deleteRanks(0, n-1)
	default:
		c.deleteRanks(-n, -1)
	}
}

func (c *command) deleteRanks(start, stop int64) {
	e := c.event(keyspace.Delete, keyspace.OpDeleteRanks, keyspace.SortedSet)
	e.Index, e.Count = start, stop
	c.emit()
}

// applyZRangeStore is ZRANGESTORE destination source min max [BYSCORE|BYLEX]
// [REV] [LIMIT offset count].
func applyZRangeStore(c *command) {
	c.readKey()
	c.share()
	c.bounds(keyspace.OpReplaceSome)
	c.skip(c.argc)
}

func (c *command) bounds(op keyspace.Op) {
	e := c.event(keyspace.Delete, op, keyspace.SortedSet)
	e.Field, _ = c.name(fieldSlot)
	e.Value, _ = c.name(otherSlot)
	c.emit()
}

// applyGeoAdd is GEOADD key [NX|XX] [CH] longitude latitude member […]. Servers
// log it as ZADD; the Score of one that was not is not known.
func applyGeoAdd(c *command) {
	c.readKey()
	for c.more() && (c.argc-c.next)%3 != 0 {
		c.skip(1)
	}
	c.begin(keyspace.OpUpdate, keyspace.SortedSet)
	c.r.ev.Count = 1
	for c.more() {
		c.skip(2)
		c.element(keyspace.OpPut)
	}
	c.end()
}

// applyGeoRadius is GEORADIUS key longitude latitude radius unit [options], whose
// option STORE or STOREDIST is what makes it a write.
func applyGeoRadius(c *command) {
	c.readKey()
	c.skip(4)
	c.storeInto(keyspace.SortedSet)
}

// applyGeoRadiusByMember is GEORADIUSBYMEMBER key member radius unit [options].
func applyGeoRadiusByMember(c *command) {
	c.readKey()
	c.mentionOne(keyspace.Unknown)
	c.skip(2)
	c.storeInto(keyspace.SortedSet)
}

// applyGeoSearchStore is GEOSEARCHSTORE destination source FROMMEMBER member|
// FROMLONLAT longitude latitude BYRADIUS …|BYBOX …|BYPOLYGON … [options].
func applyGeoSearchStore(c *command) {
	c.readKey()
	c.share()
	c.replaceSome(keyspace.SortedSet)
	for c.more() {
		if is(c.word(), "FROMMEMBER") {
			c.mentionOne(keyspace.Unknown)
		}
	}
}

// GCRA key … and GCRASETVALUE key time, Redis 8.10: the state of a rate limit.
func applyGCRA(c *command) {
	c.readKey()
	c.touch(keyspace.RateLimit)
	c.skip(c.argc)
}

func applyGCRASetValue(c *command) {
	c.readKey()
	c.begin(keyspace.OpUpdate, keyspace.RateLimit)
	c.element(keyspace.OpPut)
	c.end()
}
