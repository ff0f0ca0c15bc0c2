package scan

import "unicode/utf8"

// Bounds of running a regex.
const (
	regexBefore = 4 << 10 // how far before its keyword an unbounded regex may begin to match
	regexAfter  = 12 << 10
	regexBatch  = 2 << 10 // what is looked at beyond the first keyword, for those that follow
	maxPerRun   = 1 << 10 // matches of one run

	minNamed = 8   // lengths of a value that is looked at together with its name
	maxNamed = 512 //
)

// regex runs the regex of a rule file's rule around a keyword, on a window that
// holds any match that the keyword can be part of. Keywords that follow within
// the window do not run it again.
func (w *worker) regex(r *rule, f *fragment, from, to int) {
	data := f.data
	if len(data) < r.minLength || !r.inPath(w) {
		return
	}
	ran := &w.ranTo[r.index]
	done := 0
	if ran.serial == f.serial {
		done = ran.to
	}
	before, after := regexBefore, regexAfter
	if r.maxLength >= 0 {
		before, after = r.maxLength+1, r.maxLength+1 // one more for assertions
	}
	if to+min(after, regexAfter/2) <= done {
		return
	}
	lo, hi := max(0, from-before), min(len(data), to+after+regexBatch)
	w.runRegex(r, f, lo, hi)
	ran.serial, ran.to = f.serial, hi
	if hi == len(data) {
		ran.to = hi + after
	}
}

// runRegex reports what the rule matches in f.data[lo:hi].
func (w *worker) runRegex(r *rule, f *fragment, lo, hi int) {
	re := r.regex.get()
	data := w.readable(f.data, lo, hi)
	text := data[lo:hi]
	if !re.Match(text) {
		return
	}
	for _, loc := range re.FindAllSubmatchIndex(text, maxPerRun) {
		// A match that touches an edge of the window may go on, or may only match
		// because the text seems to end there: look again with more around it.
		if loc[1] == len(text) && hi < len(f.data) || loc[0] == 0 && lo > 0 {
			l, h := max(0, lo+loc[0]-regexBefore), min(len(f.data), lo+loc[1]+regexAfter)
			wide := w.readable(f.data, l, h)[l:h]
			for _, again := range re.FindAllSubmatchIndex(wide, maxPerRun) {
				if l+again[0] <= lo+loc[0] && l+again[1] > lo+loc[0] || l+again[0] == lo+loc[0] {
					w.regexMatch(r, f, wide, l, again)
				}
			}
			continue
		}
		w.regexMatch(r, f, text, lo, loc)
	}
}

// readable returns data as a regex is to see data[lo:hi]: where that is not UTF-8,
// with a zero, which ends a token, for each byte that is not ASCII. In a format
// that nothing here knows, one of them may stand right behind a secret.
func (w *worker) readable(data []byte, lo, hi int) []byte {
	if utf8.Valid(data[lo:hi]) {
		return data
	}
	if cap(w.ascii) < len(data) {
		w.ascii = make([]byte, len(data))
	}
	out := w.ascii[:len(data)]
	for i, b := range data[lo:hi] {
		if b >= utf8.RuneSelf {
			b = 0
		}
		out[lo+i] = b
	}
	return out
}

// regexMatch judges one match, loc in text, which stands in f at base.
func (w *worker) regexMatch(r *rule, f *fragment, text []byte, base int, loc []int) {
	from, to := r.secretOf(loc)
	s := w.subject(r, text, loc, from, to)
	confidence, why := w.judgeRule(r, &s)
	if why == notExcluded && r.curated && insideBase64(f.data, base+from, base+to) {
		why = insideBlob
	}
	if why != notExcluded {
		w.exclude(why)
		return
	}
	w.report(r, f, base+from, base+to).confidence = w.partners(r, f.data, confidence)
}

// secretOf returns which part of a match is the secret: the rule's group, else
// the first group that took part, else all of it.
func (r *rule) secretOf(loc []int) (from, to int) {
	if g := r.secretGroup; g > 0 && 2*g+1 < len(loc) && loc[2*g] >= 0 {
		return loc[2*g], loc[2*g+1]
	}
	if r.secretGroup == 0 {
		for g := 2; g+1 < len(loc); g += 2 {
			if loc[g] >= 0 && loc[g+1] > loc[g] {
				return loc[g], loc[g+1]
			}
		}
	}
	return loc[0], loc[1]
}

// subjectAround is how much of the text around a match filters see.
const subjectAround = 8 << 10

func (w *worker) subject(r *rule, text []byte, loc []int, from, to int) subject {
	lo, hi := max(0, loc[0]-subjectAround), min(len(text), loc[1]+subjectAround)
	return subject{
		rule: r, secret: text[from:to], match: text[loc[0]:loc[1]], text: text[lo:hi],
		from: loc[0] - lo, to: loc[1] - lo, path: string(w.placePath()),
	}
}

// judgeRule asks the entropy, the allowlists and the filters of a rule and of
// its file.
func (w *worker) judgeRule(r *rule, s *subject) (Confidence, reason) {
	confidence := r.confidence
	if r.minEntropy > 0 && entropy(s.secret) <= r.minEntropy {
		return confidence, notRandom
	}
	if r.curated && placeholder(s.secret) {
		return confidence, placeholderValue
	}
	for _, a := range r.allow {
		if a.allows(s) {
			return confidence, ruleFilter
		}
	}
	w.env.level = ""
	for _, filters := range [][]*filter{r.filters, r.set.filters} {
		for _, f := range filters {
			if f.drops(w.env, s) {
				return confidence, ruleFilter
			}
		}
	}
	switch w.env.level {
	case "low", "medium":
		confidence = Possible
	case "high":
		confidence = Likely
	}
	return confidence, notExcluded
}

// partners lowers the confidence where a component that the rule requires is
// not in the same text: a client secret without its id.
func (w *worker) partners(r *rule, text []byte, confidence Confidence) Confidence {
	for i := range r.components {
		c := &r.components[i]
		if c.optional || c.rule.regex == nil {
			continue
		}
		if !c.rule.regex.get().Match(text[:min(len(text), regexAfter)]) {
			return Possible
		}
	}
	return confidence
}

// inPath reports whether the place is one that the rule, and the prefilter of
// its file, want.
func (r *rule) inPath(w *worker) bool {
	if r.path != nil && !r.path.match(w.placePath()) {
		return false
	}
	if r.set.prefilter != nil {
		s := subject{rule: r, path: string(w.placePath())}
		return !r.set.prefilter.drops(w.env, &s)
	}
	return true
}

// pathRule reports keys that a rule without a regex names.
func (w *worker) pathRule(r *rule, f *fragment) {
	if w.leaf.where == WhereKey && r.inPath(w) {
		w.report(r, f, 0, len(f.data))
	}
}

// namedRules runs the rules whose keyword stands in a name around the value:
// rules for assignments as in
//
//	datadog_api_key = "…"
//
// get such a line, made of the names in scope and the value.
func (w *worker) namedRules(f *fragment) {
	from, to := trimmed(f.data, 0, len(f.data))
	if to-from < minNamed {
		return
	}
	w.line = w.line[:0]
	for i := range w.scopes {
		for _, b := range w.scopes[i].text {
			if !isAlnum(b) && b != '.' && b != '-' {
				b = '_'
			}
			w.line = append(w.line, b)
		}
		w.line = append(w.line, '.')
	}
	w.line = append(w.line[:len(w.line)-1], ` = "`...)
	start := len(w.line)
	w.line = append(append(w.line, f.data[from:to]...), '"')
	for i, r := range w.named {
		if to-from < r.minSecret || !r.inPath(w) || seen(w.named[:i], r) {
			continue
		}
		re := r.regex.get()
		if !re.Match(w.line) {
			continue
		}
		for _, loc := range re.FindAllSubmatchIndex(w.line, maxPerRun) {
			sf, st := r.secretOf(loc)
			if sf < start || st > len(w.line)-1 {
				continue
			}
			s := w.subject(r, w.line, loc, sf, st)
			confidence, why := w.judgeRule(r, &s)
			if why != notExcluded {
				w.exclude(why)
				continue
			}
			w.report(r, f, from+sf-start, from+st-start).confidence = w.partners(r, w.line, confidence)
		}
	}
}

func seen(rules []*rule, r *rule) bool {
	for _, x := range rules {
		if x == r {
			return true
		}
	}
	return false
}

// minBlob is the length from which a run of base64 characters around a match
// makes the match a piece of it.
const minBlob = 120

// insideBase64 reports whether data[from:to] is a piece of a longer text in
// base64: an image, a certificate. Random text holds every short prefix.
func insideBase64(data []byte, from, to int) bool {
	lo, hi := from, to
	for lo > 0 && from-lo < minBlob && (base64Class[data[lo-1]]&inStd != 0) {
		lo--
	}
	for hi < len(data) && hi-to < minBlob && (base64Class[data[hi]]&inStd != 0 || data[hi] == '=') {
		hi++
	}
	if blobLine(data, lo-1, -1) || blobLine(data, hi, 1) {
		return true // a line of a text in base64 that is broken into lines
	}
	if lo == from && hi == to {
		return false
	}
	return hi-lo >= minBlob && hi-lo >= 2*(to-from)
}

// around returns data[from:to] widened by n bytes.
func around(data []byte, from, to, n int) []byte {
	return data[max(0, from-n):min(len(data), to+n)]
}

// blobLine reports whether behind the line break at i, or before it, a full line
// of base64 follows.
func blobLine(data []byte, i, step int) bool {
	const full = 60 // PEM breaks at 64, MIME at 76
	n := 0
	for k := 0; k < 2 && i >= 0 && i < len(data) && (data[i] == '\n' || data[i] == '\r'); k++ {
		i += step
		n++
	}
	if n == 0 {
		return false
	}
	for n = 0; n < full && i >= 0 && i < len(data) && base64Class[data[i]]&inStd != 0; n++ {
		i += step
	}
	return n == full
}

// foldPrefix reports whether data begins with the lower-case text p, in any
// case.
func foldPrefix(data []byte, p string) bool {
	if len(data) < len(p) {
		return false
	}
	for i := range len(p) {
		if lower(data[i]) != p[i] {
			return false
		}
	}
	return true
}
