package cli

import (
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones for --log-zone, on hosts that have none

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/timeline"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

type timelineFlags struct {
	format      string
	from, until asOf
	zone        string
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
		RunE: func(cmd *cobra.Command, args []string) error { return runTimeline(cmd, a, f, args) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.format, "format", "text", "write `FORMAT`: "+strings.Join(timeline.Formats, ", "))
	fl.Var(&f.from, "from", "leave out what was before this RFC 3339 `TIME`")
	fl.Var(&f.until, "until", "leave out what was at this RFC 3339 `TIME` or later")
	fl.StringVar(&f.zone, "log-zone", "UTC", "the `ZONE` of servers' logs that do not say it, such as Europe/Berlin")
	fl.BoolVar(&f.reveal, "reveal", false, "show secrets in names and messages as they are")
	f.keys.flags(fl)
	return cmd
}

func runTimeline(cmd *cobra.Command, a *app, f *timelineFlags, args []string) error {
	ctx := cmd.Context()
	if !slices.Contains(timeline.Formats, f.format) {
		return usagef("--format: one of %s, not %q", strings.Join(timeline.Formats, ", "), f.format)
	}
	zone, err := time.LoadLocation(f.zone)
	if err != nil {
		return usagef("--log-zone: no zone is known by the name %q", f.zone)
	}
	filter, err := f.keys.filter()
	if err != nil {
		return err
	}
	if len(f.keys.types) > 0 {
		return usagef("--type: facts are not of a type; --db and --key choose")
	}
	if f.reveal {
		a.names, a.stderr.names = nil, nil
	}
	in, err := a.inputs(ctx, args, source.Options{})
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := a.output()
	if err != nil {
		return err
	}
	defer out.discard()
	if a.global.showProgress(a) {
		stop := a.stderr.watch(in.Read, 0)
		defer stop()
	}
	o := timeline.Options{MaxMem: int64(a.global.maxMem) / 4, Tmp: in.Tmp(), Zone: zone, Mask: a.names.Mask, Key: a.names.Key, From: f.from.time(), Until: f.until.time()}
	if !filter.All() {
		o.Want = func(db int32, key []byte) bool { return filter.Match(&keyspace.Event{DB: db, Key: key}) }
	}
	t, err := timeline.New(ctx, in, o)
	if t == nil {
		return err
	}
	defer t.Close()
	if err := timeline.Write(t, timeline.NewWriter(f.format, out)); err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	return exit(status(false, !t.Summary.Complete))
}

// time is the zero time where the flag was not given.
func (t *asOf) time() time.Time {
	if t.text == "" {
		return time.Time{}
	}
	return time.UnixMilli(t.ms).UTC()
}
