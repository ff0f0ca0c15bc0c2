package cli

import (
	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/memory"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

type memoryFlags struct {
	format  string
	top     int
	quantum int
	reveal  bool
}

func newMemoryCmd(a *app) *cobra.Command {
	f := &memoryFlags{}
	cmd := &cobra.Command{
		Use:   "memory INPUT…",
		Short: "Tell what takes a server's memory",
		Long: `Estimate what the keys of snapshots and logs take in the memory of the server
that wrote them: by type, encoding, database, time to live, time since anybody
asked for them, by prefixes of their names, and the biggest one by one.

A key counts as MEMORY USAGE counts it. Prefixes are counted in bounded
memory: where there are very many, a number may be too large, and what it is
at least is said.
`,
		Example: `  valkeyfs memory dump.rdb
  valkeyfs memory dump.rdb --format html -o memory.html
  valkeyfs memory /backup/*.rdb --top 100 --format csv`,
		Args: someInputs,
		RunE: func(cmd *cobra.Command, args []string) error { return runMemory(cmd, a, f, args) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.format, "format", "text", "write `text|csv|json|jsonl|html`")
	fl.IntVar(&f.top, "top", memory.DefaultTop, "list the `N` biggest keys and prefixes")
	fl.IntVar(&f.quantum, "quantum", 16, "spacing of small sizes in the server's allocator: `16|8`; 8 where the server came with a jemalloc of its own, as in official images")
	fl.BoolVar(&f.reveal, "reveal", false, "show secrets in names as they are")
	return cmd
}

func runMemory(cmd *cobra.Command, a *app, f *memoryFlags, args []string) error {
	var write func(r *memory.Report, out *output) error
	switch f.format {
	case "text":
		write = func(r *memory.Report, out *output) error { return r.Text(out) }
	case "csv":
		write = func(r *memory.Report, out *output) error { return r.CSV(out) }
	case "json":
		write = func(r *memory.Report, out *output) error { return r.JSON(out) }
	case "jsonl":
		write = func(r *memory.Report, out *output) error { return r.JSONL(out) }
	case "html":
		write = func(r *memory.Report, out *output) error { return r.HTML(out) }
	default:
		return usagef("--format: text, csv, json, jsonl or html, not %q", f.format)
	}
	switch {
	case f.top < 1 || f.top > maxTop:
		return usagef("--top: 1 to %d", maxTop)
	case f.quantum != 8 && f.quantum != 16:
		return usagef("--quantum: 16 or 8, not %d", f.quantum)
	}
	ctx := cmd.Context()
	in, err := a.inputs(ctx, args, source.Options{})
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := a.output()
	if err != nil {
		return err
	}
	defer out.discard()
	o := memory.Options{Top: f.top, Quantum: f.quantum, AsOf: a.global.asOf.ms}
	if !f.reveal {
		o.Name = a.names.Key
	}
	c := memory.New(o)
	if a.global.showProgress(a) {
		stop := a.stderr.watch(in.Read, 0)
		defer stop()
	}
	damage := a.damage()
	for u, err := range in.Units(ctx) {
		if err != nil {
			return err
		}
		var seq keyspace.Seq
		switch {
		case u.Readable() && (u.Kind().IsText() || u.Files[0].Role != source.NoRole):
			continue
		default:
			if seq, err = a.dataSet(ctx, in, u, oldestLogs); err != nil {
				return err
			}
		}
		if err := c.Add(ctx, damage.say(seq)); err != nil {
			return err
		}
	}
	damage.end()
	if err := write(c.Report(), out); err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	return exit(status(false, damage.n > 0))
}

// maxTop bounds what is listed, which is held in memory.
const maxTop = 100000
