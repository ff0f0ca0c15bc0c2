package keymaterial

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"math/big"
)

// maxJWK is more than a key of 16384 bits takes.
const maxJWK = 16 << 10

// LikeJWK reports whether text has the members of a private JSON Web Key, each of
// a length that a key of its kind has, whether or not the numbers fit together.
func LikeJWK(text []byte) bool {
	if len(text) > maxJWK {
		return false
	}
	var j struct{ Kty, Crv, N, E, D, X, Y string }
	if json.Unmarshal(text, &j) != nil {
		return false
	}
	size := func(s string) int {
		raw, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			return -1
		}
		return len(raw)
	}
	switch d := size(j.D); j.Kty {
	case "RSA":
		n := size(j.N)
		return n >= 128 && n <= maxBits/8 && d > n/2 && d <= n && size(j.E) > 0
	case "EC":
		return d >= 28 && d <= 66 && size(j.X) == d && size(j.Y) == d
	case "OKP":
		return (d == 32 || d == 57 || d == 56) && size(j.X) == d
	}
	return false
}

// JWK reads a private or symmetric JSON Web Key (RFC 7517, RFC 7518, RFC 8037).
func JWK(text []byte) *Key {
	if len(text) > maxJWK {
		return nil
	}
	var j struct {
		Kty, Crv         string
		N, E, D          string
		P, Q, Dp, Dq, Qi string
		X, Y, K          string
	}
	if json.Unmarshal(text, &j) != nil {
		return nil
	}
	number := func(s string) *big.Int {
		raw, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil || len(raw) > maxBits/8 {
			return new(big.Int)
		}
		return new(big.Int).SetBytes(raw)
	}
	raw := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			return nil
		}
		return b
	}
	var k *Key
	switch j.Kty {
	case "RSA":
		v := []*big.Int{number(j.N), number(j.E), number(j.D), number(j.P), number(j.Q), number(j.Dp), number(j.Dq), number(j.Qi)}
		if k = rsaKey(v); k == nil && j.P == "" && v[0].BitLen() >= 512 && v[1].Sign() > 0 && v[2].BitLen() > v[0].BitLen()/2 {
			k = &Key{Algorithm: "RSA", Bits: v[0].BitLen(), Fingerprint: fingerprint(wireRSA(v[0], v[1]))} // the primes may be left out
		}
	case "EC":
		for i := range curves {
			if curves[i].name == j.Crv || curves[i].name == "secp256k1" && j.Crv == "P-256K" {
				k = pointKey("", &curves[i], raw(j.D), append(append([]byte{4}, raw(j.X)...), raw(j.Y)...))
			}
		}
	case "OKP":
		d := raw(j.D)
		switch {
		case j.Crv == "Ed25519" && len(d) == ed25519.SeedSize:
			public := ed25519.NewKeyFromSeed(d)[ed25519.SeedSize:]
			if string(public) == string(raw(j.X)) {
				k = &Key{Algorithm: "Ed25519", Bits: 256, Fingerprint: fingerprint(wireEd25519(public))}
			}
		case j.Crv == "X25519" && len(d) == 32:
			k = &Key{Algorithm: "X25519", Bits: 256}
		}
	case "oct":
		if b := raw(j.K); len(b) >= 16 {
			k = &Key{Algorithm: "symmetric", Bits: 8 * len(b)}
		}
	}
	if k != nil {
		k.Format = "JWK"
	}
	return k
}
