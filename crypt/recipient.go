package crypt

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/plugin"
	"filippo.io/age/tag"
)

const (
	// maxRecipientFile and maxRecipientLine bound a recipient file; sshd takes no
	// longer line either (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
	maxRecipientFile = 16 << 20
	maxRecipientLine = 8 << 10
)

// ParseRecipient reads one recipient: age1… (X25519), age1pq1… (hybrid,
// post-quantum), age1tag1… and age1tagpq1… (hardware keys), age1NAME1… (a
// plugin), or an SSH public key, RSA or Ed25519.
func ParseRecipient(s string, ui UI) (age.Recipient, error) {
	var r age.Recipient
	var err error
	switch {
	case strings.HasPrefix(s, "AGE-"):
		return nil, errors.New("that is an identity, which is secret: its recipient is needed")
	case strings.HasPrefix(s, "age1tag1"), strings.HasPrefix(s, "age1tagpq1"):
		r, err = tag.ParseRecipient(s)
	case strings.HasPrefix(s, "age1pq1"):
		r, err = age.ParseHybridRecipient(s)
	case strings.HasPrefix(s, "age1") && strings.Count(s, "1") > 1:
		r, err = plugin.NewRecipient(s, ui.plugin())
	case strings.HasPrefix(s, "age1"):
		r, err = age.ParseX25519Recipient(s)
	case strings.HasPrefix(s, "ssh-"):
		if r, err = agessh.ParseRecipient(s); err == nil {
			r = &sshRecipient{r, s}
		}
	default:
		return nil, errors.New("no recipient: age1…, or an SSH public key, is expected")
	}
	if err != nil { // the libraries' errors quote what they read
		return nil, errors.New("a malformed recipient")
	}
	return r, nil
}

// sshRecipient is a recipient that knows the public key it was made of, as others do.
type sshRecipient struct {
	age.Recipient
	line string
}

// String is the key without its comment.
func (r *sshRecipient) String() string {
	fields := strings.Fields(r.line)
	return strings.Join(fields[:min(len(fields), 2)], " ")
}

// ParseRecipients reads a recipient file: one a line, with "#" comments between
// them.
func ParseRecipients(r io.Reader, ui UI) ([]age.Recipient, error) {
	lines := bufio.NewScanner(io.LimitReader(r, maxRecipientFile))
	lines.Buffer(nil, maxRecipientLine)
	all, err := eachLine(lines, func(line string) (age.Recipient, error) { return ParseRecipient(line, ui) })
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("there is no recipient in it")
	}
	return all, nil
}

// eachLine parses each line that is neither empty nor a comment.
func eachLine[T any](lines *bufio.Scanner, parse func(string) (T, error)) (all []T, err error) {
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		one, err := parse(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		all = append(all, one)
	}
	return all, lines.Err()
}

// PassphraseRecipient seals for whoever knows the passphrase (scrypt). It stands
// alone: age allows no other recipient beside it.
func PassphraseRecipient(passphrase []byte) (age.Recipient, error) {
	return age.NewScryptRecipient(string(passphrase))
}
