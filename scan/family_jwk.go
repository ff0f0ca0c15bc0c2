package scan

import (
	"bytes"

	"github.com/valkeyfs/valkeyfs/scan/keymaterial"
)

// jwkFamily finds private JSON Web Keys (RFC 7517), as identity providers keep
// them: objects of their own, or in a set.
var jwkFamily = []rule{
	{id: jwkRule, description: "Private JSON Web Key", category: PrivateKey, severity: Critical, confidence: Confirmed, rank: rankProof, find: judged,
		next: "take the key out of the set that signs, and once its tokens have run out, of the published set"},
}

const jwkRule = "private-key-jwk"

// jwkDecoder reports keys and leaves the document to the decoder behind it, which
// knows nothing of objects.
var jwkDecoder = decoder{kind: "jwk", keywords: []string{`"kty"`}, fits: func([]byte) bool { return true }, open: openJWK}

const (
	maxJWK      = 16 << 10
	maxJWKsSeen = 64 // of one document
)

func openJWK(w *worker, f *fragment, hits []hit, base uint32) bool {
	r := w.s.byID[jwkRule]
	if r == nil || w.probe.collecting || w.aws.seeking {
		return false
	}
	word := []byte(`"kty"`)
	seen := 0
	for _, h := range hits {
		at := int(h.end-base) - len(word)
		if at < 0 || !bytes.HasPrefix(f.data[at:], word) {
			continue
		}
		if seen++; seen > maxJWKsSeen {
			w.limited(r.id)
			break
		}
		from, to := objectAround(f.data, at)
		if object := f.data[from:to]; bytes.Contains(object, []byte(`"d"`)) || bytes.Contains(object, []byte(`"k"`)) {
			w.reportJWK(r, f, from, to)
		}
	}
	return false
}

// objectAround returns the bounds of the object at a place that holds no others.
func objectAround(d []byte, at int) (from, to int) {
	noBrace := func(b byte) bool { return b != '{' && b != '}' }
	from, to = runBack(d, at, maxJWK, noBrace), run(d, at, maxJWK, noBrace)
	if from == 0 || d[from-1] != '{' || to == len(d) || d[to] != '}' {
		return at, at
	}
	return from - 1, to + 1
}

func (w *worker) reportJWK(r *rule, f *fragment, from, to int) {
	text := f.data[from:to]
	var k *keymaterial.Key
	if w.budget.proofs--; w.budget.proofs >= 0 {
		k = keymaterial.JWK(text)
	}
	switch {
	case k != nil:
		w.report(r, f, from, to).keyProof(k)
	case keymaterial.LikeJWK(text):
		w.report(r, f, from, to).confidence = Likely
	case w.budget.proofs < 0:
		w.limited(r.id)
	}
}
