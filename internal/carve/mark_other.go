//go:build !amd64

package carve

// mark is markPlainly.
func mark(b []byte, records, others []uint64) { markPlainly(b, records, others) }
