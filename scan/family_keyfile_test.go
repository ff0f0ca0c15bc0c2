package scan

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
)

// testKey makes a key, its PKCS#8 form and its fingerprint as ssh-keygen -l
// prints it.
func testKey(t testing.TB) (key ed25519.PrivateKey, der []byte, fingerprint string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if der, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key, der, ssh.FingerprintSHA256(public)
}

func TestKeysAreProven(t *testing.T) {
	key, der, fingerprint := testKey(t)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	open, err := ssh.MarshalPrivateKey(key, "ivy@inbox.test")
	if err != nil {
		t.Fatal(err)
	}
	closed, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(der)
	z.Close()
	noise := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(random("noise", 300, alnumAlphabet))}))
	for _, c := range []struct {
		name, value string
		rule        string
		confidence  Confidence
		severity    Severity
		proof       map[string]string
		chain       string
	}{
		{"PEM", text, "private-key", Confirmed, Critical, map[string]string{"format": "PKCS#8", "algorithm": "Ed25519", "bits": "256", "encrypted": "no", "fingerprint": fingerprint}, ""},
		{"escaped", `k="` + strings.ReplaceAll(text, "\n", `\n`) + `"`, "private-key", Confirmed, Critical, map[string]string{"fingerprint": fingerprint}, ""},
		{"armour only", noise, "private-key", Likely, Critical, nil, ""},
		{"OpenSSH", string(pem.EncodeToMemory(open)), "private-key", Confirmed, Critical, map[string]string{"format": "OpenSSH", "fingerprint": fingerprint, "comment": "ivy@inbox.test"}, ""},
		{"OpenSSH, encrypted", string(pem.EncodeToMemory(closed)), "private-key", Confirmed, High, map[string]string{"encrypted": "yes", "cipher": "aes256-ctr", "fingerprint": fingerprint}, ""},
		{"OpenSSH, binary", string(open.Bytes), binaryKey, Confirmed, Critical, map[string]string{"format": "OpenSSH", "fingerprint": fingerprint}, ""},
		{"DER", string(der), binaryKey, Confirmed, Critical, map[string]string{"format": "PKCS#8", "fingerprint": fingerprint}, ""},
		{"DER in base64", base64.StdEncoding.EncodeToString(der), binaryKey, Confirmed, Critical, map[string]string{"fingerprint": fingerprint}, "base64"},
		{"DER in hex", hex.EncodeToString(der), binaryKey, Confirmed, Critical, map[string]string{"fingerprint": fingerprint}, "hex"},
		{"DER in gzip", zipped.String(), binaryKey, Confirmed, Critical, map[string]string{"fingerprint": fingerprint}, "gzip"},
		{"age", "# created\n" + identity.String() + "\n", "age-secret-key", Confirmed, Critical, map[string]string{"public": identity.Recipient().String()}, ""},
	} {
		found := findingsIn(t, "k", c.value)
		if len(found) != 1 {
			t.Errorf("%s: found %s", c.name, brief(found))
			continue
		}
		f := found[0]
		if f.Rule != c.rule || f.Confidence != c.confidence || f.Severity != c.severity || strings.Join(f.Chain, ">") != c.chain || f.Category != PrivateKey {
			t.Errorf("%s: %s, %s, %s, %v", c.name, f.Rule, f.Confidence, f.Severity, f.Chain)
		}
		for k, want := range c.proof {
			if f.Proof[k] != want {
				t.Errorf("%s: proof %s is %q, want %q", c.name, k, f.Proof[k], want)
			}
		}
		if c.proof == nil && f.Proof != nil {
			t.Errorf("%s: proof %v", c.name, f.Proof)
		}
	}
}

// The comment of a key is somebody's name: it is masked.
func TestKeyCommentIsMasked(t *testing.T) {
	key, _, _ := testKey(t)
	open, err := ssh.MarshalPrivateKey(key, "ivy@inbox.test")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Workers: 1, IDKey: []byte("k"), Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	found, _ := scanAll(t, s, stringKey("k", string(pem.EncodeToMemory(open))))
	if len(found) != 1 || found[0].Proof["comment"] != "**** (12-15)" || found[0].Plain().Proof["comment"] != "ivy@inbox.test" {
		t.Errorf("found %s, comment %q", brief(found), found[0].Proof["comment"])
	}
}

// However many keys a value holds, few are read: each costs a curve operation.
func TestKeysAreReadWithinTheBudget(t *testing.T) {
	_, der, _ := testKey(t)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	found := findingsIn(t, "k", strings.Repeat(text, 100))
	proven := 0
	for _, f := range found {
		if f.Proof != nil {
			proven++
		}
	}
	if len(found) != 100 || proven != maxProofs {
		t.Errorf("%d found, %d read", len(found), proven)
	}
	binary := findingsIn(t, "k", "["+strings.Repeat(`"`+base64.StdEncoding.EncodeToString(der)+`",`, 99)+`1]`)
	if len(binary) != 99 || binary[0].Confidence != Confirmed || binary[98].Confidence != Likely {
		t.Errorf("in binary: %d found", len(binary))
	}
}

// A key may end in what ends lines: one in 256 does, also past the budget.
func TestKeyEndsInALineEnd(t *testing.T) {
	seed := make([]byte, ed25519.SeedSize)
	seed[len(seed)-1] = '\n'
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	const keys = maxProofs + 3
	text := `"` + base64.StdEncoding.EncodeToString(der) + `"`
	if found := findingsIn(t, "k", "["+strings.Repeat(text+",", keys-1)+text+"]"); len(found) != keys {
		t.Errorf("%d of %d found", len(found), keys)
	}
}

// What only looks like a binary key is none.
func TestNoBinaryKey(t *testing.T) {
	_, der, _ := testKey(t)
	for name, value := range map[string]string{
		"number": "0123456789012345", "cut short": string(der[:40]), "more behind it": string(der) + "x", "a word": "openssh-key-v1 is a format",
		"a sequence": "\x30\x10\x02\x01\x00\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
	} {
		if found := findingsIn(t, "k", value); len(found) > 0 {
			t.Errorf("%s: found %s", name, brief(found))
		}
	}
}

func TestPuTTYKey(t *testing.T) {
	key, _, fingerprint := testKey(t)
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	parts := [][]byte{[]byte("ssh-ed25519"), []byte("none"), []byte("c"), public.Marshal(), key.Seed()}
	h := hmac.New(sha256.New, nil)
	for _, p := range parts {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p))))
		h.Write(p)
	}
	text := base64.StdEncoding.EncodeToString(parts[3])
	file := fmt.Sprintf("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: c\nPublic-Lines: 2\n%s\n%s\nPrivate-Lines: 1\n%s\nPrivate-MAC: %x",
		text[:64], text[64:], base64.StdEncoding.EncodeToString(parts[4]), h.Sum(nil))
	for name, value := range map[string]string{"alone": file, "in JSON": jsonText(object{"key": file}), "escaped": "KEY=" + strings.ReplaceAll(file, "\n", `\n`), "in text": "x\n" + file + "\nmore"} {
		found := findingsIn(t, "k", value)
		if len(found) != 1 || found[0].Rule != "private-key-putty" || found[0].Secret != file || found[0].Confidence != Confirmed || found[0].Proof["fingerprint"] != fingerprint {
			t.Errorf("%s: found %s", name, brief(found))
		}
	}
	broken := findingsIn(t, "k", strings.Replace(file, "Comment: c", "Comment: d", 1))
	if len(broken) != 1 || broken[0].Confidence != Likely || broken[0].Proof != nil {
		t.Errorf("a wrong checksum: found %s", brief(broken))
	}
}

func TestDataProtectionProof(t *testing.T) {
	id := "5ba6a9d4-37ee-4e5e-9b8c-2f3c7b6c2a11"
	value := `<key id="` + id + `" version="1"><descriptor><encryption algorithm="AES_256_CBC" /><validation algorithm="HMACSHA256" /><masterKey><value>` +
		base64.StdEncoding.EncodeToString([]byte(random("dpk", 64, alnumAlphabet))) + `</value></masterKey></descriptor></key>`
	found := findingsIn(t, "DataProtection-Keys", value)
	if len(found) != 1 {
		t.Fatalf("found %s", brief(found))
	}
	for k, want := range map[string]string{"bits": "512", "cipher": "AES_256_CBC", "mac": "HMACSHA256", "id": id, "encrypted": "no"} {
		if found[0].Proof[k] != want {
			t.Errorf("%s: %q, want %q", k, found[0].Proof[k], want)
		}
	}
}
