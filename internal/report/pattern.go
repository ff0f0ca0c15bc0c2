package report

import (
	"strings"
	"unicode/utf8"
)

// maxPattern bounds a pattern; what of a key lies behind it does not tell groups
// apart.
const maxPattern = 200

// Pattern returns the shape of a key name: what tells one key of a kind from the
// next – numbers, UUIDs, digests, random ids, addresses – is replaced by "*".
//
//	user:1842:profile                        user:*:profile
//	sess:550e8400-e29b-41d4-a716-446655440000  sess:*
//	cache_v2                                 cache_v*
func Pattern(key string) string {
	cut := ""
	if len(key) > maxPattern {
		key, cut = key[:maxPattern], "…"
	}
	if !utf8.ValidString(key) && cut == "" {
		return "*"
	}
	key = unmarked(strings.ToValidUTF8(key, ""))
	var b strings.Builder
	for len(key) > 0 {
		i := strings.IndexAny(key, ":/| \t{}[]<>(),;=\"'")
		if i < 0 {
			i = len(key)
		}
		segment(&b, key[:i])
		if i < len(key) {
			b.WriteByte(key[i])
			i++
		}
		key = key[i:]
	}
	return b.String() + cut
}

// maskMark stands for the hidden part of a secret; up to maskTail of its last
// characters may follow it (package scan).
const (
	maskMark = "****"
	maskTail = 4
)

// unmarked writes each masked secret in s as "*": its last characters do not tell
// a kind of key from another.
func unmarked(s string) string {
	if !strings.Contains(s, maskMark) {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, maskMark)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		b.WriteByte('*')
		s = strings.TrimLeft(s[i:], "*")
		n := 0
		for n < min(maskTail, len(s)) && (isHex(s[n]) || s[n] >= 'g' && s[n] <= 'z' || s[n] >= 'G' && s[n] <= 'Z' || strings.IndexByte("_-+=", s[n]) >= 0) {
			n++
		}
		s = s[n:]
	}
}

// segment writes one part of a key.
func segment(b *strings.Builder, s string) {
	if strings.IndexByte(s, '@') > 0 { // an address
		b.WriteByte('*')
		return
	}
	for {
		i := indexUUID(s)
		if i < 0 {
			break
		}
		pieces(b, s[:i], separators)
		b.WriteByte('*')
		s = s[i+uuidSize:]
	}
	pieces(b, s, separators)
}

// separators stand between the words of a part, the strongest first.
const separators = "._-"

// pieces writes s, split at each separator in turn until a piece is variable as
// a whole or there is no separator left.
func pieces(b *strings.Builder, s, separators string) {
	if isVariable(s) {
		b.WriteByte('*')
		return
	}
	if separators != "" {
		for {
			i := strings.IndexByte(s, separators[0])
			if i < 0 {
				break
			}
			pieces(b, s[:i], separators[1:])
			b.WriteByte(separators[0])
			s = s[i+1:]
		}
		pieces(b, s, separators[1:])
		return
	}
	for {
		i := strings.IndexAny(s, "0123456789")
		if i < 0 {
			b.WriteString(s)
			return
		}
		b.WriteString(s[:i])
		b.WriteByte('*')
		s = strings.TrimLeft(s[i:], "0123456789")
	}
}

// hasWord reports whether a piece of s between dashes is a word.
func hasWord(s string) bool {
	for piece := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '-' || r == '_' }) {
		if len(piece) >= 3 && strings.Trim(piece, "abcdefghijklmnopqrstuvwxyz") == "" {
			return true
		}
	}
	return false
}

const uuidSize = 36

// indexUUID returns where the first UUID in s begins (RFC 9562, 4), or -1.
func indexUUID(s string) int {
next:
	for i := 0; i+uuidSize <= len(s); i++ {
		if s[i+8] != '-' {
			continue
		}
		for j := range uuidSize {
			c := s[i+j]
			if dash := j == 8 || j == 13 || j == 18 || j == 23; dash != (c == '-') || !dash && !isHex(c) {
				continue next
			}
		}
		return i
	}
	return -1
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// isVariable reports whether s as a whole is a name that some program made up:
// something long that mixes letters and digits, or upper and lower case.
func isVariable(s string) bool {
	digits, lower, upper, hex, dashes, other := 0, 0, 0, 0, 0, 0
	for i := range len(s) {
		c := s[i]
		if isHex(c) {
			hex++
		}
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z':
			lower++
		case c >= 'A' && c <= 'Z':
			upper++
		case c == '-' || c == '_' || c == '+' || c == '~':
			dashes++
		default:
			other++
		}
	}
	letters := lower + upper
	switch {
	case other > 0 || len(s) < 8 || dashes > 0 && hasWord(s):
		return false
	case digits > 0 && hex == len(s)-dashes: // hexadecimal, UUID, date
		return true
	case len(s) >= 16 && digits > 0 && digits*12 >= letters && dashes*8 <= len(s): // base64, base58, ULID
		return true
	}
	return len(s) >= 20 && lower >= 4 && upper >= 4 && dashes*8 <= len(s) // mixed case without a digit
}
