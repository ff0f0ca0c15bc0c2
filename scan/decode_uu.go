package scan

import "bytes"

// What uuencode writes (POSIX, uuencode): a line with a mode and a name, lines of up to
// 45 bytes behind their length, and an end. It stands among other text.
var uuDecoder = decoder{kind: "uuencode", keywords: []string{"begin 0", "begin 1", "begin 4", "begin 6", "begin 7"}, fits: func([]byte) bool { return true }, open: openUU}

// openUU reports false: the text around is scanned as it stands.
func openUU(w *worker, f *fragment, hits []hit, base uint32) bool {
	for at, n := 0, 0; ; {
		k := bytes.Index(f.data[at:], []byte("begin "))
		if k < 0 {
			return false
		}
		from := at + k
		at = from + len("begin ")
		body := uuBody(f.data, from)
		if body == 0 {
			continue
		}
		if n++; n > maxParts {
			w.limited("uuencode")
			return false
		}
		out := w.buffer(f.depth, 0)[:0]
		whole, cut := false, false
		for at = body; !whole; {
			line, size := uuLine(f.data[at:])
			if line == nil {
				break
			}
			whole = size == 0
			if cut = !w.budget.spend(size); cut {
				w.limited("uuencode")
				break
			}
			out = appendUU(out, line, size)
			at = lineEnd(f.data, at)
		}
		w.bufs[f.depth] = out
		if len(out) > 0 {
			w.child(f, piece{kind: "uuencode", data: out, from: body, to: at}, nil, 0)
		}
		switch {
		case cut:
			return false
		case !whole && len(out) > 0:
			w.failed("uuencode")
		}
	}
}

// uuBody returns where the lines begin behind one that begins at a place, 0 if that is
// no beginning: a mode of three digits or more, and a name.
func uuBody(d []byte, from int) int {
	if from > 0 && d[from-1] != '\n' {
		return 0
	}
	mode := from + len("begin ")
	end := run(d, mode, 7, func(b byte) bool { return b >= '0' && b <= '7' })
	if end-mode < 3 || end == len(d) || d[end] != ' ' {
		return 0
	}
	k := bytes.IndexByte(d[end:min(len(d), end+maxLine)], '\n')
	if k < 2 {
		return 0
	}
	return end + k + 1
}

// uuLine returns what stands behind its length in the line that d begins with, and how
// many bytes it is; nil if it is none. Spaces at its end may be missing.
func uuLine(d []byte) (line []byte, size int) {
	end := run(d, 0, uuLongest, isUU)
	if end == 0 && len(d) > 0 && (d[0] == '\n' || d[0] == '\r') { // the last: a space
		return d[:0:0], 0
	}
	if end == 0 || end < len(d) && d[end] != '\n' && d[end] != '\r' {
		return nil, 0
	}
	size = int(d[0]-' ') & 63
	if want := (size + 2) / 3 * 4; end-1 > want+1 || size > 0 && end-1 < want-3 { // one more is a sum, in old programs
		return nil, 0
	}
	return d[1:end:end], size
}

// lineEnd returns where the line behind that at a place begins.
func lineEnd(d []byte, at int) int {
	if k := bytes.IndexByte(d[at:], '\n'); k >= 0 {
		return at + k + 1
	}
	return len(d)
}

// uuLongest is the longest line: 63 bytes, their length, and a sum.
const uuLongest = 1 + 84 + 1

func isUU(b byte) bool { return b >= ' ' && b <= '`' }

// appendUU appends the bytes of a line.
func appendUU(dst, line []byte, size int) []byte {
	for i := 0; i < size; i += 3 {
		var v uint32
		for j := range 4 {
			c := byte(' ')
			if at := i/3*4 + j; at < len(line) {
				c = line[at]
			}
			v = v<<6 | uint32(c-' ')&63
		}
		group := [3]byte{byte(v >> 16), byte(v >> 8), byte(v)}
		dst = append(dst, group[:min(3, size-i)]...)
	}
	return dst
}
