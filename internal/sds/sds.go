// Package sds splits and quotes lines as the server does (its sds.c): inline
// commands, AOF manifests, configuration and ACL files.
package sds

import "errors"

// ErrQuotes is a line whose quotes are not closed, or are followed by anything but
// white space: the server refuses it.
var ErrQuotes = errors.New("unbalanced quotes")

// Word is one word of a line.
type Word struct {
	Start int    // where in the line its text begins: behind a quote
	Text  []byte // unescaped; a copy
}

// Words splits a line at white space (sds.c, sdssplitargs). In "…" a backslash
// escapes: \xHH, \n, \r, \t, \b, \a, and any other byte stands for itself; in '…'
// it escapes the quote alone. A closing quote ends the word. A NUL, at which the
// server would stop, is a byte like others, so that nothing stays unread.
func Words(line []byte) ([]Word, error) {
	words := []Word{}
	for i := 0; ; {
		for i < len(line) && isSpace(line[i]) {
			i++
		}
		if i == len(line) {
			return words, nil
		}
		w, n, err := word(line[i:])
		if err != nil {
			return nil, err
		}
		w.Start += i
		words = append(words, w)
		i += n
	}
}

// Split is Words without the places.
func Split(line string) ([]string, error) {
	words, err := Words([]byte(line))
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w.Text)
	}
	return texts, nil
}

// word reads the word that s begins with, n bytes of it.
func word(s []byte) (w Word, n int, err error) {
	w.Text = []byte{}
	if s[0] == '"' || s[0] == '\'' {
		w.Start = 1
	}
	for n < len(s) {
		c := s[n]
		switch {
		case c == ' ' || c == '\n' || c == '\r' || c == '\t': // isspace(3) knows two more
			return w, n, nil
		case c != '"' && c != '\'':
			w.Text = append(w.Text, c)
			n++
			continue
		}
		text, m, ok := quoted(w.Text, s[n+1:], c)
		n += 1 + m
		if !ok || n < len(s) && !isSpace(s[n]) {
			return w, n, ErrQuotes
		}
		w.Text = text
		return w, n, nil
	}
	return w, n, nil
}

// quoted appends to text what stands before the closing quote in s; n counts the
// quote.
func quoted(text, s []byte, quote byte) (_ []byte, n int, closed bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote:
			return text, i + 1, true
		case c != '\\' || i+1 == len(s):
		case quote == '"' && i+3 < len(s) && s[i+1] == 'x' && isHex(s[i+2]) && isHex(s[i+3]):
			c = unhex(s[i+2])<<4 | unhex(s[i+3])
			i += 3
		case quote == '"':
			i++
			c = unescape(s[i])
		case s[i+1] == '\'':
			i++
			c = '\''
		}
		text = append(text, c)
	}
	return text, len(s), false
}

// Quote writes a word so that Split gives it back (sds.c, sdscatrepr); a word that
// needs no quotes stands as it is.
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
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
