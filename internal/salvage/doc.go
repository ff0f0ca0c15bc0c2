// Package salvage tells what survives in a damaged snapshot or append-only file,
// and writes it into a file that a server loads.
//
// The parsers go on behind damage; this package keeps account of what they could
// not read and of what they take back, and never holds more of it than ranges:
//
//	map.go       what a file holds, and the ranges of it that were lost
//	survey.go    the first reading, which makes the map
//	damage.go    what damage takes of it, and of the records before
//	twice.go     keys that come twice, which a server refuses
//	element.go   elements that come twice or are no number, which it refuses, too
//	library.go   function libraries that it refuses, by lua.go
//	graph.go     vector sets that their module refuses
//	clean.go     the second reading: ranges that are sound are copied byte for byte,
//	             what could be had of a value is encoded anew
//	objects.go   the keys as JSON, with how far each can be believed
//	report.go    the map for a reader and for a program
package salvage
