// Package memory tells what takes the memory of a server: the biggest keys, prefixes
// of names, types and encodings, how long keys have to live and how long nobody asked
// for them.
//
// What a key takes is estimated from its events, as MEMORY USAGE would count it in
// the server that wrote the snapshot; docs/forensics.md says how far off that is. No
// key and no value is held, and nothing grows with the number of keys: prefixes are
// counted by the space-saving algorithm, which says how much it may have counted too
// much.
//
//	model.go     what a value takes: objectComputeSize, type by type
//	vectorset.go what a vector set takes, as its module counts it
//	pack.go      listpacks, ziplists
//	alloc.go     the allocator's classes of sizes
//	prefix.go    prefixes of names
//	report.go    what is gathered, and gathering it
//	text.go, csv.go, json.go, html.go   one format a file
package memory
