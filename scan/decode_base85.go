package scan

import (
	"bytes"
	"encoding/ascii85"
	"math"
)

// Bytes in base 85: as Python's b85encode and Git write them (the characters of
// RFC 1924), and as Adobe does (Ascii85), with or without its brackets. Nothing
// tells either from other text but that something is in it.
var (
	base85Decoder  = decoder{kind: "base85", long: true, starts: func(b byte) bool { return chars85[b]&inBase85 != 0 }, fits: fitsBase85, open: openBase85}
	ascii85Decoder = decoder{kind: "ascii85", long: true, starts: func(b byte) bool { return chars85[b]&inASCII85 != 0 }, fits: fitsASCII85, open: openASCII85}
)

const base85Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"

// base85Value is the value of each character, or -1.
var base85Value = func() (values [256]int8) {
	for i := range values {
		values[i] = int8(bytes.IndexByte([]byte(base85Alphabet), byte(i)))
	}
	return values
}()

// chars85 says of each byte which of the alphabets have it.
var chars85 = func() (chars [256]uint8) {
	for i := range chars {
		b := byte(i)
		if base85Value[b] >= 0 {
			chars[i] |= inBase85
		}
		if isASCII85(b) || b == '\n' || b == '\r' {
			chars[i] |= inASCII85
		}
		if !isAlnum(b) {
			chars[i] |= notAlnum
		}
	}
	return chars
}()

const (
	inBase85 = 1 << iota
	inASCII85
	notAlnum
)

// The least length, and of how many of the first characters at least one in how
// many is neither letter nor digit: of random ones, more than one in four.
const (
	minBase85    = minLong
	sampleBase85 = 50
	shareBase85  = 8
)

// fits85 reports whether text may be in a base of 85: letters, digits and enough
// else, each of them one of the alphabet.
func fits85(text []byte, alphabet uint8) bool {
	text = text[:min(len(text), sampleBase85)]
	if len(text) < minBase85 {
		return false
	}
	other := 0
	for _, b := range text {
		c := chars85[b]
		if c&alphabet == 0 {
			return false
		}
		other += int(c / notAlnum)
	}
	return other*shareBase85 >= len(text)
}

func fitsBase85(data []byte) bool {
	return len(data)%5 != 1 && fits85(data, inBase85)
}

func openBase85(w *worker, f *fragment, hits []hit, base uint32) bool {
	if !w.budget.spend(len(f.data)) {
		w.limited("base85")
		return false
	}
	buf := w.buffer(f.depth, len(f.data))[:0]
	for rest := f.data; len(rest) > 0; {
		n := min(5, len(rest))
		v := uint64(0)
		for i := range 5 {
			digit := int8(84) // what is missing of the last group
			if i < n {
				digit = base85Value[rest[i]]
			}
			if digit < 0 {
				return false
			}
			v = v*85 + uint64(digit)
		}
		if v > math.MaxUint32 {
			return false
		}
		group := [4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
		buf, rest = append(buf, group[:n-1]...), rest[n:]
	}
	return w.isKnown(buf) && (w.child(f, piece{kind: "base85", data: buf, to: len(f.data)}, nil, 0) || isText(buf))
}

func isASCII85(b byte) bool { return b >= '!' && b <= 'u' || b == 'z' }

// ascii85Text returns what stands between Adobe's brackets, or the whole.
func ascii85Text(data []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimPrefix(data, []byte("<~")), []byte("~>"))
}

func fitsASCII85(data []byte) bool {
	return fits85(ascii85Text(data), inASCII85)
}

func openASCII85(w *worker, f *fragment, hits []hit, base uint32) bool {
	text := ascii85Text(f.data)
	if !w.budget.spend(len(text)) {
		w.limited("ascii85")
		return false
	}
	for _, b := range text { // the library passes over all below a space
		if chars85[b]&inASCII85 == 0 {
			return false
		}
	}
	buf := w.buffer(f.depth, 4*len(text)) // a z is four bytes
	n, _, err := ascii85.Decode(buf, text, true)
	buf = buf[:n]
	return err == nil && w.isKnown(buf) && (w.child(f, piece{kind: "ascii85", data: buf, to: len(f.data)}, nil, 0) || isText(buf))
}
