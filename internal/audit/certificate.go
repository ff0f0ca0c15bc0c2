package audit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// readCertificate returns the first certificate of a PEM file, which is the one
// that a server shows.
func readCertificate(fs *hostfs.FS, name string) (*x509.Certificate, error) {
	data, err := fs.ReadFile(name, maxText)
	if err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, errors.New("no certificate in it")
		}
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
}

// errSealedKey is a private key that a passphrase protects.
var errSealedKey = errors.New("protected by a passphrase")

// readPublicKey returns the public half of a PEM file's private key.
func readPublicKey(fs *hostfs.FS, name string) (crypto.PublicKey, error) {
	data, err := fs.ReadFile(name, maxText)
	if err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, errors.New("no private key in it")
		}
		var key any
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" { // RFC 1421
				return nil, errSealedKey
			}
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				return nil, errSealedKey
			}
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, errSealedKey
		default:
			continue
		}
		if err != nil {
			return nil, errors.New("the private key cannot be understood")
		}
		if s, ok := key.(crypto.Signer); ok {
			return s.Public(), nil
		}
		return nil, errors.New("a private key of an unknown kind")
	}
}

// same reports whether two public keys are equal.
func same(a, b crypto.PublicKey) bool {
	switch k := a.(type) {
	case *rsa.PublicKey:
		return k.Equal(b)
	case *ecdsa.PublicKey:
		return k.Equal(b)
	case ed25519.PublicKey:
		return k.Equal(b)
	}
	return false
}
