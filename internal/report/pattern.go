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
	key = strings.ToValidUTF8(key, "")
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

// segment writes one part of a key.
func segment(b *strings.Builder, s string) {
	if strings.IndexByte(s, '@') > 0 { // an address
		b.WriteByte('*')
		return
	}
	for i, word := range strings.Split(s, ".") {
		if i > 0 {
			b.WriteByte('.')
		}
		if isVariable(word) {
			b.WriteByte('*')
			continue
		}
		for {
			i := strings.IndexAny(word, "0123456789")
			if i < 0 {
				break
			}
			b.WriteString(word[:i])
			b.WriteByte('*')
			word = strings.TrimLeft(word[i:], "0123456789")
		}
		b.WriteString(word)
	}
}

// isVariable reports whether s as a whole is a name that some program made up:
// something long that mixes letters and digits, or upper and lower case.
func isVariable(s string) bool {
	digits, lower, upper, hex, dashes, other := 0, 0, 0, 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
			hex++
		case c >= 'a' && c <= 'z':
			lower++
			if c <= 'f' {
				hex++
			}
		case c >= 'A' && c <= 'Z':
			upper++
			if c <= 'F' {
				hex++
			}
		case c == '-' || c == '_' || c == '+' || c == '~':
			dashes++
		default:
			other++
		}
	}
	letters := lower + upper
	switch {
	case other > 0 || len(s) < 8:
		return false
	case digits > 0 && hex == len(s)-dashes: // hexadecimal, UUID, date
		return true
	case len(s) >= 16 && digits > 0 && digits*12 >= letters && dashes*8 <= len(s): // base64, base58, ULID
		return true
	}
	return len(s) >= 20 && lower >= 4 && upper >= 4 && dashes*8 <= len(s) // mixed case without a digit
}
