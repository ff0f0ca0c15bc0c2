package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/internal/redact"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

type exportFlags struct {
	format  choice
	expired choice
	version int
	redact  bool
	idKey   string
	keys    keyFlags
}

func newExportCmd(a *app) *cobra.Command {
	f := &exportFlags{}
	cmd := &cobra.Command{
		Use:   "export INPUT",
		Short: "Write keys as JSON, commands, a snapshot or a table",
		Long: `Write the keys of a snapshot or a log: one JSON object a line and key, a JSON
array of them, the commands that give an empty server of the same or a newer
version the same data set, or a snapshot. That of another snapshot has the
same version, and the records of its keys are copied byte for byte; that of a
log is the state at its end, in the version of its base. csv and parquet have
a row an element, each with its key.

The values are written as they are, unless --redact is given: then what scan
finds is replaced, wherever it stands, by placeholders of the same length and
kind, equal secrets by equal ones; what cannot be replaced alone goes with the
string or the key around it. The result is scanned before any of it is
written, and not written if anything is found in it.
`,
		Example: `  valkeyfs export dump.rdb --db 0 --key '^user:' | jq .value
  valkeyfs export dump.rdb --format resp | valkey-cli --pipe
  valkeyfs export dump.rdb --format rdb --key '^order:' -o orders.rdb
  valkeyfs export dump.rdb --format parquet -o keys.parquet
  valkeyfs export dump.rdb --redact --format rdb -o share.rdb
  valkeyfs export appendonlydir --expired without -o keys.jsonl`,
		Args: oneInput,
		RunE: func(cmd *cobra.Command, args []string) error { return runExport(cmd.Context(), a, f, args) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, "jsonl", "json", "resp", "rdb", "csv", "parquet")
	f.expired = oneOf("with", "without", "only")
	fl.Var(&f.expired, "expired", "keys that had expired: `with|without|only`")
	fl.IntVar(&f.version, "rdb-version", oldestLogs, "rdb, of a log that does not begin with a snapshot: write version `N`, 9 to 12 or, for Valkey, 80")
	fl.BoolVar(&f.redact, "redact", false, "replace secrets by placeholders")
	fl.StringVar(&f.idKey, "id-key", "", "derive placeholders from the key in `FILE`, made if it does not exist (default: one in the state directory)")
	f.keys.flags(fl)
	return cmd
}

func runExport(ctx context.Context, a *app, f *exportFlags, args []string) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	resolve := o.Format != export.RESP && o.Format != export.RDB
	limits := keyspace.Limits{}
	if f.redact {
		limits.MaxChunk = redact.MaxChunk
	}
	in, err := a.inputs(ctx, args, source.Options{Resolve: resolve, KeepValue: o.KeepValue, Want: o.Match, Limits: limits})
	if err != nil {
		return err
	}
	defer in.Close()
	u, err := dataSetOf(ctx, in)
	if err != nil {
		return err
	}
	damage := a.damage()
	o.Refused = damage.count
	events := func() (keyspace.Seq, error) { return u.Events(ctx), nil }
	if o.Format == export.RDB {
		o.MaxMem, o.Tmp = int64(a.global.maxMem)/4, in.Tmp()
		events = func() (keyspace.Seq, error) { return a.dataSet(ctx, in, u, f.version) }
		if u.Snapshot() {
			raw, err := u.Logical()
			if err != nil {
				return err
			}
			defer raw.Close()
			o.Raw = raw
		}
	}
	write := export.Run
	if f.redact {
		redacted, err := newRedaction(ctx, a, in, u, f.idKey, events, o.Match)
		if err != nil {
			return err
		}
		defer redacted.close()
		o.Changed, redacted.raw, write = redacted.r.Changed, u.Logical, redacted.export
	}
	return a.result(func(out *output) (int, error) {
		defer a.watch(in.Read, u.Size())()
		seq, err := events()
		if err != nil {
			return 0, err
		}
		if err := write(ctx, damage.say(seq), out, o); err != nil {
			return 0, err
		}
		damage.end()
		return status(false, damage.n > 0), nil
	})
}

// options are those of the export that the flags describe.
func (f *exportFlags) options() (o export.Options, err error) {
	if o.Format, err = export.ParseFormat(f.format.word); err != nil {
		return o, err
	}
	if (f.version < 9 || f.version > 12) && f.version != 80 {
		return o, usagef("--rdb-version: 9 to 12 or 80, not %d", f.version)
	}
	if f.idKey != "" && !f.redact {
		return o, usagef("--id-key is the key of --redact")
	}
	filter, err := f.keys.filter()
	if err != nil {
		return o, err
	}
	switch f.expired.word {
	case "without":
		filter.Expired = export.ExpiredNone
	case "only":
		filter.Expired = export.ExpiredOnly
	}
	if !filter.All() {
		o.Match = filter.Match
	}
	return o, nil
}
