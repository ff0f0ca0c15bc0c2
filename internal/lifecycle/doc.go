// Package lifecycle finds out what became of each value of an append-only log:
// it sets the State of events that say how a keyspace changed.
//
// # States
//
// The unit is what one event writes: a string, a field of a hash, a member, an
// entry of a stream, an element of a list, a library of functions. It is
//
//   - Live as long as any key holds it, under whatever name: RENAME, MOVE, COPY,
//     SMOVE, LMOVE and SWAPDB carry values along. What APPEND, SETRANGE and their
//     like change in place stays Live.
//   - Overwritten if another value took its place: the key's, the field's, the
//     member's, that of the index in a list; also by the same value again.
//   - Deleted if a command removed it, alone or with its key, or with the last
//     element of it.
//   - Flushed if FLUSHDB or FLUSHALL did.
//   - Expired if its expiry, or that of its key, had passed: see below.
//   - Recovered if the server never applied the command, or rolls it back.
//   - Unknown if the log does not say: a command removed some of what a key held
//     without naming it, or computed from it what another key holds (SORT STORE,
//     BITOP, GEOSEARCHSTORE), and it is not in the first any more. What is gone for
//     certain later on bears the later reason.
//
// Sets that are made of others (SUNIONSTORE, SINTERSTORE, SDIFFSTORE, their like of sorted
// sets, ZRANGESTORE by ranks and scores) are computed, and hold the values of the first
// source that has them; an equal member of another source, once it is gone from there, is
// Unknown.
//
// A Key event has the state that the best of its values has, and if none is left,
// that of the last to go. What holds no value of its own lives until the next such
// change of the key.
//
// # Expiry
//
// At the end of the log, what expires at or before Options.AsOf is Expired. If
// that is not given it is the latest time at which a server certainly wrote: the
// last #TS or the base file's ctime. If there is none, nothing is called expired.
//
// Servers log their own deletion of what has expired as DEL, UNLINK or HDEL. Such
// a command is taken for that, and its victims are Expired, if it has the form that
// servers give it, the victim bears an expiry, and the log's evidence of time (see
// clock) allows: it does where a #TS or ctime before it is past that expiry, it
// does not where a #TS behind it, or an expiry that a later command sets, shows that
// it came earlier; and where neither speaks, it does if anything in the log says that
// time got so far. In all other cases the victim is Deleted.
//
// # How it works
//
// The log is read twice. The first pass turns events into ops (op.go; recorder.go and,
// by what they do, values.go, removals.go, exchange.go, compute.go), a dozen bytes
// each, and puts them into partitions by the hash of the object they concern
// (partition.go). Each partition is then replayed by an engine of bounded memory
// (engine.go; put.go, list.go, sharing.go, algebra.go on object.go), which finds the
// fate of every op (outcome.go). The second pass turns the events into ops again and
// takes for each its fate, from the partition where it must lie. Names are 64-bit hashes
// that are keyed anew in every run; values are not kept at all. Ops and fates that do
// not fit in the memory are spilled, encrypted.
//
// Lists and sorted sets are kept in trees besides (order.go), so that an element is
// found by its rank or score; of members that have the same score, which stands
// first is not known. Where only walking along an object tells (LREM of values that
// repeat, COPY, sources of ZUNIONSTORE), what that may cost is bounded by what was
// written to the object; beyond that its values are Unknown, and counted as lost.
//
// SORT … GET … STORE copies values of keys that the log does not name: what becomes
// of those is told as if it had not.
//
// RENAME and MOVE change what object a name stands for; the object stays in its
// partition. Objects that exchange elements (COPY, SMOVE, LMOVE, SUNIONSTORE) form
// groups, whose ops are brought together before they are replayed. A partition that is
// too large is divided by more bits of the hash; where one object makes it so large, by
// the names of its elements; where only sets that are computed of others hold it
// together, these are given up. What cannot be divided, lists above all, stays Unknown if
// what is alive of it at one time does not fit, and the Result says so.
package lifecycle
