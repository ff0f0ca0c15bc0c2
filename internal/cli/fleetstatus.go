package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/fleet"
	"github.com/valkeyfs/valkeyfs/internal/report"
)

func newFleetStatusCmd(a *app) *cobra.Command {
	db := newFleetFlags(a)
	var format choice
	var watch, gone bool
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Say how far the fleet has come",
		Long:    "Say how many inputs are queued, running and done, and which were set aside, and\nwhy.\n",
		Example: "  valkeyfs fleet status\n  valkeyfs fleet status --watch\n  valkeyfs fleet status --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if gone && watch {
				return usagef("--gone: not with --watch")
			}
			d, err := db.openThere(cmd)
			if err != nil {
				return err
			}
			defer d.Close()
			t := time.NewTicker(2 * time.Second)
			defer t.Stop()
			for {
				s, err := d.Status(cmd.Context())
				if err == nil {
					err = a.writeStatus(cmd.Context(), d, s, format.word, gone)
				}
				if err != nil || !watch || s.Queued+s.Running == 0 {
					return err
				}
				select {
				case <-cmd.Context().Done():
					return nil
				case <-t.C:
				}
			}
		},
	}
	db.flags(cmd.Flags(), "")
	format.flag(cmd.Flags(), "text", "json")
	cmd.Flags().BoolVar(&watch, "watch", false, "say it every two seconds until nothing is left to do")
	cmd.Flags().BoolVar(&gone, "gone", false, "list the inputs that are gone, and since when")
	return cmd
}

func (a *app) writeStatus(ctx context.Context, d *fleet.DB, s *fleet.Status, format string, gone bool) error {
	out, err := a.output()
	if err != nil {
		return err
	}
	defer out.discard()
	lines := report.NewLines(out)
	if format == "json" {
		if err := lines.Line(s); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(out.Writer, "%d inputs: %d queued, %d running, %d done (%d damaged), %d set aside, %d cancelled; %d findings in %s; %d gone\n",
			s.Inputs, s.Queued, s.Running, s.Done, s.Damaged, s.Failed, s.Cancelled, s.Findings, report.Bytes(s.Bytes), s.Gone)
		for _, r := range s.SetAside {
			fmt.Fprintf(out.Writer, "set aside: %s: %s\n", safe(r.Input), safe(r.Reason))
		}
	}
	if !gone {
		return out.commit()
	}
	err = d.Gone(ctx, func(input string, since int64) error {
		at := time.UnixMilli(since).UTC().Format(time.RFC3339)
		if format == "json" {
			return lines.Line(goneInput{"gone", input, at})
		}
		_, err := fmt.Fprintf(out.Writer, "gone since %s: %s\n", at, safe(input))
		return err
	})
	if err != nil {
		return err
	}
	return out.commit()
}

// goneInput is a JSON line of an input that is gone.
type goneInput struct {
	Type  string `json:"type"` // "gone"
	Input string `json:"input"`
	Since string `json:"since"` // RFC 3339
}
