package casefile

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/audit"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/inspect"
	"github.com/valkeyfs/valkeyfs/internal/memory"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/internal/timeline"
)

// Inspect reads the inputs for what the files hold.
func (c *Case) Inspect(ctx context.Context, in *source.Inputs, names *sweep.Names) error {
	_, err := inspect.Run(ctx, in, (*fileList)(c), names)
	return err
}

// fileList takes the reports of files.
type fileList Case

func (l *fileList) File(*report.File) error        { return nil }
func (l *fileList) Summary(*inspect.Summary) error { return nil }
func (l *fileList) Report(r *inspect.Report) error {
	if len(l.Files) < maxFiles {
		l.Files = append(l.Files, r)
	} else {
		l.Left++
	}
	return nil
}

// AddSet notes what a data set would be in a server: the difference of two totals.
func (c *Case) AddSet(name string, before, after memory.Group) {
	if len(c.Sets) < maxFiles {
		c.Sets = append(c.Sets, memory.Group{Name: name, Keys: after.Keys - before.Keys, Elements: after.Elements - before.Elements, Bytes: after.Bytes - before.Bytes})
	}
}

// ReadTimeline reads the inputs for what happened when.
func (c *Case) ReadTimeline(ctx context.Context, in *source.Inputs, o timeline.Options) error {
	t, err := timeline.New(ctx, in, o)
	if t == nil {
		return err
	}
	defer t.Close()
	if err != nil {
		return err
	}
	out := &Timeline{Events: t.Summary.Events, Undated: t.Summary.Undated}
	counts := map[time.Time]int64{}
	for e, err := range t.Events {
		if err != nil {
			return err
		}
		out.note(e, counts)
	}
	out.Days = days(counts)
	c.Timeline = out
	return nil
}

// note counts an event on its day, and lists it if it stands out.
func (t *Timeline) note(e *timeline.Event, counts map[time.Time]int64) {
	if day := e.Time.UTC().Truncate(24 * time.Hour); e.Kind != "key-expires" && e.Kind != "field-expires" && (counts[day] > 0 || len(counts) < maxCounted) {
		counts[day]++
	}
	if outstanding(e) && len(t.List) < maxEvents {
		t.List = append(t.List, e)
	} else {
		t.Left++
	}
}

// maxCounted bounds the days that are counted: three centuries.
const maxCounted = 110_000

// outstanding reports whether an event belongs on the page: what befell the server
// or more than a value.
func outstanding(e *timeline.Event) bool {
	if e.Technique != "" || e.File != nil && e.Kind == "file-modified" {
		return true
	}
	switch e.Kind {
	case "flushed", "never-logged", "command", "function-loaded", "function-deleted", "databases-swapped", "typed", "server-started", "server-stopped", "attack-detected",
		"module-event", "replication-changed", "replication-sync", "config-rewritten", "snapshot-saved", "snapshot-failed", "log-rewritten", "log-rewrite-failed", "data-loaded",
		"acl-event", "failover":
		return true
	}
	return false
}

// group counts by the days, months or years that a layout names.
func group(counts map[time.Time]int64, layout string) []Day {
	byName := map[string]int64{}
	for day, n := range counts {
		byName[day.Format(layout)] += n
	}
	var out []Day
	most := int64(1)
	for name, n := range byName {
		out = append(out, Day{Name: name, Count: n})
		most = max(most, n)
	}
	slices.SortFunc(out, func(a, b Day) int { return strings.Compare(a.Name, b.Name) })
	for i := range out {
		out[i].Share = 100 * float64(out[i].Count) / float64(most)
	}
	return out
}

// ReadAudit judges a directory among the inputs, by its name there, as that of a host
// that is not at hand. What fails is added to what fails in others.
func (c *Case) ReadAudit(ctx context.Context, host *hostfs.FS, dir string, o *audit.Options) error {
	if c.Audit == nil {
		c.Audit = &Audit{Why: audit.ErrNothing.Error() + "."}
	}
	r, err := audit.Run(ctx, host, []string{"/"}, o)
	if errors.Is(err, audit.ErrNothing) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	a := c.Audit
	a.Passes, a.Unknown, a.Why = a.Passes+r.Counts[audit.Pass], a.Unknown+r.Counts[audit.Unknown], ""
	for i := range r.Results {
		if r.Results[i].Status == audit.Fail {
			a.List = append(a.List, Failure{&r.Results[i], strings.TrimRight(dir, "/")})
		}
	}
	slices.SortStableFunc(a.List, func(x, y Failure) int { return int(y.Severity) - int(x.Severity) })
	if len(a.List) == 0 {
		a.Why = "No check fails."
	}
	return nil
}
