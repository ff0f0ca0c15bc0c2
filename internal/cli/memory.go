package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/memory"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

type memoryFlags struct {
	format  choice
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
		RunE: func(cmd *cobra.Command, args []string) error { return runMemory(cmd.Context(), a, f, args) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, "text", "csv", "json", "jsonl", "html")
	fl.IntVar(&f.top, "top", memory.DefaultTop, "list the `N` biggest keys and prefixes")
	fl.IntVar(&f.quantum, "quantum", 16, "spacing of small sizes in the server's allocator: `16|8`; 8 where the server came with a jemalloc of its own, as in official images")
	fl.BoolVar(&f.reveal, "reveal", false, "show secrets in names as they are")
	return cmd
}

// maxTop bounds what is listed, which is held in memory.
const maxTop = 100000

func runMemory(ctx context.Context, a *app, f *memoryFlags, args []string) error {
	switch {
	case f.top < 1 || f.top > maxTop:
		return usagef("--top: 1 to %d", maxTop)
	case f.quantum != 8 && f.quantum != 16:
		return usagef("--quantum: 16 or 8, not %d", f.quantum)
	}
	a.reveal(f.reveal)
	return a.study(ctx, args, source.Options{}, func(in *source.Inputs, out *output) (int, error) {
		c, damage := memory.New(a.memoryOptions(f.top, f.quantum)), a.damage()
		sets := 0
		err := a.dataSets(ctx, in, func(_ *source.Unit, seq keyspace.Seq) error {
			sets++
			return c.Add(ctx, damage.say(seq))
		})
		switch {
		case err != nil:
			return 0, err
		case sets == 0:
			return 0, usageError{source.ErrNoDataSet}
		}
		damage.end()
		return status(false, damage.n > 0), f.write(c.Report(), out)
	})
}

func (f *memoryFlags) write(r *memory.Report, out *output) error {
	switch f.format.word {
	case "csv":
		return r.CSV(out)
	case "json":
		return r.JSON(out)
	case "jsonl":
		return r.JSONL(out)
	case "html":
		return r.HTML(out)
	default:
		return r.Text(out)
	}
}

// memoryOptions are those of every count of memory.
func (a *app) memoryOptions(top, quantum int) memory.Options {
	return memory.Options{Top: top, Quantum: quantum, AsOf: a.global.asOf.ms, Name: a.names.Key}
}

// dataSets gives add each data set of the inputs as a server would load it; what
// cannot be read, too.
func (a *app) dataSets(ctx context.Context, in *source.Inputs, add func(*source.Unit, keyspace.Seq) error) error {
	for u, err := range in.Units(ctx) {
		if err != nil {
			return err
		}
		if u.Readable() && (u.Kind().IsText() || u.Files[0].Role != source.NoRole) {
			continue
		}
		seq, err := a.dataSet(ctx, in, u, oldestLogs)
		if err != nil {
			return err
		}
		if err := add(u, seq); err != nil {
			return err
		}
	}
	return nil
}
