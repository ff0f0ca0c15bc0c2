package scan

import (
	"bytes"
	"unicode/utf8"
)

// Bytes that were taken for Latin-1 and written as UTF-8: what JavaScript and
// Python make of something compressed or pickled that goes through a string. What
// has a magic is known by it, as it looks afterwards.
var latin1Decoder = decoder{kind: "latin-1", starts: startsWith("\x1fx(\xc2"), fits: fitsLatin1, open: openLatin1}

// latin1Heads are magics with a byte above 0x7f, as UTF-8: of gzip, zlib at three of
// its levels, zstd, Java's serialization, and pickle 2 to 5.
var latin1Heads = [][]byte{
	[]byte("\x1f\u008b\b"), []byte("x\u009c"), []byte("x\u00da"), []byte("x\x01"), []byte("(\u00b5/\u00fd"), []byte("\u00ac\u00ed\x00\x05"),
	[]byte("\u0080\x02"), []byte("\u0080\x03"), []byte("\u0080\x04\u0095"), []byte("\u0080\x05\u0095"),
}

func fitsLatin1(data []byte) bool {
	for _, head := range latin1Heads {
		if bytes.HasPrefix(data, head) {
			return true
		}
	}
	return false
}

func openLatin1(w *worker, f *fragment, hits []hit, base uint32) bool {
	if !w.budget.spend(len(f.data)) {
		w.limited("latin-1")
		return false
	}
	buf := w.buffer(f.depth, len(f.data))[:0]
	for rest := f.data; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r > 0xff { // RuneError is, too
			return false
		}
		buf, rest = append(buf, byte(r)), rest[n:]
	}
	if len(buf) == len(f.data) || !w.isKnown(buf) {
		return false
	}
	return w.child(f, piece{kind: "latin-1", data: buf, to: len(f.data)}, nil, 0)
}
