package cli

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/report"
)

type verifySetFlags struct {
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
you know of. And a signature says which key made a set, not who held the key.
`,
		Annotations: finds("a signature does not fit, the chain is broken, a set is too old, or a\n     log holds commands that no server writes"),
		Example: `  valkeyfs verify /backup --sign-pub sign.key.pub --max-age 26h
  valkeyfs verify /backup/db1 -i key.txt
  valkeyfs verify /backup --newest --deep -i key.txt
  valkeyfs verify /backup/db1/20260131T020000.000Z-0123abcd`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no SET is named")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runVerify(cmd, a, f, args) },
	}
	fl := cmd.Flags()
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

func runVerify(cmd *cobra.Command, a *app, f *verifySetFlags, locations []string) error {
	if f.deep {
		noCoreDumps()
	} else {
		harden()
	}
	keys, err := f.keys.parse()
	if err != nil {
		return err
	}
	o := backup.VerifyOptions{Keys: keys}
	if len(a.global.identities) > 0 {
		if o.Identities, err = a.identities("the set"); err != nil {
			return err
		}
	}
	if f.deep && len(a.global.identities) == 0 {
		return usagef("--deep: an identity is needed, by -i")
	}
	v := &verification{a: a, f: f, o: o}
	for _, l := range locations {
		if err := v.location(cmd, l); err != nil {
			return err
		}
	}
	if v.sets == 0 && !v.violated && !v.damaged {
		return usagef("no set was found")
	}
	if f.head != "" && !v.head {
		a.stderr.errorf("chain: the set %s is gone", safe(f.head))
		v.violated = true
	}
	if f.metrics != "" && !v.violated && !v.damaged {
		if err := writeMetrics(f.metrics, v.label, []metric{
			{"valkeyfs_backup_last_verified_timestamp_seconds", "When sets were verified last, and nothing was wrong.", float64(time.Now().Unix())},
			{"valkeyfs_backup_verified_sets", "Sets that were verified then.", float64(v.sets)},
		}); err != nil {
			return err
		}
	}
	if a.stderr.terminal && !v.violated && !v.damaged {
		unsigned := ""
		if len(keys) == 0 {
			unsigned = "; signatures were not looked at: name the key by --sign-pub"
		}
		a.stderr.printf("%s sets, %s: nothing is wrong%s", report.Count(uint64(v.sets)), report.Bytes(v.bytes), unsigned)
	}
	return exit(status(v.violated, v.damaged))
}

type verification struct {
	a                 *app
	f                 *verifySetFlags
	o                 backup.VerifyOptions
	sets              int
	bytes             int64
	label             string
	head              bool // the set that --head names was there
	violated, damaged bool
}

func (v *verification) location(cmd *cobra.Command, location string) error {
	ctx := cmd.Context()
	s, at, err := v.f.dest.openSets(ctx, location)
	if err != nil {
		return err
	}
	defer s.Close()
	refs, err := named(ctx, s, at)
	if err != nil {
		return err
	}
	if v.f.newest {
		refs = (&backup.Listing{Sets: refs}).Newest()
	}
	labels := map[string]bool{}
	for _, r := range refs {
		set, err := backup.OpenSet(ctx, s, r)
		if errors.Is(err, backup.ErrManifest) || errors.Is(err, fs.ErrNotExist) {
			v.say([]backup.Problem{{Ref: r, Kind: backup.Damaged, What: err.Error()}})
			continue
		}
		if err != nil {
			return err
		}
		v.sets++
		v.bytes += set.Manifest.Bytes()
		problems, err := set.Verify(ctx, v.o)
		v.say(problems)
		if err != nil {
			return v.a.unopened(r.String(), err)
		}
		if v.f.deep && len(problems) == 0 {
			if err := v.drill(cmd.Context(), r, set); err != nil {
				return err
			}
		}
		if v.label = r.Label; labels[r.Label] {
			continue
		}
		labels[r.Label] = true
		if err := v.chain(ctx, s, r.Label); err != nil {
			return err
		}
	}
	return nil
}

// chain checks the chain of a label. The set that --head names need not be in it.
func (v *verification) chain(ctx context.Context, s backup.Store, label string) error {
	o := backup.ChainOptions{MaxAge: time.Duration(v.f.maxAge), Now: time.Now()}
	if v.f.head != "" {
		l, err := backup.List(ctx, s, label)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(append(l.Sets, l.Pruned...), func(r backup.Ref) bool { return r.Label == label && r.ID == v.f.head }) {
			o.Head, v.head = v.f.head, true
		}
	}
	problems, err := backup.CheckChain(ctx, s, label, o)
	v.say(problems)
	return err
}

// drill has a server load the set.
func (v *verification) drill(ctx context.Context, r backup.Ref, set *backup.Set) error {
	o := backup.DrillOptions{Identities: v.o.Identities, Tmp: v.a.global.tmp, Now: time.Now()}
	if v.f.server != "" {
		o.Server = []string{v.f.server}
	}
	d, err := set.Drill(ctx, o)
	switch {
	case errors.Is(err, backup.ErrDrill):
		v.say([]backup.Problem{{Ref: r, Kind: backup.Damaged, What: err.Error()}})
	case err != nil:
		return err
	case d.Skipped != "":
		v.a.stderr.printf("%s: it was restored and read, but no server has loaded it: %s", r, d.Skipped)
	default:
		v.a.stderr.printf("%s: a server has loaded it: %s keys", r, report.Count(uint64(d.Keys)))
	}
	return nil
}

func (v *verification) say(problems []backup.Problem) {
	for _, p := range problems {
		v.a.stderr.errorf("%s", p)
		if p.Kind == backup.Damaged {
			v.damaged = true
		} else {
			v.violated = true
		}
	}
}
