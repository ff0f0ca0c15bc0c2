// Package keyspace is the one event model of valkeyfs: every parser (rdb, aof)
// produces a [Seq] of [Event], and every consumer (scan, inspect, export, diff,
// timeline …) reads one. It depends on the standard library alone.
//
// # Order of events
//
// A snapshot yields Header, then Aux, DB, Function and, for each key, one Key,
// its Elements (for streams also Group, Consumer and Pending) and one KeyEnd;
// End closes the file. An append-only file yields one Command per command and,
// after it, what the command does to the keyspace: the same Key, Element,
// KeyEnd, and Delete, Expire, Flush, Rename and SwapDB. Damage may stand
// anywhere: it says which bytes could not be read and why, and that the events
// of the key it interrupts, if any, are partial.
//
// # Buffers
//
// A Seq yields a pointer to one Event that it reuses: the Event and every slice
// in it are valid until the next step. [Event.Clone] keeps one.
//
// # Errors
//
// Each event comes with a nil error. At most one final pair (nil, err) ends the
// sequence early; err is then a [*FormatError] that wraps one of the sentinel
// errors of this package, an I/O error, or the context's error. A Seq is single
// use, is not safe for concurrent use, and may be abandoned at any step.
package keyspace
