package cli

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/salvage"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

type salvageFlags struct {
	format choice
	as     choice
}

func newSalvageCmd(a *app) *cobra.Command {
	f := &salvageFlags{}
	cmd := &cobra.Command{
		Use:   "salvage FILE",
		Short: "Tell what survives in a damaged file, and write a clean one",
		Long: `Read a damaged snapshot or append-only file to its end, tell what of it
survives, what is lost and where, and with -o write what survives into a new
file that a server loads. FILE itself is never changed.

Records that are whole are copied byte for byte. Of a value that is damaged,
what could be had is encoded anew. jsonl writes the keys as export does, each
with its confidence: intact (a checksum vouches for it), unverified (it is whole
and contradicts nothing) or partial; and a line for each damaged range.

The report goes to standard output, whatever -o says.
`,
		Example: `  valkeyfs salvage dump.rdb
  valkeyfs salvage dump.rdb -o clean.rdb && valkey-check-rdb clean.rdb
  valkeyfs salvage dump.rdb.age -i key.txt --format jsonl | jq 'select(.confidence == "partial")'
  valkeyfs salvage headless.bin --as rdb -o clean.rdb`,
		Args: oneInput,
		RunE: func(cmd *cobra.Command, args []string) error { return runSalvage(cmd.Context(), a, f, args[0]) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, "text", "jsonl", "json")
	f.as = oneOf("", "rdb", "aof")
	fl.Var(&f.as, "as", "read FILE as `rdb|aof` (default: what its first bytes say, or what it most looks like)")
	return cmd
}

func runSalvage(ctx context.Context, a *app, f *salvageFlags, path string) error {
	if a.global.output == source.Stdin {
		return usagef("-o: the clean file needs a name, since the report goes to standard output")
	}
	in, err := a.inputs(ctx, []string{path}, source.Options{})
	if err != nil {
		return err
	}
	defer in.Close()
	u, err := f.unit(ctx, in, path)
	if err != nil {
		return a.incomplete(err)
	}
	if err := u.Keep(); err != nil {
		return err
	}
	out := a.standardOutput()
	o := salvage.Options{Names: a.names, MaxMem: int64(a.global.maxMem) / 2, Tmp: in.Tmp()}
	if f.format.word == "jsonl" {
		o.JSONL = out
	}
	return out.finish(func(*output) (int, error) {
		m, c, err := a.salvage(ctx, in, u, o)
		if err != nil {
			return 0, a.incomplete(err)
		}
		switch f.format.word {
		case "json":
			err = salvage.WriteJSON(out, m, c)
		case "text":
			err = salvage.WriteText(out, columns(out.terminal), m, c)
		}
		return status(false, !m.Intact()), err
	})
}

// salvage reads u, and with -o writes what survives.
func (a *app) salvage(ctx context.Context, in *source.Inputs, u *source.Unit, o salvage.Options) (*salvage.Map, *salvage.Cleaned, error) {
	defer a.watch(in.Read, 0)()
	if a.global.output == "" {
		return salvage.Run(ctx, u, o)
	}
	clean, err := createOutput("--output", a.global.output)
	if err != nil {
		return nil, nil, err
	}
	defer clean.discard()
	o.Clean = clean
	m, c, err := salvage.Run(ctx, u, o)
	if err != nil {
		return nil, nil, err
	}
	return m, c, clean.commit()
}

// incomplete is the end of a run in which nothing of the file could be read, if err
// says why.
func (a *app) incomplete(err error) error {
	if !errors.As(err, new(*keyspace.FormatError)) {
		return err
	}
	a.stderr.error(err)
	return exit(exitIncomplete)
}

// unit returns the file to be salvaged.
func (f *salvageFlags) unit(ctx context.Context, in *source.Inputs, path string) (*source.Unit, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, usagef("%s is a directory: salvage takes its files one at a time", safe(path))
	}
	var u *source.Unit
	for x, err := range in.Units(ctx) {
		if err != nil {
			return nil, err
		}
		u = x
		break
	}
	if u == nil {
		return nil, errors.New("no file")
	}
	switch k := u.Kind(); {
	case f.as.word == "rdb":
		u.Assume(source.RDB)
	case f.as.word == "aof":
		u.Assume(source.AOF)
	case k == source.RDB, k == source.AOF:
	case k == source.Manifest:
		return nil, usagef("%s is a manifest: salvage takes the files that it names one at a time", safe(u.Name()))
	case k == source.Sealed, k == source.Empty:
		return nil, u.Files[0].Err
	case k == source.Volume:
		return nil, usagef("%s is a volume: see valkeyfs help carve", safe(u.Name()))
	default:
		guess, err := u.Guess()
		if err != nil {
			return nil, err
		}
		u.Assume(guess)
	}
	return u, nil
}
