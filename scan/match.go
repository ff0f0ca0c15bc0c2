package scan

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A match is what a rule claims in the leaf at hand. Rules may claim the same
// bytes; keep decides.
type match struct {
	rule       *rule
	serial     uint32 // of the fragment
	from, to   int    // in it
	rootFrom   int    // in the leaf's own bytes: the secret, or the container that holds it
	rootTo     int
	confidence Confidence
	severity   Severity
	secret     string
	technique  string // of ATT&CK; the rule's if it is empty
	chain      []string
	expires    int64 // Unix ms that the secret itself gives, or 0
	also       []string
	proof      map[string]string
	inName     bool
}

// report claims f.data[from:to] for r. The caller may change the match that it
// returns.
func (w *worker) report(r *rule, f *fragment, from, to int) *match {
	if w.budget.matches--; w.budget.matches < 0 {
		w.limited(limitMatches)
		return new(match)
	}
	m := match{
		rule: r, serial: f.serial, from: from, to: to, rootFrom: f.from, rootTo: f.to, confidence: r.confidence, severity: r.severity,
		secret: string(f.data[from:to]), chain: f.chain(w.leaf.chain()), inName: f.inName,
	}
	if f.inPlace {
		m.rootFrom, m.rootTo = f.from+from, f.from+to
	}
	if l := w.leaf; !f.inName && (m.rootTo <= l.seam || l.window && (m.rootFrom < int(l.own.from) || m.rootFrom >= int(l.own.to))) {
		return new(match) // found when it was written, or another window's
	}
	w.matches = append(w.matches, m)
	return &w.matches[len(w.matches)-1]
}

// prove notes what a secret's own bytes prove.
func (m *match) prove(what, value string) {
	if m.proof == nil {
		m.proof = map[string]string{}
	}
	m.proof[what] = value
}

// personalProof is what a proof has that may be personal: the comment of a key.
const personalProof = "comment"

// hideProof masks it.
func hideProof(proof map[string]string) map[string]string {
	if comment, has := proof[personalProof]; has {
		proof = maps.Clone(proof)
		proof[personalProof] = maskedLength(len(comment))
	}
	return proof
}

// artefact tells traces of an attack, 1, from secrets, 0: a command and the
// password in it do not claim the same thing. A rule of a judge claims nothing
// for itself.
func (m *match) artefact() int {
	switch {
	case m.rule.judged:
		return 2 + m.rule.index
	case m.rule.category == Artefact:
		return 1
	}
	return 0
}

// better orders matches that claim the same bytes.
func better(a, b *match) int {
	return cmp.Or(
		cmp.Compare(b.rule.rank, a.rule.rank),
		cmp.Compare(b.confidence, a.confidence),
		cmp.Compare(b.to-b.from, a.to-a.from),
		cmp.Compare(len(b.chain), len(a.chain)),
		cmp.Compare(a.rule.index, b.rule.index),
	)
}

// keep settles what the leaf, or its name, holds: of matches that overlap the
// best stays. It notes what must be masked and, if told to, files the findings.
func (w *worker) keep(file bool) {
	w.settle(file)
	w.explain(file)
}

func (w *worker) settle(file bool) {
	if len(w.matches) == 0 {
		return
	}
	w.pairLeaf()
	ms := w.matches
	slices.SortStableFunc(ms, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.artefact(), b.artefact()), cmp.Compare(a.serial, b.serial), cmp.Compare(a.from, b.from), better(&a, &b))
	})
	kept := ms[:0]
	for _, m := range ms {
		if n := len(kept); n > 0 && kept[n-1].serial == m.serial && kept[n-1].artefact() == m.artefact() && m.from < kept[n-1].to {
			if better(&m, &kept[n-1]) < 0 {
				kept[n-1] = m
			}
			continue
		}
		kept = append(kept, m)
	}
	kept = w.once(kept)
	w.matches = kept
	isKey := w.leaf.where == WhereKey
	for i := range kept {
		if m := &kept[i]; m.inName {
			s := maskedSpan{m.rootFrom, m.rootTo, maskSecret(m.rule, m.secret)}
			if isKey {
				w.masks = append(w.masks, s)
			} else {
				w.fieldMasks = append(w.fieldMasks, s)
			}
		}
	}
	if file {
		for i := range kept {
			w.file(&kept[i])
		}
	}
}

// once drops a secret that was found in two readings of the same bytes: as they
// are, and decoded.
func (w *worker) once(ms []match) []match {
	if len(ms) < 2 {
		return ms
	}
	slices.SortStableFunc(ms, func(a, b match) int {
		return cmp.Or(strings.Compare(a.secret, b.secret), cmp.Compare(a.rootFrom, b.rootFrom), better(&a, &b))
	})
	kept := ms[:0]
	for _, m := range ms {
		if n := len(kept); n > 0 && kept[n-1].secret == m.secret && m.rootFrom < kept[n-1].rootTo && kept[n-1].serial != m.serial {
			if better(&m, &kept[n-1]) < 0 {
				kept[n-1] = m
			}
			continue
		}
		kept = append(kept, m)
	}
	slices.SortStableFunc(kept, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.rootFrom, b.rootFrom), cmp.Compare(a.serial, b.serial), cmp.Compare(a.from, b.from))
	})
	return proven(kept)
}

// proven drops what a name makes of the decoded bytes of something whose
// structure, where it stands, has said what it is. The matches are in the order
// of the leaf.
func proven(ms []match) []match {
	var proof *match
	i := 0 // of the matches that proof has been sought among
	return slices.DeleteFunc(ms, func(m match) bool {
		for ; i < len(ms) && ms[i].rootFrom <= m.rootFrom; i++ {
			if p := &ms[i]; p.rule != nil && p.rule.rank == rankProof && p.rule.category != Artefact && p.rootTo-p.rootFrom == len(p.secret) && (proof == nil || p.rootTo > proof.rootTo) {
				c := *p
				proof = &c
			}
		}
		return proof != nil && m.rule.rank == rankName && m.serial != proof.serial && m.rootTo <= proof.rootTo
	})
}

// file makes a finding of a match.
func (w *worker) file(m *match) {
	l, key := w.leaf, w.key
	f := &Finding{
		Rule: m.rule.id, Category: m.rule.category, Severity: m.severity, Confidence: m.confidence,
		Source: key.source, Offset: l.at.Offset, Length: l.at.Length, RecordOffset: key.record,
		DB: key.db, Presumed: key.presumed, KeyType: key.kind(), Encoding: key.encoding.String(), Where: l.where,
		State: l.state.String(), Also: m.also, Chain: m.chain, Technique: cmp.Or(m.technique, m.rule.technique), leaf: w.leafAt,
	}
	if key.label != "" {
		f.Encoding = ""
	}
	if f.Encoding == keyspace.EncodingNone.String() {
		f.Encoding = ""
	}
	if f.Chain == nil {
		f.Chain = []string{}
	}
	if l.index >= 0 {
		index := l.index
		f.Index = &index
	}
	if l.stream {
		f.EntryID = formatID(l.id)
	}
	if l.expire > 0 {
		f.ExpiresAt, f.TTLBasis = formatMS(l.expire), "key"
		if l.fieldTTL {
			f.TTLBasis = "field"
		}
	}
	if m.expires != 0 {
		f.ExpiresAt, f.TTLBasis = formatMS(m.expires), "token"
	}
	if l.time > 0 {
		f.WrittenAt = formatMS(l.time)
	}
	name, field := w.b.bytes(key.name), w.b.bytes(l.field)
	f.ID, f.Fingerprint = w.ids(m, name, field)
	f.Proof = m.proof
	if m.rule.id == awsID {
		if account := awsAccount(m.secret); account != "" {
			f.Proof = map[string]string{"account": account}
		}
	}

	f.Key, f.KeyB64 = w.nameText(name, w.masks)
	f.Field, f.FieldB64 = w.nameText(field, w.fieldMasks)
	if w.s.config.Plain {
		f.plain = newPlain(f, m, name, field)
	}
	if w.s.config.Reveal {
		f.Secret = m.secret
	} else {
		f.Secret = maskSecret(m.rule, m.secret)
		w.hideInChain(f.Chain)
		f.Proof = hideProof(f.Proof)
	}
	if f.Rule == awsID || f.Rule == awsSecret {
		f.prefix = prefix(name)
	}
	w.b.findings = append(w.b.findings, f)
	w.notePair(f)
}

// nameText returns a name as it may be shown, as text and, where that is not UTF-8,
// in base64 as well.
func (w *worker) nameText(name []byte, masks []maskedSpan) (string, string) {
	if !w.s.config.Reveal {
		name = w.hide(name, masks)
	}
	return text(name)
}

// text returns b as text and, where it is not UTF-8, in base64 as well.
func text(b []byte) (string, string) {
	if utf8.Valid(b) {
		return string(b), ""
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), base64Std(b)
}
