package report

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Escape returns s as one line of printable text: what is not printable, or not
// UTF-8, stands as \n, \x1b, \u202e and the like, and a backslash as \\. It is
// for terminals and messages.
func Escape(s string) string {
	for i := 0; ; i++ { // most is ASCII
		if i == len(s) {
			return s
		}
		if c := s[i]; c < ' ' || c >= 0x7f || c == '\\' {
			break
		}
	}
	plain := true
	for _, r := range s {
		if r == utf8.RuneError || r == '\\' || !unicode.IsPrint(r) {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '\\':
			b = append(b, `\\`...)
		case r == utf8.RuneError && n == 1:
			b = appendHexByte(b, s[0])
		case unicode.IsPrint(r):
			b = append(b, s[:n]...)
		default:
			q := strconv.QuoteRuneToASCII(r)
			b = append(b, q[1:len(q)-1]...)
		}
		s = s[n:]
	}
	return string(b)
}

func appendHexByte(b []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'x', digits[c>>4], digits[c&15])
}

// escapeJSON appends the JSON text p with every character that a terminal might
// obey written as \u: they stand inside strings only, where that means the same.
func escapeJSON(b, p []byte) []byte {
	from := 0
	for i := 0; i < len(p); {
		if p[i] >= ' ' && p[i] < 0x7f || p[i] == '\n' {
			i++
			continue
		}
		r, n := utf8.DecodeRune(p[i:])
		if unicode.IsPrint(r) && r != utf8.RuneError {
			i += n
			continue
		}
		b = append(b, p[from:i]...)
		for _, u := range utf16(r) {
			const digits = "0123456789abcdef"
			b = append(b, '\\', 'u', digits[u>>12], digits[u>>8&15], digits[u>>4&15], digits[u&15])
		}
		i += n
		from = i
	}
	return append(b, p[from:]...)
}

func utf16(r rune) []uint16 {
	if r < 0x10000 {
		return []uint16{uint16(r)}
	}
	r -= 0x10000
	return []uint16{0xd800 + uint16(r>>10), 0xdc00 + uint16(r&0x3ff)}
}

// width returns how many columns s takes on a terminal.
func width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
		r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0xffe0 && r <= 0xffe6 ||
		r >= 0x1f300 && r <= 0x1faff || r >= 0x20000 && r <= 0x3fffd): // East Asian wide, UAX #11
		return 2
	}
	return 1
}

// clip shortens s to at most n columns, cutting out its middle.
func clip(s string, n int) string {
	if width(s) <= n {
		return s
	}
	if n < 3 {
		return "…"[:min(n, 1)*len("…")]
	}
	head, tail := (n-1)*2/3, 0
	tail = n - 1 - head
	rs := []rune(s)
	a, w := 0, 0
	for a < len(rs) && w+runeWidth(rs[a]) <= head {
		w += runeWidth(rs[a])
		a++
	}
	z, w := len(rs), 0
	for z > a && w+runeWidth(rs[z-1]) <= tail {
		w += runeWidth(rs[z-1])
		z--
	}
	return string(rs[:a]) + "…" + string(rs[z:])
}
