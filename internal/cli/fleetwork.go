package cli

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/fleet"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/scan"
)

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
			a.scanner = o.Scanner
			level := slog.LevelInfo
			if a.global.quiet {
				level = slog.LevelError
			}
			o.Log = slog.New(slog.NewJSONHandler(a.stderr, &slog.HandlerOptions{Level: level}))
			o.Name = cmp.Or(o.Name, workerName())
			o.Names, o.KeyID = a.names, k.id()
			o.Spill = a.spillBeside
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
	f.StringVar(&o.Name, "name", "", "call this worker `NAME` in the database (default: its host and process)")
	f.DurationVar(&o.Lease, "lease", 30*time.Second, "give an input to another worker after this `TIME` without a sign of life")
	f.Int64Var(&o.Attempts, "attempts", 5, "set an input aside after `N` attempts")
	f.StringVar(&metrics, "metrics", "", "serve metrics for Prometheus at `[HOST]:PORT` (default host: 127.0.0.1)")
	f.BoolVar(&o.Drain, "drain", false, "end when nothing is queued or running")
	return cmd
}

// spillBeside returns a directory for what is spilled outside of one in which an input
// lies; nothing is outside of the root.
func (a *app) spillBeside(ctx context.Context, dir string) (string, error) {
	if dir == filepath.Dir(dir) {
		return a.global.tmp, nil
	}
	in, err := source.New(ctx, []string{dir}, source.Options{})
	if err != nil {
		return "", err
	}
	return spillDir(a.global.tmp, in)
}

// workerName is the host and the process.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
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

// worked is what a worker did, as JSON.
type worked struct {
	Type     string `json:"type"` // "work"
	Done     int64  `json:"done"` // inputs
	Retried  int64  `json:"retried"`
	SetAside int64  `json:"set_aside"`
	Lost     int64  `json:"lost"` // taken by another worker, or cancelled
	Findings int64  `json:"findings"`
	Read     int64  `json:"bytes_read"`
}

func newWorked(c *fleet.Counts) *worked {
	return &worked{Type: "work", Done: c.Done.Load(), Retried: c.Retried.Load(), SetAside: c.Failed.Load(), Lost: c.Lost.Load(), Findings: c.Findings.Load(), Read: c.Bytes.Load()}
}
