package scan

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
)

// What documents have in common: JSON, and what languages serialise their
// objects to. A walker reads one, token by token, and tells a docSink of the
// names and strings that it meets; it builds no objects. The document keeps
// where in the structure the walker is.

var (
	errDocument         = errors.New("not a document of this kind")
	errDocumentDepth    = errors.New("nested too deeply")
	errDocumentElements = errors.New("too many elements")
)

// isCut reports whether a limit ended a walk.
func isCut(err error) bool { return err == errDocumentDepth || err == errDocumentElements }

// notKept is the error of a reference to what is not among the n things that were
// kept, of at most so many.
func notKept(n, most int) error {
	if n < most {
		return errDocument
	}
	return errDocumentElements
}

// A docSink takes the tokens of a walk. Positions are those in the data.
type docSink interface {
	key(from, to int)                // a member begins; document.top().key is its name
	end()                            // the member ends
	text(from, to int, escaped bool) // a string; escaped as in JSON, or as it is
	number(from, to int)             // a number, written out
	integer(from, to int, v int64)   // a number in binary
	octets(from, to int)             // an array of small numbers, written out
	more() error                     // asked now and then: an error ends the walk
}

// A walker reads data to its end.
type walker func(data []byte, doc *document, sink docSink) error

// maxDocument bounds the nesting of arrays and objects.
const maxDocument = 128

// A document is the structure around the token at hand. It is reused.
type document struct {
	frames [maxDocument]docFrame
	depth  int
	path   []byte
	cut    bool // something in it was passed over because of a limit
}

// A docFrame is an array or an object that is open.
type docFrame struct {
	array bool
	index int    // of the element at hand
	key   []byte // of the member at hand
	label []byte // what a member called name said: {"name": "PASSWORD", "value": …}
	own   []byte // buffer for keys with escapes
	left  int    // elements to come, where the format says so beforehand
}

// push opens an array or an object; nil if there are too many open.
func (d *document) push(array bool) *docFrame {
	if d.depth == maxDocument {
		d.cut = true
		return nil
	}
	t := &d.frames[d.depth]
	d.depth++
	t.array, t.index, t.key, t.label, t.left = array, 0, nil, nil, 0
	return t
}

func (d *document) top() *docFrame { return &d.frames[d.depth-1] }

func (t *docFrame) setKey(key []byte, escaped bool) {
	if t.key = key; escaped {
		t.own = unescapeJSON(t.own[:0], key)
		t.key = t.own
	}
}

// where returns the path to the value at hand, as in $.auth.tokens[2].
func (d *document) where() []byte {
	p := append(d.path[:0], '$')
	for i := range d.depth {
		t := &d.frames[i]
		switch {
		case t.array:
			p = append(strconv.AppendInt(append(p, '['), int64(t.index), 10), ']')
		case isIdentifier(t.key):
			p = append(append(p, '.'), t.key...)
		default:
			p = append(append(append(p, `["`...), t.key[:min(len(t.key), maxPathKey)]...), `"]`...)
		}
	}
	d.path = p
	return p
}

// maxPathKey is how much of a key that is no identifier a path shows.
const maxPathKey = 128

func isIdentifier(b []byte) bool {
	for _, c := range b {
		if !isAlnum(c) && c != '_' && c != '-' && c != '$' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= maxPathKey
}

// document reads f with a walker. What it met before an error has been scanned.
func (w *worker) document(kind string, f *fragment, hits []hit, base uint32, walk walker) bool {
	w.docsUsed++
	if w.docsUsed > len(w.docs) {
		w.docs = append(w.docs, &docScan{doc: new(document)})
	}
	s := w.docs[w.docsUsed-1]
	defer func() { w.docsUsed-- }()
	*s = docScan{w: w, f: f, kind: kind, doc: s.doc, data: f.data, hits: hits, base: base, matters: w.probe.collecting || w.nameMatters()}
	s.doc.depth, s.doc.cut = 0, false
	scopes := len(w.scopes)
	err := walk(f.data, s.doc, s)
	for len(w.scopes) > scopes { // members that were open when the text broke off
		w.leave()
	}
	switch {
	case s.doc.cut || isCut(err):
		w.limited(kind)
	case err == nil:
		w.stats.Decoded++
		return true
	case s.tokens > 0:
		w.failed(kind)
	}
	return false
}

// A docScan hands the strings of a document to its worker. The document has
// passed through the automaton as a whole: a string that stands in it as it is
// needs no pass of its own.
type docScan struct {
	w       *worker
	f       *fragment
	kind    string
	doc     *document
	data    []byte
	hits    []hit
	base    uint32
	next    int // in hits
	matters bool
	tokens  int
	reached int // what stands before it was read
}

// again takes what a long text costs that a format refers to again: of few bytes, any
// number of them could come out.
func (s *docScan) again(from, to int) bool {
	if from >= s.reached {
		s.reached = to
		return true
	}
	ok := to-from <= outputRatio || s.w.budget.spend(to-from)
	s.doc.cut = s.doc.cut || !ok
	return ok
}

// room takes an element and n bytes of output from the budget.
func (s *docScan) room(n int) bool {
	ok := s.w.budget.element() && (n == 0 || s.w.budget.spend(n))
	s.doc.cut = s.doc.cut || !ok
	return ok
}

// take returns the hits between two positions of the text.
func (s *docScan) take(from, to int) []hit {
	lo, hi := s.base+uint32(from), s.base+uint32(to)
	if s.next > 0 && s.hits[s.next-1].end > lo { // not in the order of the text
		s.next, _ = slices.BinarySearchFunc(s.hits, lo+1, func(h hit, end uint32) int { return cmp.Compare(h.end, end) })
	}
	for s.next < len(s.hits) && s.hits[s.next].end <= lo {
		s.next++
	}
	first := s.next
	for s.next < len(s.hits) && s.hits[s.next].end <= hi {
		s.next++
	}
	return s.hits[first:s.next]
}

func (s *docScan) key(from, to int) {
	t, w := s.doc.top(), s.w
	if !s.again(from, to) {
		s.enter(t, nil)
		return
	}
	hits := s.take(from, to)
	inPlace := to-from == len(t.key) // else there are escapes in it
	if !inPlace {
		hits = w.hitsIn(t.key)
	}
	if len(hits) > 0 && len(t.key) >= minContainer && s.room(0) {
		w.child(s.f, piece{s.kind, s.parentPath(), t.key, from, to, inPlace, true}, hits, s.base+uint32(from))
		if !inPlace {
			hits = w.hitsIn(t.key)
		}
	}
	s.enter(t, hits)
}

func (s *docScan) enter(t *docFrame, hits []hit) {
	w := s.w
	w.enter(t.key, false, hits)
	if top := &w.scopes[len(w.scopes)-1]; top.class == nameNeutral && t.label != nil {
		if class := classifyName(t.label); class > nameNeutral {
			top.class, top.text = class, t.label
		}
	}
	s.matters = w.probe.collecting || w.nameMatters()
}

// where is the path to the value at hand; facts have names around them instead.
func (s *docScan) where() []byte {
	if s.w.probe.collecting {
		return nil
	}
	return s.doc.where()
}

// parentPath is the path of the object whose member begins.
func (s *docScan) parentPath() []byte {
	s.doc.depth--
	p := s.where()
	s.doc.depth++
	return p
}

func (s *docScan) end() {
	s.w.leave()
	s.matters = s.w.probe.collecting || s.w.nameMatters()
}

func (s *docScan) text(from, to int, escaped bool) {
	w := s.w
	s.tokens++
	if !s.again(from, to) {
		return
	}
	hits := s.take(from, to)
	data := s.data[from:to:to]
	if !escaped {
		if s.doc.depth > 0 {
			if t := s.doc.top(); !t.array && isLabelName(t.key) {
				t.label = data
			}
		}
		switch {
		case w.probe.collecting && isWordValue(data): // which scan would not open
			s.note(data)
		case !s.matters && !w.wanted(hits, data):
			s.pass(data)
		case s.room(0):
			w.child(s.f, piece{s.kind, s.where(), data, from, to, true, false}, hits, s.base+uint32(from))
		}
		return
	}
	if !s.room(to - from) {
		return
	}
	buf := w.bufs[s.f.depth]
	buf = unescapeJSON(buf[:0], data)
	w.bufs[s.f.depth] = buf
	w.child(s.f, piece{s.kind, s.where(), buf, from, to, false, false}, nil, 0)
}

// note has the probe take a string or number that is a word.
func (s *docScan) note(word []byte) {
	if s.room(0) {
		s.w.probe.add(word)
	}
}

// pass leaves a string or number unscanned: it may be a fact.
func (s *docScan) pass(text []byte) {
	if s.w.probe.noting {
		s.w.probe.add(text)
	}
}

func (s *docScan) number(from, to int) {
	number := s.data[from:to:to]
	if s.w.probe.collecting && isWordValue(number) {
		s.note(number)
		return
	}
	hits := s.take(from, to)
	switch {
	case len(hits) == 0 && !(s.matters && to-from >= 4):
		s.pass(number)
	case s.room(0):
		s.w.child(s.f, piece{s.kind, s.where(), number, from, to, true, false}, hits, s.base+uint32(from))
	}
}

// octets opens what the numbers are the bytes of, as those of Node's Buffer are,
// if that is text or a container, and scans the numbers otherwise not: what is
// all bytes is no card number.
func (s *docScan) octets(from, to int) {
	w := s.w
	s.tokens++
	if !s.room(to - from) {
		return
	}
	buf := w.buffer(s.f.depth, to-from)[:0]
	n := 0
	for _, b := range s.data[from:to] {
		switch {
		case isDigit(b):
			n = n*10 + int(b-'0')
		case b == ',', b == ']':
			buf, n = append(buf, byte(n)), 0
		}
	}
	if w.isContainer(buf) {
		w.child(s.f, piece{s.kind, s.where(), buf, from, to, false, false}, nil, 0)
	}
}

// leastBare is the least number in binary that is looked at without a name:
// what has the digits of a card number.
const leastBare = 1e12

func (s *docScan) integer(from, to int, v int64) {
	p := &s.w.probe
	idle := !p.collecting && (!s.matters && v < leastBare || v < 1000)
	if idle && !p.noting {
		return
	}
	buf := strconv.AppendInt(s.w.buffer(s.f.depth, 20)[:0], v, 10)
	switch {
	case idle:
		s.pass(buf)
	case s.room(0):
		s.w.child(s.f, piece{s.kind, s.where(), buf, from, to, false, false}, nil, 0)
	}
}

func (s *docScan) more() error {
	if s.w.budget.elements < 0 || s.w.budget.output < 0 {
		s.doc.cut = true
		return errDocumentElements
	}
	return nil
}

// isLabelName recognises members that name what the member beside them holds.
func isLabelName(key []byte) bool {
	switch string(key) {
	case "name", "key", "Name", "Key", "field", "id", "k":
		return true
	}
	return false
}
