// Package carve finds snapshots, append-only logs and pieces of them in bytes that
// may be anything: the image of a disk, a memory dump, a swap file, captured
// packets.
//
// An image is searched window by window, in parallel, for where something may
// begin; from there one goroutine reads it to its end, however far that is, and
// goes on behind it. So a piece is found once, and the same pieces are found
// whatever the number of workers.
//
//	window.go      reading and searching ahead
//	find.go        what may begin where: one pass over the bytes
//	mark.go        which places two bytes do not rule out; by vectors, where there are any
//	sieve.go       which of those a few more bytes do not, a block at a time
//	snapshot.go    snapshots from their header, and records without one
//	commands.go    runs of commands
//	listpack.go    listpacks that stand alone, as in a server's memory
//	sds.go         strings that stand alone in it
//	packed.go      compressed files that hold one of these
//	partition.go   names of the partitions of a raw disk
//	events.go      what a piece holds, as events
//	write.go       pieces as files
//	report.go      the list of pieces
package carve
