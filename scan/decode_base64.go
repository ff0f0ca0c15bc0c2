package scan

import (
	"bytes"
	"encoding/base64"

	"github.com/valkeyfs/valkeyfs/scan/keymaterial"
)

var base64Decoder = decoder{kind: "base64", starts: startsBase64, fits: fitsBase64, open: openBase64}

func startsBase64(b byte) bool { return isAlnum(b) || b == '+' || b == '/' || b == '-' || b == '_' }

// Lengths of base64 text.
const (
	minBase64      = 16 // shorter ones are identifiers more often than not
	minNamedBase64 = 12 // where the name promises a secret
	headBase64     = 16 // characters that decide whether what comes out is worth it
)

// base64Class tells the characters of the two alphabets of RFC 4648.
var base64Class = func() (t [256]uint8) {
	for b := range t {
		switch c := byte(b); {
		case isAlnum(c):
			t[b] = inStd | inURL
		case c == '+' || c == '/':
			t[b] = inStd
		case c == '-' || c == '_':
			t[b] = inURL
		}
	}
	return t
}()

// base64Value is what a character of either alphabet stands for.
var base64Value = func() (t [256]uint8) {
	for i, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[b] = uint8(i)
	}
	t['-'], t['_'] = t['+'], t['/']
	return t
}()

const (
	inStd = 1 << iota
	inURL
)

// base64Encoding returns the encoding of a whole text, or nil. Line breaks as
// in MIME are allowed, and padding may be missing.
func base64Encoding(data []byte) *base64.Encoding {
	data = trimPadding(data)
	both := uint8(inStd | inURL)
	for i, b := range data {
		c := base64Class[b]
		if c == 0 && (b == '\n' || b == '\r') && i > headBase64 {
			continue
		}
		if both &= c; both == 0 {
			return nil
		}
	}
	if both&inStd != 0 {
		return base64.RawStdEncoding
	}
	return base64.RawURLEncoding
}

// base64Text skips the word that says what follows.
func base64Text(data []byte) []byte {
	if prefix := "base64:"; foldPrefix(data, prefix) {
		return data[len(prefix):]
	}
	return data
}

// fitsBase64 decodes the first characters: of random identifiers no more needs
// to be looked at.
func fitsBase64(data []byte) bool {
	data = base64Text(data)
	if len(data) < minBase64 {
		return len(data) >= minNamedBase64 && fitsShortBase64(data)
	}
	both := uint8(inStd | inURL)
	for _, b := range data[:headBase64] {
		if both &= base64Class[b]; both == 0 {
			break
		}
	}
	enc := base64.RawStdEncoding
	if both == inURL {
		enc = base64.RawURLEncoding
	}
	var head [headBase64 / 4 * 3]byte
	n := len(head)
	if both != 0 {
		for i, at := 0, 0; i < headBase64; i, at = i+4, at+3 {
			q := data[i : i+4 : i+4]
			v := uint32(base64Value[q[0]])<<18 | uint32(base64Value[q[1]])<<12 | uint32(base64Value[q[2]])<<6 | uint32(base64Value[q[3]])
			head[at], head[at+1], head[at+2] = byte(v>>16), byte(v>>8), byte(v)
		}
	} else { // padding, or no base64
		short := bytes.TrimRight(data[:headBase64], "=")
		both = inStd | inURL
		for _, b := range short {
			if both &= base64Class[b]; both == 0 {
				return false
			}
		}
		if both == inURL {
			enc = base64.RawURLEncoding
		}
		n, _ = enc.Decode(head[:], short)
	}
	return n >= 9 && (plausibleHead(head[:n]) || likelyBlind(head[:n], len(data)/4*3)) || textBehind(enc, data)
}

// sampleBase64 is how many characters decide whether text follows a header of a
// format that nothing here knows.
const sampleBase64 = 256

// textBehind reports whether what the first characters decode to holds text.
func textBehind(enc *base64.Encoding, data []byte) bool {
	if len(data) < minRun/3*4 {
		return false
	}
	var out [sampleBase64 / 4 * 3]byte
	n, _ := enc.Decode(out[:], trimPadding(data[:min(len(data), sampleBase64)]))
	return holdsText(out[:n])
}

// fitsShortBase64 decodes all of a short text, which must come out as ASCII: of
// random ones not one in a thousand does.
func fitsShortBase64(data []byte) bool {
	enc := base64Encoding(data)
	if enc == nil {
		return false
	}
	var out [minBase64]byte
	n, err := enc.Decode(out[:], trimPadding(data))
	for _, b := range out[:n] {
		if b < ' ' || b >= 0x7f {
			return false
		}
	}
	return err == nil && n > 0
}

// plausibleHead reports whether decoded bytes begin as text or as a binary
// container does.
func plausibleHead(head []byte) bool {
	if hasBinaryMagic(head) {
		return true
	}
	for _, b := range head {
		if b < ' ' && !isSpace(b) || b == 0x7f {
			return false
		}
	}
	// Text of other scripts is possible, but half of random bytes look like it.
	high := 0
	for _, b := range head {
		if b >= 0x80 {
			high++
		}
	}
	return high == 0 || high > 2 && isText(bytes.TrimRightFunc(head, func(r rune) bool { return r == 0xFFFD }))
}

// hasBinaryMagic recognises the binary containers by their first bytes.
func hasBinaryMagic(head []byte) bool {
	return len(head) >= 4 && (hasMagic(head) || len(head) >= 8 && hasBinaryShape(head))
}

// hasMagic recognises those that have a magic.
func hasMagic(head []byte) bool {
	switch head[0] {
	case 0x1f:
		return head[1] == 0x8b && head[2] == 8 || head[1] == 0xc2 && head[2] == 0x8b // gzip, also as Latin-1 in UTF-8
	case 0x78:
		return head[1] == 0x01 || head[1] == 0x5e || head[1] == 0x9c || head[1] == 0xda
	case 0x28:
		return head[1] == 0xb5 && head[2] == 0x2f && head[3] == 0xfd
	case 0x04:
		return head[1] == 0x08 || head[1] == 0x22 && head[2] == 0x4d && head[3] == 0x18
	case 0x80:
		return head[1] >= 2 && head[1] <= 5
	case 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f: // MessagePack, a map whose first key is a string
		return head[1] > 0xa0 && head[1] < 0xc0 || head[1] == 0xd9
	case 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f: // an array of such maps, or of msgpackr's records
		return head[1] == mpRecordHead && head[2] == mpRecord || head[1] > 0x80 && head[1] < 0x90 && head[2] > 0xa0 && head[2] < 0xc0
	case 0xde: // a long map
		return head[1] < 4 && (head[3] > 0xa0 && head[3] < 0xc0 || head[3] == 0xd9)
	case mpRecordHead:
		return head[1] == mpRecord && head[2]&0xc0 == mpFirst
	case 0x7f: // ELF, which is no container but a finding
		return head[1] == 'E' && head[2] == 'L' && head[3] == 'F'
	case 0xac:
		return head[1] == 0xed && head[2] == 0 && head[3] == 5
	case 0x30, 0xfe, 0xce: // a private key, or a store of them
		return keymaterial.Sniff(head)
	case '}', ']': // pickle 0 and 1, a mapping or a list that is put into the memo
		return head[1] == 'q' || head[1] == 'r'
	case 'L':
		return string(head[:4]) == "LZ4B"
	case 0xfd:
		return string(head[:4]) == "\xfd7zX"
	case 'B':
		return isBzip2(head)
	case 0xff: // snappy's frames
		return string(head[:4]) == "\xff\x06\x00\x00"
	}
	return false
}

// hasBinaryShape recognises the beginnings of formats without a magic; their
// decoders read the whole value before they believe it.
func hasBinaryShape(head []byte) bool {
	text := func(from, to int) bool { return isText(head[from:to]) }
	switch b := head[0]; {
	case b >= 0xa1 && b <= 0xb7 || b == 0xbf: // CBOR, a map whose first key is a text
		return head[1] > 0x60 && head[1] <= 0x78 && text(2, 3)
	case b == etfVersion: // Erlang
		return isErlang(head[1])
	case utf16Order(head[:8]) != nil:
		return true
	case b == 0 && head[1] == 0 && head[2] == 0 && (head[3] == 1 || head[3] == 2): // igbinary
		return true
	case b == 0 && head[2] == 0 && head[3] == 0 && head[4] == 0 && head[5] == 0xff && head[6] == 0xff: // BinaryFormatter
		return true
	case head[1] == 0 && head[2] == 0 && head[3] == 0 && head[4] == 0xff && head[5] == 0xff && head[6] == 0xff && head[7] == 0xff: // state of ASP.NET
		return true
	case b == 2 && head[1] == 0 && head[2] == 0: // a session of ASP.NET Core
		return true
	case head[3] == 0 && head[4] >= 1 && head[4] <= 0x13 && head[5] > ' ' && head[5] < 0x7f: // BSON
		return true
	case head[3] == 0 && text(5, 8), b == 0 && text(5, 8), head[4] == 0 && text(6, 8): // an LZ4 block behind its length
		return true
	case (b == 0x0a || b == 0x12 || b == 0x1a) && head[1] < 0x80 && (text(2, 8) || isTag(head[2]) && text(4, 8)): // protobuf, a string or a message
		return true
	case (b == 0x08 || b == 0x10) && (isTag(head[2]) || isTag(head[3]) || isTag(head[4])): // protobuf, a number
		return true
	case b < 0x80 && head[1]&3 == 0 && text(3, 8), b >= 0x80 && head[1] < 0x80 && head[2]&3 == 0 && text(4, 8): // a snappy block
		return true
	}
	return false
}

// isTag reports whether a byte is the tag of a low field with a number or a
// length.
func isTag(b byte) bool { return b&5 == 0 && b >= 8 && b <= 0x3a }

func openBase64(w *worker, f *fragment, hits []hit, base uint32) bool {
	text := base64Text(f.data)
	enc := base64Encoding(text)
	if class, _ := w.classHere(); enc == nil || len(text) < minBase64 && class <= nameNeutral {
		return false
	}
	text = trimPadding(text)
	size := enc.DecodedLen(len(text))
	room := w.budget.afford(size)
	whole := room == size
	if !whole {
		w.limited("base64")
		text = text[:room/3*4]
	}
	buf := w.buffer(f.depth, room)
	n, err := enc.Decode(buf, text)
	if err != nil && whole {
		return false
	}
	p := piece{kind: "base64", data: buf[:n], to: len(f.data)}
	if !w.isKnown(p.data) {
		// What a compressor without a header could not make shorter holds text, too.
		if whole && w.openBlindly(f, p) {
			return true
		}
		if !holdsText(p.data) {
			return false
		}
	}
	// Random text begins like some container once in a while.
	return (w.child(f, p, nil, 0) || isText(p.data) || isELF(p.data, 0)) && whole
}

// buffer returns n bytes that are valid until the decoder of the same depth
// asks again.
func (w *worker) buffer(depth, n int) []byte {
	if cap(w.bufs[depth]) < n {
		w.bufs[depth] = make([]byte, n)
	}
	return w.bufs[depth][:n]
}

func trimPadding(b []byte) []byte {
	n := len(b)
	for n > 0 && (b[n-1] == '=' || b[n-1] == '\r' || b[n-1] == '\n') {
		n--
	}
	return b[:n]
}
