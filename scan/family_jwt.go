package scan

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
)

// jwtFamily finds JSON Web Tokens (RFC 7519, 7515, 7516): the header must
// decode to a JSON object that names an algorithm.
var jwtFamily = []rule{
	{id: "jwt", description: "JSON Web Token", category: Token, severity: High, confidence: Confirmed, rank: rankSyntax,
		keywords: []string{"eyj"}, find: findJWT, next: "revoke the token at its issuer, or change the key that signs; a weak key, or none, lets anybody sign"},
}

const maxJWT = 16 << 10

func findJWT(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	if from > 0 && (isURL64(d[from-1]) || d[from-1] == '.' && from > 1 && isURL64(d[from-2])) || d[from] != 'e' || d[from+1] != 'y' || d[from+2] != 'J' {
		return
	}
	var parts [5]span
	n, at := 0, from
	for n < len(parts) {
		end := run(d, at, maxJWT, isURL64)
		parts[n] = span{uint32(at), uint32(end)}
		n++
		if end >= len(d) || d[end] != '.' {
			at = end
			break
		}
		at = end + 1
	}
	if n != 3 && n != 5 {
		return
	}
	if d[at-1] == '.' { // alg none: the signature is empty
		at = int(parts[n-1].to)
	}
	header := d[parts[0].from:parts[0].to]
	var head struct {
		Alg string `json:"alg"`
		Enc string `json:"enc"`
	}
	if !decodePart(header, &head) || head.Alg == "" {
		w.exclude(badStructure)
		return
	}
	var claims struct {
		Exp json.Number `json:"exp"`
	}
	if n == 3 && !decodePart(d[parts[1].from:parts[1].to], &claims) {
		w.exclude(badStructure)
		return
	}
	m := w.report(r, f, from, at)
	switch payload := d[parts[0].from:parts[1].to]; {
	case n == 3 && isNone(head.Alg):
		m.prove("alg", "none")
		m.severity = Critical
	case n == 3 && weakHMAC(head.Alg, payload, d[parts[2].from:parts[2].to]):
		m.prove("key", "weak")
		m.severity = Critical
	}
	if exp, err := claims.Exp.Float64(); err == nil && exp > 0 && exp < 1e11 {
		m.expires = int64(exp) * 1000
	}
}

// decodePart reads one part of a token; it must be a JSON object.
func decodePart(part []byte, into any) bool {
	if len(part) > maxJWT {
		return false
	}
	text := make([]byte, base64.RawURLEncoding.DecodedLen(len(part)))
	n, err := base64.RawURLEncoding.Decode(text, part)
	if err != nil {
		return false
	}
	text = text[:n]
	return len(bytes.TrimSpace(text)) > 1 && bytes.TrimSpace(text)[0] == '{' && json.Unmarshal(text, into) == nil
}
