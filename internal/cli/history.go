package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/export"
	"github.com/valkeyfs/valkeyfs/internal/replay"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

type historyFlags struct {
	format      choice
	at          string
	beforeFlush int
	tombstones  bool
	reveal      bool
	keys        keyFlags
	leftOut     bool // what was written is not all that was asked for
}

func newHistoryCmd(a *app) *cobra.Command {
	f := &historyFlags{}
	cmd := &cobra.Command{
		Use:   "history INPUT",
		Short: "Tell what became of keys, or what a log held at a point",
		Long: `Tell how each key of an append-only file came to hold what it holds: every
change, in order, with what stood there before; what was deleted, expired,
overwritten, flushed or renamed away is told apart.

What a rewrite has replaced and left in the directory, superseded files and such
as the manifest does not name, makes older generations of the log: they are told
first, the oldest before the others, each by itself. Where one lacks its base,
what stood there before is not known, which is said. Snapshots, and files that
nothing places, are passed over and named.

With --at or --before-flush, write the whole data set instead, as it was at that
point: at an RFC 3339 time, for logs with #TS lines; at a byte of a file
(FILE:OFFSET, or the offset alone if there is one file of commands); or before
the last FLUSHALL or FLUSHDB, or the Nth last (--before-flush=N), older
generations included. A file, and a time before the base of the log was saved,
may be of one of those. Commands that begin at that byte, that time or later do
not count.

Values are replayed as a server would. What cannot be followed (scripts,
HyperLogLogs, commands of modules, SORT by or of other keys where not all fit in
--max-mem) is said to be inexact: its state is "unknown" in json and jsonl, and
the commands are named. Changes show lengths instead of values unless --reveal
is given; a data set is written as it is, as export does.
`,
		Example: `  valkeyfs history appendonlydir --key '^user:42$' --reveal
  valkeyfs history appendonlydir --tombstones --format jsonl -o gone.jsonl
  valkeyfs history appendonlydir --before-flush --format resp | valkey-cli --pipe
  valkeyfs history /var/lib/valkey/appendonlydir --at 2026-03-01T02:59:00Z --format jsonl
  valkeyfs history appendonlydir --at appendonly.aof.7.incr.aof:81920 --format json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("before-flush") && len(args) == 2 {
				return usagef("one INPUT is needed, not 2; a number stands behind \"=\": --before-flush=2")
			}
			return oneInput(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runHistory(cmd, a, f, args[0]) },
	}
	fl := cmd.Flags()
	f.format = oneOf("", "text", "jsonl", "json", "resp")
	fl.Var(&f.format, "format", "write `FORMAT`: text, jsonl; of a point jsonl, json, resp")
	fl.StringVar(&f.at, "at", "", "write what there was at this `POINT`: a time, an offset or FILE:OFFSET")
	fl.IntVar(&f.beforeFlush, "before-flush", 0, "write what there was before the `N`th last flush, 1 if no number is given")
	fl.Lookup("before-flush").NoOptDefVal = "1"
	fl.BoolVar(&f.tombstones, "tombstones", false, "only changes that took a value away")
	fl.BoolVar(&f.reveal, "reveal", false, "show values and names as they are")
	f.keys.flags(fl)
	return cmd
}

func runHistory(cmd *cobra.Command, a *app, f *historyFlags, path string) error {
	ctx := cmd.Context()
	filter, err := f.check()
	if err != nil {
		return err
	}
	if f.reveal {
		a.names, a.stderr.names = nil, nil
	}
	in, err := a.inputs(ctx, []string{path}, source.Options{})
	if err != nil {
		return err
	}
	defer in.Close()
	past, err := a.lineageOf(ctx, in, path)
	if err != nil {
		return err
	}
	o := replay.Options{Workers: a.global.workers, MaxMem: int64(a.global.maxMem) / 2, Tmp: in.Tmp(), Tombstones: f.tombstones, Lengths: !f.reveal}
	if !filter.All() {
		o.Want = func(db int32, key []byte) bool { return filter.Match(&keyspace.Event{DB: db, Key: key}) }
	}
	units, point, err := f.choose(ctx, a, past, o)
	if err != nil {
		return err
	}
	if len(units) == 1 && !units[0].Readable() {
		if err := a.sayDamage(ctx, units[0]); err != nil {
			return err
		}
		return exit(exitIncomplete)
	}
	out, err := a.output()
	if err != nil {
		return err
	}
	defer out.discard()
	if a.global.showProgress(a) {
		stop := a.stderr.watch(in.Read, 0)
		defer stop()
	}
	done, err := f.writeAll(ctx, a, out, path, units, point, o)
	if errors.Is(err, replay.ErrLate) && out.again() == nil {
		o.Closely = true
		done, err = f.writeAll(ctx, a, out, path, units, point, o)
	}
	if errors.Is(err, replay.ErrLate) {
		a.stderr.errorf("%v; with --output FILE they are", err)
		return exit(exitIncomplete)
	}
	if err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	incomplete := f.leftOut
	for _, r := range done {
		incomplete = f.tell(a, r) || incomplete
	}
	return exit(status(false, incomplete))
}

// replayed is what is to be told of a generation that was written.
type replayed struct {
	name     string
	headless bool
	unread   bool // it could not be read at all, which was said
	info     replay.Info
}

// writeAll replays generations of a log and writes what is asked for.
func (f *historyFlags) writeAll(ctx context.Context, a *app, out *output, path string, units []*source.Unit, point replay.Point, o replay.Options) (done []replayed, err error) {
	var w func(*replay.Change) error
	if !f.atPoint() {
		w = newChangeWriter(a, out, f.format.word, f.reveal)
	}
	for _, u := range units {
		if !u.Readable() {
			if err := a.sayDamage(ctx, u); err != nil {
				return nil, err
			}
			done = append(done, replayed{unread: true})
			continue
		}
		l, err := openLog(ctx, u, point, o)
		if errors.Is(err, replay.ErrNoFlush) {
			return nil, usagef("--before-flush: %v", err)
		}
		if err != nil {
			return nil, err
		}
		name := u.Name()
		if u.Files[0].Role == source.NoRole { // what the input is read for
			name = path
		}
		if f.atPoint() {
			err = f.writeState(ctx, a, out, l, point)
		} else {
			of := ""
			if len(units) > 1 {
				of = extent(name, u) + ": "
			}
			err = writeChanges(ctx, a, w, l, of)
		}
		if err != nil {
			return nil, err
		}
		done = append(done, replayed{name: name, headless: u.Headless(), info: l.Info()})
	}
	return done, nil
}

// openLog opens a generation of a log.
func openLog(ctx context.Context, u *source.Unit, point replay.Point, o replay.Options) (*replay.Log, error) {
	o.Headless = u.Headless()
	return replay.Open(ctx, func(r replay.Reading) keyspace.Seq { return u.LogEvents(ctx, r.Skim, r.Want, r.Pass) }, point, o)
}

// sayDamage says what keeps a unit from being read.
func (a *app) sayDamage(ctx context.Context, u *source.Unit) error {
	for _, err := range a.damage().say(u.Events(ctx)) {
		if err != nil {
			return err
		}
	}
	return nil
}

// tell says what is not known of a generation, and reports whether that makes what was
// written incomplete.
func (f *historyFlags) tell(a *app, r replayed) (incomplete bool) {
	switch {
	case r.unread:
		return true
	case r.headless && f.atPoint():
		a.stderr.errorf("%s %s: keys that it does not write are missing", r.name, noBase)
		incomplete = true
	case r.headless:
		a.stderr.printf("note: %s %s: what keys held before is not known", r.name, noBase)
	}
	return a.tellReplayed(r.name, r.info) || incomplete
}

// atPoint reports whether the data set at a point is asked for, instead of changes.
func (f *historyFlags) atPoint() bool { return f.at != "" || f.beforeFlush != 0 }

// check refuses flags that do not go together, and returns which keys they choose.
func (f *historyFlags) check() (*export.Filter, error) {
	filter, err := f.keys.filter()
	if err != nil {
		return nil, err
	}
	if len(f.keys.types) > 0 {
		return nil, usagef("--type: a key may change its type; --db and --key choose")
	}
	if f.at != "" && f.beforeFlush != 0 {
		return nil, usagef("--at and --before-flush are two points: choose one")
	}
	formats := []string{"text", "jsonl"}
	if f.atPoint() {
		formats = []string{"jsonl", "json", "resp"}
	}
	if f.format.word == "" {
		f.format.word = formats[0]
	}
	if !slices.Contains(formats, f.format.word) {
		return nil, usagef("--format: one of %s here, not %q", strings.Join(formats, ", "), f.format.word)
	}
	return filter, nil
}

// lineageOf returns the one log among the inputs, and says what beside it is passed over.
func (a *app) lineageOf(ctx context.Context, in *source.Inputs, path string) (*source.Lineage, error) {
	past, err := in.Lineage(ctx)
	if errors.Is(err, source.ErrSeveral) || errors.Is(err, source.ErrNoDataSet) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, err
	}
	log := past.Log
	switch {
	case !log.Readable():
	case log.Snapshot():
		return nil, usagef("%s is a snapshot: it holds one state, and export shows it", path)
	case log.Files[0].Streamed():
		return nil, usagef("a log is read twice for this: name a file")
	}
	if len(past.Snapshots) > 0 {
		a.stderr.printf("note: passed over: %s; \"valkeyfs diff SNAPSHOT LOG\" tells what differs from %s", namesOf(past.Snapshots), log.Name())
	}
	if len(past.Unplaced) > 0 {
		a.stderr.printf("note: passed over, since nothing says where in the log it belongs: %s; name a file to see what it holds", namesOf(past.Unplaced))
	}
	return past, nil
}

// namesOf are the names of units, the first of them if they are many.
func namesOf(units []*source.Unit) string {
	var names []string
	for _, u := range units[:min(len(units), maxSaid)] {
		names = append(names, u.Name())
	}
	text := strings.Join(names, ", ")
	if n := len(units) - maxSaid; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// tellReplayed says what of a log could not be replayed, and reports whether that makes
// what was written incomplete.
func (a *app) tellReplayed(path string, i replay.Info) bool {
	if i.TooLarge > 0 {
		a.stderr.errorf("%s: %s", path, a.tooLarge(i))
	}
	if i.Damaged > 0 {
		a.stderr.errorf("%s: %s could not be understood, and what stood there is not counted; the first: %v", path, plural(i.Damaged, "place"), i.Damage)
	}
	switch {
	case i.Inexact > 0:
		a.stderr.printf("note: the values of %s are not known exactly, and their state is \"unknown\"%s", plural(i.Inexact, "key"), a.vague(i))
	case len(i.Vague) > 0:
		a.stderr.printf("note: not all of it is known exactly%s", a.vague(i))
	}
	if i.Unknown > 0 {
		a.stderr.errorf("%s: %s", path, a.unknown(i))
	}
	return i.TooLarge > 0 || i.Damaged > 0 || i.Unknown > 0
}

// choose returns the point that the flags name, and the generation of the log that it is
// of; without a point all of them, the oldest first.
func (f *historyFlags) choose(ctx context.Context, a *app, past *source.Lineage, o replay.Options) ([]*source.Unit, replay.Point, error) {
	all := append(slices.Clone(past.Older), past.Log)
	point, named, err := f.point(all)
	u := past.Log
	switch {
	case err != nil:
	case !f.atPoint():
		return all, point, nil
	case point.Kind == replay.AtOffset:
		u = named
	case point.Kind == replay.AtTime:
		u = f.generationAt(a, all, time.UnixMilli(point.Time))
	case point.Kind == replay.BeforeFlush && len(past.Older) > 0:
		u, point.Flush, err = f.flushOf(ctx, a, all, point.Flush, o)
	}
	return []*source.Unit{u}, point, err
}

// generationAt returns the generation of the log in which a time lies, as far as bases say
// when they were saved.
func (f *historyFlags) generationAt(a *app, all []*source.Unit, at time.Time) *source.Unit {
	for i, u := range slices.Backward(all) {
		began := u.Began()
		early := !began.IsZero() && at.Before(began)
		if early && i > 0 {
			continue
		}
		if early {
			a.stderr.errorf("what there was at that time is not known: the log begins with a base that was saved at %s, and what that holds is written", began.UTC().Format(time.RFC3339))
			f.leftOut = true
		} else if i < len(all)-1 {
			a.stderr.printf("note: that is before the log was rewritten: it was %s then", u.Name())
		}
		return u
	}
	return nil
}

// flushOf returns the generation of the log that holds its nth last flush, and which of
// that generation it is. What of later ones could not be read may hold more.
func (f *historyFlags) flushOf(ctx context.Context, a *app, all []*source.Unit, n int, o replay.Options) (*source.Unit, int, error) {
	var torn []string
	for _, u := range slices.Backward(all) {
		if !u.Readable() {
			torn = append(torn, u.Name())
			continue
		}
		l, err := openLog(ctx, u, replay.Point{}, o)
		if err != nil {
			return nil, 0, err
		}
		i := l.Info()
		if n > i.Flushes {
			n -= i.Flushes
			if i.Damaged > 0 {
				torn = append(torn, u.Name())
			}
			continue
		}
		for _, name := range torn {
			a.stderr.errorf("%s is later and could not be read whole: a flush in what is damaged is not counted", name)
			f.leftOut = true
		}
		return u, n, nil
	}
	return nil, 0, usagef("--before-flush: %v", replay.ErrNoFlush)
}

// point is the point that the flags name, and the generation in which its file lies, if it
// names one. The log is the last.
func (f *historyFlags) point(all []*source.Unit) (replay.Point, *source.Unit, error) {
	if f.beforeFlush != 0 {
		if f.beforeFlush < 0 {
			return replay.Point{}, nil, usagef("--before-flush: 1 is before the last flush, 2 before the one before")
		}
		return replay.Point{Kind: replay.BeforeFlush, Flush: f.beforeFlush}, nil, nil
	}
	if f.at == "" {
		return replay.Point{}, nil, nil
	}
	if at, err := time.Parse(time.RFC3339Nano, f.at); err == nil {
		return replay.Point{Kind: replay.AtTime, Time: at.UnixMilli()}, nil, nil
	}
	name, text := "", f.at
	if i := strings.LastIndexByte(f.at, ':'); i >= 0 {
		name, text = f.at[:i], f.at[i+1:]
	}
	offset, err := strconv.ParseInt(text, 10, 64)
	if err != nil || offset < 0 {
		return replay.Point{}, nil, usagef("--at: an RFC 3339 time, an offset or FILE:OFFSET, not %q", f.at)
	}
	for _, u := range slices.Backward(all) {
		found := commandFiles(u, name)
		switch len(found) {
		case 1:
			return replay.Point{Kind: replay.AtOffset, Source: found[0], Offset: offset}, u, nil
		case 0:
			if name != "" {
				continue
			}
			return replay.Point{}, nil, usagef("--at: the log has no file of commands by the name %q", name)
		}
		return replay.Point{}, nil, usagef("--at: the log has several files of commands: say FILE:OFFSET")
	}
	return replay.Point{}, nil, usagef("--at: the log has no file of commands by the name %q", name)
}

// commandFiles are the files of commands that a log has by a name, or at all.
func commandFiles(u *source.Unit, name string) (found []string) {
	for _, x := range u.Files {
		commands := x.Kind == source.AOF || x.Kind == source.Empty && x.Role != source.Base
		if commands && (name == "" || x.Path == name || filepath.Base(x.Path) == name) {
			found = append(found, x.Path)
		}
	}
	return found
}

func (f *historyFlags) writeState(ctx context.Context, a *app, out *output, l *replay.Log, at replay.Point) error {
	format, err := export.ParseFormat(f.format.word)
	if err != nil {
		return err
	}
	seq, left := l.State(ctx), 0
	if format == export.RESP {
		seq = withoutModules(seq, &left)
	}
	if err := export.Run(ctx, seq, out, export.Options{Format: format}); err != nil {
		return err
	}
	if left > 0 {
		a.stderr.errorf("left out, since no command builds modules' values and vector sets: %s", plural(int64(left), "key"))
		f.leftOut = true
	}
	i := l.Info()
	if at.Kind == replay.AtTime && i.When == 0 && i.Counted == i.Commands && i.Commands > 0 {
		a.stderr.printf("note: no #TS line says when commands were: all of them are counted")
	}
	when := ""
	if i.When != 0 {
		when = ", the last of them of " + time.UnixMilli(i.When).UTC().Format(time.RFC3339)
	}
	a.stderr.printf("%d of %d commands counted%s", i.Counted, i.Commands, when)
	return nil
}

// withoutModules leaves out the keys that take a serialized value to write as
// commands, and counts them.
func withoutModules(seq keyspace.Seq, left *int) keyspace.Seq {
	return func(yield func(*keyspace.Event, error) bool) {
		for e, err := range seq {
			if err == nil {
				switch e.Type {
				case keyspace.Module, keyspace.VectorSet, keyspace.Array, keyspace.RateLimit:
					if e.Kind == keyspace.Key {
						*left++
					}
					continue
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// extent names the files of a generation of a log.
func extent(name string, u *source.Unit) string {
	if n := len(u.Files); n > 1 && u.Kind() != source.Manifest {
		name += " to " + filepath.Base(u.Files[n-1].Path)
	}
	return name
}

// writeChanges writes the changes of a generation of a log, and what they come to behind
// its name.
func writeChanges(ctx context.Context, a *app, w func(*replay.Change) error, l *replay.Log, name string) error {
	sum := &changeSummary{}
	for c, err := range l.History(ctx) {
		if err != nil {
			return err
		}
		if err := w(c); err != nil {
			return err
		}
		sum.note(c)
	}
	a.stderr.printf("%s%s", name, sum)
	return nil
}
