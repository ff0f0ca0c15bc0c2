package redact

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16 replaces what stands in p in UTF-16, in either byte order, from its beginning
// or anywhere behind bytes of something else.
func (t *texts) utf16(p []byte, depth int) []byte {
	if len(p) < 2*anywhere || bytes.IndexByte(p, 0) < 0 {
		return p
	}
	for at := range 2 {
		for _, order := range [...]byteOrder{binary.LittleEndian, binary.BigEndian} {
			if q := t.wide(p[at:], order, depth); !bytes.Equal(q, p[at:]) {
				p = append(p[:at:at], q...)
			}
		}
	}
	return p
}

// wide replaces what stands in p, two bytes a character.
func (t *texts) wide(p []byte, order byteOrder, depth int) []byte {
	text := t.r.rooms.take(depth, 2*len(p)) // three bytes for two
	for i := 0; i+1 < len(p); {
		r, n := wideRune(p[i:], order)
		text = utf8.AppendRune(text, r)
		i += n
	}
	q := t.guessed(text, depth+1)
	if bytes.Equal(q, text) {
		return p
	}
	if len(q) != len(text) {
		return t.whole(p)
	}
	out := make([]byte, 0, len(p))
	for i := 0; i+1 < len(p); {
		r, n := wideRune(p[i:], order)
		size := utf8.RuneLen(r)
		if bytes.Equal(q[:size], text[:size]) {
			out = append(out, p[i:i+n]...)
		} else {
			out = appendWide(out, q[:size], order)
		}
		q, text = q[size:], text[size:]
		i += n
	}
	return append(out, p[len(out):]...)
}

// wideRune is the first character of p, and how many bytes it takes. Half of a pair
// that has no other half is no character.
func wideRune(p []byte, order byteOrder) (rune, int) {
	r := rune(order.Uint16(p))
	if !utf16.IsSurrogate(r) {
		return r, 2
	}
	if len(p) >= 4 {
		if r = utf16.DecodeRune(r, rune(order.Uint16(p[2:]))); r != utf8.RuneError {
			return r, 4
		}
	}
	return utf8.RuneError, 2
}

// appendWide appends text, which takes as many bytes as what it stands for.
func appendWide(dst, text []byte, order byteOrder) []byte {
	for _, r := range string(text) {
		for _, u := range utf16.AppendRune(nil, r) {
			dst = order.AppendUint16(dst, u)
		}
	}
	return dst
}

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}
