package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

type keygenFlags struct{ pq, sign bool }

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
`,
		Example: `  valkeyfs keygen --pq -o key.txt
  valkeyfs keygen --sign -o /etc/valkeyfs/sign.key`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runKeygen(a, f) },
	}
	cmd.Flags().BoolVar(&f.pq, "pq", false, "hybrid, post-quantum (age1pq1…), for which age 1.3 is needed")
	cmd.Flags().BoolVar(&f.sign, "sign", false, "a key that signs, of minisign")
	return cmd
}

func runKeygen(a *app, f *keygenFlags) error {
	harden()
	path := a.global.output
	switch {
	case f.pq && f.sign:
		return usagef("--pq and --sign are different keys: minisign has no post-quantum one")
	case f.sign && (path == "" || path == source.Stdin):
		return usagef("--sign makes two files: name the secret one by -o")
	case f.sign:
		secret, public, err := crypt.GenerateSigningKey()
		if err != nil {
			return err
		}
		defer clear(secret)
		if err := writeNew(path, secret, 0o600); err != nil {
			return err
		}
		if err := writeNew(path+".pub", public, 0o644); err != nil {
			return err
		}
		lines := bytes.Split(bytes.TrimSpace(public), []byte("\n"))
		_, err = fmt.Fprintf(a.stdout, "%s\n", lines[len(lines)-1])
		return err
	}
	identity, recipient, err := crypt.GenerateIdentity(f.pq, time.Now())
	if err != nil {
		return err
	}
	defer clear(identity)
	if path == "" || path == source.Stdin {
		a.stderr.printf("recipient: %s", recipient)
		_, err = a.stdout.Write(identity)
		return err
	}
	if err := writeNew(path, identity, 0o600); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.stdout, recipient)
	return err
}

// writeNew writes a file that must not exist, and lets it reach the disk.
func writeNew(path string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(path)
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
