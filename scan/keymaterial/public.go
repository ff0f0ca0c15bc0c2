package keymaterial

import (
	"crypto/dsa" //nolint:staticcheck // old keys are found, not made
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"math/big"
	"strings"

	"golang.org/x/crypto/ssh"
)

// describePublic says what a public key of the library is; nil if it has no name
// here.
func describePublic(key any) *Key {
	switch p := key.(type) {
	case *rsa.PublicKey:
		if p.N.BitLen() > maxBits {
			return nil
		}
		return &Key{Algorithm: "RSA", Bits: p.N.BitLen(), Fingerprint: fingerprint(wireRSA(p.N, big.NewInt(int64(p.E))))}
	case *dsa.PublicKey:
		return &Key{Algorithm: "DSA", Bits: p.P.BitLen(), Fingerprint: fingerprint(wireDSA(p.P, p.Q, p.G, p.Y))}
	case ed25519.PublicKey:
		return &Key{Algorithm: "Ed25519", Bits: 256, Fingerprint: fingerprint(wireEd25519(p))}
	case *ecdsa.PublicKey:
		k := &Key{Algorithm: "ECDSA " + p.Params().Name, Bits: p.Params().BitSize}
		for _, c := range curves {
			if c.name == p.Params().Name && c.ssh != "" {
				if point, err := p.Bytes(); err == nil {
					k.Fingerprint = fingerprint(wireECDSA(c.ssh, point))
				}
			}
		}
		return k
	}
	return nil
}

// describeWire says what a public key in SSH's encoding is; nil if it is none.
func describeWire(blob []byte) *Key {
	if len(blob) > maxBits/4 {
		return nil
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return nil
	}
	k := &Key{}
	if c, ok := key.(ssh.CryptoPublicKey); ok {
		if known := describePublic(c.CryptoPublicKey()); known != nil {
			k = known
		}
	}
	if strings.HasPrefix(key.Type(), "sk-") {
		k.Algorithm += " on a security key"
	}
	k.Fingerprint = fingerprint(blob)
	return k
}
