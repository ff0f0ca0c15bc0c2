package cli

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/valkeyfs/valkeyfs/internal/fleet"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/scan"
)

func newFleetCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fleet",
		Short: "Scan many inputs on many machines",
		Long: `Scan many inputs on many machines: inputs are submitted to a database, any
number of workers claim one at a time, and one report covers all of them.

The database is a file in the state directory, or what --database or
VALKEYFS_FLEET_DATABASE names: sqlite:PATH, or postgres://… for workers on
several hosts. Findings are kept masked in it, under keyed ids.
`,
		Example: `  valkeyfs fleet submit /backups --owner payments
  valkeyfs fleet work
  valkeyfs fleet status --watch
  valkeyfs fleet report --secrets`,
		Args: noVerb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(a.stderr)
			if err := cmd.Help(); err != nil {
				return err
			}
			return exit(exitUsage)
		},
	}
	cmd.AddCommand(newFleetSubmitCmd(a), newFleetWorkCmd(a), newFleetStatusCmd(a), newFleetReportCmd(a), newFleetCancelCmd(a))
	return cmd
}

// fleetFlags say where a fleet keeps its state, and with which key.
type fleetFlags struct {
	a        *app
	database string
	idKey    string
	key      func() (*idKey, error) // that idKey names, or the one in the state directory
}

func newFleetFlags(a *app) *fleetFlags {
	f := &fleetFlags{a: a}
	f.key = sync.OnceValues(f.readKey)
	return f
}

// flags defines --database and, for verbs that name inputs or make ids, --id-key.
func (f *fleetFlags) flags(fl *pflag.FlagSet, keyed string) {
	fl.StringVar(&f.database, "database", "", "keep the fleet's state in the database at `URL`: sqlite:PATH or postgres://… (default: $VALKEYFS_FLEET_DATABASE, or a file in the state directory)")
	if keyed != "" {
		fl.StringVar(&f.idKey, "id-key", "", keyed+" the key in `FILE`, made if it does not exist (default: one in the state directory)")
	}
}

// sealKey is what --id-key is for where inputs are named.
const sealKey = "seal names that hold secrets, such as of directories, with"

func (f *fleetFlags) readKey() (*idKey, error) {
	none, err := source.New(context.Background(), nil, source.Options{})
	if err != nil {
		return nil, err
	}
	k, err := readOrMakeIDKey(f.idKey, none)
	if err == nil && !k.kept() {
		return nil, usagef("name an --id-key: the one in the state directory is %s", k.name)
	}
	return k, err
}

func (f *fleetFlags) open(cmd *cobra.Command) (*fleet.DB, error) {
	url := cmp.Or(f.database, os.Getenv("VALKEYFS_FLEET_DATABASE"))
	if url == "" {
		dir, err := stateDir()
		if err != nil {
			return nil, fmt.Errorf("%w: name a --database", err)
		}
		url = "sqlite:" + filepath.Join(dir, "fleet.db")
	}
	d, err := fleet.Open(cmd.Context(), url, &fleet.Names{Mask: f.a.names, Key: func() ([]byte, string, error) {
		k, err := f.key()
		if err != nil {
			return nil, "", err
		}
		return k.key, k.id(), nil
	}})
	if err == nil {
		d.Tmp = f.a.global.tmp
	}
	return d, err
}

// readOptions are how inputs of a fleet are read.
func (a *app) readOptions() (source.Options, error) {
	o := source.Options{Resolve: true, Hash: true, AsOf: a.global.asOf.ms, MaxMem: int64(a.global.maxMem) / 2, Tmp: a.global.tmp}
	for _, name := range a.global.identities {
		ids, err := readIdentities(a.ui(), name)
		if err != nil {
			return o, err
		}
		o.Identities = append(o.Identities, ids...)
	}
	return o, nil
}

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
			var err error
			if o.Read, err = a.readOptions(); err != nil {
				return err
			}
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

func newFleetWorkCmd(a *app) *cobra.Command {
	db := newFleetFlags(a)
	var format choice
	var metrics string
	o := fleet.WorkOptions{Counts: &fleet.Counts{}}
	cmd := &cobra.Command{
		Use:   "work",
		Short: "Scan queued inputs, one at a time",
		Long: `Scan queued inputs, one at a time, until it is stopped or, with --drain, until
nothing is left. Any number of workers share a database; those on other hosts
need the same --id-key. An input whose worker dies is taken up by another once
its lease has run out; one that cannot be scanned is tried again, ever later,
and then set aside with its reason.

json says at the end, as one object, how many inputs this worker scanned, tried in
vain, set aside and lost to others, and how much it read and found.
`,
		Example: `  valkeyfs fleet work
  valkeyfs fleet work --drain --database postgres://db/fleet --id-key key`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Lease < 3*time.Second {
				return usagef("--lease: at least 3s is needed")
			}
			if o.Attempts < 1 {
				return usagef("--attempts: at least 1 is needed")
			}
			err := a.placeOutcome(&format)
			if err != nil {
				return err
			}
			if o.Read, err = a.readOptions(); err != nil {
				return err
			}
			k, err := db.key()
			if err != nil {
				return err
			}
			if o.Scanner, err = scan.New(scan.Config{Workers: a.global.workers, IDKey: k.key}); err != nil {
				return err
			}
			level := slog.LevelInfo
			if a.global.quiet {
				level = slog.LevelError
			}
			o.Log = slog.New(slog.NewJSONHandler(a.stderr, &slog.HandlerOptions{Level: level}))
			o.Names, o.KeyID = a.names, k.id()
			d, err := db.open(cmd)
			if err != nil {
				return err
			}
			defer d.Close()
			if metrics != "" {
				stop, err := serveMetrics(cmd.Context(), d, metrics, &o)
				if err != nil {
					return err
				}
				defer stop()
			}
			if err := d.Work(cmd.Context(), o); err != nil {
				return err
			}
			return a.outcome(&format, exitOK, newWorked(o.Counts))
		},
	}
	f := cmd.Flags()
	format.flag(f, "text", "json")
	db.flags(f, "derive ids of findings from")
	bucketFlags(&o.S3, f)
	f.StringVar(&o.Name, "name", "", "call this worker `NAME` in the database")
	f.DurationVar(&o.Lease, "lease", 30*time.Second, "give an input to another worker after this `TIME` without a sign of life")
	f.Int64Var(&o.Attempts, "attempts", 5, "set an input aside after `N` attempts")
	f.StringVar(&metrics, "metrics", "", "serve metrics for Prometheus at `[HOST]:PORT` (default host: 127.0.0.1)")
	f.BoolVar(&o.Drain, "drain", false, "end when nothing is queued or running")
	return cmd
}

// serveMetrics serves metrics at an address until stop is called. No host means
// this one: who is to be reached from elsewhere says 0.0.0.0.
func serveMetrics(ctx context.Context, d *fleet.DB, address string, o *fleet.WorkOptions) (stop func(), err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usagef("--metrics: %v", err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	o.Log.Info("metrics", "address", l.Addr().String())
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := d.ServeMetrics(ctx, l, o.Counts); err != nil {
			o.Log.Error("metrics", "error", err.Error())
		}
	}()
	return func() { cancel(); <-done }, nil
}

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
			d, err := db.open(cmd)
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

func newFleetCancelCmd(a *app) *cobra.Command {
	db := newFleetFlags(a)
	var format choice
	var all bool
	cmd := &cobra.Command{
		Use:     "cancel INPUT… | --all",
		Short:   "Take inputs out of the queue and from workers",
		Long:    "Take inputs out of the queue, and from workers that scan them, which notice\nwithin a third of their lease. Submitting them again queues them again.\n\njson says, as one object, how many it were.\n",
		Example: "  valkeyfs fleet cancel /backups/huge/dump.rdb\n  valkeyfs fleet cancel --all",
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
			d, err := db.open(cmd)
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

func newFleetReportCmd(a *app) *cobra.Command {
	db := newFleetFlags(a)
	var sel fleet.Selection
	var format choice
	var partition string
	var secrets bool
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Report what was found over all inputs",
		Long: `Report what was found over all inputs. --secrets lists each secret once, those
in the most inputs first, with the number of places, inputs, instances and
owners; jsonl and csv list each finding, in the order of the inputs' paths.
`,
		Annotations: finds("findings"),
		Example: `  valkeyfs fleet report --format html -o fleet.html
  valkeyfs fleet report --secrets --new
  valkeyfs fleet report --owner payments --format jsonl -o payments.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if secrets && format.word != "text" && format.word != "jsonl" {
				return usagef("--secrets: text and jsonl have a place for it, %s has not", format.word)
			}
			if partition != "" && format.word != "parquet" {
				return usagef("--partition: parquet has a place for it, %s has not", format.word)
			}
			d, err := db.open(cmd)
			if err != nil {
				return err
			}
			defer d.Close()
			if partition != "" || secrets {
				p, err := d.Progress(cmd.Context(), sel)
				if err != nil {
					return err
				}
				var found bool
				if secrets {
					found, err = a.writeSecrets(cmd, d, sel, format.word)
				} else {
					found, err = a.writePartitions(cmd.Context(), d, sel, partition)
				}
				if err != nil {
					return err
				}
				if why := p.Incomplete(); why != "" {
					a.stderr.printf("incomplete: %s", why)
				}
				return exit(status(found, p.Incomplete() != ""))
			}
			out, err := a.output()
			if err != nil {
				return err
			}
			defer out.discard()
			findings, incomplete, err := a.writeFleet(cmd, d, sel, format.word, out)
			if err != nil {
				return err
			}
			if err := out.commit(); err != nil {
				return err
			}
			return exit(status(findings, incomplete))
		},
	}
	f := cmd.Flags()
	db.flags(f, sealKey)
	format.flag(f, "text", "jsonl", "sarif", "html", "csv", "parquet")
	f.BoolVar(&secrets, "secrets", false, "text, jsonl: list each secret once")
	f.StringVar(&partition, "partition", "", "parquet: make `DIR`, with a file for each owner, instance and date")
	f.BoolVar(&sel.New, "new", false, "report only secrets that the last submission brought")
	f.BoolVar(&sel.Gone, "gone", false, "report inputs too that are gone from where they were submitted")
	f.StringVar(&sel.Owner, "owner", "", "report only inputs tagged with this `OWNER`")
	f.StringVar(&sel.Instance, "instance", "", "report only inputs of this `INSTANCE`")
	return cmd
}

func (a *app) writeSecrets(cmd *cobra.Command, d *fleet.DB, sel fleet.Selection, format string) (found bool, err error) {
	out, err := a.output()
	if err != nil {
		return false, err
	}
	defer out.discard()
	lines := report.NewLines(out)
	err = d.Secrets(cmd.Context(), sel, func(s *fleet.Secret) error {
		found = true
		if format == "jsonl" {
			return lines.Line(s)
		}
		mark := ""
		if s.New {
			mark = " new"
		}
		_, err := fmt.Fprintf(out, "%-8s %s %s: %d places in %d inputs, %d instances, %d owners%s\n", s.Severity, safe(s.Rule), safe(s.Secret), s.Findings, s.Inputs, s.Instances, s.Owners, mark)
		return err
	})
	if err != nil {
		return false, err
	}
	return found, out.commit()
}

func (a *app) writeFleet(cmd *cobra.Command, d *fleet.DB, sel fleet.Selection, format string, out *output) (found, incomplete bool, err error) {
	scanner, err := scan.New(scan.Config{Workers: 1})
	if err != nil {
		return false, false, err
	}
	rules := scanner.Rules()
	next := map[string]string{}
	for _, r := range rules {
		next[r.ID] = r.Next
	}
	var w report.Writer
	switch format {
	case "jsonl":
		w = fleet.Verbatim(out)
	case "csv":
		w = report.NewCSV(out)
	case "parquet":
		w = report.NewParquet(out)
	case "sarif":
		w = report.NewSARIF(out, report.SARIFOptions{Rules: rules})
	case "html":
		w = report.NewHTML(out, report.HTMLOptions{Rules: rules})
	default:
		w = report.NewText(out, report.TextOptions{Color: a.global.color(out.terminal), Width: columns(out.terminal)})
	}
	run := &report.Run{Tool: "valkeyfs", Version: version(), Verb: "fleet report", Inputs: []string{}, Rules: len(rules)}
	sum, err := d.Report(cmd.Context(), sel, run, w, func(rule string) string { return next[rule] })
	if err != nil {
		return false, false, err
	}
	return sum.Findings > 0, !sum.Complete, nil
}
