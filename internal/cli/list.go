package cli

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/report"
)

func newListCmd(a *app) *cobra.Command {
	var format choice
	var dest destFlags
	cmd := &cobra.Command{
		Use:   "list DEST",
		Short: "List sealed backups",
		Long: `List the sets at a destination or under a label, oldest first. No key is
needed, and nothing is verified. A set without manifest is none: it was never
completed, and is listed as such.
`,
		Example: `  valkeyfs list /backup
  valkeyfs list /backup/db1 --format jsonl | jq -r .id`,
		Args: oneDest,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runList(cmd.Context(), a, format.word, &dest, args[0])
		},
	}
	format.flag(cmd.Flags(), "text", "jsonl", "json")
	dest.flags(cmd.Flags())
	return cmd
}

// oneDest wants exactly one DEST.
func oneDest(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("one DEST is needed, not %d", len(args))
	}
	return nil
}

// listed is a line of list --format jsonl.
type listed struct {
	Type     string    `json:"type"` // set, incomplete
	Label    string    `json:"label"`
	ID       string    `json:"id"`
	Finished time.Time `json:"finished,omitzero"`
	Members  int       `json:"members"`
	Bytes    int64     `json:"bytes"`
	Signed   bool      `json:"signed"`
	Previous string    `json:"previous,omitempty"`
	Error    string    `json:"error,omitempty"`
}

func runList(ctx context.Context, a *app, format string, dest *destFlags, location string) error {
	s, at, err := dest.openSets(ctx, location)
	if err != nil {
		return err
	}
	defer s.Close()
	all, damaged, err := listSets(ctx, s, at.Label)
	if err != nil {
		return err
	}
	return a.result(func(out *output) (int, error) {
		if format != "text" {
			return status(false, damaged), report.WriteRecords(out, format, all)
		}
		if len(all) == 0 {
			_, err := fmt.Fprintf(out, "no sets at %s\n", report.Escape(location))
			return 0, err
		}
		rows := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(rows, "SET\tFINISHED\tMEMBERS\tSIZE") //nolint:errcheck // Flush tells
		for _, e := range all {
			fmt.Fprintln(rows, e.row()) //nolint:errcheck // Flush tells
		}
		return status(false, damaged), rows.Flush()
	})
}

// listSets lists the sets under a label, and says whether a manifest is damaged.
func listSets(ctx context.Context, s backup.Store, label string) (all []listed, damaged bool, err error) {
	all = []listed{}
	l, err := backup.List(ctx, s, label)
	if err != nil {
		return nil, false, err
	}
	for _, r := range l.Sets {
		e := listed{Type: "set", Label: r.Label, ID: r.ID}
		set, err := backup.OpenSet(ctx, s, r)
		switch {
		case errors.Is(err, backup.ErrManifest):
			damaged, e.Error = true, err.Error()
		case err != nil:
			return nil, false, err
		default:
			m := set.Manifest
			e.Finished, e.Members, e.Bytes, e.Signed = m.Finished, len(m.Members), m.Bytes(), set.Signature != nil
			if m.Previous != nil {
				e.Previous = m.Previous.ID
			}
		}
		all = append(all, e)
	}
	for _, r := range l.Incomplete {
		all = append(all, listed{Type: "incomplete", Label: r.Label, ID: r.ID})
	}
	return all, damaged, nil
}

// row is a line of the table.
func (e *listed) row() string {
	note := ""
	switch {
	case e.Type == "incomplete":
		return fmt.Sprintf("%s/%s\t-\t-\t-\tincomplete", e.Label, e.ID)
	case e.Error != "":
		note = "\tits manifest is malformed"
	case e.Signed:
		note = "\tsigned"
	}
	return fmt.Sprintf("%s/%s\t%s\t%d\t%s%s", e.Label, e.ID, e.Finished.Format("2006-01-02 15:04:05 UTC"), e.Members, report.Bytes(e.Bytes), note)
}
