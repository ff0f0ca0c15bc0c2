package sweep

// Key masks a key's name for those who show keys without their values: beside
// the secrets that Mask finds, all that could be one. The name of a session's
// key is a credential, and looks like any other random name; what it is only
// its value tells.
func (n *Names) Key(name string) string {
	if n == nil {
		return name
	}
	if structured(name) {
		n.mu.Lock()
		name = n.remember(name)
		n.mu.Unlock()
	}
	if !suspicious(name) {
		return name
	}
	var out []byte
	for len(name) > 0 {
		run := tokenRun(name)
		switch {
		case run == 0:
			out, name = append(out, name[0]), name[1:]
			continue
		case !suspicious(name[:run]):
			out = append(out, name[:run]...)
		case run < longSecret:
			out = append(out, unknownName...)
		default:
			out = append(append(out, unknownName...), name[run-4:run]...)
		}
		name = name[run:]
	}
	return string(out)
}

// structured reports whether a name holds more than words: a document, an
// address, a number that is long enough for a card's.
func structured(s string) bool {
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			if digits++; digits >= leastNumber {
				return true
			}
		case c == '{' || c == '"' || c == '=' || c == '@' || c == '%' || c <= ' ' || c >= 0x7f:
			return true
		case c != ' ' && c != '-':
			digits = 0
		}
	}
	return suspicious(s)
}

// leastNumber is how many digits a number that names somebody has at least.
const leastNumber = 9

// longSecret is how long a secret must be for its last four characters to be
// shown, as in findings.
const longSecret = 24

// tokenRun is how many characters of tokens s begins with.
func tokenRun(s string) int {
	for i := range len(s) {
		if !tokenByte(s[i]) {
			return i
		}
	}
	return len(s)
}
