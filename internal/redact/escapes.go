package redact

import (
	"bytes"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// An escape is a way to write characters by others behind a mark.
type escape struct {
	mark byte
	// one appends what the escape at the start of p means, and says how long it is;
	// 0: it is none.
	one func(dst, p []byte) ([]byte, int)
}

var escapes = [...]escape{{'%', percentEscape}, {'\\', backslash}, {'&', entity}, {'=', quotedPrintable}}

// unescaped replaces what stands in p behind escapes. What is no escape means itself,
// so p need not be of one form from its beginning to its end.
func (t *texts) unescaped(p []byte, e *escape, depth int) []byte {
	if bytes.IndexByte(p, e.mark) < 0 {
		return p
	}
	text := e.meaning(t.r.rooms.take(depth, len(p)), p, nil)
	if len(text) == len(p) {
		return p
	}
	q := t.inner(text, depth+1)
	switch {
	case bytes.Equal(q, text):
		return p
	case len(q) != len(text):
		return t.whole(p)
	}
	at := make([]int32, 0, len(text)+1) // where what each byte of text comes from begins
	text = e.meaning(nil, p, func(i, n int) {
		for len(at) < n {
			at = append(at, int32(i))
		}
	})
	at = append(at, int32(len(p)))
	out := bytes.Clone(p[:at[0]])
	for i := 0; i < len(text); {
		j := i + 1
		for j < len(text) && at[j] == at[i] {
			j++
		}
		if bytes.Equal(q[i:j], text[i:j]) {
			out = append(out, p[at[i]:at[j]]...)
		} else {
			out = append(out, q[i:j]...) // letters and digits stand for themselves everywhere
		}
		i = j
	}
	return out
}

// meaning appends what p means. Each tells from where on in p the text got how long.
func (e *escape) meaning(text, p []byte, each func(i, n int)) []byte {
	for i := 0; i < len(p); {
		n := 0
		if p[i] == e.mark {
			text, n = e.one(text, p[i:])
		}
		if n == 0 {
			text, n = append(text, p[i]), 1
		}
		if each != nil {
			each(i, len(text))
		}
		i += n
	}
	return text
}

// percentEscape is one of a URL.
func percentEscape(dst, p []byte) ([]byte, int) {
	if len(p) < 3 {
		return dst, 0
	}
	return hexByte(dst, p[1:3], 3)
}

// quotedPrintable is one of a mail, or the break of a line that is none.
func quotedPrintable(dst, p []byte) ([]byte, int) {
	switch {
	case bytes.HasPrefix(p, []byte("=\r\n")):
		return dst, len("=\r\n")
	case bytes.HasPrefix(p, []byte("=\n")):
		return dst, len("=\n")
	}
	return percentEscape(dst, p)
}

// hexByte appends the byte that two digits mean.
func hexByte(dst, two []byte, n int) ([]byte, int) {
	hexes := &radixes[1]
	if two[0] <= ' ' || two[1] <= ' ' || !hexes.belongs[two[0]] || !hexes.belongs[two[1]] {
		return dst, 0
	}
	return append(dst, hexes.value[two[0]]<<4|hexes.value[two[1]]), n
}

// backslash is one of JSON or of a programming language.
func backslash(dst, p []byte) ([]byte, int) {
	if len(p) < 2 {
		return dst, 0
	}
	switch p[1] {
	case 'x':
		if len(p) >= 4 {
			return hexByte(dst, p[2:4], 4)
		}
	case 'u':
		if r, n := surrogates(p); n > 0 {
			return utf8.AppendRune(dst, r), n
		}
	case 'n':
		return append(dst, '\n'), 2
	case 'r':
		return append(dst, '\r'), 2
	case 't':
		return append(dst, '\t'), 2
	case '"', '\'', '\\', '/':
		return append(dst, p[1]), 2
	}
	return dst, 0
}

// entity is one of XML or HTML.
func entity(dst, p []byte) ([]byte, int) {
	const most = 32
	end := bytes.IndexByte(p[:min(len(p), most)], ';')
	if end < 0 {
		return dst, 0
	}
	if r, ok := characterNumber(p[1:end]); ok {
		return utf8.AppendRune(dst, r), end + 1
	}
	text := html.UnescapeString(string(p[:end+1]))
	if len(text) > end {
		return dst, 0
	}
	return append(dst, text...), end + 1
}

// characterNumber is the character of #10 or #xa, which is the one of that number, as in
// XML: what is binary may be written so.
func characterNumber(p []byte) (rune, bool) {
	number, ok := bytes.CutPrefix(p, []byte("#"))
	base := 10
	if len(number) > 0 && number[0]|0x20 == 'x' {
		number, base = number[1:], 16
	}
	n, err := strconv.ParseUint(string(number), base, 21)
	return rune(n), ok && err == nil && utf8.ValidRune(rune(n))
}

// surrogates is the character of \uXXXX, or of two of these that make one.
func surrogates(p []byte) (rune, int) {
	one := func(p []byte) (rune, bool) {
		if len(p) < 6 || p[0] != '\\' || p[1] != 'u' {
			return 0, false
		}
		v, err := strconv.ParseUint(string(p[2:6]), 16, 16)
		return rune(v), err == nil
	}
	r, ok := one(p)
	if !ok {
		return 0, 0
	}
	if next, ok := one(p[6:]); ok {
		if both := utf16.DecodeRune(r, next); both != utf8.RuneError {
			return both, 12
		}
	}
	return r, 6
}

// jsonStrings opens strings between quotes that hold an escape, or characters that may
// stand for bytes.
func (t *texts) jsonStrings(p []byte, depth int) []byte {
	if bytes.IndexByte(p, '"') < 0 || !escaped(p) {
		return p
	}
	var out []byte
	done := 0
	for i := 0; i < len(p); i++ {
		if p[i] != '"' {
			continue
		}
		end := endOfString(p, i)
		if end < 0 {
			break
		}
		if q := t.jsonString(p[i:end], depth); q != nil {
			out = append(append(out, p[done:i]...), q...)
			done = end
		}
		i = end - 1
	}
	if out == nil {
		return p
	}
	return append(out, p[done:]...)
}

// escaped reports whether p holds escapes or characters that are not ASCII.
func escaped(p []byte) bool {
	return bytes.IndexByte(p, '\\') >= 0 || slices.ContainsFunc(p, func(b byte) bool { return b >= utf8.RuneSelf })
}

// endOfString is the index behind the closing quote of a string that begins at i.
func endOfString(p []byte, i int) int {
	for k := i + 1; k < len(p); k++ {
		switch p[k] {
		case '\\':
			k++
		case '"':
			return k + 1
		}
	}
	return -1
}

// jsonString is the string with what it means replaced; nil: nothing is.
func (t *texts) jsonString(quoted []byte, depth int) []byte {
	if !escaped(quoted) {
		return nil
	}
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return nil
	}
	q := t.inner([]byte(text), depth+1)
	if string(q) == text {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(string(q)) != nil {
		return nil
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// percentBytes are those of which the value of a form consists.
var percentBytes = bytesOf(upper + lower + digits + "%-_.~+*!'();:@$,/?")

// percentRuns opens the percent-encoded stretches of p.
func (t *texts) percentRuns(p []byte, depth int) []byte {
	if bytes.IndexByte(p, '%') < 0 {
		return p
	}
	return eachRun(p, &percentBytes, anywhere, func(run, _ []byte) ([]byte, int) {
		if bytes.IndexByte(run, '%') < 0 {
			return nil, 0
		}
		text, err := url.QueryUnescape(string(run))
		if err != nil {
			return nil, 0
		}
		q := t.inner([]byte(text), depth+1)
		if string(q) == text {
			return nil, 0
		}
		return escapedLike(run, text, q), 0
	})
}

// escapedLike percent-encodes q, which stands for text, of which run is the encoding:
// what is the same stays as it was encoded.
func escapedLike(run []byte, text string, q []byte) []byte {
	if len(q) != len(text) {
		return []byte(url.QueryEscape(string(q)))
	}
	var out []byte
	for i := range q {
		n := 1
		if run[0] == '%' {
			n = len("%00")
		}
		if q[i] == text[i] {
			out = append(out, run[:n]...)
		} else {
			out = append(out, url.QueryEscape(string(q[i:i+1]))...)
		}
		run = run[n:]
	}
	return out
}
