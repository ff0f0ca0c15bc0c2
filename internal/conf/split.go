package conf

import "errors"

// ErrQuotes is a line whose quotes are not closed, or closed inside a word: the
// server refuses to start with it.
var ErrQuotes = errors.New("unbalanced quotes in configuration line")

// Split returns the words of a line as sds.c, sdssplitargs, has them: "…" knows
// \xHH, \n, \r, \t, \b, \a and \ before any other byte; '…' knows \'; a closing
// quote ends the word.
func Split(line string) ([]string, error) {
	words := []string{}
	for i := 0; ; {
		for i < len(line) && isSpace(line[i]) {
			i++
		}
		if i == len(line) {
			return words, nil
		}
		word, n, err := splitWord(line[i:])
		if err != nil {
			return nil, err
		}
		words = append(words, word)
		i += n
	}
}

func splitWord(s string) (word string, n int, err error) {
	var b []byte
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote == 0 && (c == ' ' || c == '\n' || c == '\r' || c == '\t'):
			return string(b), i, nil
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			if i+1 < len(s) && !isSpace(s[i+1]) {
				return "", 0, ErrQuotes
			}
			return string(b), i + 1, nil
		case quote == '"' && c == '\\' && i+3 < len(s) && s[i+1] == 'x' && isHex(s[i+2]) && isHex(s[i+3]):
			b = append(b, unhex(s[i+2])<<4|unhex(s[i+3]))
			i += 3
		case quote == '"' && c == '\\' && i+1 < len(s):
			i++
			b = append(b, unescape(s[i]))
		case quote == '\'' && c == '\\' && i+1 < len(s) && s[i+1] == '\'':
			i++
			b = append(b, '\'')
		default:
			b = append(b, c)
		}
	}
	if quote != 0 {
		return "", 0, ErrQuotes
	}
	return string(b), len(s), nil
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return c
}

// isSpace is isspace(3) in the C locale.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

// Quote writes a word so that Split gives it back (sds.c, sdscatrepr).
func Quote(word string) string {
	plain := word != ""
	for i := 0; i < len(word) && plain; i++ {
		c := word[i]
		plain = c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\' && (c != '#' || i > 0)
	}
	if plain {
		return word
	}
	const digits = "0123456789abcdef"
	b := []byte{'"'}
	for i := 0; i < len(word); i++ {
		switch c := word[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= ' ' && c < 0x7f:
			b = append(b, c)
		default:
			b = append(b, '\\', 'x', digits[c>>4], digits[c&15])
		}
	}
	return string(append(b, '"'))
}
