package scan

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// Sessions. Each web framework has a way of keeping its users' sessions: a
// pattern of keys, and a structure of values that the decoders open. A key is
// looked at only if a mark of some framework stands in its name or its values;
// then its values are opened once more and all that they say is collected as
// facts, and the frameworks in question judge the facts. None goes by the name
// of a key alone.

// A framework knows the sessions, or the jobs, of one web framework.
type framework struct {
	name  string
	marks []string // keywords, as those of rules

	// judge says whether the key holds one, and what it says. Before it calls
	// probe.collect it can turn down most by a look at the key and the values.
	judge func(*probe) *session
}

// frameworks lists them, at most 64, the special ones before the general.
func frameworks() []framework {
	return slices.Concat(
		djangoFrameworks, springFrameworks, laravelFrameworks, phpFrameworks, railsFrameworks, nodeFrameworks,
		flaskFrameworks, pythonFrameworks, wordpressFrameworks, aspnetFrameworks, javaFrameworks, goFrameworks, phoenixFrameworks, opaqueFrameworks, queueFrameworks,
		customFrameworks)
}

// A session is what a framework made of a key.
type session struct {
	rule     string // of sessionFamily
	name     string // of the framework, where one judges several
	id       []byte // what its bearer is known by
	expires  int64  // Unix ms that the session itself gives, or 0
	identity map[string]string
	severity Severity   // of a rule that has more than one
	doubt    Confidence // how far below its rule's the confidence is
}

const (
	sessionRule  = "session"
	opaqueRule   = "session-encrypted"
	identityRule = "session-store"
	jobRule      = "job-queue"
)

// sessionFamily describes what frameworks find. The rules have no keywords of
// their own.
var sessionFamily = []rule{
	{id: sessionRule, description: "Session of a web application", category: Session, severity: High, confidence: Confirmed, rank: rankProof, find: judged,
		next: "end the session: delete its key on the server; if sessions are signed, change the secret that signs them"},
	{id: opaqueRule, description: "Session that is encrypted with a key that is not here", category: Session, severity: Info, confidence: Likely, rank: rankProof, find: judged,
		next: "it can be read only with the secret of the application or of the cookie"},
	{id: identityRule, description: "Account that a session store or user cache keeps", category: Session, severity: Medium, confidence: Confirmed, rank: rankProof, find: judged,
		next: "revoke the tokens that it holds, and end the account's sessions"},
	{id: jobRule, description: "Queue of jobs with their arguments", category: Session, severity: Info, confidence: Confirmed, rank: rankProof, public: true, find: judged},
}

// judged is the finder of rules whose matches frameworks, decoders or judges make.
func judged(*worker, *rule, *fragment, int, int) {}

// The bounds of what is collected of one key.
const (
	maxProbeLeaves = 64
	maxFacts       = 1024
	maxFact        = 512 // bytes of a value
	maxFactText    = 256 << 10
)

// A probe is what is known of the key at hand.
type probe struct {
	w          *worker
	marks      uint64 // frameworks whose marks stand in the key or its values
	findings   int    // of the batch, before this key
	exclusions int    // and what was excluded
	collecting bool
	collected  bool
	early      bool // the key is named like a session: its facts are noted while its values are scanned,
	noting     bool // as those of the leaf at hand are
	taken      int  // leaves whose facts were
	key        []byte
	leaves     []leaf // the key's name excepted
	base       int    // where in the batch the first of them is
	facts      []fact
	text       []byte // of the facts
	room       []byte
}

// A fact is a string or number in a value. Its path are the names around it,
// with dots between them; its name is the last of them, in lower case and
// without what stands between words.
type fact struct{ path, name, value span }

func (p *probe) path(f *fact) []byte  { return p.text[f.path.from:f.path.to] }
func (p *probe) name(f *fact) []byte  { return p.text[f.name.from:f.name.to] }
func (p *probe) value(f *fact) []byte { return p.text[f.value.from:f.value.to] }

// begin forgets the key before.
func (p *probe) begin(w *worker) {
	p.w, p.marks, p.findings, p.exclusions, p.collected, p.early, p.taken = w, 0, len(w.b.findings), len(w.b.exclusions), false, false, 0
	p.facts, p.text = p.facts[:0], p.text[:0]
}

// endKey judges the key that ends, whose leaves these are, once all its values have
// been scanned.
func (w *worker) endKey(leaves []leaf) {
	w.pairKey(leaves)
	p := &w.probe
	if p.marks == 0 || w.key == nil || w.key.label != "" {
		return
	}
	p.key = w.b.bytes(w.key.name)
	p.leaves, p.base = leaves, w.firstOf
	if len(leaves) > 0 && leaves[0].where == WhereKey {
		p.leaves, p.base = leaves[1:], w.firstOf+1
	}
	if len(p.leaves) == 0 {
		return
	}
	for set, i := p.marks, 0; set != 0; set, i = set>>1, i+1 {
		if set&1 == 0 {
			continue
		}
		if s := w.s.frameworks[i].judge(p); s != nil {
			w.fileSession(&w.s.frameworks[i], s)
			return
		}
	}
}

// first returns the key's first value.
func (p *probe) first() []byte { return p.w.b.bytes(p.leaves[0].value) }

// field returns the value of a field of a hash.
func (p *probe) field(name string) []byte {
	for i := range p.leaves {
		if l := &p.leaves[i]; string(p.w.b.bytes(l.field)) == name {
			return p.w.b.bytes(l.value)
		}
	}
	return nil
}

// has reports whether the key's name holds a text, in lower case.
func (p *probe) has(text string) bool { return hasFold(p.key, text) }

// after returns what stands in the key's name behind the last of some texts.
func (p *probe) after(texts ...string) []byte {
	for _, t := range texts {
		for i := len(p.key) - len(t); i >= 0; i-- {
			if foldPrefix(p.key[i:], t) {
				return p.key[i+len(t):]
			}
		}
	}
	return nil
}

// last returns the last part of the key's name.
func (p *probe) last() []byte {
	return p.key[bytes.LastIndexAny(p.key, ":/|")+1:]
}

// collect opens the key's values and notes what they say.
func (p *probe) collect() []fact {
	if !p.collected && !p.early {
		p.collectFrom(p.leaves)
	}
	p.collected = true
	return p.facts
}

// takes reports whether the facts of a leaf are to be noted while it is scanned.
func (p *probe) takes(l *leaf, value []byte) bool {
	if p.taken == 0 && !mayHoldCustom(l, value) {
		p.early = false
	}
	if !p.early || p.taken == maxProbeLeaves {
		return false
	}
	p.taken++
	return true
}

func (p *probe) collectFrom(leaves []leaf) {
	p.facts, p.text = p.facts[:0], p.text[:0]
	w := p.w
	stats := w.stats
	noted := len(w.noted)
	w.stats, p.collecting = new(Stats), true // what is opened was counted
	for i := range leaves[:min(len(leaves), maxProbeLeaves)] {
		l := &leaves[i]
		w.leaf, w.fresh = l, false
		if l.field.len() > 0 {
			w.enter(w.b.bytes(l.field), false, nil)
		}
		w.start()
		first, _ := slices.BinarySearchFunc(w.hits, l.value.from+1, func(h hit, end uint32) int { return cmp.Compare(h.end, end) })
		w.scanRoot(w.b.bytes(l.value), within(w.hits[first:], l.value.from, l.value.len()), l.value.from, false)
		if l.field.len() > 0 {
			w.leave()
		}
	}
	for kind := range w.stats.Limited {
		if stats.Limited[kind] == 0 { // else it was said
			count(&stats.Limited, kind, 1)
		}
	}
	w.stats, w.noted, p.collecting = stats, w.noted[:noted], false
}

// note takes a fragment that nothing opens.
func (p *probe) note(f *fragment) {
	if !f.isName {
		p.add(f.data)
	}
}

// add takes a string or number under the names in scope.
func (p *probe) add(value []byte) {
	if len(p.facts) >= maxFacts || len(p.text) >= maxFactText {
		return
	}
	var x fact
	x.path.from = uint32(len(p.text))
	scopes := p.w.scopes[min(1, len(p.w.scopes)):] // the key comes first
	for i := range scopes {
		if i > 0 {
			p.text = append(p.text, '.')
		}
		p.text = append(p.text, scopes[i].text[:min(len(scopes[i].text), maxName)]...)
	}
	x.path.to = uint32(len(p.text))
	x.name.from = x.path.to
	if n := len(scopes); n > 0 {
		name := scopes[n-1].text
		if n > 1 && string(name) == "value" { // of an object around a string or number
			name = scopes[n-2].text
		}
		p.text = appendName(p.text, name)
	}
	x.name.to = uint32(len(p.text))
	p.text = append(p.text, value[:min(len(value), maxFact)]...)
	x.value = span{x.name.to, uint32(len(p.text))}
	p.facts = append(p.facts, x)
}

// appendName appends a name in lower case, without what stands between words.
func appendName(dst, name []byte) []byte {
	for _, b := range name[:min(len(name), maxName)] {
		if isAlnum(b) {
			dst = append(dst, lower(b))
		}
	}
	return dst
}

// find returns the value of the first fact with one of some names.
func (p *probe) find(names ...string) []byte {
	for i := range p.facts {
		if slices.Contains(names, string(p.name(&p.facts[i]))) {
			return p.value(&p.facts[i])
		}
	}
	return nil
}

// under reports whether a fact stands under a path.
func (p *probe) under(path string) bool {
	return slices.ContainsFunc(p.facts, func(f fact) bool {
		v := p.path(&f)
		return len(v) > len(path) && string(v[:len(path)]) == path && (v[len(path)] == '.' || path[len(path)-1] == '.')
	})
}

// fileSession files the finding of a session.
func (w *worker) fileSession(fw *framework, s *session) {
	p := &w.probe
	r := w.s.byID[s.rule]
	if r == nil {
		return
	}
	name := cmp.Or(s.name, fw.name)
	if s.rule == jobRule {
		p.nameJobs(name)
	}
	l := p.leaves[0]
	l.where, l.field, l.index, l.stream = WhereKey, span{}, -1, false
	if w.key.at != (keyspace.Place{}) {
		l.at = w.key.at
	}
	w.leaf, w.fresh = &l, false
	w.start()
	at := bytes.LastIndex(p.key, s.id)
	m := match{rule: r, serial: w.serial, confidence: r.confidence, severity: r.severity, secret: string(s.id), chain: []string{}}
	if r.public && !w.s.config.Reveal {
		m.secret = string(w.hide(p.key, w.masks))
	}
	if at >= 0 && len(s.id) > 0 {
		m.from, m.to, m.rootFrom, m.rootTo, m.inName = at, at+len(s.id), at, at+len(s.id), !r.public
	}
	if l.expire <= 0 {
		m.expires = s.expires
	}
	if s.rule == sessionRule {
		m.severity = s.grade(l.state)
	}
	if s.severity != 0 {
		m.severity = s.severity
	}
	m.confidence -= s.doubt
	w.matches = append(w.matches, m)
	filed := len(w.b.findings)
	w.keep(true)
	if len(w.b.findings) == filed {
		return
	}
	f := w.b.findings[len(w.b.findings)-1]
	f.Framework, f.Identity = name, s.identity
	w.hideIdentity(f)
	if !w.s.config.Reveal && !r.public {
		w.hideID(string(s.id), maskSecret(r, string(s.id)))
	}
}

// hideIdentity masks what of a finding's identity is personal, and the secrets in
// the rest: what names a role or a job may be one.
func (w *worker) hideIdentity(f *Finding) {
	if f.plain != nil {
		f.plain.identity = maps.Clone(f.Identity)
	}
	if w.s.config.Reveal {
		return
	}
	for k, v := range f.Identity {
		if hiddenIdentity[k] {
			f.Identity[k] = maskedLength(len(v))
		} else {
			f.Identity[k] = w.shown(v)
		}
	}
}

// isSomebodys reports whether the session says who is logged in.
func (s *session) isSomebodys() bool {
	return s.identity["user_id"] != "" || s.identity["user"] != "" || s.identity["email"] != ""
}

// grade says how bad a session is: one that still logs somebody in is worst.
func (s *session) grade(state keyspace.State) Severity {
	known := s.isSomebodys()
	switch state {
	case keyspace.Live, keyspace.Unknown:
		if known {
			return High
		}
		return Medium
	}
	if known {
		return Medium
	}
	return Low
}

// hideID hides a session's id in the names that other findings of the key show.
func (w *worker) hideID(id, shown string) {
	if len(id) < minHidden {
		return
	}
	hide := func(name *string) { *name = strings.ReplaceAll(*name, id, shown) }
	hideB64 := func(name *string) {
		if *name != "" {
			*name = base64Std(bytes.ReplaceAll(w.b.bytes(w.key.name), []byte(id), []byte(shown)))
		}
	}
	for _, f := range w.b.findings[w.probe.findings : len(w.b.findings)-1] {
		hide(&f.Key)
		hideB64(&f.KeyB64)
		hide(&f.Field)
		for i := range f.Chain {
			hide(&f.Chain[i])
		}
	}
	for _, e := range w.b.exclusions[w.probe.exclusions:] {
		hide(&e.Key)
		hideB64(&e.KeyB64)
		hide(&e.Field)
	}
}

// isWordValue reports whether a value is a word as identifiers and tokens are:
// some of them would pass for base64 of something.
func isWordValue(v []byte) bool {
	return len(v) <= 64 && run(v, 0, len(v), func(b byte) bool { return isBase64(b) || isURL64(b) || b == '.' || b == '@' }) == len(v)
}
