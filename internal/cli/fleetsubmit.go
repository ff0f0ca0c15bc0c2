package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/fleet"
	"github.com/valkeyfs/valkeyfs/internal/report"
)

func newFleetSubmitCmd(a *app) *cobra.Command {
	db := newFleetFlags(a)
	var format choice
	o := fleet.Submission{}
	cmd := &cobra.Command{
		Use:   "submit SOURCE…",
		Short: "Queue inputs that are new or changed",
		Long: `Queue the inputs in files, directories, patterns and buckets for workers to
scan. A log with its manifest is one input. What was submitted before and has
not changed, by size and times or else by its hash, and in a bucket by its ETag,
is not queued again; a tag that is named takes effect all the same. What was
submitted from there before and is there no longer is gone: it stays in the
database, and out of reports unless they ask for it.

json says, as one object, how many inputs there are, and how many of them were
queued, are unchanged or gone.
`,
		Example: `  valkeyfs fleet submit /backups --owner payments
  valkeyfs fleet submit '/backups/*/dump.rdb' --instance cache-1
  valkeyfs fleet submit s3://backups/valkey --s3-region eu-central-1`,
		Args: someInputs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.placeOutcome(&format); err != nil {
				return err
			}
			tmp, err := db.keepOut(cmd, args)
			if err != nil {
				return err
			}
			if o.Read, err = a.readOptions(); err != nil {
				return err
			}
			o.Read.Tmp = tmp
			d, err := db.open(cmd)
			if err != nil {
				return err
			}
			defer d.Close()
			o.Sources = args
			s, err := d.Submit(cmd.Context(), o)
			if err != nil && (s == nil || s.Queued == 0) {
				return err
			}
			gone := ""
			if s.Gone > 0 {
				gone = fmt.Sprintf(", %s gone", report.Count(uint64(s.Gone)))
			}
			a.stderr.printf("%s of %s inputs queued, %s unchanged%s", report.Count(uint64(s.Queued)), report.Count(uint64(s.Inputs)), report.Count(uint64(s.Unchanged)), gone)
			switch {
			case err == nil:
				return a.outcome(&format, exitOK, &submitted{"submission", s})
			case cmd.Context().Err() != nil:
				a.stderr.errorf("interrupted before the end: what is queued stays")
				return exit(exitIncomplete)
			}
			return err
		},
	}
	format.flag(cmd.Flags(), "text", "json")
	db.flags(cmd.Flags(), sealKey)
	bucketFlags(&o.S3, cmd.Flags())
	cmd.Flags().StringVar(&o.Owner, "owner", "", "tag the inputs with an `OWNER` (default: the one that they have)")
	cmd.Flags().StringVar(&o.Instance, "instance", "", "tag the inputs with the `INSTANCE` that they come from (default: the one that they have, at first the name of their directory)")
	return cmd
}

// submitted is what became of what was submitted, as JSON.
type submitted struct {
	Type string `json:"type"` // "submission"
	*fleet.Submitted
}
