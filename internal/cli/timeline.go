package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/timeline"
)

type timelineFlags struct {
	format      choice
	from, until asOf
	zone        zone
	reveal      bool
	keys        keyFlags
}

func newTimelineCmd(a *app) *cobra.Command {
	f := &timelineFlags{}
	cmd := &cobra.Command{
		Use:   "timeline INPUT…",
		Short: "Put every dated fact in order",
		Long: `Put every dated fact of the inputs in order of time: when snapshots were
saved, what commands of a log did, when stream entries were added and consumers
seen, when keys and fields expire, what the logs of servers and sentinels say,
and the times that the file system keeps. With a whole data directory as INPUT,
all of it stands in one line of time.

Each time says what it rests on. Recorded: whoever did it wrote the time down
(#TS lines of a log, ctime of a snapshot, a line of a server's log). Inferred:
it follows from something that holds a time (the ID of a stream's entry, how
long a key was idle). Bounded: it lies between two times that are known. A log without
#TS lines tells the order of its commands, not their times: of those, only what
changes more than a value is told, with its bounds; the rest is counted.

timesketch is JSON lines for Timesketch, l2tcsv the CSV of log2timeline,
bodyfile what mactime reads, ecs JSON lines in the Elastic Common Schema.
`,
		Example: `  valkeyfs timeline /mnt/evidence/var/lib/valkey
  valkeyfs timeline /mnt/evidence/var/lib/valkey --format timesketch -o case7.jsonl
  valkeyfs timeline appendonlydir --from 2026-03-01T02:00:00Z --until 2026-03-01T03:00:00Z
  valkeyfs timeline valkey.log --log-zone Europe/Berlin`,
		Args: someInputs,
		RunE: func(cmd *cobra.Command, args []string) error { return runTimeline(cmd.Context(), a, f, args) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, timeline.Formats...)
	fl.Var(&f.from, "from", "leave out what was before this RFC 3339 `TIME`")
	fl.Var(&f.until, "until", "leave out what was at this RFC 3339 `TIME` or later")
	f.zone.flag(fl)
	fl.BoolVar(&f.reveal, "reveal", false, "show secrets in names and messages as they are")
	f.keys.flags(fl)
	return cmd
}

func runTimeline(ctx context.Context, a *app, f *timelineFlags, args []string) error {
	if len(f.keys.types) > 0 {
		return usagef("--type: facts are not of a type; --db and --key choose")
	}
	want, err := f.keys.want()
	if err != nil {
		return err
	}
	a.reveal(f.reveal)
	return a.study(ctx, args, source.Options{}, func(in *source.Inputs, out *output) (int, error) {
		o := a.timelineOptions(in, &f.zone)
		o.From, o.Until, o.Want = f.from.time(), f.until.time(), want
		t, err := timeline.New(ctx, in, o)
		if t == nil {
			return 0, err
		}
		defer t.Close()
		if err := timeline.Write(t, timeline.NewWriter(f.format.word, f.format.to(out))); err != nil {
			return 0, err
		}
		return status(false, !t.Summary.Complete), nil
	})
}

// timelineOptions are those of every timeline of the inputs.
func (a *app) timelineOptions(in *source.Inputs, z *zone) timeline.Options {
	return timeline.Options{MaxMem: int64(a.global.maxMem) / 4, Tmp: in.Tmp(), Zone: z.Location, Mask: a.names.Mask, Key: a.names.Key}
}

// time is the zero time where the flag was not given.
func (t *asOf) time() time.Time {
	if t.text == "" {
		return time.Time{}
	}
	return time.UnixMilli(t.ms).UTC()
}
