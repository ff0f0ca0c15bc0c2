package scan

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"strconv"
)

// What can be proved of a secret from its own bytes, without asking anybody.

// awsAccount returns the account that issued an access key id: 40 bits of the
// base 32 behind the prefix, less the last of them. Ids made before 2019 do not
// hold it (the fifth character is below Q).
func awsAccount(id string) string {
	if len(id) != 20 || id[4] < 'Q' {
		return ""
	}
	raw, err := base32.StdEncoding.DecodeString(id[4:])
	if err != nil || len(raw) < 6 {
		return ""
	}
	var n [8]byte
	copy(n[2:], raw[:6])
	account := strconv.FormatUint(binary.BigEndian.Uint64(n[:])&0x7fffffffff80>>7, 10)
	for len(account) < 12 {
		account = "0" + account
	}
	return account
}

// weakHMACKeys are secrets that documentation and examples sign tokens with.
var weakHMACKeys = [...]string{"secret", "password", "changeme", "your-256-bit-secret", "your-384-bit-secret", "your-512-bit-secret", "jwt_secret", "jwt-secret", "jwtsecret",
	"my-secret", "mysecret", "secretkey", "secret_key", "secret-key", "supersecret", "super-secret", "key", "test", "admin", "123456", "shhhhh", "shhhh", "s3cr3t", "token", "dev", "development",
	"a-string-secret-at-least-256-bits-long", "gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr9C"}

// weakHMAC reports whether one of weakHMACKeys signed the token, whose signature
// is its third part.
func weakHMAC(alg string, signed, signature []byte) bool {
	var h func() hash.Hash
	switch alg {
	case "HS256":
		h = sha256.New
	case "HS384":
		h = sha512.New384
	case "HS512":
		h = sha512.New
	default:
		return false
	}
	want := make([]byte, base64.RawURLEncoding.DecodedLen(len(signature)))
	n, err := base64.RawURLEncoding.Decode(want, signature)
	if err != nil {
		return false
	}
	for _, key := range weakHMACKeys {
		m := hmac.New(h, []byte(key))
		m.Write(signed)
		if hmac.Equal(m.Sum(nil), want[:n]) {
			return true
		}
	}
	return false
}

// isNone recognises the algorithm that signs nothing.
func isNone(alg string) bool { return bytes.EqualFold([]byte(alg), []byte("none")) }
