//go:build !amd64

package carve

// mark is markPlainly.
func mark(b []byte, to marks) { markPlainly(b, to) }
