package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/crypt"
)

func newRekeyCmd(a *app) *cobra.Command {
	f := &recipientFlags{}
	var format choice
	cmd := &cobra.Command{
		Use:   "rekey INPUT",
		Short: "Seal a sealed file for other recipients",
		Long: `Open a sealed file and seal it anew, for the recipients that are named and for
nobody else. It streams, and the plaintext is never written to disk; what is
inside stays compressed as it is.

Whoever could open the old file still can: he may have kept a copy of it. When
a key is lost to others, what it could open is lost to them, too: change the
secrets themselves.
` + passageHelp,
		Example: `  valkeyfs rekey dump.rdb.zst.age -i old.txt -r age1pq1… -o dump.new.age
  valkeyfs rekey - -i old.txt -R recipients.txt <old.age >new.age`,
		Args: oneInput,
		RunE: func(cmd *cobra.Command, args []string) error { return runRekey(cmd, a, f, &format, args[0]) },
	}
	format.flag(cmd.Flags(), "text", "json")
	f.flags(cmd.Flags())
	f.passphraseFlags(cmd.Flags())
	cmd.Flags().MarkHidden("level") //nolint:errcheck // the flag exists
	return cmd
}

func runRekey(cmd *cobra.Command, a *app, f *recipientFlags, format *choice, path string) error {
	harden()
	if err := a.partOutcome(format); err != nil {
		return err
	}
	ids, err := a.identities(safe(path))
	if err != nil {
		return err
	}
	o, texts, err := f.options(a)
	if err != nil {
		return err
	}
	p := &passage{Type: "rekey", Input: path, Recipients: texts, Passphrase: f.passphrase}
	err = a.through(p, format, f.armor, func(dst io.Writer, src io.Reader) error {
		return crypt.Reseal(cmd.Context(), dst, src, o, ids...)
	})
	if err == nil {
		a.stderr.printf("former recipients can still open copies of the old file that they kept")
	}
	return err
}
