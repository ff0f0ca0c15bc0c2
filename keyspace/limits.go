package keyspace

// Limits bound what hostile input can cost. The zero value of a field means its default.
type Limits struct {
	MaxKey      int    // bytes of a key, field or other name; longer ones end in ErrLimit. Default 16 MiB
	MaxChunk    int    // bytes of a value delivered in one event; longer ones arrive in parts. Default 64 KiB
	MaxInflate  int64  // bytes that one compressed string may decompress to. Default 4 GiB
	MaxElements uint64 // elements of one key. Default 2^40
	MaxDepth    int    // nesting of containers. Default 16
}

// The defaults of Limits.
const (
	DefaultMaxKey      = 16 << 20
	DefaultMaxChunk    = 64 << 10
	DefaultMaxInflate  = 4 << 30
	DefaultMaxElements = 1 << 40
	DefaultMaxDepth    = 16
)

// WithDefaults returns l with every zero field set to its default.
func (l Limits) WithDefaults() Limits {
	if l.MaxKey <= 0 {
		l.MaxKey = DefaultMaxKey
	}
	if l.MaxChunk <= 0 {
		l.MaxChunk = DefaultMaxChunk
	}
	if l.MaxInflate <= 0 {
		l.MaxInflate = DefaultMaxInflate
	}
	if l.MaxElements == 0 {
		l.MaxElements = DefaultMaxElements
	}
	if l.MaxDepth <= 0 {
		l.MaxDepth = DefaultMaxDepth
	}
	return l
}
