package aof

import "context"

// preamble reads the RDB file that an AOF may begin with and reports whether
// to go on.
func (r *Reader) preamble(context.Context) bool { return true }
