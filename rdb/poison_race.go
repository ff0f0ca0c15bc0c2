//go:build race

package rdb

import "bytes"

// poison overwrites memory whose slices have expired, so that a consumer that
// kept one is found.
func poison(p []byte) {
	for len(p) > 0 {
		p = p[copy(p, poisoned):]
	}
}

var poisoned = bytes.Repeat([]byte{0xdb}, 4096)
