package keymaterial

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"filippo.io/age"
	"golang.org/x/crypto/blake2b"
)

// Age reads an identity of age (C2SP age, "X25519", "Hybrid"), whose checksum
// must be right.
func Age(text []byte) *Key {
	if len(text) > maxAge {
		return nil
	}
	if strings.HasPrefix(string(text), "AGE-SECRET-KEY-PQ-1") {
		if _, err := age.ParseHybridIdentity(string(text)); err != nil {
			return nil
		}
		return &Key{Format: "age", Algorithm: "X-Wing"} // its recipient has 2,000 characters
	}
	i, err := age.ParseX25519Identity(string(text))
	if err != nil {
		return nil
	}
	return &Key{Format: "age", Algorithm: "X25519", Bits: 256, Public: i.Recipient().String()}
}

// maxAge is more than an identity has.
const maxAge = 128

// Sizes of the secret keys of minisign (minisign.h, SeckeyStruct) and of
// OpenBSD's signify (signify.c, enckey).
const (
	minisignSize = 158
	signifySize  = 104
)

// Signer reads the line of base64 of a secret key of minisign or signify. Of one
// that is not encrypted the checksum must be right.
func Signer(text []byte) *Key {
	data, err := base64.StdEncoding.DecodeString(string(text[:min(len(text), 2*minisignSize)]))
	switch {
	case err != nil:
		return nil
	case len(data) == minisignSize:
		return minisign(data)
	case len(data) == signifySize:
		return signify(data)
	}
	return nil
}

// minisign: "Ed", "Sc" or zeros, "B2", salt 32, operations 8, memory 8, then the
// key's id 8, the key 64 and the checksum 32, encrypted together.
func minisign(d []byte) *Key {
	if string(d[:2]) != "Ed" || string(d[4:6]) != "B2" {
		return nil
	}
	k := &Key{Format: "minisign", Algorithm: "Ed25519", Bits: 256}
	switch kdf := string(d[2:4]); {
	case kdf == "Sc":
		k.Encrypted = true
		k.KDF = fmt.Sprintf("scrypt %d, %d MiB", binary.LittleEndian.Uint64(d[38:]), binary.LittleEndian.Uint64(d[46:])>>20)
		return k
	case kdf != "\x00\x00":
		return nil
	}
	id, key := d[54:62], d[62:126]
	sum := blake2b.Sum256(bytes.Join([][]byte{d[:2], id, key}, nil))
	if none := make([]byte, len(sum)); !bytes.Equal(sum[:], d[126:]) && !bytes.Equal(none, d[126:]) || !isPair(key) {
		return nil // minisign 0.11 leaves the checksum out
	}
	k.Fingerprint = fingerprint(wireEd25519(key[32:]))
	k.Public = fmt.Sprintf("%X", binary.LittleEndian.Uint64(id)) // as minisign prints it: without leading zeros
	return k
}

// signify: "Ed", "BK", rounds 4, salt 16, checksum 8, the key's id 8, the key 64,
// which is encrypted unless the rounds are none.
func signify(d []byte) *Key {
	if string(d[:4]) != "EdBK" {
		return nil
	}
	rounds := binary.BigEndian.Uint32(d[4:])
	k := &Key{Format: "signify", Algorithm: "Ed25519", Bits: 256, Public: fmt.Sprintf("%x", d[32:40])}
	if rounds > 0 {
		k.Encrypted, k.KDF = true, fmt.Sprintf("bcrypt %d", rounds)
		return k
	}
	key := d[40:]
	if sum := sha512.Sum512(key); !bytes.Equal(sum[:8], d[24:32]) || !isPair(key) {
		return nil
	}
	k.Fingerprint = fingerprint(wireEd25519(key[32:]))
	return k
}

// isPair reports whether the second half of an Ed25519 key is the public half of
// the first.
func isPair(key []byte) bool {
	return bytes.Equal(ed25519.NewKeyFromSeed(key[:ed25519.SeedSize]), key)
}
