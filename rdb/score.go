package rdb

import (
	"math"
	"strconv"
	"unsafe"
)

// parseScore reads a double as the servers write it in text: strtod's forms,
// inf and nan included.
func parseScore(p []byte) (float64, bool) {
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(p), len(p)), 64)
	return f, err == nil || math.IsInf(f, 0) // out of range is infinite, as strtod has it
}
