package cli

import (
	"bytes"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/crypt"
)

type keygenFlags struct {
	format   choice
	pq, sign bool
}

func newKeygenCmd(a *app) *cobra.Command {
	f := &keygenFlags{}
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key to open backups with, or one to sign them with",
		Long: `Make an identity, which opens what is sealed for its recipient, and print the
recipient. Keep the identity off the host whose data it opens: a backup host
needs the recipient alone. The file is one of age's, as age-keygen writes it.

With --sign make a pair of minisign keys instead: FILE signs on the backup
host, FILE.pub tells anyone whether a backup is what that host has made.

A key is never overwritten.

json says, as one object on standard output, what kind of key it is, where it lies
and its public part; the secret one stands in FILE alone.
`,
		Example: `  valkeyfs keygen --pq -o key.txt
  valkeyfs keygen --sign -o /etc/valkeyfs/sign.key`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runKeygen(a, f) },
	}
	f.format.flag(cmd.Flags(), "text", "json")
	cmd.Flags().BoolVar(&f.pq, "pq", false, "hybrid, post-quantum (age1pq1…), for which age 1.3 is needed")
	cmd.Flags().BoolVar(&f.sign, "sign", false, "a key that signs, of minisign")
	return cmd
}

// madeKey is a key that was made, as JSON. It has no secret in it.
type madeKey struct {
	Type       string `json:"type"` // "key"
	Kind       string `json:"kind"` // x25519, hybrid, minisign
	Path       string `json:"path"` // of the secret part
	Public     string `json:"public"`
	PublicPath string `json:"public_path,omitempty"`
}

func runKeygen(a *app, f *keygenFlags) error {
	harden()
	path := a.global.output
	none := a.global.standardOutput()
	switch {
	case f.pq && f.sign:
		return usagef("--pq and --sign are different keys: minisign has no post-quantum one")
	case f.sign && none:
		return usagef("--sign makes two files: name the secret one by -o")
	case f.sign:
		public, err := makeSigningKey(path)
		if err != nil {
			return err
		}
		return a.tellKey(f, &madeKey{Kind: "minisign", Public: public, PublicPath: a.names.Mask(path + ".pub")})
	}
	if err := a.partOutcome(&f.format); err != nil {
		return err
	}
	identity, recipient, err := crypt.GenerateIdentity(f.pq, time.Now())
	if err != nil {
		return err
	}
	defer clear(identity)
	if none {
		a.stderr.printf("recipient: %s", recipient)
		_, err = a.stdout.Write(identity)
		return err
	}
	if err := writeNew(path, identity, 0o600); err != nil {
		return err
	}
	kind := "x25519"
	if f.pq {
		kind = "hybrid"
	}
	return a.tellKey(f, &madeKey{Kind: kind, Public: recipient})
}

// makeSigningKey writes a pair of keys, and returns the public one.
func makeSigningKey(path string) (string, error) {
	secret, public, err := crypt.GenerateSigningKey()
	if err != nil {
		return "", err
	}
	defer clear(secret)
	if err := writeNew(path, secret, 0o600); err != nil {
		return "", err
	}
	if err := writeNew(path+".pub", public, 0o644); err != nil {
		return "", err
	}
	lines := bytes.Split(bytes.TrimSpace(public), []byte("\n"))
	return string(lines[len(lines)-1]), nil
}

// tellKey says which key was made.
func (a *app) tellKey(f *keygenFlags, k *madeKey) error {
	if f.format.word == "text" {
		_, err := fmt.Fprintln(a.stdout, k.Public)
		return err
	}
	k.Type, k.Path = "key", a.names.Mask(a.global.output)
	return a.outcomeBeside(&f.format, exitOK, k)
}
