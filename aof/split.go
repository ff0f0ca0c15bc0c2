package aof

// splitArgs splits a line into words as sds.c sdssplitargs does: at white space,
// with "…" in which a backslash escapes (\xHH, \n, \r, \t, \b, \a), and '…' in
// which it escapes only the quote. It reports false for quotes that do not end
// or are followed by anything but white space. The indexes in line of what the
// words begin with are starts.
func splitArgs(line []byte) (words [][]byte, starts []int, ok bool) {
	whole := line
	for {
		for len(line) > 0 && isSpace(line[0]) {
			line = line[1:]
		}
		if len(line) == 0 {
			return words, starts, true
		}
		start := len(whole) - len(line)
		if line[0] == '"' || line[0] == '\'' {
			start++
		}
		starts = append(starts, start)
		word := []byte{}
		for len(line) > 0 && !isSpace(line[0]) {
			c := line[0]
			line = line[1:]
			if c != '"' && c != '\'' {
				word = append(word, c)
				continue
			}
			if word, line, ok = quoted(word, line, c); !ok || len(line) > 0 && !isSpace(line[0]) {
				return nil, nil, false
			}
		}
		words = append(words, word)
	}
}

// quoted appends to word what stands in quotes at the start of line and returns
// the line behind them.
func quoted(word, line []byte, quote byte) (_, rest []byte, ok bool) {
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == quote:
			return word, line[i+1:], true
		case c != '\\' || i+1 == len(line):
		case quote == '"' && line[i+1] == 'x' && i+3 < len(line) && isHex(line[i+2]) && isHex(line[i+3]):
			c = unhex(line[i+2])<<4 | unhex(line[i+3])
			i += 3
		case quote == '"':
			i++
			c = unescape(line[i])
		case line[i+1] == '\'':
			i++
			c = '\''
		}
		word = append(word, c)
	}
	return nil, nil, false
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

// isSpace is isspace of the C locale.
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
