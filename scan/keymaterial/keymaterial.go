// Package keymaterial says what private keys are: their format, algorithm and
// size, whether a passphrase guards them, and the fingerprint of their public
// half. It asks nobody for a passphrase and tries none but the defaults of the
// tools that make key stores.
//
// All input is hostile. Every parser here reads within the bytes that it is
// given, allocates no more than a small multiple of them, and does at most one
// operation on a curve; a key that is larger than any in use is refused.
package keymaterial

import (
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strconv"

	"golang.org/x/crypto/ssh"
)

// A Key is what is known of a private key, or of a store of them.
type Key struct {
	Format      string // PKCS#1, PKCS#8, SEC1, DSA, OpenSSH, PuTTY 3, OpenPGP, JWK, age, minisign, signify, JKS, JCEKS, PKCS#12
	Algorithm   string // RSA, ECDSA P-256, Ed25519 …; "" where it is encrypted, too
	Bits        int    // 0: unknown
	Encrypted   bool
	Cipher      string // of what is encrypted
	KDF         string // what makes its key of a passphrase, with its cost
	Fingerprint string // of the public half: as ssh-keygen -l prints it, of OpenPGP as gpg does
	Public      string // the public half itself where that is the usual name of a key: an age recipient, a minisign key id
	Comment     string // may be personal: a name, a host
	Entries     int    // of a store: private and secret keys
	Default     bool   // a default password opens it
}

// Proof describes the key for a report. The comment is not in it.
func (k *Key) Proof() map[string]string {
	p := map[string]string{"format": k.Format, "encrypted": "no"}
	if k.Encrypted {
		p["encrypted"] = "yes"
	}
	for name, v := range map[string]string{"algorithm": k.Algorithm, "cipher": k.Cipher, "kdf": k.KDF, "fingerprint": k.Fingerprint, "public": k.Public} {
		if v != "" {
			p[name] = v
		}
	}
	if k.Bits > 0 {
		p["bits"] = strconv.Itoa(k.Bits)
	}
	if k.Entries > 0 {
		p["entries"] = strconv.Itoa(k.Entries)
	}
	if k.Default {
		p["password"] = "default"
	}
	return p
}

// maxBits is more than the largest key in use has.
const maxBits = 1 << 15

// fingerprint is the SHA-256 of a public key in SSH's encoding, as OpenSSH
// writes it (sshkey.c, sshkey_fingerprint).
func fingerprint(wire []byte) string {
	sum := sha256.Sum256(wire)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// Public keys in SSH's encoding (RFC 4253, 6.6; RFC 5656, 3.1; RFC 8709, 4).

func wireRSA(n, e *big.Int) []byte {
	return ssh.Marshal(struct {
		Name string
		E, N *big.Int
	}{"ssh-rsa", e, n})
}

func wireDSA(p, q, g, y *big.Int) []byte {
	return ssh.Marshal(struct {
		Name       string
		P, Q, G, Y *big.Int
	}{"ssh-dss", p, q, g, y})
}

func wireECDSA(curve string, point []byte) []byte {
	return ssh.Marshal(struct {
		Name, Curve string
		Point       []byte
	}{"ecdsa-sha2-" + curve, curve, point})
}

func wireEd25519(public []byte) []byte {
	return ssh.Marshal(struct {
		Name string
		Key  []byte
	}{"ssh-ed25519", public})
}
