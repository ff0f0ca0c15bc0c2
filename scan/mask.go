package scan

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

func base64Std(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// Masked text never holds more of a secret than its vendor's prefix and, where
// it has 24 characters or more, the last four of them.
const (
	mask        = "****"
	maskLastMin = 24
	maskLast    = 4
)

// maskSecret masks a secret as its category demands.
func maskSecret(r *rule, secret string) string {
	switch {
	case r.public:
		return secret
	case r.category == Password, r.category == PasswordHash, r.category == PII, r.category == PrivateKey, r.category == Artefact:
		return maskedLength(len(secret))
	}
	prefix := vendorPrefix(secret)
	if len(secret) < maskLastMin {
		return prefix + maskedLength(len(secret))
	}
	last := secret[len(secret)-maskLast:]
	if !isPrintable(last) || r.rank == rankSyntax {
		last = "" // of a URL, the last characters may be anything
	}
	return prefix + mask + last
}

// maskedLength stands for something of n bytes, and says roughly how many.
func maskedLength(n int) string {
	switch {
	case n < 8:
		return mask + " (1-7)"
	case n < 12:
		return mask + " (8-11)"
	case n < 16:
		return mask + " (12-15)"
	case n < 24:
		return mask + " (16-23)"
	case n < 32:
		return mask + " (24-31)"
	case n < 64:
		return mask + " (32-63)"
	case n < 128:
		return mask + " (64-127)"
	}
	return mask + " (128+)"
}

// vendorPrefixes are what issuers put before their tokens, by the first byte,
// longest first.
var vendorPrefixes = func() (out [256][]string) {
	p := strings.Fields(`ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glcbt- glsoat- gloas- npm_ pypi- sk_live_ rk_live_ sk_test_ rk_test_ whsec_
		xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xapp- sk-proj- sk-svcacct- sk-admin- sk-ant-api03- sk-ant-admin01- sk-or-v1- sk- hf_ SG. AIza AQVN dop_v1_ doo_v1_
		shpat_ shpca_ shppa_ shpss_ hvs. hvb. dckr_pat_ rubygems_ eyJ SK AC EAAA ATATT3 PMAK- NRAK- lin_api_ sntrys_ sntryu_ glsa_ glc_ pul- r8_ gsk_ xai- ya29.
		https://hooks.slack.com/services/ https:// http:// postgres:// postgresql:// mysql:// mariadb:// mongodb:// mongodb+srv:// redis:// rediss:// valkey:// amqp:// amqps:// smtp:// smtps:// ftp:// ftps:// sftp:// ssh:// ldap:// ldaps://`)
	slices.SortFunc(p, func(a, b string) int { return len(b) - len(a) })
	for _, prefix := range p {
		out[prefix[0]] = append(out[prefix[0]], prefix)
	}
	return out
}()

func vendorPrefix(secret string) string {
	if secret == "" {
		return ""
	}
	for _, p := range vendorPrefixes[secret[0]] {
		if strings.HasPrefix(secret, p) && len(secret) >= 2*len(p) {
			return p
		}
	}
	return ""
}

func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// A maskedSpan is a part of a name that is or holds a secret.
type maskedSpan struct {
	from, to int
	text     string
}

// minHidden is the length from which a secret is looked for in names around it:
// shorter ones would blot out half of every name.
const minHidden = 4

// hide returns a name as it may be shown: without the secrets that were found
// in it, and without those of its value. It is valid until the next call.
func (w *worker) hide(name []byte, masks []maskedSpan) []byte {
	if len(masks) > 0 {
		slices.SortFunc(masks, func(a, b maskedSpan) int { return a.from - b.from })
		out, at := w.hidName[:0], 0
		for _, m := range masks {
			if m.to <= at {
				continue
			}
			out = append(append(out, name[at:max(at, min(m.from, len(name)))]...), m.text...)
			at = min(m.to, len(name))
		}
		w.hidName = append(out, name[at:]...)
		name = w.hidName
	}
	for _, s := range w.leafSecrets() {
		if bytes.Contains(name, []byte(s.secret)) {
			name = bytes.ReplaceAll(name, []byte(s.secret), []byte(maskSecret(s.rule, s.secret)))
		}
	}
	return name
}

// shown returns a text that is told beside a finding without the secrets in it. What
// was matched in the leaf at hand is forgotten.
func (w *worker) shown(text string) string {
	v := []byte(text)
	w.start()
	w.inner = w.s.matcher.scan(v, 0, len(v), w.inner)
	if !w.wanted(w.inner, v) {
		return text
	}
	leafHere, masks, stats := w.leaf, w.fieldMasks, w.stats
	w.leaf, w.fieldMasks, w.stats = &leaf{where: WhereField, index: -1}, nil, new(Stats) // it was counted where it stands
	w.scanRoot(v, w.inner, 0, true)
	w.settle(false)
	text = string(w.hide(v, w.fieldMasks))
	w.leaf, w.fieldMasks, w.stats = leafHere, masks, stats
	w.start()
	return text
}

// hideInChain masks paths through containers whose names hold secrets.
func (w *worker) hideInChain(chain []string) {
	for i, c := range chain {
		if strings.IndexByte(c, '$') < 0 {
			continue
		}
		for _, s := range w.leafSecrets() {
			chain[i] = hideInPath(chain[i], s.secret, maskSecret(s.rule, s.secret))
		}
	}
}

// leastInPath is how much of a secret is looked for in a path, where names are
// cut short.
const leastInPath = 12

// hideInPath puts masked in the place of a secret, or of its beginning.
func hideInPath(path, secret, masked string) string {
	begin := secret[:min(len(secret), leastInPath)]
	for at := 0; ; {
		k := strings.Index(path[at:], begin)
		if k < 0 {
			return path
		}
		from := at + k
		to := from + len(begin)
		for to < len(path) && to-from < len(secret) && path[to] == secret[to-from] {
			to++
		}
		path = path[:from] + masked + path[to:]
		at = from + len(masked)
	}
}

// maxHidden is how many secrets of one leaf are looked for in names.
const maxHidden = 64

// leafSecrets returns the matches of the leaf whose secrets may not show.
func (w *worker) leafSecrets() []*match {
	if w.hiddenOf == w.serial {
		return w.hidden
	}
	w.hidden, w.hiddenOf = w.hidden[:0], w.serial
	for i := range w.matches {
		m := &w.matches[i]
		if len(w.hidden) < maxHidden && len(m.secret) >= minHidden && !m.rule.public {
			w.hidden = append(w.hidden, m)
		}
	}
	return w.hidden
}

// idLength is how many bytes of the HMAC make an id.
const idLength = 16

// ids returns the id of the secret, and the fingerprint of its place.
func (w *worker) ids(m *match, key, field []byte) (string, string) {
	w.sum = appendPart(appendPart(w.sum[:0], "secret"), m.secret)
	id := w.sumID()

	l := w.leaf
	w.sum = w.sum[:0]
	for _, s := range [...]string{"place", m.rule.id, w.key.typ.String(), w.key.label, l.where.String(), m.secret, string(byte(w.key.db))} {
		w.sum = appendPart(w.sum, s)
	}
	w.sum = appendPart(appendPart(w.sum, key), field)
	if l.stream {
		w.sum = appendPart(w.sum, formatID(l.id))
	}
	if len(m.chain) > 0 {
		for _, c := range m.chain[min(len(m.chain), l.depth()):] {
			w.sum = appendPart(w.sum, c)
		}
	}
	return id, w.sumID()
}

// appendPart appends a part of what an id is made of, behind its length.
func appendPart[T string | []byte](b []byte, part T) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(part))), part...)
}

// sumID returns the beginning of the HMAC of w.sum.
func (w *worker) sumID() string {
	w.id.Reset()
	w.id.Write(w.sum)
	var out [2 * idLength]byte
	w.sum = w.id.Sum(w.sum[:0])
	hex.Encode(out[:], w.sum[:idLength])
	return string(out[:])
}
