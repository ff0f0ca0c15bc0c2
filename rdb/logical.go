package rdb

import "io"

// Logical returns the bytes of the snapshot in r as [keyspace.Event.Record] counts
// them: what lies in its envelope, if it has one, else r itself.
func Logical(r io.Reader) io.Reader {
	env, plain := openEnvelope(r)
	if env != nil {
		return env
	}
	return plain
}

// Enveloped reports whether head, the first four bytes of an input, begins an envelope:
// what [Logical] returns is then not the input itself.
func Enveloped(head []byte) bool { return sniffEnvelope(head) }
