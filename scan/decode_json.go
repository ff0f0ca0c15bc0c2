package scan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

var jsonDecoder = decoder{kind: "json", starts: startsWith("{[\" \t\r\n"), fits: fitsJSON, open: openJSON}

// fitsJSON looks at the first two tokens, and at the last byte of a string.
func fitsJSON(data []byte) bool {
	i := skipSpace(data, 0)
	if i == len(data) {
		return false
	}
	switch data[i] {
	case '{':
		j := skipSpace(data, i+1)
		return j < len(data) && (data[j] == '"' || data[j] == '}')
	case '[':
		j := skipSpace(data, i+1)
		if j == len(data) {
			return false
		}
		switch b := data[j]; b {
		case '"', '{', '[', ']', '-', 't', 'f', 'n':
			return true
		default:
			return isDigit(b)
		}
	case '"': // a JSON text inside a JSON string
		last := len(data) - 1
		return data[last] == '"' && last > i && i+2 < last
	}
	return false
}

func openJSON(w *worker, f *fragment, hits []hit, base uint32) bool {
	return w.document("json", f, hits, base, walkJSON)
}

// A jsonWalker reads JSON texts token by token, in one pass without recursion,
// and builds nothing.
type jsonWalker struct {
	*document
	data   []byte
	values int // seen so far
}

// walkJSON reads one JSON text, or several one after the other as in JSON lines.
func walkJSON(data []byte, doc *document, sink docSink) error {
	j := jsonWalker{document: doc, data: data}
	i := skipSpace(data, 0)
	if i == len(data) {
		return errDocument
	}
	for i < len(data) {
		next, err := j.value(i, sink)
		if err != nil {
			return err
		}
		i = skipSpace(data, next)
		if i < len(data) && data[i] != '{' && data[i] != '[' {
			return errDocument
		}
	}
	return nil
}

// value reads the value at i and everything in it, and returns where it ends.
func (j *jsonWalker) value(i int, sink docSink) (int, error) {
	data := j.data
	for {
		// A value begins at i, or an array that may end at once.
		if i = skipSpace(data, i); i >= len(data) {
			return i, errDocument
		}
		if j.values++; j.values&255 == 0 {
			if err := sink.more(); err != nil {
				return i, err
			}
		}
		switch b := data[i]; {
		case b == '"':
			end, escaped := stringEnd(data, i+1)
			if end < 0 {
				return i, errDocument
			}
			sink.text(i+1, end, escaped)
			i = end + 1
		case b == '[' && octetsEnd(data, i+1) > 0:
			end := octetsEnd(data, i+1)
			sink.octets(i+1, end)
			i = end
		case b == '{' || b == '[':
			t := j.push(b == '[')
			if t == nil {
				return i, errDocumentDepth
			}
			if i = skipSpace(data, i+1); i < len(data) && data[i] == b+2 { // ] is [+2, } is {+2
				j.depth--
				i++
				break
			}
			if t.array {
				continue
			}
			next, err := j.member(i, sink)
			if err != nil {
				return i, err
			}
			i = next
			continue
		case b == '-' || isDigit(b):
			from := i
			for i++; i < len(data) && (isDigit(data[i]) || data[i] == '.' || data[i] == 'e' || data[i] == 'E' || data[i] == '+' || data[i] == '-'); i++ {
			}
			if !isDigit(data[i-1]) {
				return i, errDocument
			}
			sink.number(from, i)
		default:
			n := literalLen(data[i:])
			if n == 0 {
				return i, errDocument
			}
			i += n
		}

		// It has ended: so may have what it stands in.
		for {
			if j.depth == 0 {
				return i, nil
			}
			if i = skipSpace(data, i); i >= len(data) {
				return i, errDocument
			}
			t := j.top()
			if !t.array {
				sink.end()
			}
			if data[i] == ',' {
				t.index++
				i++
				if t.array {
					break
				}
				next, err := j.member(skipSpace(data, i), sink)
				if err != nil {
					return i, err
				}
				i = next
				break
			}
			if t.array && data[i] != ']' || !t.array && data[i] != '}' {
				return i, errDocument
			}
			j.depth--
			i++
		}
	}
}

// leastOctets is how many numbers make bytes of a text.
const leastOctets = 16

// octetsEnd returns where an array of bytes that begins at i ends, behind its
// bracket; 0 if it holds anything but numbers below 256, or few of them.
func octetsEnd(data []byte, i int) int {
	numbers, n, digits := 0, 0, 0
	for ; i < len(data); i++ {
		switch b := data[i]; {
		case isDigit(b):
			n = n*10 + int(b-'0')
			if digits++; digits > 3 || n > 255 {
				return 0
			}
		case b == ',' || b == ']':
			if digits == 0 {
				return 0
			}
			if numbers, n, digits = numbers+1, 0, 0; b == ',' {
				continue
			}
			if numbers < leastOctets {
				return 0
			}
			return i + 1
		case b != ' ' && b != '\n' && b != '\r' && b != '\t' || digits > 0 && i+1 < len(data) && isDigit(data[i+1]):
			return 0
		}
	}
	return 0
}

// member reads a key and the colon behind it.
func (j *jsonWalker) member(i int, sink docSink) (int, error) {
	data := j.data
	if i >= len(data) || data[i] != '"' {
		return i, errDocument
	}
	end, escaped := stringEnd(data, i+1)
	if end < 0 {
		return i, errDocument
	}
	t := j.top()
	t.setKey(data[i+1:end:end], escaped)
	colon := skipSpace(data, end+1)
	if colon >= len(data) || data[colon] != ':' {
		return i, errDocument
	}
	sink.key(i+1, end)
	return colon + 1, nil
}

func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
		i++
	}
	return i
}

func literalLen(data []byte) int {
	for _, l := range [...]string{"true", "false", "null"} {
		if len(data) >= len(l) && string(data[:len(l)]) == l {
			return len(l)
		}
	}
	return 0
}

// stringEnd returns where the string that begins at i ends, -1 if it does not,
// and whether there are escapes in it. It looks at eight bytes at a time.
// Control characters are let through: what writers that are not strict emit is
// evidence, too.
func stringEnd(data []byte, i int) (int, bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	escaped := false
	for {
		for i+8 <= len(data) {
			x := binary.LittleEndian.Uint64(data[i:])
			q, s := x^ones*'"', x^ones*'\\'
			m := ((q-ones)&^q | (s-ones)&^s) & highs
			if m == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(m) / 8
			break
		}
		for i < len(data) && data[i] != '"' && data[i] != '\\' {
			i++
		}
		if i >= len(data) {
			return -1, escaped
		}
		if data[i] == '"' {
			return i, escaped
		}
		escaped = true
		i += 2
	}
}

// unescapeJSON appends s with its escapes resolved. Escapes that JSON does not
// know stand for themselves.
func unescapeJSON(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			r, ok := hex4(s[i+1:])
			if !ok {
				dst = append(dst, '\\', 'u')
				continue
			}
			i += 4
			if utf16.IsSurrogate(r) && i+2 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
				if low, ok := hex4(s[i+3:]); ok {
					if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
						r = both
						i += 6
					}
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, s[i])
		}
	}
	return dst
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for _, b := range s[:4] {
		if !isHex(b) {
			return 0, false
		}
		r = r<<4 | rune(unhex(b))
	}
	return r, true
}

func unhex(b byte) byte {
	if isDigit(b) {
		return b - '0'
	}
	return lower(b) - 'a' + 10
}
