// Package source turns what a command line names into streams of events: a
// snapshot, an append-only file, an appendonlydir, a data directory, standard
// input, each plain or inside gzip, zstd, lz4 or age.
//
// Evidence is only ever read. Files are opened O_RDONLY and, where the system
// allows it, O_NOATIME; nothing is locked, mapped or followed out of the
// directory that was named. What a file is comes from its bytes.
//
//	file.go, open*.go   one file: its record, how it is opened
//	walk.go             a directory, to the end, on one file system
//	blocks.go           reading round bytes that the medium cannot deliver
//	digest.go           SHA-256 beside the reading, on another core
//	layers.go           compression and sealing
//	sniff*.go           what the bytes are
//	inputs.go, log.go   which files belong together
//	events.go, text.go  their events
//	remains.go          what reads as text in bytes that could not be understood
//	spool.go            streams that have to be read twice
//	image.go, ewf.go    images of disks, as bytes
package source
