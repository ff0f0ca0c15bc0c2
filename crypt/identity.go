package crypt

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/plugin"
	"golang.org/x/crypto/ssh"
)

// maxIdentityFile bounds what is read of an identity file: as much as
// age.ParseIdentities takes.
const maxIdentityFile = 1 << 24

// sshHeader begins every private key that OpenSSH and OpenSSL write; an age
// identity file never holds it.
var sshHeader = []byte("-----BEGIN")

// UI asks a person. The zero UI has nobody to ask: what a passphrase protects is
// then refused, and plugins cannot talk.
type UI struct {
	// Passphrase asks for a passphrase and returns it; what tells which. It may be
	// called from any goroutine.
	Passphrase func(what string) ([]byte, error)
	// Plugin lets age's plugins talk.
	Plugin *plugin.ClientUI
}

func (ui UI) plugin() *plugin.ClientUI {
	if ui.Plugin != nil {
		return ui.Plugin
	}
	none := errors.New("there is nobody to ask")
	return &plugin.ClientUI{
		DisplayMessage: func(string, string) error { return nil },
		RequestValue:   func(string, string, bool) (string, error) { return "", none },
		Confirm:        func(string, string, string, string) (bool, error) { return false, none },
		WaitTimer:      func(string) {},
	}
}

// ParseIdentities reads one identity file: native age identities, one a line
// with "#" comments between them, or a single SSH private key (RSA or Ed25519,
// as PEM). Keys that a passphrase protects are refused. The result may be
// shared between goroutines.
func ParseIdentities(r io.Reader) ([]age.Identity, error) { return UI{}.ParseIdentities(r) }

// ParseIdentities reads one identity file, as the function of that name, and asks
// for the passphrase of one that has one.
func (ui UI) ParseIdentities(r io.Reader) ([]age.Identity, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxIdentityFile+1))
	if err != nil {
		return nil, err
	}
	defer clear(data)
	switch {
	case len(data) > maxIdentityFile:
		return nil, errors.New("identity file is longer than 16 MiB")
	case Sniff(data) && ui.Passphrase == nil:
		return nil, errors.New("identity file is itself sealed: open it first")
	case Sniff(data):
		plain, err := Open(bytes.NewReader(data), ui.PassphraseIdentity("the identity file"))
		if err != nil {
			return nil, err
		}
		return UI{Plugin: ui.Plugin}.ParseIdentities(plain)
	case bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), sshHeader):
		id, err := ui.parseSSH(data)
		if err != nil {
			return nil, err
		}
		return []age.Identity{id}, nil
	}
	ids, err := eachLine(bufio.NewScanner(bytes.NewReader(data)), ui.parseIdentity)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, errors.New("there is no identity in it")
	}
	return ids, nil
}

func (ui UI) parseIdentity(line string) (id age.Identity, err error) {
	switch {
	case strings.HasPrefix(line, "AGE-PLUGIN-"):
		id, err = plugin.NewIdentity(line, ui.plugin())
	case strings.HasPrefix(line, "AGE-SECRET-KEY-1"):
		id, err = age.ParseX25519Identity(line)
	case strings.HasPrefix(line, "AGE-SECRET-KEY-PQ-1"):
		id, err = age.ParseHybridIdentity(line)
	default:
		return nil, errors.New("no identity: AGE-SECRET-KEY-… or AGE-PLUGIN-… is expected")
	}
	if err != nil { // the libraries' errors may quote what they read
		return nil, errors.New("a malformed identity")
	}
	return id, nil
}

func (ui UI) parseSSH(data []byte) (age.Identity, error) {
	id, err := agessh.ParseIdentity(data)
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return id, nil
	case !errors.As(err, &locked):
		return nil, fmt.Errorf("SSH key: %w", err)
	case ui.Passphrase == nil || locked.PublicKey == nil:
		return nil, errors.New("SSH key is protected by a passphrase: give an unprotected copy")
	}
	return agessh.NewEncryptedSSHIdentity(locked.PublicKey, bytes.Clone(data), func() ([]byte, error) {
		pass, err := ui.Passphrase("the SSH key")
		if err != nil {
			return nil, &askError{err}
		}
		return pass, nil
	})
}

// PassphraseIdentity opens what is sealed with a passphrase; it asks when it
// meets such a file, once. what tells the person which file.
func (ui UI) PassphraseIdentity(what string) age.Identity { return &asking{ui: ui, what: what} }

type asking struct {
	ui   UI
	what string
	id   *age.ScryptIdentity
}

// Unwrap implements [age.Identity].
func (a *asking) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != "scrypt" || a.ui.Passphrase == nil {
		return nil, age.ErrIncorrectIdentity
	}
	if a.id == nil {
		pass, err := a.ui.Passphrase(a.what)
		if err != nil {
			return nil, &askError{err}
		}
		defer clear(pass)
		if a.id, err = age.NewScryptIdentity(string(pass)); err != nil {
			return nil, &askError{err}
		}
	}
	return a.id.Unwrap(stanzas)
}

// askError is an error of asking, which is passed on as it is.
type askError struct{ error }

func (e *askError) Unwrap() error { return e.error }
