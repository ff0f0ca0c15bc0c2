package cli

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

type exportFlags struct {
	format  string
	expired string
	redact  bool
	idKey   string
	keys    keyFlags
}

func newExportCmd(a *app) *cobra.Command {
	f := &exportFlags{}
	cmd := &cobra.Command{
		Use:   "export INPUT",
		Short: "Write keys as JSON, commands or a snapshot",
		Long: `Write the keys of a snapshot or a log: one JSON object a line and key, a JSON
array of them, the commands that give an empty server of the same or a newer
version the same data set, or, of a snapshot, another snapshot of the same
version. What is left out of that, nothing else, is missing in it: the
records of all other keys are copied byte for byte.

The values are written as they are, unless --redact is given: then what scan
finds is replaced, wherever it stands, by placeholders of the same length and
kind, equal secrets by equal ones; what cannot be replaced alone goes with the
string or the key around it. The result is scanned before any of it is
written, and not written if anything is found in it.
`,
		Example: `  valkeyfs export dump.rdb --db 0 --key '^user:' | jq .value
  valkeyfs export dump.rdb --format resp | valkey-cli --pipe
  valkeyfs export dump.rdb --format rdb --key '^order:' -o orders.rdb
  valkeyfs export dump.rdb --redact --format rdb -o share.rdb
  valkeyfs export appendonlydir --expired without -o keys.jsonl`,
		Args: oneInput,
		RunE: func(cmd *cobra.Command, args []string) error { return runExport(cmd, a, f, args) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.format, "format", "jsonl", "write `jsonl|json|resp|rdb`")
	fl.StringVar(&f.expired, "expired", "with", "keys that had expired: `with|without|only`")
	fl.BoolVar(&f.redact, "redact", false, "replace secrets by placeholders")
	fl.StringVar(&f.idKey, "id-key", "", "derive placeholders from the key in `FILE`, made if it does not exist (default: one in the state directory)")
	f.keys.flags(fl)
	return cmd
}

func runExport(cmd *cobra.Command, a *app, f *exportFlags, args []string) error {
	var o export.Options
	var err error
	if o.Format, err = export.ParseFormat(f.format); err != nil {
		return usagef("--format: %v", err)
	}
	filter, err := f.keys.filter()
	if err != nil {
		return err
	}
	switch f.expired {
	case "with":
	case "without":
		filter.Expired = export.ExpiredNone
	case "only":
		filter.Expired = export.ExpiredOnly
	default:
		return usagef("--expired: with, without or only, not %q", f.expired)
	}
	if !filter.All() {
		o.Match = filter.Match
	}
	in, err := a.inputs(cmd.Context(), args, source.Options{Resolve: o.Format != export.RESP, KeepValue: o.KeepValue, Want: o.Match})
	if err != nil {
		return err
	}
	defer in.Close()
	u, err := in.DataSet(cmd.Context())
	if errors.Is(err, source.ErrSeveral) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	damaged := 0
	if o.Format == export.RDB {
		if !u.Snapshot() {
			return usagef("--format rdb: %s is no snapshot", safe(u.Name()))
		}
		raw, err := u.Logical()
		if err != nil {
			return err
		}
		defer raw.Close()
		o.Raw, o.MaxMem, o.Tmp = raw, int64(a.global.maxMem)/4, in.Tmp()
		o.Refused = func(err error) {
			damaged++
			a.stderr.errorf("left out: %v", err)
		}
	}
	var redacted *redaction
	if f.redact {
		if redacted, err = newRedaction(cmd.Context(), a, in, u, f.idKey, o.Match); err != nil {
			return err
		}
		defer redacted.out.Close()
		redacted.options(&o)
	} else if f.idKey != "" {
		return usagef("--id-key is the key of --redact")
	}
	out, err := a.output()
	if err != nil {
		return err
	}
	defer out.discard()
	to := io.Writer(out)
	if a.global.showProgress(a) {
		stop := a.stderr.watch(in.Read, u.Size())
		defer stop()
	}
	events := func(yield func(*keyspace.Event, error) bool) {
		for e, err := range u.Events(cmd.Context()) {
			if err == nil && e.Kind == keyspace.Damage {
				if damaged++; damaged <= maxSaid {
					a.stderr.errorf("%v", e.Err)
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
	seq := keyspace.Seq(events)
	if redacted != nil {
		to, seq = redacted.out, redacted.r.Seq(events)
	}
	if err := export.Run(cmd.Context(), seq, to, o); err != nil {
		return err
	}
	if redacted != nil {
		if err := redacted.release(cmd.Context(), out); err != nil {
			return err
		}
	}
	if damaged > maxSaid {
		a.stderr.errorf("%d more places could not be read", damaged-maxSaid)
	}
	if err := out.commit(); err != nil {
		return err
	}
	return exit(status(false, damaged > 0))
}

// maxSaid is how many places of damage are said one by one on standard error.
const maxSaid = 20
