package scan

import (
	"bytes"
	"encoding/base64"
)

// Mail and other MIME bodies (RFC 2045): the parts in base64 or quoted-printable
// are decoded; their headers are text like any other.
var mimeDecoder = decoder{kind: "mime", keywords: []string{"content-transfer-encoding:"}, fits: func([]byte) bool { return true }, open: openMIME}

// maxParts bounds the parts of a message that are decoded.
const maxParts = 256

// openMIME reports false: the text around the parts is scanned as it stands.
func openMIME(w *worker, f *fragment, hits []hit, base uint32) bool {
	header := []byte("ontent-")
	for at, parts := 0, 0; ; {
		k := bytes.Index(f.data[at:], header)
		if k < 0 {
			return false
		}
		at += k + len(header)
		line := f.data[at:min(len(f.data), at+64)]
		if !foldPrefix(line, "transfer-encoding:") {
			continue
		}
		line = bytes.TrimLeft(line[len("transfer-encoding:"):], " \t")
		isBase64 := foldPrefix(line, "base64")
		if !isBase64 && !foldPrefix(line, "quoted-printable") {
			continue
		}
		if parts++; parts > maxParts {
			w.limited("mime")
			return false
		}
		body, ok := mimeBody(f.data[at:])
		if !ok {
			return false
		}
		text := body
		if isBase64 {
			if text = bytes.TrimSpace(body); base64Encoding(text) == nil {
				continue
			}
		}
		front := w.afford("mime", text)
		out := w.buffer(f.depth, len(front))
		if isBase64 {
			n, err := base64.StdEncoding.Decode(out, front)
			if out = out[:n]; err != nil && len(front) == len(text) {
				w.failed("mime")
			}
		} else {
			out = unescapeQuoted(out[:0], front)
		}
		from := bytesOffset(f.data, body)
		w.child(f, piece{kind: "mime", data: out, from: from, to: from + len(body)}, nil, 0)
		if len(front) < len(text) {
			return false
		}
		at = from + len(body) // parts do not overlap
	}
}

// mimeBody returns what stands between the empty line behind the headers and
// the next boundary.
func mimeBody(d []byte) ([]byte, bool) {
	begin := -1
	for _, gap := range [...]string{"\r\n\r\n", "\n\n"} {
		if k := bytes.Index(d[:min(len(d), 4<<10)], []byte(gap)); k >= 0 && (begin < 0 || k+len(gap) < begin) {
			begin = k + len(gap)
		}
	}
	if begin < 0 {
		return nil, false
	}
	body := d[begin:]
	if k := bytes.Index(body, []byte("\n--")); k >= 0 {
		body = body[:k]
	}
	return body, true
}

// unescapeQuoted resolves =XX and soft line breaks (RFC 2045, 6.7).
func unescapeQuoted(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '=':
			dst = append(dst, s[i])
		case i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			dst = append(dst, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		case i+1 < len(s) && s[i+1] == '\n':
			i++
		case i+2 < len(s) && s[i+1] == '\r' && s[i+2] == '\n':
			i += 2
		default:
			dst = append(dst, '=')
		}
	}
	return dst
}
