package keymaterial

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/asn1"
	"math/big"
	"strconv"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// DER reads a private key in ASN.1: PKCS#1 (RFC 8017), SEC 1 (RFC 5915), PKCS#8
// (RFC 5958), encrypted or not, the DSA key of OpenSSL, or a PKCS#12 store. nil:
// data is none, or goes on behind it.
func DER(data []byte) *Key {
	var seq cryptobyte.String
	in := definite(data)
	if !in.ReadASN1(&seq, tag.SEQUENCE) || !in.Empty() {
		return nil
	}
	for _, read := range [...]func(cryptobyte.String) *Key{pkcs8, pkcs1, sec1, encryptedPKCS8, pkcs12, dsaKey} {
		if k := read(seq); k != nil {
			return k
		}
	}
	return nil
}

// integer reads an unsigned number of at most maxBits.
func integer(s *cryptobyte.String) *big.Int {
	var raw cryptobyte.String
	if !s.PeekASN1Tag(tag.INTEGER) || !s.ReadASN1(&raw, tag.INTEGER) || len(raw) == 0 || len(raw) > maxBits/8+1 || raw[0] >= 0x80 {
		return nil
	}
	return new(big.Int).SetBytes(raw)
}

func integers(s *cryptobyte.String, n int) []*big.Int {
	out := make([]*big.Int, n)
	for i := range out {
		if out[i] = integer(s); out[i] == nil {
			return nil
		}
	}
	return out
}

func version(s *cryptobyte.String, allowed ...int) bool {
	var v int
	if !s.ReadASN1Integer(&v) {
		return false
	}
	for _, a := range allowed {
		if v == a {
			return true
		}
	}
	return false
}

// algorithm reads an AlgorithmIdentifier.
func algorithm(s *cryptobyte.String) (oid string, parameters cryptobyte.String, ok bool) {
	var seq cryptobyte.String
	var id asn1.ObjectIdentifier
	if !s.ReadASN1(&seq, tag.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&id) {
		return "", nil, false
	}
	return id.String(), seq, true
}

// pkcs1 reads an RSAPrivateKey, whose numbers must belong together.
func pkcs1(s cryptobyte.String) *Key {
	if !version(&s, 0) {
		return nil
	}
	v := integers(&s, 8) // n, e, d, p, q, d mod p-1, d mod q-1, 1/q mod p
	if v == nil || !s.Empty() {
		return nil
	}
	return rsaKey(v)
}

// rsaKey judges n, e, d, p, q, d mod p-1, d mod q-1, 1/q mod p.
func rsaKey(v []*big.Int) *Key {
	n, e, d, p, q := v[0], v[1], v[2], v[3], v[4]
	one := big.NewInt(1)
	if p.BitLen() < 2 || q.BitLen() < 2 || n.BitLen() > maxBits || new(big.Int).Mul(p, q).Cmp(n) != 0 {
		return nil
	}
	product := func(a, b, m *big.Int) *big.Int { return new(big.Int).Mod(new(big.Int).Mul(a, b), m) }
	for i, prime := range []*big.Int{p, q} {
		order := new(big.Int).Sub(prime, one)
		if new(big.Int).Mod(d, order).Cmp(v[5+i]) != 0 || product(e, v[5+i], order).Cmp(one) != 0 {
			return nil
		}
	}
	if product(q, v[7], p).Cmp(one) != 0 {
		return nil
	}
	return &Key{Format: "PKCS#1", Algorithm: "RSA", Bits: n.BitLen(), Fingerprint: fingerprint(wireRSA(n, e))}
}

// A curve is what is known of one.
type curve struct {
	oid, name, ssh string
	bits           int
	ecdh           ecdh.Curve // nil: not in the library
}

var curves = []curve{
	{"1.2.840.10045.3.1.7", "P-256", "nistp256", 256, ecdh.P256()},
	{"1.3.132.0.34", "P-384", "nistp384", 384, ecdh.P384()},
	{"1.3.132.0.35", "P-521", "nistp521", 521, ecdh.P521()},
	{"1.3.132.0.33", "P-224", "", 224, nil},
	{"1.3.132.0.10", "secp256k1", "", 256, nil},
	{"1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", "", 256, nil},
	{"1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", "", 384, nil},
	{"1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", "", 512, nil},
}

func curveOf(oid string) *curve {
	for i := range curves {
		if curves[i].oid == oid {
			return &curves[i]
		}
	}
	return nil
}

// sec1 reads an ECPrivateKey that names its curve.
func sec1(s cryptobyte.String) *Key { return ecKey("SEC1", s, nil) }

// ecKey reads an ECPrivateKey; c is the curve that stands outside it.
func ecKey(format string, s cryptobyte.String, c *curve) *Key {
	var d, named, public cryptobyte.String
	var hasCurve, hasPublic bool
	if !version(&s, 1) || !s.ReadASN1(&d, tag.OCTET_STRING) ||
		!s.ReadOptionalASN1(&named, &hasCurve, tag.Tag(0).ContextSpecific().Constructed()) ||
		!s.ReadOptionalASN1(&public, &hasPublic, tag.Tag(1).ContextSpecific().Constructed()) || !s.Empty() {
		return nil
	}
	if hasCurve {
		var id asn1.ObjectIdentifier
		if !named.ReadASN1ObjectIdentifier(&id) {
			return nil
		}
		if c == nil {
			c = curveOf(id.String())
		}
	}
	if c == nil {
		return nil
	}
	var point []byte
	if hasPublic && !public.ReadASN1BitStringAsBytes(&point) {
		return nil
	}
	return pointKey(format, c, d, point)
}

// pointKey judges a key on a curve. The public half, where it is there in full,
// must belong to the private one.
func pointKey(format string, c *curve, d, public []byte) *Key {
	size := (c.bits + 7) / 8
	if len(d) > size || len(d) == 0 {
		return nil
	}
	k := &Key{Format: format, Algorithm: "ECDSA " + c.name, Bits: c.bits}
	if c.ecdh == nil {
		return k
	}
	private, err := c.ecdh.NewPrivateKey(append(make([]byte, size-len(d)), d...))
	if err != nil {
		return nil
	}
	point := private.PublicKey().Bytes()
	if len(public) == len(point) && string(public) != string(point) {
		return nil
	}
	k.Fingerprint = fingerprint(wireECDSA(c.ssh, point))
	return k
}

// names of algorithms whose keys are told by their identifier alone.
var algorithms = map[string]string{
	"1.2.840.113549.1.3.1": "DH", "1.2.840.10046.2.1": "DH",
	"2.16.840.1.101.3.4.3.17": "ML-DSA-44", "2.16.840.1.101.3.4.3.18": "ML-DSA-65", "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
	"2.16.840.1.101.3.4.4.1": "ML-KEM-512", "2.16.840.1.101.3.4.4.2": "ML-KEM-768", "2.16.840.1.101.3.4.4.3": "ML-KEM-1024",
}

// pkcs8 reads a PrivateKeyInfo or OneAsymmetricKey.
func pkcs8(s cryptobyte.String) *Key {
	if !version(&s, 0, 1) {
		return nil
	}
	oid, parameters, ok := algorithm(&s)
	var inner cryptobyte.String
	if !ok || !s.ReadASN1(&inner, tag.OCTET_STRING) {
		return nil
	}
	inner = definite(inner)
	const format = "PKCS#8"
	sequence := func() (seq cryptobyte.String) {
		if !inner.ReadASN1(&seq, tag.SEQUENCE) || !inner.Empty() {
			return nil
		}
		return seq
	}
	switch oid {
	case "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10":
		k := pkcs1(sequence())
		if k != nil {
			k.Format = format
		}
		return k
	case "1.2.840.10045.2.1":
		var id asn1.ObjectIdentifier
		if !parameters.ReadASN1ObjectIdentifier(&id) {
			return nil
		}
		return ecKey(format, sequence(), curveOf(id.String()))
	case "1.3.101.112":
		var seed []byte
		if !inner.ReadASN1Bytes(&seed, tag.OCTET_STRING) || len(seed) != ed25519.SeedSize {
			return nil
		}
		public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		return &Key{Format: format, Algorithm: "Ed25519", Bits: 256, Fingerprint: fingerprint(wireEd25519(public))}
	case "1.3.101.110", "1.3.101.111", "1.3.101.113":
		of := map[string]Key{"1.3.101.110": {Algorithm: "X25519", Bits: 256}, "1.3.101.111": {Algorithm: "X448", Bits: 448}, "1.3.101.113": {Algorithm: "Ed448", Bits: 456}}[oid]
		of.Format = format
		return &of
	case "1.2.840.10040.4.1":
		var group cryptobyte.String
		if !parameters.ReadASN1(&group, tag.SEQUENCE) {
			return nil
		}
		return dsaPrivate(format, integers(&group, 3), nil, integer(&inner))
	}
	if name := algorithms[oid]; name != "" && len(inner) > 0 {
		return &Key{Format: format, Algorithm: name}
	}
	return nil
}

// dsaKey reads what OpenSSL writes as DSA PRIVATE KEY: 0, p, q, g, y, x.
func dsaKey(s cryptobyte.String) *Key {
	if !version(&s, 0) {
		return nil
	}
	v := integers(&s, 5)
	if v == nil || !s.Empty() {
		return nil
	}
	return dsaPrivate("DSA", v[:3], v[3], v[4])
}

// dsaPrivate judges a key of the sizes that FIPS 186-4 allows.
func dsaPrivate(format string, group []*big.Int, y, x *big.Int) *Key {
	if group == nil || x == nil || x.Sign() == 0 || group[0].BitLen() > 3072 || group[0].BitLen() < 512 || x.BitLen() > 256 || group[0].Bit(0) == 0 {
		return nil
	}
	public := new(big.Int).Exp(group[2], x, group[0])
	if y != nil && public.Cmp(y) != 0 {
		return nil
	}
	return &Key{Format: format, Algorithm: "DSA", Bits: group[0].BitLen(), Fingerprint: fingerprint(wireDSA(group[0], group[1], group[2], public))}
}

// encryptedPKCS8 reads an EncryptedPrivateKeyInfo.
func encryptedPKCS8(s cryptobyte.String) *Key {
	cipher, kdf, ok := encryption(&s)
	var text cryptobyte.String
	if !ok || !s.ReadASN1(&text, tag.OCTET_STRING) || len(text) < 16 || !s.Empty() {
		return nil
	}
	return &Key{Format: "PKCS#8", Encrypted: true, Cipher: cipher, KDF: kdf}
}

// schemes are the encryptions by password (RFC 8018, B; RFC 7292, C).
var schemes = map[string]string{
	"1.2.840.113549.1.5.3": "des-cbc, pbkdf1 md5", "1.2.840.113549.1.5.6": "rc2-cbc, pbkdf1 md5", "1.2.840.113549.1.5.10": "des-cbc, pbkdf1 sha1", "1.2.840.113549.1.5.11": "rc2-cbc, pbkdf1 sha1",
	"1.2.840.113549.1.12.1.1": "rc4-128, pkcs12 sha1", "1.2.840.113549.1.12.1.2": "rc4-40, pkcs12 sha1", "1.2.840.113549.1.12.1.3": "3des-cbc, pkcs12 sha1",
	"1.2.840.113549.1.12.1.4": "2des-cbc, pkcs12 sha1", "1.2.840.113549.1.12.1.5": "rc2-128-cbc, pkcs12 sha1", "1.2.840.113549.1.12.1.6": "rc2-40-cbc, pkcs12 sha1",
	"1.3.6.1.4.1.42.2.17.1.1": "jks", "1.3.6.1.4.1.42.2.19.1": "3des-cbc, jce md5",
}

var ciphers = map[string]string{
	"2.16.840.1.101.3.4.1.2": "aes-128-cbc", "2.16.840.1.101.3.4.1.22": "aes-192-cbc", "2.16.840.1.101.3.4.1.42": "aes-256-cbc",
	"2.16.840.1.101.3.4.1.6": "aes-128-gcm", "2.16.840.1.101.3.4.1.26": "aes-192-gcm", "2.16.840.1.101.3.4.1.46": "aes-256-gcm",
	"1.2.840.113549.3.7": "3des-cbc", "1.3.14.3.2.7": "des-cbc", "1.2.840.113549.3.2": "rc2-cbc",
}

// encryption reads the identifier of an encryption by password, and says which
// cipher and which derivation of the key it is.
func encryption(s *cryptobyte.String) (cipher, kdf string, ok bool) {
	oid, parameters, ok := algorithm(s)
	if !ok {
		return "", "", false
	}
	if scheme, known := schemes[oid]; known {
		cipher, kdf, _ = strings.Cut(scheme, ", ")
		var seq cryptobyte.String
		var salt cryptobyte.String
		if parameters.ReadASN1(&seq, tag.SEQUENCE) && seq.ReadASN1(&salt, tag.OCTET_STRING) {
			kdf += iterations(&seq)
		}
		return cipher, kdf, true
	}
	var seq cryptobyte.String
	if oid != "1.2.840.113549.1.5.13" || !parameters.ReadASN1(&seq, tag.SEQUENCE) { // PBES2
		return "", "", false
	}
	derivation, cost, ok := algorithm(&seq)
	if !ok {
		return "", "", false
	}
	of, _, ok := algorithm(&seq)
	if !ok {
		return "", "", false
	}
	if cipher = ciphers[of]; cipher == "" {
		cipher = of
	}
	var in, salt cryptobyte.String
	if !cost.ReadASN1(&in, tag.SEQUENCE) || !in.ReadASN1(&salt, tag.OCTET_STRING) {
		return cipher, derivation, true
	}
	switch derivation {
	case "1.2.840.113549.1.5.12":
		kdf = "pbkdf2" + iterations(&in)
	case "1.3.6.1.4.1.11591.4.11":
		kdf = "scrypt" + iterations(&in)
	default:
		kdf = derivation
	}
	return cipher, kdf, true
}

func iterations(s *cryptobyte.String) string {
	var n int
	if !s.ReadASN1Integer(&n) || n < 1 {
		return ""
	}
	return " " + strconv.Itoa(n)
}
