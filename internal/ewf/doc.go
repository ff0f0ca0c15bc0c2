// Package ewf reads images of disks in the Expert Witness Format, version 1, as
// EnCase, FTK Imager and ewfacquire write them (.E01, .E02 …), and SMART (.s01):
// libewf, documentation/Expert Witness Compression Format (EWF).asciidoc.
//
// A segment is a file of sections. Tables among them say where the chunks lie, which
// are compressed by zlib, or stand as they are with a checksum. Only the places of
// tables are held in memory. What is damaged reads as zeros, and is counted.
//
//	segment.go  segments, their names and sections
//	image.go    chunks, and the disk that they make
package ewf
