package scan

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestJWKFamily(t *testing.T) {
	b64 := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	number := func(n *big.Int) string { return b64(n.Bytes()) }
	ed, _, edPrint := testKey(t)
	okp := object{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": b64(ed[32:]), "d": b64(ed.Seed())}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	full := object{"kty": "RSA", "use": "sig", "alg": "RS256", "key_ops": []string{"sign"}, "n": number(key.N), "e": "AQAB", "d": number(key.D),
		"p": number(key.Primes[0]), "q": number(key.Primes[1]), "dp": number(key.Precomputed.Dp), "dq": number(key.Precomputed.Dq), "qi": number(key.Precomputed.Qinv)}
	half := object{"kty": "RSA", "n": number(key.N), "e": "AQAB"}
	wrong := object{"kty": "OKP", "crv": "Ed25519", "x": b64(make([]byte, 32)), "d": b64(ed.Seed())}
	secret := object{"kty": "oct", "k": b64([]byte(random("oct", 32, alnumAlphabet)))}
	rsaPrint := ssh.FingerprintSHA256(public)
	for _, c := range []struct {
		name, value string
		prints      []string
	}{
		{"alone", jsonText(okp), []string{edPrint}},
		{"in a set", jsonText(object{"keys": []any{half, full, okp}}), []string{rsaPrint, edPrint}},
		{"indented", func() string { b, _ := json.MarshalIndent(object{"jwk": full}, "", "  "); return string(b) }(), []string{rsaPrint}},
		{"JSON inside JSON", jsonText(object{"jwks": jsonText(okp)}), []string{edPrint}},
		{"in base64", base64.StdEncoding.EncodeToString([]byte(jsonText(okp))), []string{edPrint}},
		{"in a script", "const key = " + jsonText(okp) + ";", []string{edPrint}},
		{"symmetric", jsonText(secret), []string{""}},
		{"public", jsonText(half), nil},
		{"halves of two keys", jsonText(wrong), []string{"likely"}},
		{"about it", `{"kty": "the type", "d": "what is it"}`, nil},
	} {
		var prints []string
		for _, f := range findingsIn(t, "k", c.value) {
			if f.Rule != jwkRule {
				if c.prints != nil {
					t.Errorf("%s: also %s", c.name, f.Rule)
				}
				continue
			}
			if f.Confidence == Likely && len(f.Proof) == 0 {
				prints = append(prints, "likely")
				continue
			}
			if f.Confidence != Confirmed || f.Proof["format"] != "JWK" || !strings.HasPrefix(f.Secret, "{") || !strings.HasSuffix(f.Secret, "}") {
				t.Errorf("%s: %s, %v", c.name, f.Confidence, f.Proof)
			}
			prints = append(prints, f.Proof["fingerprint"])
		}
		if strings.Join(prints, " ") != strings.Join(c.prints, " ") || len(prints) != len(c.prints) {
			t.Errorf("%s: %d keys, %v, want %v", c.name, len(prints), prints, c.prints)
		}
	}
}
