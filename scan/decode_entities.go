package scan

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// Text with the character references of XML and HTML.
var entityDecoder = decoder{kind: "entities", keywords: []string{"&amp;", "&quot;", "&lt;", "&gt;", "&apos;", "&#" + digits(2), "&#x"}, fits: fitsEntities, open: openEntities}

func fitsEntities(data []byte) bool { return bytes.IndexByte(data, '&') >= 0 }

// openEntities resolves them in all of the text.
func openEntities(w *worker, f *fragment, hits []hit, base uint32) bool {
	text := w.afford("entities", f.data)
	buf := unescapeEntities(w.buffer(f.depth, len(text))[:0], text)
	if len(buf) == len(text) { // none was one: they are all shorter than what they stand for
		return false
	}
	w.child(f, piece{kind: "entities", data: buf, to: len(f.data)}, nil, 0)
	return len(text) == len(f.data)
}

// entities are the predefined references of XML 1.0, section 4.6.
var entities = map[string]byte{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

// maxEntity is the length of the longest reference that is resolved: &#x10FFFF;
const maxEntity = 10

func unescapeEntities(dst, s []byte) []byte {
	for len(s) > 0 {
		k := bytes.IndexByte(s, '&')
		if k < 0 {
			return append(dst, s...)
		}
		dst, s = append(dst, s[:k]...), s[k:]
		end := bytes.IndexByte(s[:min(len(s), maxEntity)], ';')
		if end > 1 {
			if n := len(dst); appendEntity(&dst, s[1:end]) && len(dst)-n <= end {
				s = s[end+1:]
				continue
			}
		}
		dst, s = append(dst, '&'), s[1:]
	}
	return dst
}

func appendEntity(dst *[]byte, name []byte) bool {
	if b, ok := entities[string(name)]; ok {
		*dst = append(*dst, b)
		return true
	}
	if name[0] != '#' || len(name) < 2 {
		return false
	}
	number, base := name[1:], 10
	if lower(number[0]) == 'x' {
		number, base = number[1:], 16
	}
	v, err := strconv.ParseUint(string(number), base, 32)
	if err != nil || !utf8.ValidRune(rune(v)) || v == 0 {
		return false
	}
	*dst = utf8.AppendRune(*dst, rune(v))
	return true
}
