package redact

import (
	"bytes"
	"unicode/utf8"
)

// bytesAsText replaces all of p, which has a character for each byte of something that is
// no text, as what is binary is written in JSON, if something stands in that.
func (t *texts) bytesAsText(p []byte, depth int) []byte {
	raw := latin1(p)
	if raw == nil || bytes.Equal(t.inner(raw, depth+1), raw) {
		return p
	}
	return t.whole(p)
}

// isLatin1 reports whether p has a character for each byte of something that is no text.
func isLatin1(p []byte) bool {
	ascii, text := true, true
	for i, b := range p {
		ascii = ascii && b < utf8.RuneSelf
		text = text && (b >= ' ' || b == '\n' || b == '\r' || b == '\t') && !(b == 0xc2 && i+1 < len(p) && p[i+1] < 0xa0)
	}
	if ascii || text {
		return false
	}
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		if r > 0xff {
			return false
		}
		p = p[n:]
	}
	return true
}

// latin1 is the bytes of which p has a character each; nil: it has others, or those of
// text alone.
func latin1(p []byte) []byte {
	if !isLatin1(p) {
		return nil
	}
	out := make([]byte, 0, len(p))
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		out, p = append(out, byte(r)), p[n:]
	}
	return out
}
