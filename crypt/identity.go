package crypt

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
)

// maxIdentityFile bounds what is read of an identity file: as much as
// age.ParseIdentities takes.
const maxIdentityFile = 1 << 24

// sshHeader begins every private key that OpenSSH and OpenSSL write; an age
// identity file never holds it.
var sshHeader = []byte("-----BEGIN")

// ParseIdentities reads one identity file: native age identities, one a line
// with "#" comments between them, or a single SSH private key (RSA or Ed25519,
// as PEM). Keys that a passphrase protects are refused. The result may be
// shared between goroutines.
func ParseIdentities(r io.Reader) ([]age.Identity, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxIdentityFile+1))
	if err != nil {
		return nil, err
	}
	defer clear(data)
	switch {
	case len(data) > maxIdentityFile:
		return nil, errors.New("identity file is longer than 16 MiB")
	case Sniff(data):
		return nil, errors.New("identity file is itself sealed: open it first")
	case bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), sshHeader):
		id, err := agessh.ParseIdentity(data)
		var locked *ssh.PassphraseMissingError
		if errors.As(err, &locked) {
			return nil, errors.New("SSH key is protected by a passphrase: give an unprotected copy")
		}
		if err != nil {
			return nil, fmt.Errorf("SSH key: %w", err)
		}
		return []age.Identity{id}, nil
	}
	return age.ParseIdentities(bytes.NewReader(data))
}
