package cli

import (
	"errors"
	"fmt"
	"os"

	"filippo.io/age/plugin"
	"golang.org/x/term"

	"github.com/valkeyfs/valkeyfs/crypt"
)

// ui asks the person at the terminal. Passphrases come from there alone: what
// stands in an argument or the environment, other processes can read.
func (a *app) ui() crypt.UI {
	return crypt.UI{
		Passphrase: a.askPassphrase,
		Plugin:     plugin.NewTerminalUI(a.stderr.printf, a.stderr.printf),
	}
}

// errNoTerminal says that there is nobody to ask.
var errNoTerminal = errors.New("a passphrase is needed, and there is no terminal to ask for it")

func (a *app) askPassphrase(what string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, errNoTerminal
	}
	defer tty.Close()
	if _, err := fmt.Fprintf(tty, "Passphrase of %s: ", what); err != nil {
		return nil, err
	}
	pass, err := term.ReadPassword(int(tty.Fd()))
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintln(tty)
	return pass, err
}

// askNewPassphrase asks twice.
func (a *app) askNewPassphrase() ([]byte, error) {
	first, err := a.askPassphrase("the new file")
	if err != nil {
		return nil, err
	}
	if len(first) == 0 {
		return nil, usagef("an empty passphrase protects nothing")
	}
	again, err := a.askPassphrase("the new file, again")
	if err != nil {
		return nil, err
	}
	defer clear(again)
	if string(first) != string(again) {
		clear(first)
		return nil, usagef("the two passphrases differ")
	}
	return first, nil
}
