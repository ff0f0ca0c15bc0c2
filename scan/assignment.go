package scan

import "bytes"

// schemeLen returns the length of an HTTP authentication scheme (RFC 9110) and
// the spaces behind it.
func schemeLen(v []byte) int {
	for _, scheme := range [...]string{"bearer", "token", "apikey", "api-key", "ssws"} {
		if foldPrefix(v, scheme) && len(v) > len(scheme)+1 && v[len(scheme)] == ' ' {
			i := len(scheme)
			for i < len(v) && v[i] == ' ' {
				i++
			}
			return i
		}
	}
	return 0
}

// Bounds of an assignment.
const (
	maxNameBefore = 64
	maxNameAfter  = 32
	maxValue      = 1 << 10
)

// wideColon is that of Chinese and Japanese.
const wideColon = "："

// assignment takes an assignment apart whose name contains the noun
// f.data[from:to]: NAME=value, "name": "value", name => 'value', --name value,
// <name>value</name>.
func (w *worker) assignment(f *fragment, from, to int) {
	d := f.data
	if to <= f.assigned {
		return // part of a name or a value that was looked at
	}
	end := run(d, to, maxNameAfter, isNameByte)
	if k := bytes.Index(d[to:end], []byte(wideColon)); k >= 0 {
		end = to + k
	}
	at := end
	// Quotes around the name, perhaps escaped, a bracket, spaces.
	tag, compared := false, false
	for n := 0; at < len(d) && n < 4; n++ {
		switch d[at] {
		case '"', '\'', '\\', ']', '`', ' ', '\t':
			at++
			continue
		}
		break
	}
	switch {
	case at >= len(d):
		return
	case d[at] == '=' || d[at] == ':':
		at++
		if at < len(d) && (d[at] == '=' || d[at] == '>') {
			compared = d[at] == '='
			at++
		}
	case bytes.HasPrefix(d[at:], []byte(wideColon)):
		at += len(wideColon)
	case d[at] == ',' && at > end && at+2 < len(d) && isArgument(d, from):
		at++ // define('DB_PASSWORD', 'value')
	case d[at] == '>' && at == end:
		at++
		tag = true
	case at > end && isOption(d, from):
		// --password value
	default:
		return
	}
	begin := runBack(d, from, maxNameBefore, isNameByte)
	if begin > 0 && isNameByte(d[begin-1]) { // no name is as long
		f.assigned = end
		return
	}
	class := classifyName(d[begin:end])
	if class <= nameNeutral || class == nameHash && tag {
		f.assigned = end
		return
	}
	for at < len(d) && (d[at] == ' ' || d[at] == '\t') {
		at++
	}
	valueFrom, valueTo := valueAt(d, at, tag)
	f.assigned = valueFrom
	f.assigns = f.assigns || begin <= 2 && valueFrom < len(d) // else the sign is padding
	if valueTo-valueFrom < minPassword {
		return
	}
	if end-begin <= 2 && !isText(d[max(0, begin-4):begin]) { // two letters among bytes
		return
	}
	if compared && at == end+2 || padsBase64(d, begin, end) { // the padding of base64, behind what reads like a word
		return
	}
	if f.inName {
		valueTo = valueFrom + len(firstSegment(d[valueFrom:valueTo]))
		if isWhose(d[valueFrom:valueTo], class) {
			w.exclude(identifierValue)
			return
		}
		if isDigest(d[valueFrom:valueTo]) && countsSomething(d[:begin]) {
			w.exclude(hashValue)
			return
		}
	}
	if isResourceName(d, begin) {
		w.exclude(locationValue)
		return
	}
	if n := schemeLen(d[valueFrom:min(len(d), valueFrom+maxValue)]); n > 0 {
		valueFrom += n
		_, valueTo = valueAt(d, valueFrom, tag)
		if valueTo-valueFrom < minPassword {
			return
		}
	}
	f.assigned = max(f.assigned, valueTo)
	if quoted := d[valueFrom-1] == '"' || d[valueFrom-1] == '\'' || d[valueFrom-1] == '`'; !quoted && !tag && (compared || isCodeAt(d, begin, end, valueFrom, valueTo, class)) {
		w.exclude(codeValue)
		return
	}
	w.judge(f, valueFrom, valueTo, d[begin:end], class, true)
	for _, r := range w.s.generic {
		if hasKeyword(r, d[begin:end]) {
			w.regex(r, f, begin, end)
		}
	}
}

// padsBase64 reports whether a name is the end of base64 that a single = pads: a
// word of a digest, or what follows a + or / in a shorter one.
func padsBase64(d []byte, begin, end int) bool {
	const short, least, leastWord = 4, 20, 27 // 27 and a sign of padding are a digest of 20 bytes
	from := runBack(d, end, maxNameBefore, isStd64)
	if n := end - from; n < least || n < leastWord && (end-begin > short || begin == 0 || d[begin-1] != '+' && d[begin-1] != '/') {
		return false
	}
	s := shapeOf(d[from:end])
	return s.upper > 1 && s.lower > 1 && s.digit > 1
}

// isCodeAt reports whether the assignment of an unquoted value is a statement of
// a program, or a pair of a list of measurements, rather than a line of a
// configuration.
func isCodeAt(d []byte, begin, end, valueFrom, valueTo int, class nameClass) bool {
	v := d[valueFrom:valueTo]
	short := end-begin <= 4 // pass, pw: an outcome as often as a password
	lineFrom, lineTo := lineAround(d, begin)
	lineFrom, lineTo = trimmed(d, lineFrom, max(lineTo, valueTo))
	alone := lineFrom == begin && lineTo == valueTo
	switch {
	case isMinified(v) && !alone:
		return true
	case isCode(v):
		if d[valueFrom-1] == '=' { // NAME=value, as shells and forms have it
			return bytes.ContainsAny(v, "()[]{}")
		}
		return !alone || short || class != namePassword || bytes.ContainsAny(v, "()[]{}.")
	case short:
		s := shapeOf(v)
		return !alone && (s.digit == 0 || s.lower+s.upper == 0 || bytes.IndexByte(d[end:valueFrom], '=') < 0)
	}
	return false
}

// isWhose reports whether what follows in a name says whose the password is rather
// than what: password:4711, password:alice.
func isWhose(v []byte, class nameClass) bool {
	return isDigits(v) || class == namePassword && !isChosen(v) && shapeOf(v).other == 0
}

// firstSegment returns what stands before the next separator of a key.
func firstSegment(v []byte) []byte {
	if k := bytes.IndexAny(v, ":|"); k > 0 {
		return v[:k]
	}
	return v
}

// isDigest reports whether v has the form of a digest in hex.
func isDigest(v []byte) bool {
	return (len(v) == 32 || len(v) == 40 || len(v) == 64 || len(v) == 128) && run(v, 0, len(v), isHex) == len(v)
}

// countsSomething reports whether a part of a key says that its value is a count: of
// requests by whoever the next part is the digest of.
func countsSomething(key []byte) bool {
	for i := 0; i < len(key); {
		end := run(key, i, len(key), isAlnum)
		if counters[string(bytes.ToLower(key[i:end]))] {
			return true
		}
		i = end + 1
	}
	return false
}

var counters = setOf("rl ratelimit ratelimiter ratelimits rate limit limiter limits throttle throttling throttler quota quotas usage hits counter counters count counts stats metrics attempts")

// isResourceName reports whether the word at i stands in a name of Amazon's, which
// says where a secret is: arn:aws:secretsmanager:…:secret:….
func isResourceName(d []byte, i int) bool {
	begin := runBack(d, i, maxNameBefore+maxNameAfter, func(b byte) bool { return isNameByte(b) || b == ':' || b == '/' })
	return foldPrefix(d[begin:], "arn:")
}

// isMinified recognises what a packer of scripts leaves of a member: t.Xy, or
// e.token,secret:r.secret.
func isMinified(v []byte) bool {
	n := run(v, 0, 2, isLetter)
	if n == 0 || n == len(v) || v[n] != '.' {
		return false
	}
	from := n + 1
	n = run(v, from, 32, func(b byte) bool { return isLetter(b) || b == '_' || b == '$' })
	return n > from && (n == len(v) || v[n] == ',' || v[n] == ')' || v[n] == '}' || v[n] == '.' && n-from > 2)
}

func hasKeyword(r *rule, name []byte) bool {
	for _, k := range r.keywords {
		for i := 0; i+len(k) <= len(name); i++ {
			if foldPrefix(name[i:], k) {
				return true
			}
		}
	}
	return false
}

func isNameByte(b byte) bool { return isAlnum(b) || b == '_' || b == '-' || b == '.' || b >= 0x80 }

// isArgument reports whether the word at i begins a quoted text that is the first
// argument of a call.
func isArgument(d []byte, i int) bool {
	i = runBack(d, i, maxNameBefore, isNameByte)
	if i == 0 || d[i-1] != '\'' && d[i-1] != '"' {
		return false
	}
	i = runBack(d, i-1, 4, isSpace)
	return i > 0 && d[i-1] == '('
}

// isOption reports whether the word at i is a command line's option.
func isOption(d []byte, i int) bool {
	begin := runBack(d, i, maxNameBefore, isNameByte)
	return begin+2 < len(d) && d[begin] == '-' && d[begin+1] == '-'
}

// endsPair reports whether an ampersand ends a value: what follows is another
// pair of a form, a reference of HTML, or a command.
func endsPair(rest []byte) bool {
	n := run(rest, 0, maxNameBefore, isNameByte)
	return n == 0 || n < len(rest) && (rest[n] == '=' || rest[n] == '%' || rest[n] == '[' || rest[n] == ';')
}

// valueAt returns the bounds of the value that begins at i: up to the closing
// quote if it is quoted, else up to what ends a word in forms, shells, YAML,
// URLs and connection strings.
func valueAt(d []byte, i int, tag bool) (from, to int) {
	limit := min(len(d), i+maxValue)
	escaped := i+1 < limit && d[i] == '\\'
	if escaped {
		i++
	}
	if i < limit && (d[i] == '"' || d[i] == '\'' || d[i] == '`') {
		quote := d[i]
		for j := i + 1; j < limit; j++ {
			switch {
			case d[j] == quote:
				if escaped && d[j-1] == '\\' {
					return i + 1, j - 1
				}
				return i + 1, j
			case d[j] == '\\' && !escaped:
				j++
			case d[j] == '\n':
				return i + 1, j
			}
		}
		return i + 1, limit
	}
	if i > 0 && i < limit && d[i] == '{' && d[i-1] == '=' { // of ODBC
		if j := bytes.IndexByte(d[i:limit], '}') + i; j > i && (j+1 == len(d) || d[j+1] == ';') {
			return i + 1, j
		}
	}
	for j := i; j < limit; j++ {
		b := d[j]
		switch {
		case b <= ' ', b == 0x7f, b == '"', b == '\'', b == '`', b == '&' && endsPair(d[j+1:limit]), b == ';', b == '<', b == '\\' && j+1 < limit && (d[j+1] == 'n' || d[j+1] == '"' || d[j+1] == 'r'):
			return i, j
		case b >= 0x80 && !validRune(d[j:limit]):
			return i, j
		case (b == ',' || b == ')' || b == '}' || b == ']' || b == '|') && (j+1 == len(d) || isSpace(d[j+1]) || d[j+1] == '"' || d[j+1] == ',' || d[j+1] == '}'):
			return i, j
		case b == '>' && tag:
			return i, j
		}
		if b >= 0xC0 {
			for j+1 < limit && d[j+1]&0xC0 == 0x80 {
				j++
			}
		}
	}
	return i, limit
}
