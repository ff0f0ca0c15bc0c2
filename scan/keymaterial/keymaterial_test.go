package keymaterial

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/ssh"
)

// Keys are made when the tests run; the library of SSH is the oracle of their
// fingerprints.

var rsaTestKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func sshFingerprint(t *testing.T, public any) string {
	t.Helper()
	return ssh.FingerprintSHA256(must(ssh.NewPublicKey(public)))
}

func block(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func TestKeys(t *testing.T) {
	ed := must2(ed25519.GenerateKey(rand.Reader))
	for _, c := range []struct {
		name   string
		key    crypto.Signer
		want   Key
		labels map[string][]byte
	}{
		{"RSA", rsaTestKey(), Key{Algorithm: "RSA", Bits: 2048}, map[string][]byte{"RSA PRIVATE KEY": x509.MarshalPKCS1PrivateKey(rsaTestKey())}},
		{"P-256", ec(elliptic.P256()), Key{Algorithm: "ECDSA P-256", Bits: 256}, nil},
		{"P-384", ec(elliptic.P384()), Key{Algorithm: "ECDSA P-384", Bits: 384}, nil},
		{"P-521", ec(elliptic.P521()), Key{Algorithm: "ECDSA P-521", Bits: 521}, nil},
		{"Ed25519", ed, Key{Algorithm: "Ed25519", Bits: 256}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Fingerprint = sshFingerprint(t, c.key.Public())
			check := func(format string, encrypted bool, k *Key) {
				t.Helper()
				if k == nil {
					t.Fatalf("%s: not read", format)
				}
				if k.Format != format || k.Algorithm != c.want.Algorithm || k.Bits != c.want.Bits || k.Fingerprint != c.want.Fingerprint || k.Encrypted != encrypted {
					t.Errorf("%s: %+v, want %+v", format, k, c.want)
				}
			}
			der := must(x509.MarshalPKCS8PrivateKey(c.key))
			check("PKCS#8", false, PEM(block("PRIVATE KEY", der)))
			check("PKCS#8", false, Binary(der))
			for label, der := range c.labels {
				check("PKCS#1", false, PEM(block(label, der)))
				check("PKCS#1", false, Binary(der))
			}
			if e, ok := c.key.(*ecdsa.PrivateKey); ok {
				der := must(x509.MarshalECPrivateKey(e))
				check("SEC1", false, PEM(block("EC PRIVATE KEY", der)))
				check("SEC1", false, Binary(der))
			}
			open := must(ssh.MarshalPrivateKey(c.key, "somebody@somewhere"))
			check("OpenSSH", false, PEM(pem.EncodeToMemory(open)))
			if k := Binary(open.Bytes); k == nil || k.Comment != "somebody@somewhere" {
				t.Error("OpenSSH: the comment is not read")
			} else if _, said := k.Proof()["comment"]; said {
				t.Error("the comment, which may be personal, is in the proof")
			}
			if c.name == "Ed25519" { // one is enough: the passphrase costs
				closed := must(ssh.MarshalPrivateKeyWithPassphrase(c.key, "c", []byte("long passphrase")))
				k := PEM(pem.EncodeToMemory(closed))
				check("OpenSSH", true, k)
				if k.Cipher != "aes256-ctr" || !strings.HasPrefix(k.KDF, "bcrypt ") {
					t.Errorf("cipher %q, kdf %q", k.Cipher, k.KDF)
				}
			}
			// A bit of the key or of what it is in is wrong: it is no key any more.
			for _, at := range []int{len(der) / 2, len(der) - 9} {
				bad := slices.Clone(der)
				bad[at] ^= 4
				if k := DER(bad); k != nil && k.Fingerprint == c.want.Fingerprint && c.name != "Ed25519" {
					t.Errorf("damaged at %d: still %+v", at, k)
				}
			}
			for n := range der {
				if DER(der[:n]) != nil {
					t.Errorf("cut to %d bytes: still a key", n)
				}
			}
		})
	}
	x := must(ecdh.X25519().GenerateKey(rand.Reader))
	if k := Binary(must(x509.MarshalPKCS8PrivateKey(x))); k == nil || k.Algorithm != "X25519" {
		t.Errorf("X25519: %+v", k)
	}
}

func must2(_ ed25519.PublicKey, k ed25519.PrivateKey, err error) ed25519.PrivateKey {
	return must(k, err)
}

func ec(c elliptic.Curve) *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(c, rand.Reader)) }

func TestLegacyPEM(t *testing.T) {
	//nolint:staticcheck // it is what is to be found
	b := must(x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaTestKey()), []byte("pass"), x509.PEMCipherAES256))
	k := PEM(pem.EncodeToMemory(b))
	if k == nil || !k.Encrypted || k.Cipher != "aes-256-cbc" || k.Algorithm != "RSA" || k.Format != "PKCS#1" {
		t.Errorf("%+v", k)
	}
	b.Bytes = b.Bytes[:len(b.Bytes)-1]
	if PEM(pem.EncodeToMemory(b)) != nil {
		t.Error("half a block of cipher text is believed")
	}
}

func TestAge(t *testing.T) {
	i := must(age.GenerateX25519Identity())
	k := Age([]byte(i.String()))
	if k == nil || k.Public != i.Recipient().String() || k.Encrypted {
		t.Errorf("%+v", k)
	}
	if k := Age([]byte(must(age.GenerateHybridIdentity()).String())); k == nil || k.Algorithm != "X-Wing" {
		t.Errorf("hybrid: %+v", k)
	}
	bad := []byte(i.String())
	bad[40] ^= 1
	if Age(bad) != nil {
		t.Error("a wrong checksum is believed")
	}
}

func TestSigners(t *testing.T) {
	key := must2(ed25519.GenerateKey(rand.Reader))
	id := []byte("\x01\x02\x03\x04\x05\x06\x07\x08")
	sum := blake2b.Sum256(bytes.Join([][]byte{[]byte("Ed"), id, key}, nil))
	mini := bytes.Join([][]byte{[]byte("Ed\x00\x00B2"), make([]byte, 48), id, key, sum[:]}, nil)
	want := sshFingerprint(t, key.Public())
	k := Signer([]byte(base64.StdEncoding.EncodeToString(mini)))
	if k == nil || k.Encrypted || k.Fingerprint != want || k.Public != "807060504030201" {
		t.Errorf("minisign: %+v", k)
	}
	full := sha512.Sum512(key)
	sig := bytes.Join([][]byte{[]byte("EdBK\x00\x00\x00\x00"), make([]byte, 16), full[:8], id, key}, nil)
	k = Signer([]byte(base64.StdEncoding.EncodeToString(sig)))
	if k == nil || k.Encrypted || k.Fingerprint != want {
		t.Errorf("signify: %+v", k)
	}
	mini[125] ^= 1
	sig[50] ^= 1
	for _, bad := range [][]byte{mini, sig} {
		if Signer([]byte(base64.StdEncoding.EncodeToString(bad))) != nil {
			t.Error("a wrong checksum is believed")
		}
	}
}

// What is no key is not taken for one.
func TestNone(t *testing.T) {
	cert := must(x509.MarshalPKIXPublicKey(rsaTestKey().Public()))
	for name, data := range map[string][]byte{
		"public key": cert, "nothing": nil, "a sequence": {0x30, 0x22, 2, 1, 0}, "zeros": make([]byte, 400), "JKS head": []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\xff\xff\xff\xff"),
		"OpenSSH head": append(slices.Clone(opensshMagic), 0xff, 0xff, 0xff, 0xff),
	} {
		if k := Binary(data); k != nil {
			t.Errorf("%s: %+v", name, k)
		}
		if k := PEM(block("PRIVATE KEY", data)); k != nil {
			t.Errorf("%s in armour: %+v", name, k)
		}
	}
	// Numbers that do not belong together.
	k := *rsaTestKey()
	k.Primes = []*big.Int{k.Primes[0], new(big.Int).Add(k.Primes[1], big.NewInt(2))}
	k.Precomputed = rsa.PrecomputedValues{}
	if DER(x509.MarshalPKCS1PrivateKey(&k)) != nil {
		t.Error("primes that do not make up the modulus are believed")
	}
}

func FuzzBinary(f *testing.F) {
	f.Add(must(x509.MarshalPKCS8PrivateKey(ec(elliptic.P256()))))
	f.Add(x509.MarshalPKCS1PrivateKey(rsaTestKey()))
	f.Add([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01"))
	f.Add(must(ssh.MarshalPrivateKey(ec(elliptic.P256()), "c")).Bytes)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, k := range []*Key{Binary(data), DER(data), JKS(data), OpenSSH(data), openPGP(data)} {
			if k != nil && len(k.Proof()) < 2 {
				t.Errorf("says nothing: %+v", k)
			}
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add(block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ec(elliptic.P256())))))
	f.Add([]byte(`{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB","p":"Aw","q":"Aw","dp":"AQ","dq":"AQ","qi":"AQ"}`))
	f.Add([]byte("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 1\nAAAA\nPrivate-MAC: 00\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		PEM(text)
		PuTTY(text)
		Age(text)
		Signer(text)
		JWK(text)
	})
}

// puttyFile writes a PPK file that is not encrypted.
func puttyFile(version, kind, comment string, public, private []byte) []byte {
	h := hmac.New(sha256.New, nil)
	if version == "2" {
		key := sha1.Sum([]byte("putty-private-key-file-mac-key"))
		h = hmac.New(sha1.New, key[:])
	}
	for _, part := range [][]byte{[]byte(kind), []byte("none"), []byte(comment), public, private} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write(part)
	}
	lines := func(data []byte) string {
		var b strings.Builder
		text := base64.StdEncoding.EncodeToString(data)
		fmt.Fprintf(&b, "%d\n", (len(text)+63)/64)
		for ; len(text) > 64; text = text[64:] {
			b.WriteString(text[:64] + "\n")
		}
		return b.String() + text + "\n"
	}
	return fmt.Appendf(nil, "PuTTY-User-Key-File-%s: %s\nEncryption: none\nComment: %s\nPublic-Lines: %sPrivate-Lines: %sPrivate-MAC: %x\n",
		version, kind, comment, lines(public), lines(private), h.Sum(nil))
}

func TestPuTTY(t *testing.T) {
	key := rsaTestKey()
	public := must(ssh.NewPublicKey(key.Public())).Marshal()
	for _, version := range []string{"2", "3"} {
		text := puttyFile(version, "ssh-rsa", "somebody", public, key.D.Bytes())
		for _, form := range [][]byte{text, bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))} {
			k := PuTTY(form)
			if k == nil || k.Format != "PuTTY "+version || k.Bits != 2048 || k.Comment != "somebody" || k.Fingerprint != sshFingerprint(t, key.Public()) {
				t.Errorf("version %s: %+v", version, k)
			}
		}
		if PuTTY(bytes.Replace(text, []byte("somebody"), []byte("nobody"), 1)) != nil || PuTTY(text[:len(text)-60]) != nil {
			t.Errorf("version %s: a wrong checksum is believed", version)
		}
		for _, name := range []string{"Public-Lines", "Private-Lines", "Private-MAC"} {
			if PuTTY(bytes.Replace(text, []byte(name), []byte("Another"), 1)) != nil {
				t.Errorf("version %s: a key without %s is believed", version, name)
			}
		}
		seed := make([]byte, ed25519.SeedSize)
		short := must(ssh.NewPublicKey(ed25519.NewKeyFromSeed(seed).Public())).Marshal()
		if k := PuTTY(puttyFile(version, "ssh-ed25519", "", short, seed)); k == nil || k.Bits != 256 {
			t.Errorf("version %s: a key of one line is not read: %+v", version, k)
		}
		if PuTTY(puttyFile(version, "ssh-ed25519", "", short, nil)) != nil {
			t.Errorf("version %s: a private key of no line is believed", version)
		}
		bare := puttyFile(version, "ssh-rsa", "", public, key.D.Bytes())
		if k := PuTTY(bytes.Replace(bare, []byte("Comment: \n"), nil, 1)); k == nil || k.Comment != "" {
			t.Errorf("version %s: a key without a comment is not read: a header that is missing takes the next", version)
		}
	}
}

// javaStore writes a JKS with one private key and its certificate.
func javaStore(magic uint32, password string, certificate []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, magic)
	block := func(data []byte) { b = append(binary.BigEndian.AppendUint32(b, uint32(len(data))), data...) }
	b = append(b, "\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x05alias\x00\x00\x01\x80\x00\x00\x00\x00"...)
	block(must(asn1.Marshal(struct {
		Algorithm struct {
			ID     asn1.ObjectIdentifier
			Params asn1.RawValue
		}
		Data []byte
	}{struct {
		ID     asn1.ObjectIdentifier
		Params asn1.RawValue
	}{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 42, 2, 17, 1, 1}, asn1.NullRawValue}, make([]byte, 64)})))
	b = append(b, "\x00\x00\x00\x01\x00\x05X.509"...)
	block(certificate)
	h := sha1.New()
	for _, c := range password {
		h.Write([]byte{0, byte(c)})
	}
	h.Write([]byte("Mighty Aphrodite"))
	h.Write(b)
	return h.Sum(b)
}

func TestJavaStores(t *testing.T) {
	key := ec(elliptic.P256())
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	certificate := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	for magic, format := range map[uint32]string{0xfeedfeed: "JKS", 0xcececece: "JCEKS"} {
		for password, isDefault := range map[string]bool{"changeit": true, "long and random": false} {
			data := javaStore(magic, password, certificate)
			k := Binary(data)
			if k == nil || k.Format != format || k.Entries != 1 || !k.Encrypted || k.Default != isDefault || k.Cipher != "jks" || k.Fingerprint != sshFingerprint(t, key.Public()) {
				t.Errorf("%s: %+v", format, k)
			}
			for n := range len(data) - sha1.Size - 1 {
				if JKS(data[:n]) != nil {
					t.Errorf("%s cut to %d bytes: still a store", format, n)
				}
			}
		}
	}
}
