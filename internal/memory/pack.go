package memory

import "strconv"

// listpackEntry is what a string takes in a listpack (src/listpack.c): its encoding,
// its bytes, and its length once more behind it.
func listpackEntry(p []byte) int64 {
	n := int64(len(p))
	if w, ok := intWidth(p, listpackWidths[:]); ok {
		n = w
	} else {
		switch {
		case n < 1<<6:
			n++
		case n < 1<<12:
			n += 2
		default:
			n += 5
		}
	}
	return n + backlen(n)
}

func backlen(n int64) int64 {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<14-1:
		return 2
	case n < 1<<21-1:
		return 3
	case n < 1<<28-1:
		return 4
	}
	return 5
}

// ziplistEntry is what a string takes in a ziplist (src/ziplist.c), behind an entry
// of the length prev; the length of the entry itself is what it returns.
func ziplistEntry(p []byte, prev int64) int64 {
	n := int64(len(p))
	if w, ok := intWidth(p, ziplistWidths[:]); ok {
		n = w
	} else {
		switch {
		case n < 1<<6:
			n++
		case n < 1<<14:
			n += 2
		default:
			n += 5
		}
	}
	if prev < 254 {
		return n + 1
	}
	return n + 5
}

// width is what integers of so many bits take.
type width struct {
	min, max int64
	size     int64
}

var listpackWidths = [...]width{{0, 127, 1}, {-1 << 12, 1<<12 - 1, 2}, {-1 << 15, 1<<15 - 1, 3}, {-1 << 23, 1<<23 - 1, 4}, {-1 << 31, 1<<31 - 1, 5}, {-1 << 63, 1<<63 - 1, 9}}

var ziplistWidths = [...]width{{0, 12, 1}, {-1 << 7, 1<<7 - 1, 2}, {-1 << 15, 1<<15 - 1, 3}, {-1 << 23, 1<<23 - 1, 4}, {-1 << 31, 1<<31 - 1, 5}, {-1 << 63, 1<<63 - 1, 9}}

// intWidth reports what p takes as an integer, if it is one.
func intWidth(p []byte, widths []width) (int64, bool) {
	v, ok := integer(p)
	if !ok {
		return 0, false
	}
	for _, w := range widths {
		if v >= w.min && v <= w.max {
			return w.size, true
		}
	}
	return 0, false
}

// integer reads p as an integer that is written exactly as p.
func integer(p []byte) (int64, bool) {
	if len(p) == 0 || len(p) > 20 || p[0] > '9' {
		return 0, false
	}
	v, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil {
		return 0, false
	}
	var room [20]byte
	return v, string(strconv.AppendInt(room[:0], v, 10)) == string(p)
}
