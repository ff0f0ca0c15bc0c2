package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/report"
)

type pruneFlags struct {
	keep    backup.Policy
	keys    verifyFlags
	dest    destFlags
	confirm bool
}

func newPruneCmd(a *app) *cobra.Command {
	f := &pruneFlags{}
	cmd := &cobra.Command{
		Use:   "prune DEST",
		Short: "Remove old sealed backups",
		Long: `Say which sets under each label would be kept and which removed, and with
--confirm remove them. A set is kept if any of the --keep flags keeps it. What is
left of sets that were never completed goes after a day.

The last set that verifies, without a key, is never removed, whatever the flags
say. A set that is removed leaves its manifest behind, as pruned.json, so that
the chain of the others can be verified still.
`,
		Example: `  valkeyfs prune /backup --keep-daily 7 --keep-weekly 5 --keep-monthly 12
  valkeyfs prune /backup --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --confirm`,
		Args: oneDest,
		RunE: func(cmd *cobra.Command, args []string) error { return runPrune(cmd, a, f, args[0]) },
	}
	fl := cmd.Flags()
	fl.IntVar(&f.keep.Last, "keep-last", 0, "keep the newest `N`")
	fl.IntVar(&f.keep.Daily, "keep-daily", 0, "keep the newest of each of `N` days")
	fl.IntVar(&f.keep.Weekly, "keep-weekly", 0, "keep the newest of each of `N` weeks")
	fl.IntVar(&f.keep.Monthly, "keep-monthly", 0, "keep the newest of each of `N` months")
	fl.IntVar(&f.keep.Yearly, "keep-yearly", 0, "keep the newest of each of `N` years")
	f.keys.flags(fl)
	f.dest.flags(fl)
	fl.BoolVar(&f.confirm, "confirm", false, "do it")
	return cmd
}

func runPrune(cmd *cobra.Command, a *app, f *pruneFlags, location string) error {
	ctx := cmd.Context()
	k := f.keep
	if k == (backup.Policy{}) || min(k.Last, k.Daily, k.Weekly, k.Monthly, k.Yearly) < 0 {
		return usagef("say what to keep: --keep-last, --keep-daily, --keep-weekly, --keep-monthly, --keep-yearly")
	}
	keys, err := f.keys.parse()
	if err != nil {
		return err
	}
	s, at, err := f.dest.openSets(ctx, location)
	if err != nil {
		return err
	}
	defer s.Close()
	if at.ID != "" {
		return usagef("%s is a set: name a label or a destination", safe(location))
	}
	plan, err := backup.PlanPrune(ctx, s, at.Label, k, time.Now())
	if err != nil {
		return err
	}
	if err := plan.Spare(ctx, backup.VerifyOptions{Keys: keys}); err != nil {
		return err
	}
	out, err := a.output()
	if err != nil {
		return err
	}
	defer out.discard()
	for _, kept := range plan.Keep {
		fmt.Fprintf(out.Writer, "keep    %s/%s  %s\n", kept.Set.Manifest.Label, kept.Set.Manifest.ID, strings.Join(kept.Why, ", "))
	}
	for _, set := range plan.Remove {
		fmt.Fprintf(out.Writer, "remove  %s/%s\n", set.Manifest.Label, set.Manifest.ID)
	}
	var garbage int64
	for _, o := range plan.Garbage {
		garbage += o.Size
	}
	if len(plan.Garbage) > 0 {
		fmt.Fprintf(out.Writer, "remove  %d files (%s) that belong to no set\n", len(plan.Garbage), report.Bytes(garbage))
	}
	if err := out.commit(); err != nil {
		return err
	}
	if !f.confirm {
		a.stderr.printf("nothing was removed: --confirm does it")
		return nil
	}
	return plan.Apply(ctx, s)
}
