package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/backup"
)

type verifySetFlags struct {
	format  choice
	keys    verifyFlags
	dest    destFlags
	maxAge  period
	head    string
	metrics string
	deep    bool
	newest  bool
	server  string
}

func newVerifyCmd(a *app) *cobra.Command {
	f := &verifySetFlags{}
	cmd := &cobra.Command{
		Use:   "verify SET…",
		Short: "Check sealed backups, with a key or without",
		Long: `Check the sets that are named: one, all under a label, or all at a destination.
Without a key: the signature, the hash and the structure of every sealed file,
and the chain of the sets. With -i everything is decrypted, decompressed and
parsed, too, compared with the sealed manifest, and logs are searched for
commands that no server writes. With --deep a server loads a copy, too: an
unprivileged process without network, in a directory under --tmp that holds the
plaintext for as long as it takes; what a killed run left there is removed.

With --newest the newest set of each label is checked so, and of the older ones
the chain alone.

A chain shows that a set in the middle is gone or was replaced. That the newest
sets are gone it cannot show: use --max-age, or --head with the newest set that
you know of; by --max-age a label that has only remains of sets is told, too. And
a signature says which key made a set, not who held the key.

What is wrong is said on standard error, and nothing where nothing is. json and
jsonl have a record a set, with what is wrong with it and its files, one for
what is wrong with a chain, and last the summary. That no identity opens a set is
told so, too.
`,
		Annotations: finds("a signature does not fit, the chain is broken, a set is too old, or a\n     log holds commands that no server writes"),
		Example: `  valkeyfs verify /backup --sign-pub sign.key.pub --max-age 26h
  valkeyfs verify /backup/db1 -i key.txt
  valkeyfs verify /backup --newest --deep -i key.txt
  valkeyfs verify /backup --format jsonl | jq -r 'select(.type == "set" and .ok == false).id'
  valkeyfs verify /backup/db1/20260131T020000.000Z-0123abcd`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no SET is named")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runVerify(cmd.Context(), a, f, args) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, "text", "jsonl", "json")
	f.keys.flags(fl)
	f.dest.flags(fl)
	fl.Var(&f.maxAge, "max-age", "the newest set of each label is not older than this: 26h, 2d")
	fl.StringVar(&f.head, "head", "", "the set `ID` is still there, under one of the labels")
	fl.StringVar(&f.metrics, "metrics", "", "write Prometheus metrics to `FILE.prom` if nothing is wrong")
	fl.BoolVar(&f.deep, "deep", false, "have a server load the set, too; -i is needed")
	fl.BoolVar(&f.newest, "newest", false, "of each label check the newest set alone, and the chain")
	fl.StringVar(&f.server, "server", "", "--deep: use the server `PROGRAM` (default: valkey-server or redis-server)")
	return cmd
}

func runVerify(ctx context.Context, a *app, f *verifySetFlags, locations []string) error {
	if f.deep {
		noCoreDumps()
	} else {
		harden()
	}
	o, err := f.options(a)
	if err != nil {
		return err
	}
	v := &verification{app: a, f: f, o: o}
	for _, l := range locations {
		if err := v.location(ctx, l); err != nil {
			return err
		}
	}
	if v.sets == 0 && !v.violated && !v.damaged {
		return usagef("no set was found")
	}
	if f.head != "" && !v.head {
		v.say([]backup.Problem{{Kind: backup.Broken, What: "the set " + f.head + " is gone"}})
	}
	if err := v.metrics(); err != nil {
		return err
	}
	return v.report()
}

// options say what the sets are checked against.
func (f *verifySetFlags) options(a *app) (o backup.VerifyOptions, err error) {
	if o.Keys, err = f.keys.parse(); err != nil {
		return o, err
	}
	if err := a.placeOutcome(&f.format); err != nil {
		return o, err
	}
	switch {
	case len(a.global.identities) > 0:
		o.Identities, err = a.identities("the set")
	case f.deep:
		err = usagef("--deep: an identity is needed, by -i")
	}
	return o, err
}
