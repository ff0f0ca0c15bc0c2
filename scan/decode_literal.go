package scan

import "bytes"

// Bytes as Python writes them out, b'\x80\x04…', which is what str makes of them.
var literalDecoder = decoder{kind: "bytes-literal", starts: startsWith("b"), fits: fitsLiteral, open: openLiteral}

func fitsLiteral(data []byte) bool {
	quote := data[1]
	return (quote == '\'' || quote == '"') && data[len(data)-1] == quote && bytes.Contains(data, []byte(`\x`))
}

func openLiteral(w *worker, f *fragment, hits []hit, base uint32) bool {
	if !w.budget.spend(len(f.data)) {
		w.limited("bytes-literal")
		return false
	}
	buf := unescapeLiteral(w.buffer(f.depth, len(f.data))[:0], f.data[2:len(f.data)-1])
	if !w.isContainer(buf) {
		return false
	}
	return w.child(f, piece{kind: "bytes-literal", data: buf, to: len(f.data)}, nil, 0) || isText(buf)
}

// unescapeLiteral resolves the escapes that Python writes.
func unescapeLiteral(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch c := s[i]; {
		case c == 'x' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			dst = append(dst, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		case c == 'n':
			dst = append(dst, '\n')
		case c == 'r':
			dst = append(dst, '\r')
		case c == 't':
			dst = append(dst, '\t')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
