package keyspace

import (
	"errors"
	"fmt"
)

// The reasons why a file, or a part of it, could not be read.
var (
	ErrTruncated   = errors.New("truncated")          // the input ends inside a record or before its end marker
	ErrCorrupt     = errors.New("corrupt")            // the bytes contradict the format
	ErrChecksum    = errors.New("checksum mismatch")  // all was read, but the file's checksum says that bytes changed
	ErrUnsupported = errors.New("unsupported format") // a version, type or opcode whose layout is not known
	ErrLimit       = errors.New("over a limit")       // a bound of Limits was reached
)

// FormatError says where an input could not be understood, and why.
type FormatError struct {
	Pos  Pos
	What string // what was being read, in a few words; never holds data of the input
	Err  error  // one of the sentinels of this package, or an I/O error
}

func (e *FormatError) Error() string {
	src := ""
	if e.Pos.Source != "" {
		src = e.Pos.Source + ": "
	}
	at := ""
	if e.Pos.Inner >= 0 {
		at = fmt.Sprintf(" (byte %d of the decompressed data)", e.Pos.Inner)
	}
	return fmt.Sprintf("%soffset %d%s: %s: %v", src, e.Pos.Offset, at, e.What, e.Err)
}

// Unwrap returns the sentinel or the I/O error.
func (e *FormatError) Unwrap() error { return e.Err }

// Incomplete reports whether err says that evidence could not be read whole:
// it was truncated, corrupt, unsupported, over a limit or failed its checksum.
func Incomplete(err error) bool {
	for _, s := range []error{ErrTruncated, ErrCorrupt, ErrChecksum, ErrUnsupported, ErrLimit} {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}
