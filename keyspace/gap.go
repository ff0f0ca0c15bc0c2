package keyspace

import "fmt"

// GapError is returned by a Read beside n > 0 bytes when the medium could not
// deliver them: the n bytes are zeros standing for what could not be read, and
// the next Read goes on behind them. Readers that know it report Damage with
// that range and read on; others see an ordinary error.
type GapError struct {
	Offset int64 // of the first byte that could not be read, from the start of the source
	Length int64 // bytes replaced by zeros
	Err    error // what the operating system said
}

func (e *GapError) Error() string {
	return fmt.Sprintf("offset %d: %d bytes could not be read: %v", e.Offset, e.Length, e.Err)
}

// Unwrap returns the operating system's error.
func (e *GapError) Unwrap() error { return e.Err }
