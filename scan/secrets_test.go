package scan

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"math/rand/v2"
	"testing"
)

// The secrets of these tests are made when they run: no file holds one.

const (
	lowerAlphabet = "abcdefghijklmnopqrstuvwxyz"
	digitAlphabet = "0123456789"
	hexAlphabet   = "0123456789abcdef"
	alnumAlphabet = lowerAlphabet + digitAlphabet + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	stdAlphabet   = alnumAlphabet + "+/"
	urlAlphabet   = alnumAlphabet + "-_"
	cryptAlphabet = alnumAlphabet + "./"
)

// random returns n characters that depend on nothing but the arguments.
func random(seed string, n int, alphabet string) string {
	h := fnv.New64a()
	h.Write([]byte(seed))
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

func githubToken(prefix, seed string) string {
	body := random(seed, checkedRandom, alnumAlphabet)
	return prefix + "_" + body + base62(crc32.ChecksumIEEE([]byte(body)))
}

func awsKeyID(seed string) string {
	return "AK" + "IA" + random(seed, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
}

func awsSecretKey(seed string) string { return "x9" + random(seed, 36, stdAlphabet) + "Q7" }

func slackToken(seed string) string {
	return "xo" + "xb-" + random(seed, 12, digitAlphabet) + "-" + random(seed+"2", 12, digitAlphabet) + "-" + random(seed+"3", 24, alnumAlphabet)
}

func stripeKey(mode, seed string) string {
	return "sk" + "_" + mode + "_" + random(seed, 24, alnumAlphabet)
}

func jwtToken(seed, claims string) string {
	b64 := base64.RawURLEncoding
	return b64.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + b64.EncodeToString([]byte(claims)) + "." + random(seed, 43, urlAlphabet)
}

func bcryptHash(seed string) string { return "$2" + "b$12$" + random(seed, 53, cryptAlphabet) }

// privateKeyPEM makes a key; unlike the other secrets it is another each time.
func privateKeyPEM(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), randReader{})
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

type randReader struct{}

func (randReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(rand.Uint32())
	}
	return len(p), nil
}

// cardNumber completes a number with its check digit.
func cardNumber(prefix, seed string, length int) string {
	n := prefix + random(seed, length-len(prefix)-1, digitAlphabet)
	for d := byte('0'); d <= '9'; d++ {
		digits := []byte(n + string(d))
		for i := range digits {
			digits[i] -= '0'
		}
		if luhn(digits) {
			return n + string(d)
		}
	}
	panic("no check digit")
}

// ibanNumber completes an account with its check digits.
func ibanNumber(country, account string) string {
	for k := 2; k <= 98; k++ {
		if n := fmt.Sprintf("%s%02d%s", country, k, account); mod97([]byte(n)) {
			return n
		}
	}
	panic("no check digits")
}

// A familyCase is a value under a name, and what is to be found in it: nothing,
// or the secret by one of the rules.
type familyCase struct {
	name   string // of the case
	field  string // of the hash that holds the value; "" for a string
	value  string
	rule   string // "" if nothing is to be found
	secret string // "" for the whole value
}

// testFamily runs the cases of a family. Failures do not show secrets.
func testFamily(t *testing.T, cases []familyCase) {
	t.Helper()
	s := newTestScanner(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			events := stringKey("app:17", c.value)
			if c.field != "" {
				events = hashKey("app:17", c.field, c.value)
			}
			found, _ := scanAll(t, s, events)
			if c.rule == "" {
				if len(found) > 0 {
					t.Fatalf("found %s, want nothing", brief(found))
				}
				return
			}
			want := c.secret
			if want == "" {
				want = c.value
			}
			for _, f := range found {
				if f.Rule == c.rule && f.Secret == want {
					return
				}
			}
			t.Fatalf("found %s, want %s of %d bytes", brief(found), c.rule, len(want))
		})
	}
}
