package scan

import "bytes"

// Quoted-printable without the header that says so: the body of a mail, kept by
// itself. It is one if each = begins an escape in capitals, or ends a line, and
// there is one of each kind: other texts have none of it, or not all.
var quotedDecoder = decoder{kind: "quoted-printable", keywords: []string{"=3d", "=c3="}, fits: fitsQuoted, open: openQuoted}

func fitsQuoted(data []byte) bool {
	escapes, breaks := false, false
	for i := 0; ; {
		k := bytes.IndexByte(data[i:], '=')
		if k < 0 {
			return escapes && breaks
		}
		i += k + 1
		rest := data[i:]
		switch {
		case len(rest) == 0, rest[0] == '\n', len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			breaks = true
		case len(rest) > 1 && isCapitalHex(rest[0]) && isCapitalHex(rest[1]):
			escapes = true
		default:
			return false
		}
	}
}

func isCapitalHex(b byte) bool { return isDigit(b) || b >= 'A' && b <= 'F' }

func openQuoted(w *worker, f *fragment, hits []hit, base uint32) bool {
	if !w.budget.spend(len(f.data)) {
		w.limited("quoted-printable")
		return false
	}
	buf := unescapeQuoted(w.buffer(f.depth, len(f.data))[:0], f.data)
	if !isText(buf) {
		return false
	}
	w.child(f, piece{kind: "quoted-printable", data: buf, to: len(f.data)}, nil, 0)
	return true
}
