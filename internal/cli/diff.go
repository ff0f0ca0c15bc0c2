package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/diff"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

type diffFlags struct {
	format choice
	stat   bool
	reveal bool
	idKey  string
	keys   keyFlags
	signed verifyFlags
}

func newDiffCmd(a *app) *cobra.Command {
	f := &diffFlags{}
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Tell what differs between two data sets",
		Long: `Tell which keys of B are not in A, which of A are not in B, and which differ; in
those, which fields, members, elements, entries, consumer groups and expiries.
Each of A and B is a snapshot, a log, whose state at its end counts, a
directory with one of them, or a set that backup has sealed. How values are encoded and in which order they
stand is no difference.

With --sign-pub a sealed set is a baseline: it is compared only if all of it is what
the owner of that key has signed.

Values are not shown, unless --reveal is given, but their lengths, and ids
that are the same for the same value.
`,
		Annotations: finds("there are differences"),
		Example: `  valkeyfs diff yesterday.rdb today.rdb
  valkeyfs diff /backup/main/20260131T031500.000Z-1f2e3d4c /var/lib/valkey -i key.txt --stat
  valkeyfs diff /backup/main/20260131T031500.000Z-1f2e3d4c /var/lib/valkey -i key.txt --sign-pub sign.key.pub
  valkeyfs diff a.rdb b.rdb --key '^config:' --reveal`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("two INPUTs are needed, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runDiff(cmd.Context(), a, f, args) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, diff.Formats...)
	fl.BoolVar(&f.stat, "stat", false, "only count, by prefix of the keys' names")
	fl.BoolVar(&f.reveal, "reveal", false, "show the starts of values, and names, as they are")
	fl.StringVar(&f.idKey, "id-key", "", "derive ids of values from the key in `FILE`, made if it does not exist (default: one in the state directory)")
	f.keys.flags(fl)
	f.signed.flags(fl)
	return cmd
}

// shownValue is how much of a value --reveal shows.
const shownValue = 256

func runDiff(ctx context.Context, a *app, f *diffFlags, args []string) error {
	signers, err := f.signed.parse()
	if err != nil {
		return err
	}
	match, err := f.keys.match()
	if err != nil {
		return err
	}
	// All paths are looked at together first: what is written lies in none of them.
	all, err := a.inputs(ctx, args, source.Options{})
	if err != nil {
		return err
	}
	defer all.Close()
	if len(all.Missing()) > 0 { // which is said; one side alone is no comparison
		return exit(exitError)
	}
	key, err := readOrMakeIDKey(f.idKey, all)
	if err != nil {
		return err
	}
	sets, err := a.baselines(ctx, args, signers)
	if err != nil {
		return err
	}
	var sides [2]diff.Side
	damage := a.damage()
	for i, path := range args {
		side, done, err := a.side(ctx, path, sets[i], all.Tmp(), damage, match)
		if err != nil {
			return err
		}
		defer done()
		sides[i] = side
	}
	o := diff.Options{Key: key.key, Match: match, MaxMem: int64(a.global.maxMem) / 2, Tmp: all.Tmp()}
	return a.result(func(out *output) (int, error) {
		differences, err := f.write(ctx, a, out, sides, o, damage)
		damage.end()
		return status(differences > 0, damage.n > 0), err
	})
}

// write compares the sides, and returns how many differences there are.
func (f *diffFlags) write(ctx context.Context, a *app, out *output, sides [2]diff.Side, o diff.Options, damage *damages) (differences int64, err error) {
	show := diff.Show{Name: a.names.Key, Values: f.reveal}
	if f.reveal {
		show.Name, o.Keep = nil, shownValue
	}
	w, stats := diff.NewWriter(f.format.word, f.format.to(out), show), diff.NewStats()
	err = diff.Run(ctx, sides[0], sides[1], o, func(c *diff.Change) error {
		stats.Add(c)
		if f.stat {
			return nil
		}
		return w.Change(c)
	})
	if err != nil {
		return 0, err
	}
	var by []diff.Stat
	if f.stat {
		by = stats.By()
	}
	return stats.Total().All(), w.Close(stats.Total(), by, damage.n == 0)
}

// baselines opens those of the inputs that are sealed sets. With keys there must be one,
// and of each all must be as one of the keys has signed it.
func (a *app) baselines(ctx context.Context, paths []string, keys []*crypt.VerifyingKey) (sets []*backup.Set, err error) {
	found, bad := false, false
	for _, path := range paths {
		set, err := a.sealedSet(ctx, path)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
		if set == nil {
			continue
		}
		found = true
		if len(keys) == 0 {
			a.stderr.printf("note: whether %s is what was sealed was not looked at: --sign-pub names the key that signed it", safe(set.Manifest.ID))
			continue
		}
		problems, err := set.Verify(ctx, backup.VerifyOptions{Keys: keys})
		if err != nil {
			return nil, err
		}
		for _, p := range problems {
			a.stderr.errorf("not compared: %s", safe(p.String()))
			bad = true
		}
	}
	if len(keys) > 0 && !found {
		return nil, usagef("--sign-pub: neither input is a sealed set")
	}
	if bad {
		return nil, exit(status(false, true))
	}
	return sets, nil
}

// side opens one of the two inputs; done ends its use. What could not be read is said
// once, however often it is read.
func (a *app) side(ctx context.Context, path string, set *backup.Set, tmp string, damage *damages, match func(*keyspace.Event) bool) (side diff.Side, done func(), err error) {
	if set != nil {
		events, err := a.setData(ctx, tmp, set, match)
		return once(events, damage), func() {}, err
	}
	in, err := a.inputs(ctx, []string{path}, source.Options{Want: match})
	if err != nil {
		return nil, nil, err
	}
	u, err := dataSetOf(ctx, in)
	if err == nil {
		err = u.Keep()
	}
	if err != nil {
		in.Close()
		return nil, nil, err
	}
	events := func() (keyspace.Seq, error) { return a.dataSet(ctx, in, u, oldestLogs) }
	return once(events, damage), in.Close, nil
}

// once has damage said the first time that a side is read.
func once(events func() (keyspace.Seq, error), damage *damages) diff.Side {
	first := true
	return func() (keyspace.Seq, error) {
		seq, err := events()
		if err == nil && first {
			first = false
			seq = damage.say(seq)
		}
		return seq, err
	}
}
