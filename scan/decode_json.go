package scan

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

var jsonDecoder = decoder{kind: "json", starts: startsWith("{[\" \t\r\n"), fits: fitsJSON, open: openJSON}

// fitsJSON looks at the first two tokens, and at the last byte of a string.
func fitsJSON(data []byte) bool {
	i := skipSpace(data, 0)
	if i == len(data) {
		return false
	}
	switch data[i] {
	case '{':
		j := skipSpace(data, i+1)
		return j < len(data) && (data[j] == '"' || data[j] == '}')
	case '[':
		j := skipSpace(data, i+1)
		if j == len(data) {
			return false
		}
		switch b := data[j]; b {
		case '"', '{', '[', ']', '-', 't', 'f', 'n':
			return true
		default:
			return isDigit(b)
		}
	case '"': // a JSON text inside a JSON string
		last := len(data) - 1
		return data[last] == '"' && last > i && i+2 < last
	}
	return false
}

func openJSON(w *worker, f *fragment, hits []hit, base uint32) bool {
	j := w.jsonWalker()
	defer w.doneJSON()
	s := jsonScan{w: w, f: f, j: j, hits: hits, base: base}
	scopes := len(w.scopes)
	err := j.walk(f.data, &s)
	for len(w.scopes) > scopes { // members that were open when the text broke off
		w.leave()
	}
	switch err {
	case nil:
		w.stats.Decoded++
		return true
	case errJSONDepth, errJSONElements:
		w.limited("json")
	default:
		if j.values > 0 {
			w.failed("json")
		}
	}
	return false
}

// jsonWalker returns a walker that no one else uses.
func (w *worker) jsonWalker() *jsonWalker {
	w.jsonUsed++
	if w.jsonUsed > len(w.json) {
		w.json = append(w.json, new(jsonWalker))
	}
	return w.json[w.jsonUsed-1]
}

func (w *worker) doneJSON() { w.jsonUsed-- }

var (
	errJSON         = errors.New("not JSON")
	errJSONDepth    = errors.New("JSON nested too deeply")
	errJSONElements = errors.New("JSON of too many elements")
)

// maxJSONDepth bounds the nesting of arrays and objects.
const maxJSONDepth = 128

// A jsonWalker reads JSON texts token by token, in one pass without recursion,
// and builds nothing. Its zero value is ready; it is reused.
type jsonWalker struct {
	data   []byte
	frames [maxJSONDepth]jsonFrame
	depth  int
	values int // seen so far
	buf    []byte
	path   []byte
}

// A jsonFrame is an array or an object that is open.
type jsonFrame struct {
	array bool
	index int
	key   []byte // of the member at hand, decoded
	label []byte // what a member called name said: {"name": "PASSWORD", "value": …}
	own   []byte // buffer for keys with escapes
}

// A jsonSink takes the tokens of a walk. Positions are those in the text,
// strings without their quotes.
type jsonSink interface {
	key(from, to int)                // a member begins; its decoded key is walker.top().key
	end()                            // the member ends
	text(from, to int, escaped bool) // a string
	number(from, to int)             // a number
	literal()                        // true, false, null
	more() error                     // asked now and then: an error ends the walk
}

func (j *jsonWalker) top() *jsonFrame { return &j.frames[j.depth-1] }

// walk reads one JSON text, or several one after the other as in JSON lines.
func (j *jsonWalker) walk(data []byte, sink jsonSink) error {
	j.data, j.depth, j.values = data, 0, 0
	i := skipSpace(data, 0)
	if i == len(data) {
		return errJSON
	}
	for i < len(data) {
		next, err := j.value(i, sink)
		if err != nil {
			return err
		}
		i = skipSpace(data, next)
		if i < len(data) && data[i] != '{' && data[i] != '[' {
			return errJSON
		}
	}
	return nil
}

// value reads the value at i and everything in it, and returns where it ends.
func (j *jsonWalker) value(i int, sink jsonSink) (int, error) {
	data := j.data
	for {
		// A value begins at i, or an array that may end at once.
		if i = skipSpace(data, i); i >= len(data) {
			return i, errJSON
		}
		if j.values++; j.values&255 == 0 {
			if err := sink.more(); err != nil {
				return i, err
			}
		}
		switch b := data[i]; {
		case b == '"':
			end, escaped := stringEnd(data, i+1)
			if end < 0 {
				return i, errJSON
			}
			sink.text(i+1, end, escaped)
			i = end + 1
		case b == '{' || b == '[':
			if j.depth == maxJSONDepth {
				return i, errJSONDepth
			}
			j.depth++
			t := j.top()
			t.array, t.index, t.key, t.label = b == '[', 0, nil, nil
			if i = skipSpace(data, i+1); i < len(data) && data[i] == b+2 { // ] is [+2, } is {+2
				j.depth--
				i++
				break
			}
			if t.array {
				continue
			}
			next, err := j.member(i, sink)
			if err != nil {
				return i, err
			}
			i = next
			continue
		case b == '-' || isDigit(b):
			from := i
			for i++; i < len(data) && (isDigit(data[i]) || data[i] == '.' || data[i] == 'e' || data[i] == 'E' || data[i] == '+' || data[i] == '-'); i++ {
			}
			if !isDigit(data[i-1]) {
				return i, errJSON
			}
			sink.number(from, i)
		default:
			n := literalLen(data[i:])
			if n == 0 {
				return i, errJSON
			}
			sink.literal()
			i += n
		}

		// It has ended: so may have what it stands in.
		for {
			if j.depth == 0 {
				return i, nil
			}
			if i = skipSpace(data, i); i >= len(data) {
				return i, errJSON
			}
			t := j.top()
			if !t.array {
				sink.end()
			}
			if data[i] == ',' {
				t.index++
				i++
				if t.array {
					break
				}
				next, err := j.member(skipSpace(data, i), sink)
				if err != nil {
					return i, err
				}
				i = next
				break
			}
			if t.array && data[i] != ']' || !t.array && data[i] != '}' {
				return i, errJSON
			}
			j.depth--
			i++
		}
	}
}

// member reads a key and the colon behind it.
func (j *jsonWalker) member(i int, sink jsonSink) (int, error) {
	data := j.data
	if i >= len(data) || data[i] != '"' {
		return i, errJSON
	}
	end, escaped := stringEnd(data, i+1)
	if end < 0 {
		return i, errJSON
	}
	t := j.top()
	if t.key = data[i+1 : end : end]; escaped {
		t.own = unescapeJSON(t.own[:0], t.key)
		t.key = t.own
	}
	colon := skipSpace(data, end+1)
	if colon >= len(data) || data[colon] != ':' {
		return i, errJSON
	}
	sink.key(i+1, end)
	return colon + 1, nil
}

// where returns the path to the value at hand, as in $.auth.tokens[2].
func (j *jsonWalker) where() []byte {
	p := append(j.path[:0], '$')
	for i := range j.depth {
		t := &j.frames[i]
		switch {
		case t.array:
			p = append(strconv.AppendInt(append(p, '['), int64(t.index), 10), ']')
		case isIdentifier(t.key):
			p = append(append(p, '.'), t.key...)
		default:
			p = append(append(append(p, `["`...), t.key[:min(len(t.key), maxPathKey)]...), `"]`...)
		}
	}
	j.path = p
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

func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
		i++
	}
	return i
}

func literalLen(data []byte) int {
	for _, l := range [...]string{"true", "false", "null"} {
		if len(data) >= len(l) && string(data[:len(l)]) == l {
			return len(l)
		}
	}
	return 0
}

// stringEnd returns where the string that begins at i ends, -1 if it does not,
// and whether there are escapes in it. It looks at eight bytes at a time.
// Control characters are let through: what writers that are not strict emit is
// evidence, too.
func stringEnd(data []byte, i int) (int, bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	escaped := false
	for {
		for i+8 <= len(data) {
			x := binary.LittleEndian.Uint64(data[i:])
			q, s := x^ones*'"', x^ones*'\\'
			m := ((q-ones)&^q | (s-ones)&^s) & highs
			if m == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(m) / 8
			break
		}
		for i < len(data) && data[i] != '"' && data[i] != '\\' {
			i++
		}
		if i >= len(data) {
			return -1, escaped
		}
		if data[i] == '"' {
			return i, escaped
		}
		escaped = true
		i += 2
	}
}

// unescapeJSON appends s with its escapes resolved. Escapes that JSON does not
// know stand for themselves.
func unescapeJSON(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			r, ok := hex4(s[i+1:])
			if !ok {
				dst = append(dst, '\\', 'u')
				continue
			}
			i += 4
			if utf16.IsSurrogate(r) && i+2 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
				if low, ok := hex4(s[i+3:]); ok {
					if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
						r = both
						i += 6
					}
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, s[i])
		}
	}
	return dst
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for _, b := range s[:4] {
		if !isHex(b) {
			return 0, false
		}
		r = r<<4 | rune(unhex(b))
	}
	return r, true
}

func unhex(b byte) byte {
	if isDigit(b) {
		return b - '0'
	}
	return lower(b) - 'a' + 10
}

// A jsonScan hands the strings of a JSON text to its worker. The text has
// passed through the automaton as a whole: a string without escapes needs no
// pass of its own.
type jsonScan struct {
	w       *worker
	f       *fragment
	j       *jsonWalker
	hits    []hit
	base    uint32
	next    int // in hits
	matters bool
}

// take returns the hits between two positions of the text.
func (s *jsonScan) take(from, to int) []hit {
	lo, hi := s.base+uint32(from), s.base+uint32(to)
	for s.next < len(s.hits) && s.hits[s.next].end <= lo {
		s.next++
	}
	first := s.next
	for s.next < len(s.hits) && s.hits[s.next].end <= hi {
		s.next++
	}
	return s.hits[first:s.next]
}

func (s *jsonScan) key(from, to int) {
	t, w := s.j.top(), s.w
	hits := s.take(from, to)
	inPlace := to-from == len(t.key) // else there are escapes in it
	if !inPlace {
		hits = w.hitsIn(t.key)
	}
	if len(hits) > 0 && len(t.key) >= minContainer && w.budget.element() {
		w.child(s.f, piece{"json", s.parentPath(), t.key, from, to, inPlace, true}, hits, s.base+uint32(from))
		if !inPlace {
			hits = w.hitsIn(t.key)
		}
	}
	s.enter(t, hits)
}

func (s *jsonScan) enter(t *jsonFrame, hits []hit) {
	w := s.w
	w.enter(t.key, false, hits)
	if top := &w.scopes[len(w.scopes)-1]; top.class == nameNeutral && t.label != nil {
		if class := classifyName(t.label); class > nameNeutral {
			top.class, top.text = class, t.label
		}
	}
	s.matters = w.nameMatters()
}

// parentPath is the path of the object whose member begins.
func (s *jsonScan) parentPath() []byte {
	s.j.depth--
	p := s.j.where()
	s.j.depth++
	return p
}

func (s *jsonScan) end() {
	s.w.leave()
	s.matters = s.w.nameMatters()
}

func (s *jsonScan) text(from, to int, escaped bool) {
	w := s.w
	hits := s.take(from, to)
	data := s.j.data[from:to:to]
	if !escaped {
		if s.j.depth > 0 {
			if t := s.j.top(); !t.array && isLabelName(t.key) {
				t.label = data
			}
		}
		if len(hits) == 0 && !s.matters && !w.aws.seeking && !w.maybeContainer(data) {
			return
		}
		if w.budget.element() {
			w.child(s.f, piece{"json", s.j.where(), data, from, to, true, false}, hits, s.base+uint32(from))
		}
		return
	}
	if !w.budget.element() || !w.budget.spend(to-from) {
		return
	}
	buf := w.bufs[s.f.depth]
	buf = unescapeJSON(buf[:0], data)
	w.bufs[s.f.depth] = buf
	w.child(s.f, piece{"json", s.j.where(), buf, from, to, false, false}, nil, 0)
}

func (s *jsonScan) number(from, to int) {
	hits := s.take(from, to)
	if len(hits) == 0 && !(s.matters && to-from >= 4) || !s.w.budget.element() {
		return
	}
	s.w.child(s.f, piece{"json", s.j.where(), s.j.data[from:to:to], from, to, true, false}, hits, s.base+uint32(from))
}

func (s *jsonScan) literal() {}

func (s *jsonScan) more() error {
	if s.w.budget.elements < 0 || s.w.budget.output < 0 {
		return errJSONElements
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
