package cli

import (
	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/inspect"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

type inspectFlags struct {
	format string
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
		RunE: func(cmd *cobra.Command, args []string) error { return runInspect(cmd, a, f, args) },
	}
	cmd.Flags().StringVar(&f.format, "format", "text", "write `text|json|jsonl`")
	cmd.Flags().BoolVar(&f.hash, "sha256", false, "compute the SHA-256 of each file")
	return cmd
}

func runInspect(cmd *cobra.Command, a *app, f *inspectFlags, args []string) error {
	var open func(out *output) inspect.Writer
	switch f.format {
	case "text":
		open = func(out *output) inspect.Writer { return inspect.NewText(out, columns(out.terminal)) }
	case "json":
		open = func(out *output) inspect.Writer { return inspect.NewJSON(out) }
	case "jsonl":
		open = func(out *output) inspect.Writer { return inspect.NewJSONL(out) }
	default:
		return usagef("--format: text, json or jsonl, not %q", f.format)
	}
	in, err := a.inputs(cmd.Context(), args, source.Options{Hash: f.hash})
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := a.output()
	if err != nil {
		return err
	}
	defer out.discard()
	if a.global.showProgress(a) {
		stop := a.stderr.watch(in.Read, 0)
		defer stop()
	}
	sum, err := inspect.Run(cmd.Context(), in, open(out), a.names)
	if err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	return exit(status(false, !sum.Complete))
}
