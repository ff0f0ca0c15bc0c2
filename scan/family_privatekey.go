package scan

import (
	"bytes"

	"github.com/valkeyfs/valkeyfs/scan/keymaterial"
)

// privateKeyFamily finds private keys in PEM armour (RFC 7468, RFC 1421, PGP,
// OpenSSH), also where line breaks are written as \n, and PuTTY's files.
var privateKeyFamily = []rule{
	{id: "private-key", description: "Private key in PEM armour", category: PrivateKey, severity: Critical, confidence: Likely, rank: rankProof,
		keywords: []string{"-----begin"}, find: findPEM, next: nextKey},
	{id: "private-key-putty", description: "PuTTY private key", category: PrivateKey, severity: Critical, confidence: Likely, rank: rankProof,
		keywords: []string{"putty-user-key-file-"}, find: findPuTTY, next: nextKey},
}

const nextKey = "replace the key pair wherever its public half is trusted"

// maxPEM is more than a key of 16384 bits takes.
const maxPEM = 16 << 10

func findPEM(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	label := d[to:min(len(d), to+64)]
	dashes := bytes.Index(label, []byte("-----"))
	if dashes < 0 || !bytes.Contains(label[:dashes], []byte("PRIVATE KEY")) {
		return
	}
	label = bytes.TrimSpace(label[:dashes])
	body := to + dashes + 5
	limit := min(len(d), body+maxPEM)
	k := bytes.Index(d[body:limit], []byte("-----"))
	if k >= 0 && !bytes.HasPrefix(d[body+k:], []byte("-----END")) {
		return // another one begins
	}
	if k < 0 {
		// Cut short: still a key if enough of it is there.
		if end := run(d, body, maxPEM, isPEMByte); end-body >= 200 && isPEMBody(d[body:end]) {
			w.report(r, f, from, end).confidence = Likely
		}
		return
	}
	end := body + k + len("-----END")
	if e := bytes.Index(d[end:min(len(d), end+64)], []byte("-----")); e >= 0 {
		end += e + 5
	}
	text := d[body : body+k]
	if !isPEMBody(text) {
		w.exclude(placeholderValue)
		return
	}
	for _, eol := range [...]string{"\n", "\r\n", `\n`} {
		if bytes.HasPrefix(d[end:], []byte(eol)) {
			end += len(eol)
			break
		}
	}
	m := w.report(r, f, from, end)
	if bytes.Contains(text, []byte("ENCRYPTED")) || bytes.Contains(label, []byte("ENCRYPTED")) {
		m.severity = High
	}
	w.unescapeLines(m)
	w.proveKey(m, keymaterial.PEM)
}

// unescapeLines makes line breaks of a secret that has only escaped ones.
func (w *worker) unescapeLines(m *match) {
	if bytes.IndexByte([]byte(m.secret), '\n') < 0 && bytes.Contains([]byte(m.secret), []byte(`\n`)) {
		m.secret = string(unescapeJSON(nil, []byte(m.secret)))
	}
}

// proveKey reads a private key. What can be read is confirmed; the armour alone
// could stand around anything.
func (w *worker) proveKey(m *match, read func([]byte) *keymaterial.Key) {
	if w.budget.proofs--; m.secret == "" || w.budget.proofs < 0 {
		return
	}
	if k := read([]byte(m.secret)); k != nil {
		m.keyProof(k)
	}
}

// keyProof notes what is known of a key.
func (m *match) keyProof(k *keymaterial.Key) {
	m.confidence, m.severity = Confirmed, m.rule.severity
	if k.Encrypted && !k.Default {
		m.severity = High
	}
	m.proof = k.Proof()
	if k.Comment != "" {
		m.proof[personalProof] = k.Comment
	}
}

func isPEMByte(b byte) bool {
	return isStd64(b) || b == '=' || b == '\n' || b == '\r' || b == '\\' || b == ' ' || b == ':' || b == ',' || b == '-'
}

// isPEMBody reports whether what stands between the lines is a key: enough
// base64, and not the three dots of an example.
func isPEMBody(text []byte) bool {
	n := 0
	for i, b := range text {
		switch {
		case isStd64(b):
			n++
		case b == '=' || b <= ' ' || b == '\\' || b == ':' || b == ',' || b == '-' || b == '.' && i < 256, b == '"':
		default:
			return false
		}
	}
	return n >= 64 && shapeOf(text[:min(len(text), 512)]).distinct > 12
}

func findPuTTY(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if to+1 >= len(d) || !isDigit(d[to]) || d[to+1] != ':' { // the version of the format
		return
	}
	limit := min(len(d), to+maxPEM)
	k := bytes.Index(d[to:limit], []byte("Private-Lines:"))
	if k < 0 {
		return
	}
	end := limit
	if m := bytes.Index(d[to+k:limit], []byte("Private-MAC:")); m >= 0 {
		end = run(d, to+k+m+len("Private-MAC:"), 80, func(b byte) bool { return isHex(b) || b == ' ' })
	}
	m := w.report(r, f, from, end)
	if bytes.Contains(d[from:end], []byte("ncryption: aes")) {
		m.severity = High
	}
	w.unescapeLines(m)
	w.proveKey(m, keymaterial.PuTTY)
}
