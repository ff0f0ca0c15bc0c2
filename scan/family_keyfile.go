package scan

import (
	"bytes"

	"github.com/valkeyfs/valkeyfs/scan/keymaterial"
)

// keyFileFamily finds private keys that have no armour: those of age, minisign
// and signify by their letters, binary keys and stores by their structure.
var keyFileFamily = []rule{
	{id: "age-secret-key", description: "Identity of age", category: PrivateKey, severity: Critical, confidence: Confirmed, rank: rankProof,
		keywords: []string{"age-secret-key-1", "age-secret-key-pq-1"}, find: findAge, next: "make a new identity and encrypt anew, for it, what its recipient was used for"},
	{id: "signing-secret-key", description: "Secret key of minisign or signify", category: PrivateKey, severity: Critical, confidence: Confirmed, rank: rankProof,
		keywords: []string{"rwrty0iy", "rwqaaeiy", "rwrcsw"}, find: findSigner, next: "make a new key pair, and tell those who trust its public half"},
	{id: binaryKey, description: "Private key or key store in binary form", category: PrivateKey, severity: Critical, confidence: Confirmed, rank: rankProof, find: judged, next: nextKey},
}

// binaryKey is the rule of what keyDecoder reads.
const binaryKey = "private-key-binary"

// findAge: the human-readable part of Bech32 (BIP 173) and its characters.
func findAge(w *worker, r *rule, f *fragment, from, to int) {
	end := run(f.data, to, 128, isAlnum)
	k := keymaterial.Age(f.data[from:end])
	if k == nil {
		w.exclude(badChecksum)
		return
	}
	w.token(r, f, from, end, isWord).keyProof(k)
}

// findSigner: one line of base64, of the length that its first letters promise.
func findSigner(w *worker, r *rule, f *fragment, from, to int) {
	end := run(f.data, to, 256, isBase64)
	if from > 0 && isBase64(f.data[from-1]) {
		return
	}
	if w.budget.proofs--; w.budget.proofs < 0 {
		w.limited(r.id)
		return
	}
	if k := keymaterial.Signer(f.data[from:end]); k != nil {
		w.report(r, f, from, end).keyProof(k)
	}
}

// keyDecoder reads keys and stores that are a whole value: ASN.1, Java's, and
// OpenSSH's without its armour. What is one holds nothing else.
var keyDecoder = decoder{kind: "key", starts: startsWith("\x30\xfe\xceo"), fits: keymaterial.Sniff, open: openKey}

// openKey reports a key. Its secret is the base64 of it, which is how PEM has it.
func openKey(w *worker, f *fragment, _ []hit, _ uint32) bool {
	r := w.s.byID[binaryKey]
	if r == nil {
		return false
	}
	data := bytes.TrimSuffix(f.data, []byte("\n"))
	if !keymaterial.Framed(data) {
		data = f.data // the line end is the key's last byte
	}
	var k *keymaterial.Key
	w.budget.proofs--
	affordable := w.budget.proofs >= 0
	if affordable {
		if k = keymaterial.Binary(data); k == nil {
			data = f.data
			k = keymaterial.Binary(data)
		}
	}
	if k == nil && (affordable || !keymaterial.Framed(data)) {
		return false
	}
	if w.probe.collecting || w.aws.seeking {
		return true
	}
	m := w.report(r, f, 0, len(data))
	switch {
	case m.rule == nil:
		return true
	case k == nil:
		m.confidence = Likely
	default:
		m.keyProof(k)
	}
	m.secret = base64Std(data)
	return true
}
