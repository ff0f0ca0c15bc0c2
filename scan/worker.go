package scan

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A worker scans batches, one at a time. It holds everything that scanning
// needs to write to, so that the path without hits allocates nothing.
type worker struct {
	s     *Scanner
	b     *batch
	key   *keyRecord
	leaf  *leaf
	path  []byte // key and field, for the paths of rule files; nil until asked for
	fresh bool   // path is of this leaf

	hits   []hit
	at     int // in hits
	spare  [lanes - 1][]hit
	scopes []scope
	named  []*rule // rules of rule files whose keyword stands in a name in scope
	inner  []hit   // hits in decoded fragments, a stack

	matches    []match
	noted      []string     // why something in the leaf is no finding, for Config.Explain
	stopped    string       // kind of the first limit that the leaf ran into
	masks      []maskedSpan // what to hide in the current key's name
	fieldMasks []maskedSpan // and in the current field's
	hidden     []*match
	hiddenOf   uint32 // serial for which hidden was made
	keyIndex   int

	serial   uint32
	ranTo    []ranTo // by rule: how far its regex has run in which fragment
	ascii    []byte  // what a regex sees of a text that is not UTF-8
	line     []byte  // a name and its value, put together for rules that want both
	hidName  []byte  // a name without its secrets
	budget   budget
	bufs     [maxDepth + 1][]byte
	frags    [maxDepth + 2]fragment // by depth
	segment  fragment
	docs     []*docScan // by nesting
	docsUsed int
	sum      []byte
	zip      inflaters
	env      *filterEnv
	aws      pairing
	probe    probe
	leafAt   int // place of leaf in the batch
	firstOf  int // place of the current key's first leaf
	pickle   pickleStacks
	root     root
	id       hash.Hash
	stats    *Stats
}

// root is what scanRoot was called with.
type root struct {
	data   []byte
	hits   []hit
	base   uint32
	isName bool
}

type ranTo struct {
	serial uint32
	to     int
}

func newWorker(s *Scanner) *worker {
	return &worker{s: s, env: newFilterEnv(), id: hmac.New(sha256.New, s.config.IDKey), ranTo: make([]ranTo, len(s.rules))}
}

// batch scans all leaves of b. One pass over its text finds every keyword; the
// hits are then dealt out to the leaves they stand in, in order.
func (w *worker) batch(b *batch) {
	w.b, w.stats = b, &b.stats
	w.hits = w.s.matcher.scanLanes(b.text, w.hits[:0], &w.spare)
	w.budget.batch = batchOutput + batchRatio*len(b.text)
	b.stats.Values = uint64(len(b.leaves))
	b.stats.Bytes = b.size

	w.at, w.keyIndex, w.firstOf = 0, -1, 0
	for i := range b.leaves {
		l := &b.leaves[i]
		w.leafAt = i
		if int(l.key) != w.keyIndex {
			w.endKey(b.leaves[w.firstOf:i])
			w.firstOf = i
			w.nextKey(int(l.key), w.take(b.keys[l.key].name), l)
		}
		if l.where == WhereKey {
			continue
		}
		w.leaf, w.fresh = l, false
		var inField []hit
		if l.field.len() > 0 {
			inField = w.take(l.field)
		}
		w.one(inField, w.take(l.value))
	}
	w.endKey(b.leaves[w.firstOf:])
	w.b, w.key, w.leaf = nil, nil, nil
}

// take returns the hits in a stretch of the batch's text, which lies behind
// those that were taken before.
func (w *worker) take(s span) []hit {
	for w.at < len(w.hits) && w.hits[w.at].end <= s.from {
		w.at++
	}
	from := w.at
	for w.at < len(w.hits) && w.hits[w.at].end <= s.to {
		w.at++
	}
	return w.hits[from:w.at]
}

// nextKey scans the name of a key: for its own findings, which go to l if that
// is the key's leaf, and to know what is to be masked in those of its elements.
func (w *worker) nextKey(i int, hits []hit, l *leaf) {
	w.probe.begin(w)
	w.keyIndex, w.key = i, &w.b.keys[i]
	w.masks, w.fieldMasks = w.masks[:0], w.fieldMasks[:0]
	w.scopes, w.named = w.scopes[:0], w.named[:0]
	name := w.b.bytes(w.key.name)
	report := l.where == WhereKey
	if !report {
		l = &leaf{key: uint32(i), where: WhereKey, value: w.key.name, at: keyspace.Place{Inner: -1}, index: -1}
	}
	w.leaf, w.fresh = l, false
	if w.wanted(hits, name) || len(w.s.paths) > 0 || w.mayHoldContainer(name) {
		w.start()
		w.scanRoot(name, hits, w.key.name.from, true)
		w.keep(report)
	}
	w.probe.early = w.hideSession(name) && w.probe.marks != 0
	if w.key.label != "" {
		w.enter(name, false, hits)
		return
	}
	at, n := lastSegment(name)
	w.enter(name[at:at+n], true, within(hits, w.key.name.from+uint32(at), n))
	s := &w.scopes[0]
	s.last = at+n == len(name) && !isPlural(name[at:at+n])
	if s.class == nameNone && at+n < len(name) && isOneTime(name[at:at+n]) {
		s.class, s.last = nameToken, true
	}
	switch {
	case s.class == nameNone && at > 1 && at+n == len(name) && isAccount(name[at:]):
		s.class = w.classBefore(name[:at-1])
	case s.class > nameNeutral && isLock(name[:at]):
		s.class = nameNone
	}
}

// classBefore judges what the part of a key that whose value it is follows
// promises, as in refresh_token:user17. Of passwords a key like that has the
// hash, or when they were changed.
func (w *worker) classBefore(key []byte) nameClass {
	class := classifyName(key[bytes.LastIndexAny(key, ":/|")+1:])
	if class == namePassword || class < nameKey || isLock(key) {
		return nameNone
	}
	return class
}

// one scans a field and the value that it names.
func (w *worker) one(inField, inValue []hit) {
	l := w.leaf
	w.fieldMasks = w.fieldMasks[:0]
	if l.judged > 0 {
		w.judgedLeaf()
		return
	}
	if l.field.len() > 0 {
		field := w.b.bytes(l.field)
		if w.wanted(inField, field) {
			where, at := l.where, l.at
			l.where = l.fieldAt
			if l.nameAt != (keyspace.Place{}) {
				l.at = l.nameAt
			}
			w.start()
			w.scanRoot(field, inField, l.field.from, true)
			w.keep(true)
			l.where, l.at = where, at
		}
		w.enter(field, false, inField)
		defer w.leave()
	}
	value := w.b.bytes(l.value)
	labelled, noting := w.s.labelled(w.key.label), w.probe.takes(l, value)
	if labelled == nil && !noting && !w.wanted(inValue, value) && !w.nameMatters() && (len(value) != awsSecretLen || !w.isAWSValue(value)) {
		return
	}
	w.start()
	w.probe.noting = noting
	w.scanRoot(value, inValue, l.value.from, false)
	w.probe.noting = false
	if labelled != nil {
		labelled.find(w, labelled, &w.frags[0], 0, len(value))
	}
	w.keep(true)
}

// wanted reports whether a text is to be scanned for its own sake.
func (w *worker) wanted(hits []hit, data []byte) bool {
	return len(hits) > 0 || len(w.s.always) > 0 || w.aws.seeking || w.probe.collecting || w.maybeContainer(data) || w.s.config.Values != nil
}

// nameMatters reports whether the names in scope make something of a value
// that holds no keyword itself.
func (w *worker) nameMatters() bool {
	if len(w.named) > 0 {
		return true
	}
	class, _ := w.classHere()
	return class > nameNeutral || len(w.scopes) > 0 && w.scopes[len(w.scopes)-1].personal != nil
}

// start begins a leaf, or the name of one.
func (w *worker) start() {
	w.matches = w.matches[:0]
	w.inner = w.inner[:0]
	w.noted, w.stopped = w.noted[:0], ""
	w.budget.reset(0)
}

// scanRoot scans a leaf's own bytes; hits are counted from base.
func (w *worker) scanRoot(data []byte, hits []hit, base uint32, isName bool) {
	w.root = root{data, hits, base, isName}
	f := &w.frags[0]
	*f = fragment{data: data, to: len(data), inPlace: true, isName: isName, inName: isName}
	w.budget.reset(len(data))
	w.scan(f, hits, base)
	for i := range w.bufs {
		if cap(w.bufs[i]) > keptText {
			w.bufs[i] = nil
		}
	}
}

// placePath is the path that rule files see: key, or key/field.
func (w *worker) placePath() []byte {
	if !w.fresh {
		w.path = append(w.path[:0], w.b.bytes(w.key.name)...)
		if w.leaf.field.len() > 0 {
			w.path = append(append(w.path, '/'), w.b.bytes(w.leaf.field)...)
		}
		w.fresh = true
	}
	return w.path
}

// exclude counts why something is no finding.
func (w *worker) exclude(why reason) {
	count(&w.stats.Excluded, string(why), 1)
	w.note(string(why))
}

// trimmed returns the bounds of data[from:to] without spaces around it.
func trimmed(data []byte, from, to int) (int, int) {
	for from < to && isSpace(data[from]) {
		from++
	}
	for to > from && isSpace(data[to-1]) {
		to--
	}
	return from, to
}

func isSpace(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' }
