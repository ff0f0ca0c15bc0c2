// Package aof reads the append-only files of Valkey and Redis: the manifest,
// each file as a stream of events, and a log of several files with the state of
// each value.
//
// # Order of events
//
// A file yields Header, then for each command one Command and behind it what
// the command does to the keyspace, then End. Commands between MULTI and EXEC
// are no different. A file that begins with an RDB file yields all events of
// that, its own Header and End included, before its own.
//
// # What a command becomes
//
// Values lie between a Key and a KeyEnd. The Op of the Key is
//
//   - OpCreate: the key holds what follows and its Expire, whatever it held;
//   - OpUpdate: what follows changes the key, whose expiry stays (Expire says
//     nothing). An Element of a String with OpPut replaces all that the key held;
//   - OpNone: a mention. What follows is data that the command names but does not
//     store: a value to compare with (then State tells what became of it), the
//     arguments of a script or of an unknown command. The Key may be nil.
//
// An Element with OpNone is a mention, too. Every argument that is neither a key
// nor an option nor a number nor a word of the command's own stands in exactly
// one event, as Field or Value. A library is deleted by a Delete of database -1;
// one without a Key deletes all. The payload of RESTORE becomes the elements that
// it holds, each at its own offset.
//
// A relative time to live has no date where the file holds no #TS: then the
// expiry is as if none were given, and EXPIRE is an OpUpdate without elements.
//
// # Damage
//
// Damage and Torn take back: what was yielded before them with a Record at or
// behind their Pos.Offset never was part of the data set. That is how a MULTI
// without EXEC ends, and a command too large to be looked at whole. If the
// command at hand is known to be broken, its events are Recovered.
//
// With Options.Resync reading goes on at the next command of the table that can
// be believed. A SELECT may have been among what was lost: DB is what the last
// one chose that could be read.
package aof
