package scan

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"testing"
)

func TestAWSAccount(t *testing.T) {
	const account = 123456789012
	n := uint64(account)<<7 | 1<<47
	raw := []byte{byte(n >> 40), byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 1, 2, 3, 4}
	if got := awsAccount("AK" + "IA" + base32.StdEncoding.EncodeToString(raw)); got != "123456789012" {
		t.Errorf("account %q", got)
	}
	if got := awsAccount("AK" + "IA" + "IOSFODNN7" + "EXAMPLE"); got != "" {
		t.Errorf("account %q of an id that holds none", got)
	}
}

func TestJWTProof(t *testing.T) {
	b64 := base64.RawURLEncoding
	sign := func(alg, key string) string {
		signed := b64.EncodeToString([]byte(`{"alg":"`+alg+`"}`)) + "." + b64.EncodeToString([]byte(`{"sub":"42"}`))
		if alg == "none" {
			return signed + "."
		}
		m := hmac.New(sha256.New, []byte(key))
		m.Write([]byte(signed))
		return signed + "." + b64.EncodeToString(m.Sum(nil))
	}
	for _, c := range []struct{ token, what, value string }{
		{sign("HS256", "secret"), "key", "weak"},
		{sign("none", ""), "alg", "none"},
		{sign("HS256", random("strong", 32, alnumAlphabet)), "key", ""},
	} {
		found := findingsIn(t, "k", c.token)
		if len(found) != 1 || found[0].Proof[c.what] != c.value || (found[0].Severity == Critical) != (c.value != "") {
			t.Errorf("%s: found %s", c.what, brief(found))
		}
	}
}
