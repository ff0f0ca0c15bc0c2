package keymaterial

import (
	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Key stores of older Javas and of Windows are in BER (X.690, 8): constructed
// values may be of indefinite length, up to two zeros, and strings in pieces.

const (
	indefinite  = 0x80 // as a length
	constructed = 0x20
	maxBER      = 1 << 20
	maxBERDepth = 16
)

// definite returns a value of indefinite length in DER, as far as what is read of
// key stores needs it; any other as it is.
func definite(data []byte) cryptobyte.String {
	if len(data) < 2 || data[1] != indefinite || len(data) > maxBER {
		return data
	}
	out, rest, ok := element(data, 0)
	if !ok || len(rest) > 0 {
		return data
	}
	return out
}

// element returns the first element of data in DER, and what follows it.
func element(data []byte, depth int) (out, rest []byte, ok bool) {
	if len(data) < 2 || data[0]&0x1f == 0x1f || depth > maxBERDepth {
		return nil, nil, false
	}
	kind := data[0]
	if data[1] != indefinite {
		var whole cryptobyte.String
		s := cryptobyte.String(data)
		if !s.ReadAnyASN1Element(&whole, new(tag.Tag)) {
			return nil, nil, false
		}
		if kind&constructed == 0 {
			return whole, s, true
		}
		content := whole
		if !content.ReadAnyASN1(&content, new(tag.Tag)) {
			return nil, nil, false
		}
		inner, ok := elements(content, kind, depth)
		return inner, s, ok
	}
	if kind&constructed == 0 {
		return nil, nil, false
	}
	rest = data[2:]
	var content []byte
	for {
		if len(rest) >= 2 && rest[0] == 0 && rest[1] == 0 {
			out, ok = wrapped(kind, content)
			return out, rest[2:], ok
		}
		part, next, ok := element(rest, depth+1)
		if !ok {
			return nil, nil, false
		}
		content, rest = append(content, piece(kind, part)...), next
	}
}

// elements returns the elements that a constructed value of definite length holds,
// in DER, wrapped as it is.
func elements(data []byte, kind byte, depth int) ([]byte, bool) {
	var content []byte
	for len(data) > 0 {
		part, rest, ok := element(data, depth+1)
		if !ok {
			return nil, false
		}
		content, data = append(content, piece(kind, part)...), rest
	}
	return wrapped(kind, content)
}

// octets is the kind of an OCTET STRING.
const octets = byte(tag.OCTET_STRING)

// piece returns what an element adds to the one around it: of a string in pieces,
// its bytes.
func piece(kind byte, part []byte) []byte {
	var content cryptobyte.String
	s := cryptobyte.String(part)
	if kind == octets|constructed && s.ReadASN1(&content, tag.OCTET_STRING) {
		return content
	}
	return part
}

func wrapped(kind byte, content []byte) ([]byte, bool) {
	if kind == octets|constructed {
		kind = octets
	}
	var b cryptobyte.Builder
	b.AddASN1(tag.Tag(kind), func(b *cryptobyte.Builder) { b.AddBytes(content) })
	out, err := b.Bytes()
	return out, err == nil
}
