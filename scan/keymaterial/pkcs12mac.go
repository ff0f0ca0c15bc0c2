package keymaterial

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the format's own
	"crypto/sha256"
	"hash"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Up to how many iterations default passwords are tried: all of them where
// OpenSSL's number of iterations was used, two where Java's was.
const (
	manyIterations = 10_000
	fewIterations  = 2048
)

// opensPKCS12 reports whether a default password makes a store's checksum right.
// s holds the MacData (RFC 7292, 4).
func opensPKCS12(s cryptobyte.String, signed []byte) bool {
	var mac, info cryptobyte.String
	var digest, salt []byte
	if !s.ReadASN1(&mac, tag.SEQUENCE) || !mac.ReadASN1(&info, tag.SEQUENCE) {
		return false
	}
	oid, _, ok := algorithm(&info)
	if !ok || !info.ReadASN1Bytes(&digest, tag.OCTET_STRING) || !mac.ReadASN1Bytes(&salt, tag.OCTET_STRING) || len(salt) > 256 {
		return false
	}
	n := 1
	if !mac.Empty() && !mac.ReadASN1Integer(&n) || n < 1 || n > manyIterations || len(signed) > maxDefaultTried {
		return false
	}
	var h func() hash.Hash
	switch oid {
	case "1.3.14.3.2.26":
		h = sha1.New
	case "2.16.840.1.101.3.4.2.1":
		h = sha256.New
	default:
		return false
	}
	passwords := defaultPasswords[:]
	if n > fewIterations {
		passwords = []string{"changeit", ""}
	}
	for _, p := range passwords {
		m := hmac.New(h, pkcs12Key(h, p, salt, n))
		m.Write(signed)
		if hmac.Equal(m.Sum(nil), digest) {
			return true
		}
	}
	return false
}

// pkcs12Key derives the key of a checksum (RFC 7292, B.2, with ID 3): one block,
// for the key is as long as a hash.
func pkcs12Key(h func() hash.Hash, password string, salt []byte, n int) []byte {
	const block = 64 // of both hashes
	var text []byte
	for _, u := range append(utf16.Encode([]rune(password)), 0) {
		text = append(text, byte(u>>8), byte(u))
	}
	fill := func(b []byte) []byte {
		size := (len(b) + block - 1) / block * block
		return bytes.Repeat(b, size/max(len(b), 1)+1)[:size]
	}
	d := h()
	d.Write(bytes.Repeat([]byte{3}, block))
	d.Write(fill(salt))
	d.Write(fill(text))
	sum := d.Sum(nil)
	for range n - 1 {
		d.Reset()
		d.Write(sum)
		sum = d.Sum(sum[:0])
	}
	return sum
}
