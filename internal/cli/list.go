package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/report"
)

func newListCmd(a *app) *cobra.Command {
	var format string
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
		RunE: func(cmd *cobra.Command, args []string) error { return runList(cmd, a, format, &dest, args[0]) },
	}
	cmd.Flags().StringVar(&format, "format", "text", "write `text|jsonl`")
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

func runList(cmd *cobra.Command, a *app, format string, dest *destFlags, location string) error {
	ctx := cmd.Context()
	if format != "text" && format != "jsonl" {
		return usagef("--format: text or jsonl, not %q", format)
	}
	s, at, err := dest.openSets(ctx, location)
	if err != nil {
		return err
	}
	defer s.Close()
	l, err := backup.List(ctx, s, at.Label)
	if err != nil {
		return err
	}
	var all []listed
	damaged := false
	for _, r := range l.Sets {
		set, err := backup.OpenSet(ctx, s, r)
		if errors.Is(err, backup.ErrManifest) {
			damaged = true
			all = append(all, listed{Type: "set", Label: r.Label, ID: r.ID, Error: err.Error()})
			continue
		}
		if err != nil {
			return err
		}
		m := set.Manifest
		e := listed{Type: "set", Label: r.Label, ID: r.ID, Finished: m.Finished, Members: len(m.Members), Bytes: m.Bytes(), Signed: set.Signature != nil}
		if m.Previous != nil {
			e.Previous = m.Previous.ID
		}
		all = append(all, e)
	}
	for _, r := range l.Incomplete {
		all = append(all, listed{Type: "incomplete", Label: r.Label, ID: r.ID})
	}
	out, err := a.output()
	if err != nil {
		return err
	}
	defer out.discard()
	if format == "jsonl" {
		enc := json.NewEncoder(out)
		for _, e := range all {
			if err := enc.Encode(e); err != nil {
				return err
			}
		}
	} else {
		var rows strings.Builder
		rows.WriteString("SET\tFINISHED\tMEMBERS\tSIZE\t\n")
		for _, e := range all {
			rows.WriteString(e.row())
		}
		text := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		if _, err := text.Write([]byte(rows.String())); err != nil {
			return err
		}
		if err := text.Flush(); err != nil {
			return err
		}
	}
	if err := out.commit(); err != nil {
		return err
	}
	return exit(status(false, damaged))
}

// row is a line of the table.
func (e *listed) row() string {
	note := ""
	switch {
	case e.Type == "incomplete":
		return fmt.Sprintf("%s/%s\t-\t-\t-\tincomplete\n", e.Label, e.ID)
	case e.Error != "":
		note = "its manifest is malformed"
	case e.Signed:
		note = "signed"
	}
	return fmt.Sprintf("%s/%s\t%s\t%d\t%s\t%s\n", e.Label, e.ID, e.Finished.Format("2006-01-02 15:04:05 UTC"), e.Members, report.Bytes(e.Bytes), note)
}
