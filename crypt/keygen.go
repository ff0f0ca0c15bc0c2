package crypt

import (
	"crypto/rand"
	"fmt"
	"time"

	"aead.dev/minisign"
	"filippo.io/age"
)

// GenerateIdentity makes a new key. identity is the text of an identity file, as
// age-keygen writes it, and is secret; recipient is public. With pq the key is a
// hybrid of ML-KEM-768 and X25519, which a quantum computer does not break.
func GenerateIdentity(pq bool, now time.Time) (identity []byte, recipient string, err error) {
	var secret string
	if pq {
		id, err := age.GenerateHybridIdentity()
		if err != nil {
			return nil, "", err
		}
		secret, recipient = id.String(), id.Recipient().String()
	} else {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return nil, "", err
		}
		secret, recipient = id.String(), id.Recipient().String()
	}
	return fmt.Appendf(nil, "# created: %s\n# public key: %s\n%s\n", now.UTC().Format(time.RFC3339), recipient, secret), recipient, nil
}

// GenerateSigningKey makes a new minisign key pair, as the two files that
// `minisign -G -W` writes. The secret one is not protected by a passphrase: cron
// has nobody to ask.
func GenerateSigningKey() (secret, public []byte, err error) {
	pub, key, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if secret, err = key.MarshalText(); err != nil {
		return nil, nil, err
	}
	public, err = pub.MarshalText()
	return append(secret, '\n'), append(public, '\n'), err
}
