package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/crypt"
)

func newDecryptCmd(a *app) *cobra.Command {
	var format choice
	cmd := &cobra.Command{
		Use:   "decrypt INPUT",
		Short: "Open a sealed file",
		Long: `Open what encrypt, or age with or without zstd, has sealed. An identity is an
age identity file, one that a passphrase protects, or an SSH private key; a
passphrase is asked for on the terminal.

A file that is damaged, cut off or was changed leaves no output: -o FILE
appears only when the last byte has been authenticated. On standard output
what came before is genuine, and the exit status says that it is not all.
` + passageHelp,
		Example: `  valkeyfs decrypt dump.rdb.zst.age -i key.txt -o dump.rdb
  valkeyfs decrypt dump.rdb.zst.age -i ~/.ssh/id_ed25519 | valkeyfs scan -`,
		Args: oneInput,
		RunE: func(cmd *cobra.Command, args []string) error { return runDecrypt(cmd, a, &format, args[0]) },
	}
	format.flag(cmd.Flags(), "text", "json")
	return cmd
}

func runDecrypt(cmd *cobra.Command, a *app, format *choice, path string) error {
	harden()
	if err := a.partOutcome(format); err != nil {
		return err
	}
	ids, err := a.identities(safe(path))
	if err != nil {
		return err
	}
	return a.through(&passage{Type: "decrypt", Input: path}, format, true, func(dst io.Writer, src io.Reader) error {
		plain, err := crypt.Unseal(src, a.global.workers, ids...)
		if err != nil {
			return err
		}
		defer plain.Close()
		return copyOut(cmd.Context(), dst, plain)
	})
}
