// Package rdbwrite writes snapshots that servers load.
//
// A [Writer] takes records in either of two ways. [Writer.Raw] copies what stands
// in another snapshot of the same dialect and of the same or an older version, byte
// for byte: nothing is decoded, so nothing is lost. [Writer.Event] builds a record
// from the events of a key. Small lists, sets and sorted sets are encoded by
// github.com/hdt3213/rdb; that library has a fixed header, hashes in the order of a
// map, and streams that Valkey refuses, so the rest is written here:
//
//	writer.go    header, aux fields, databases, functions, end and checksum
//	string.go    lengths and strings
//	record.go    a key's record, gathered until its number of elements is known
//	body.go      the bytes of a record, spilled where they are many
//	library.go   what github.com/hdt3213/rdb encodes
//	stream.go    streams and their consumer groups
//	listpack.go  the listpacks of streams
//	module.go    values of modules, vector sets among them
//
// Memory is bounded: an entry of a stream is held whole, anything else up to the
// budget that is given.
package rdbwrite
