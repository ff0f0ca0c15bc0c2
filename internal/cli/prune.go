package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/report"
)

type pruneFlags struct {
	format  choice
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

json and jsonl have a record a set that is kept or removed, and why it is kept,
and one a file that belongs to no set.
`,
		Example: `  valkeyfs prune /backup --keep-daily 7 --keep-weekly 5 --keep-monthly 12
  valkeyfs prune /backup --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --confirm
  valkeyfs prune /backup --keep-last 30 --format jsonl | jq -r 'select(.action == "remove").id'`,
		Args: oneDest,
		RunE: func(cmd *cobra.Command, args []string) error { return runPrune(cmd.Context(), a, f, args[0]) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, "text", "jsonl", "json")
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

func runPrune(ctx context.Context, a *app, f *pruneFlags, location string) error {
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
	if err := a.write(func(out io.Writer) error { return f.write(out, plan) }); err != nil {
		return err
	}
	if !f.confirm {
		a.stderr.printf("nothing was removed: --confirm does it")
		return nil
	}
	return plan.Apply(ctx, s)
}

// pruned is what becomes of a set, or of a file that belongs to none, as JSON.
type pruned struct {
	Type   string   `json:"type"`   // set, file
	Action string   `json:"action"` // keep, remove
	Label  string   `json:"label,omitempty"`
	ID     string   `json:"id,omitempty"`
	Name   string   `json:"name,omitempty"` // of a file
	Bytes  int64    `json:"bytes"`
	Why    []string `json:"why,omitempty"` // it is kept
}

func (f *pruneFlags) write(out io.Writer, plan *backup.Plan) error {
	if f.format.word == "text" {
		return writePlan(out, plan)
	}
	all := []pruned{}
	set := func(action string, s *backup.Set, why []string) {
		m := s.Manifest
		all = append(all, pruned{Type: "set", Action: action, Label: m.Label, ID: m.ID, Bytes: m.Bytes(), Why: why})
	}
	for _, k := range plan.Keep {
		set("keep", k.Set, k.Why)
	}
	for _, s := range plan.Remove {
		set("remove", s, nil)
	}
	for _, o := range plan.Garbage {
		all = append(all, pruned{Type: "file", Action: "remove", Name: o.Name, Bytes: o.Size})
	}
	return report.WriteRecords(out, f.format.word, all)
}

func writePlan(out io.Writer, plan *backup.Plan) error {
	var b strings.Builder
	for _, k := range plan.Keep {
		fmt.Fprintf(&b, "keep    %s/%s  %s\n", k.Set.Manifest.Label, k.Set.Manifest.ID, strings.Join(k.Why, ", "))
	}
	for _, s := range plan.Remove {
		fmt.Fprintf(&b, "remove  %s/%s\n", s.Manifest.Label, s.Manifest.ID)
	}
	var garbage int64
	for _, o := range plan.Garbage {
		garbage += o.Size
	}
	if n := len(plan.Garbage); n > 0 {
		fmt.Fprintf(&b, "remove  %s (%s) of no set\n", plural(int64(n), "file"), report.Bytes(garbage))
	}
	_, err := io.WriteString(out, b.String())
	return err
}
