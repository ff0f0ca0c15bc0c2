package aof

import (
	"bytes"
	"math"
	"strconv"
	"unsafe"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// parseInt reads a decimal as util.c string2ll does.
func parseInt(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	n, err := strconv.ParseInt(text(b), 10, 64)
	return n, err == nil
}

// parseFloat reads a score as strtod does.
func parseFloat(b []byte) (f float64, ok bool) {
	if len(b) == 0 || len(b) > 512 {
		return 0, false
	}
	if len(b) < 16 { // most scores are small integers
		if n, ok := parseInt(b); ok && (n != 0 || b[0] != '-') {
			return float64(n), true
		}
	}
	f, err := strconv.ParseFloat(text(b), 64)
	return f, err == nil
}

// parseID reads a stream ID, "ms" or "ms-seq"; seq stands in for a missing one.
func parseID(b []byte, seq uint64) (id keyspace.StreamID, ok bool) {
	ms, rest, both := bytes.Cut(b, []byte("-"))
	id.Seq = seq
	var err error
	if id.MS, err = strconv.ParseUint(text(ms), 10, 64); err != nil {
		return keyspace.StreamID{}, false
	}
	if both {
		if id.Seq, err = strconv.ParseUint(text(rest), 10, 64); err != nil {
			return keyspace.StreamID{}, false
		}
	}
	return id, true
}

// text is b as a string that shares its memory, for functions that keep none of it.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// is reports whether word is the option name, in upper case, as strcasecmp would.
func is(word []byte, name string) bool {
	if len(word) != len(name) {
		return false
	}
	for i := range word {
		if upper(word[i]) != name[i] {
			return false
		}
	}
	return true
}

// upper is toupper of the C locale.
func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}

// times is a × b, held inside the range of an int64.
func times(a, b int64) int64 {
	if a > math.MaxInt64/b {
		return math.MaxInt64
	}
	if a < math.MinInt64/b {
		return math.MinInt64
	}
	return a * b
}

// plus is a + b for a >= 0, held inside the range of an int64.
func plus(a, b int64) int64 {
	if b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}
