package fleet

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/valkeyfs/valkeyfs/internal/sweep"
)

// Names say what paths, owners and instances are called in the database: what they
// are, unless a secret stands in one or it is no text. Then it is masked, an id
// tells it from others, and the path is kept sealed for the workers. Id and seal
// are made with the key that ids of findings are derived from. A nil *Names masks
// nothing.
type Names struct {
	Mask *sweep.Names
	Key  func() (key []byte, id string, err error) // called when one is needed; id tells keys apart
}

// called returns what a name is called in the database.
func (n *Names) called(name string) (string, error) {
	if n == nil {
		return name, nil
	}
	masked := n.Mask.Mask(name)
	if masked == name && utf8.ValidString(name) {
		return name, nil
	}
	sum, err := n.derive("name " + name)
	if err != nil {
		return "", err
	}
	return strings.ToValidUTF8(masked, "\ufffd") + "#" + strings.ToLower(base32.StdEncoding.EncodeToString(sum)[:15]), nil
}

// prefix returns what all names begin with that begin with p and are not sealed.
func (n *Names) prefix(p string) (string, error) {
	called, err := n.called(p)
	if called != p { // it holds a secret, and so do those that begin with it
		called = ""
	}
	return called, err
}

// derive returns what only those can compute who have the key.
func (n *Names) derive(what string) ([]byte, error) {
	key, _, err := n.Key()
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte("valkeyfs fleet " + what))
	return h.Sum(nil), nil
}

func (n *Names) cipher() (cipher.AEAD, error) {
	key, err := n.derive("seal")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// sealed returns what has to be kept of a path beside what it is called: nothing,
// if that is the path.
func (n *Names) sealed(path, called string) (string, error) {
	if path == called {
		return "", nil
	}
	c, err := n.cipher()
	if err != nil {
		return "", err
	}
	nonce := make([]byte, c.NonceSize(), c.NonceSize()+len(path)+c.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(c.Seal(nonce, nonce, []byte(path), []byte(called))), nil
}

// path undoes called and sealed.
func (n *Names) path(called, sealed string) (string, error) {
	if sealed == "" {
		return called, nil
	}
	c, err := n.cipher()
	if err != nil {
		return "", err
	}
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err == nil && len(b) < c.NonceSize() {
		err = fmt.Errorf("%d bytes", len(b))
	}
	if err == nil {
		b, err = c.Open(nil, b[:c.NonceSize()], b[c.NonceSize():], []byte(called))
	}
	if err != nil {
		return "", fmt.Errorf("its sealed path: %w", err)
	}
	return string(b), nil
}
