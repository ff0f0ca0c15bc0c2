package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/inspect"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

type inspectFlags struct {
	format choice
	hash   bool
}

func newInspectCmd(a *app) *cobra.Command {
	f := &inspectFlags{}
	cmd := &cobra.Command{
		Use:   "inspect INPUT…",
		Short: "Tell what a file holds, and whether it is intact",
		Long: `Tell what snapshots and logs hold: header and versions, aux fields, the
verdict of the checksum, keys by database, type and encoding, functions,
modules, commands by name, what a manifest names, and which bytes could not be
understood. Every value is decoded and every byte of the checksum is verified.

Damage is where a file cannot be understood, where its checksum fails, where
it ends too early and where bytes follow its end. What of the file can be read
is counted all the same.
`,
		Example: `  valkeyfs inspect dump.rdb
  valkeyfs inspect /var/lib/valkey --format jsonl
  valkeyfs inspect appendonlydir && echo intact`,
		Args: someInputs,
		RunE: func(cmd *cobra.Command, args []string) error { return runInspect(cmd.Context(), a, f, args) },
	}
	f.format.flag(cmd.Flags(), "text", "json", "jsonl")
	cmd.Flags().BoolVar(&f.hash, "sha256", false, "compute the SHA-256 of each file")
	return cmd
}

func runInspect(ctx context.Context, a *app, f *inspectFlags, args []string) error {
	return a.study(ctx, args, source.Options{Hash: f.hash}, func(in *source.Inputs, out *output) (int, error) {
		sum, err := inspect.Run(ctx, in, f.writer(out), a.names)
		if err != nil {
			return 0, err
		}
		return status(false, !sum.Complete), nil
	})
}

func (f *inspectFlags) writer(out *output) inspect.Writer {
	switch f.format.word {
	case "json":
		return inspect.NewJSON(out)
	case "jsonl":
		return inspect.NewJSONL(out)
	default:
		return inspect.NewText(out, columns(out.terminal))
	}
}
