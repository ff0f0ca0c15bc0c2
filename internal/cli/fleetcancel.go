package cli

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

func newFleetCancelCmd(a *app) *cobra.Command {
	db := newFleetFlags(a)
	var format choice
	var all bool
	cmd := &cobra.Command{
		Use:     "cancel INPUT… | --all",
		Short:   "Take inputs out of the queue and from workers",
		Long:    "Take inputs out of the queue, and from workers that scan them, which notice\nwithin a third of their lease: those that are named, and all below what is named\nthat is none, such as a directory. Submitting them again queues them again.\n\njson says, as one object, how many it were.\n",
		Example: "  valkeyfs fleet cancel /backups/huge/dump.rdb\n  valkeyfs fleet cancel /backups/huge\n  valkeyfs fleet cancel --all",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usagef("name INPUTs or --all")
			}
			if err := a.placeOutcome(&format); err != nil {
				return err
			}
			for i, p := range args {
				if strings.HasPrefix(p, "s3://") {
					continue
				}
				abs, err := filepath.Abs(p)
				if err != nil {
					return err
				}
				args[i] = abs
			}
			d, err := db.openThere(cmd)
			if err != nil {
				return err
			}
			defer d.Close()
			n, err := d.Cancel(cmd.Context(), args)
			a.stderr.printf("%s inputs cancelled", report.Count(uint64(n)))
			if err != nil {
				return err
			}
			return a.outcome(&format, exitOK, &cancelled{"cancellation", n})
		},
	}
	db.flags(cmd.Flags(), sealKey)
	format.flag(cmd.Flags(), "text", "json")
	cmd.Flags().BoolVar(&all, "all", false, "cancel all that is queued or running")
	return cmd
}

// cancelled is how many inputs were cancelled, as JSON.
type cancelled struct {
	Type      string `json:"type"` // "cancellation"
	Cancelled int64  `json:"cancelled"`
}
