package aof

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"unsafe"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// parseInt reads a decimal as util.c string2ll does: a sign, then digits.
func parseInt(b []byte) (n int64, ok bool) {
	digits := b
	if len(b) > 0 && b[0] == '-' {
		digits = b[1:]
	}
	u, ok := parseUint(digits)
	switch {
	case !ok:
		return 0, false
	case len(digits) == len(b):
		return int64(u), u <= math.MaxInt64
	}
	return -int64(u), u <= -math.MinInt64
}

// parseUint reads a decimal without a sign.
func parseUint(b []byte) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// parseFloat reads a score as strtod does. What is none is 0.
func parseFloat(b []byte) float64 {
	// Up to 15 digits and 22 powers of ten are exact, and so is their quotient
	// (W. Clinger, How to Read Floating Point Numbers Accurately).
	var mantissa, scale uint64 = 0, 0
	digits := b
	if len(b) > 0 && b[0] == '-' {
		digits = b[1:]
	}
	if len(digits) > 0 && len(digits) < 16 {
		for i, c := range digits {
			switch {
			case '0' <= c && c <= '9':
				mantissa, scale = mantissa*10+uint64(c-'0'), scale*10
				continue
			case c == '.' && scale == 0 && i > 0 && i < len(digits)-1:
				scale = 1
				continue
			}
			return parseAnyFloat(b)
		}
		f := float64(mantissa)
		if scale > 1 {
			f /= float64(scale)
		}
		if len(digits) < len(b) {
			f = -f
		}
		return f
	}
	return parseAnyFloat(b)
}

func parseAnyFloat(b []byte) float64 {
	if len(b) == 0 || len(b) > maxFloat {
		return 0
	}
	f, err := strconv.ParseFloat(text(b), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return f
}

// maxFloat bounds what is taken for a number: "%.17Lf" of the largest double has
// 328 bytes (util.h, MAX_LONG_DOUBLE_CHARS).
const maxFloat = 5 * 1024

// parseID reads a stream ID, "ms" or "ms-seq" (t_stream.c,
// streamGenericParseIDOrReply). What is none is 0-0.
func parseID(b []byte) (id keyspace.StreamID) {
	ms, seq, both := bytes.Cut(b, dash)
	var ok bool
	if id.MS, ok = parseUint(ms); ok && both {
		id.Seq, ok = parseUint(seq)
	}
	if !ok {
		return keyspace.StreamID{}
	}
	return id
}

var dash = []byte("-")

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
