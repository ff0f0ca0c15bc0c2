package scan

import "bytes"

var percentDecoder = decoder{kind: "urlencoded", keywords: escapeKeywords, fits: fitsPercent, open: openPercent}

// escapeKeywords are the escapes that matter, as patterns of the automaton:
// those of printable characters and of line breaks.
var escapeKeywords = []string{"%2", "%3", "%4", "%5", "%6", "%7", "%0a"}

// fitsPercent wants every % to begin an escape: where text is escaped, so is
// the % in it. A password may hold one by chance; that of a letter or digit,
// which nothing escapes but what hides a text, counts only among many.
func fitsPercent(data []byte) bool {
	needed := false
	for i, n := 0, 0; ; n++ {
		k := bytes.IndexByte(data[i:], '%')
		if k < 0 {
			return needed || n*6 >= len(data)
		}
		i += k + 1
		if i+1 >= len(data) || !isHex(data[i]) || !isHex(data[i+1]) {
			return false
		}
		needed = needed || !isAlnum(unhex(data[i])<<4|unhex(data[i+1]))
	}
}

// openPercent resolves the escapes of RFC 3986. Form data is taken apart first:
// what an escaped & or = separates in a value, it does not separate in the form.
func openPercent(w *worker, f *fragment, hits []hit, base uint32) bool {
	text := w.afford("urlencoded", f.data)
	whole := len(text) == len(f.data)
	if !isForm(text) {
		buf := unescapeText(w.buffer(f.depth, len(text))[:0], text)
		if len(buf) == len(text) || !w.isContainer(buf) {
			return false
		}
		w.child(f, piece{kind: "urlencoded", data: buf, to: len(f.data)}, nil, 0)
		return whole
	}
	for from := 0; from < len(text); {
		if !w.budget.element() {
			w.limited("urlencoded")
			return false
		}
		to := len(text)
		if k := bytes.IndexAny(text[from:], "&;"); k >= 0 {
			to = from + k
		}
		pair := text[from:to]
		eq := bytes.IndexByte(pair, '=')
		buf := w.buffer(f.depth, len(pair))[:0]
		if eq <= 0 {
			w.child(f, piece{kind: "urlencoded", data: unescapePercent(buf, pair, true), from: from, to: to}, nil, 0)
		} else {
			buf = unescapePercent(buf, pair[:eq], true)
			name := buf
			buf = unescapePercent(buf[len(buf):], pair[eq+1:], true)
			w.enter(name, false, w.hitsIn(name))
			w.child(f, piece{kind: "urlencoded", path: formPath(name), data: buf, from: from + eq + 1, to: to}, nil, 0)
			w.leave()
		}
		from = to + 1
	}
	return whole
}

func formPath(name []byte) []byte {
	if !isIdentifier(name) {
		return nil
	}
	return append([]byte("$."), name...)
}

// isForm reports whether data is name=value pairs joined by ampersands.
func isForm(data []byte) bool {
	eq := bytes.IndexByte(data, '=')
	if eq <= 0 {
		return false
	}
	for _, b := range data[:eq] {
		if !isAlnum(b) && b != '_' && b != '-' && b != '.' && b != '[' && b != ']' && b != '%' {
			return false
		}
	}
	return !bytes.ContainsAny(data, " \n\"'<>")
}

// unescapeText resolves the escapes of a text but for those of the name and the
// password in its URLs: without them an @ or a slash of a password would end it.
func unescapeText(dst, s []byte) []byte {
	for {
		k := bytes.Index(s, []byte("://"))
		if k < 0 {
			return unescapePercent(dst, s, false)
		}
		k += len("://")
		dst = unescapePercent(dst, s[:k], false)
		s = s[k:]
		n := run(s, 0, maxURL, func(b byte) bool { return isURLByte(b) && b != '/' && b != '?' && b != '#' })
		if at := bytes.LastIndexByte(s[:n], '@'); at > 0 {
			dst, s = append(dst, s[:at]...), s[at:]
		}
	}
}

func unescapePercent(dst, s []byte, plus bool) []byte {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			dst = append(dst, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		case plus && s[i] == '+':
			dst = append(dst, ' ')
		default:
			dst = append(dst, s[i])
		}
	}
	return dst
}
