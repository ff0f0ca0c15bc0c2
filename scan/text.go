package scan

import "bytes"

// scan opens what f contains, or, where it contains nothing, asks the rules
// whose keywords stand in it. It reports whether f was opened.
func (w *worker) scan(f *fragment, hits []hit, base uint32) bool {
	w.serial++
	f.serial = w.serial
	if w.s.config.Values != nil {
		w.judgeValue(f)
	}
	p := &w.probe
	noting := p.noting
	isWord := (p.collecting || noting) && isWordValue(f.data)
	if isWord {
		p.note(f)
		if p.collecting {
			return false
		}
		p.noting = false // what comes out of a word is by chance
	}
	opened := w.open(f, hits, base) || f.isName && f.parent == nil && w.openSegment(f, hits, base)
	p.noting = false
	if !opened {
		w.counted(f, hits, base)
		w.text(f, hits, base)
		if noting && !isWord {
			p.note(f)
		}
	}
	p.noting = noting
	return opened
}

// openSegment opens what stands in a key behind a colon: cache:{"id": …}.
func (w *worker) openSegment(f *fragment, hits []hit, base uint32) bool {
	if w.leaf.where != WhereKey {
		return false
	}
	for at, n := 0, 0; n < maxSegments; n++ {
		k := bytes.IndexByte(f.data[at:], ':')
		if k < 0 {
			return false
		}
		at += k + 1
		rest := f.data[at:]
		if !w.maybeContainer(rest) {
			continue
		}
		c := &w.segment
		*c = fragment{data: rest, parent: f.parent, from: at, to: len(f.data), inPlace: true, inName: true}
		w.serial++
		c.serial = w.serial
		if w.open(c, within(hits, base+uint32(at), len(rest)), base+uint32(at)) {
			w.text(f, within(hits, base, at), base)
			return true
		}
	}
	return false
}

// mayHoldContainer reports whether a key, or a part of it, may be a container.
func (w *worker) mayHoldContainer(key []byte) bool {
	for n := 0; n <= maxSegments && len(key) >= minContainer; n++ {
		if w.maybeContainer(key) {
			return true
		}
		k := bytes.IndexByte(key, ':')
		if k < 0 {
			return false
		}
		key = key[k+1:]
	}
	return false
}

// maxSegments is how many parts of a key are looked at.
const maxSegments = 8

// text asks the rules.
func (w *worker) text(f *fragment, hits []hit, base uint32) {
	switch {
	case w.aws.seeking:
		w.loneSecrets(f)
		return
	case w.probe.collecting:
		w.probe.note(f)
		return
	}
	for _, h := range hits {
		if w.budget.hits--; w.budget.hits < 0 {
			w.limited(limitHits)
			break
		}
		if w.budget.matches < 0 {
			break // which was said
		}
		end := int(h.end - base)
		for _, p := range w.s.matcher.patterns(h) {
			for i := range w.s.actions[p] {
				a := &w.s.actions[p][i]
				if a.kind == actOpen || a.size > end {
					continue // for a decoder, or the keyword began before the fragment
				}
				switch a.kind {
				case actFind:
					a.rule.find(w, a.rule, f, end-a.size, end)
				case actRegex:
					w.regex(a.rule, f, end-a.size, end)
				case actNoun:
					w.assignment(f, end-a.size, end)
				case actPersonal:
					a.rule.assigned(w, f, end-a.size, end)
				}
			}
		}
	}
	for _, r := range w.s.always {
		w.regex(r, f, 0, len(f.data))
	}
	if f.isName {
		for _, r := range w.s.paths {
			if f.parent == nil {
				w.pathRule(r, f)
			}
		}
		return
	}
	if len(w.named) > 0 && len(f.data) >= minNamed && len(f.data) <= maxNamed {
		w.namedRules(f)
	}
	w.personal(f)
	switch class, strong := w.classHere(); {
	case class > nameNeutral && !f.assigns:
		w.judge(f, 0, len(f.data), w.scopes[len(w.scopes)-1].text, class, strong)
	case f.parent == nil && w.isAWSValue(f.data):
		w.report(w.s.byID[awsSecret], f, 0, len(f.data)).confidence = Possible
	case f.kind == "base64" && len(w.scopes) > 0 && isAuthName(w.scopes[len(w.scopes)-1].text):
		w.basicCredential(f)
	case f.depth == 1 && f.kind == "base64" && isHiddenPassphrase(f.data):
		w.report(w.s.byClass[namePassword], f, 0, len(f.data)).confidence = Possible
	}
}

// A piece is what a decoder takes out of a fragment.
type piece struct {
	kind     string // of the decoder
	path     []byte // inside the container, where that has names
	data     []byte
	from, to int  // where it stands, or what it was made from, in the fragment
	inPlace  bool // data is byte for byte what stands there
	isName   bool // a name inside the container, such as a JSON key
}

// place makes the fragment of a piece of f.
func (w *worker) place(f *fragment, p piece) *fragment {
	c := &w.frags[f.depth+1]
	*c = fragment{
		data: p.data, parent: f, kind: p.kind, path: p.path, depth: f.depth + 1,
		from: f.from, to: f.to, isName: p.isName, inName: f.inName, fresh: !p.inPlace,
	}
	if f.inPlace {
		c.from, c.to, c.inPlace = f.from+p.from, f.from+p.to, p.inPlace
	}
	return c
}

// child scans a piece of f. Hits are those in the bytes of a piece in place,
// counted from base; other pieces pass through the automaton here. It reports
// whether the piece was opened in turn.
func (w *worker) child(f *fragment, p piece, hits []hit, base uint32) bool {
	c := w.place(f, p)
	if p.inPlace {
		return w.scan(c, hits, base)
	}
	w.stats.Decoded++
	w.stats.DecodedBytes += int64(len(p.data))
	mark := len(w.inner)
	w.inner = w.s.matcher.scan(p.data, 0, len(p.data), w.inner)
	opened := w.scan(c, w.inner[mark:], 0)
	w.inner = w.inner[:mark]
	return opened
}

// hitsIn passes a name that no fragment holds through the automaton. The hits
// are valid until the next call of child or hitsIn.
func (w *worker) hitsIn(name []byte) []hit {
	mark := len(w.inner)
	w.inner = w.s.matcher.scan(name, 0, len(name), w.inner)
	hits := w.inner[mark:]
	w.inner = w.inner[:mark]
	return hits
}

// within returns the hits that end inside the n bytes at from.
func within(hits []hit, from uint32, n int) []hit {
	i := 0
	for i < len(hits) && hits[i].end <= from {
		i++
	}
	j := i
	for j < len(hits) && hits[j].end <= from+uint32(n) {
		j++
	}
	return hits[i:j]
}
