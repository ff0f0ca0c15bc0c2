package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/crypt"
)

func newEncryptCmd(a *app) *cobra.Command {
	f := &recipientFlags{}
	var format choice
	cmd := &cobra.Command{
		Use:   "encrypt INPUT",
		Short: "Compress and seal a file for recipients",
		Long: `Compress a file with zstd and seal it with age. Everything streams, and the
plaintext is never written to disk. What comes out is an ordinary age file:
"age -d -i KEY | zstd -d" opens it, too.

Whoever holds the identity of one of the recipients can open it; who seals it
cannot, unless he is one of them. With age1pq1… recipients it stays closed to
quantum computers.
` + passageHelp,
		Example: `  valkeyfs encrypt dump.rdb -r age1… -o dump.rdb.zst.age
  valkeyfs encrypt dump.rdb -R recipients.txt -r "$(cat id_ed25519.pub)" -o dump.rdb.zst.age
  ssh db cat /var/lib/valkey/dump.rdb | valkeyfs encrypt - --passphrase -o dump.rdb.zst.age`,
		Args: oneInput,
		RunE: func(cmd *cobra.Command, args []string) error { return runEncrypt(cmd, a, f, &format, args[0]) },
	}
	format.flag(cmd.Flags(), "text", "json")
	f.flags(cmd.Flags())
	f.passphraseFlags(cmd.Flags())
	return cmd
}

func runEncrypt(cmd *cobra.Command, a *app, f *recipientFlags, format *choice, path string) error {
	harden()
	if err := a.partOutcome(format); err != nil {
		return err
	}
	o, texts, err := f.options(a)
	if err != nil {
		return err
	}
	p := &passage{Type: "encrypt", Input: path, Recipients: texts, Passphrase: f.passphrase}
	return a.through(p, format, f.armor, func(dst io.Writer, src io.Reader) error {
		w, err := crypt.Seal(dst, o)
		if err != nil {
			return err
		}
		if err := copyOut(cmd.Context(), w, src); err != nil {
			return err
		}
		return w.Close()
	})
}
