package crypt

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"aead.dev/minisign"
)

// A SigningKey signs what a host makes.
type SigningKey struct{ key minisign.PrivateKey }

// A VerifyingKey tells whether a signature is that of its signing key.
type VerifyingKey struct{ key minisign.PublicKey }

// ErrSignature says that a signature is missing, malformed, of another key, or
// that what it signs was changed.
var ErrSignature = errors.New("the signature does not fit")

// maxKeyFile bounds the files of minisign, which take some hundred bytes.
const maxKeyFile = 64 << 10

// ParseSigningKey reads a secret key file of minisign. ui is asked for the
// passphrase of one that has one.
func ParseSigningKey(r io.Reader, ui UI) (*SigningKey, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxKeyFile))
	if err != nil {
		return nil, err
	}
	defer clear(text)
	s := &SigningKey{}
	if !minisign.IsEncrypted(text) {
		if err := s.key.UnmarshalText(text); err != nil {
			return nil, errors.New("not a secret key of minisign")
		}
		return s, nil
	}
	if ui.Passphrase == nil {
		return nil, errors.New("the signing key is protected by a passphrase, and there is nobody to ask")
	}
	pass, err := ui.Passphrase("the signing key")
	if err != nil {
		return nil, err
	}
	defer clear(pass)
	if s.key, err = minisign.DecryptKey(string(pass), text); err != nil {
		return nil, errors.New("the passphrase does not open the signing key")
	}
	return s, nil
}

// ParseVerifyingKey reads a public key of minisign: its file, or the one line of
// base64 in it.
func ParseVerifyingKey(text []byte) (*VerifyingKey, error) {
	v := &VerifyingKey{}
	if len(text) > maxKeyFile || v.key.UnmarshalText(text) != nil {
		return nil, errors.New("not a public key of minisign")
	}
	return v, nil
}

// Public returns the key that verifies what s signs.
func (s *SigningKey) Public() *VerifyingKey {
	key, _ := s.key.Public().(minisign.PublicKey)
	return &VerifyingKey{key}
}

// Sign returns the signature file of message, as `minisign -Sm` writes it. The
// trusted comment is signed with it.
func (s *SigningKey) Sign(message []byte, trusted string) []byte {
	return minisign.SignWithComments(s.key, message, trusted, "signature by valkeyfs")
}

// ID names the key as minisign prints it: up to 16 hexadecimal digits, without zeros
// before them.
func (v *VerifyingKey) ID() string { return fmt.Sprintf("%X", v.key.ID()) }

// Verify checks the signature file of message, or returns [ErrSignature]. The file
// has to be written in the one way that minisign writes it: bits that base64
// does not use would otherwise be free to change.
func (v *VerifyingKey) Verify(message, signature []byte) error {
	var s minisign.Signature
	if len(signature) > maxKeyFile || s.UnmarshalText(signature) != nil {
		return ErrSignature
	}
	if text, err := s.MarshalText(); err != nil || !bytes.Equal(bytes.TrimRight(text, "\n"), bytes.TrimRight(signature, "\n")) {
		return ErrSignature
	}
	if !minisign.Verify(v.key, message, signature) {
		return ErrSignature
	}
	return nil
}
