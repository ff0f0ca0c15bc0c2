package cli

import (
	"context"
	"errors"
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
	leftOut     bool // what was written lacks keys
}

func newHistoryCmd(a *app) *cobra.Command {
	f := &historyFlags{}
	cmd := &cobra.Command{
		Use:   "history INPUT",
		Short: "Tell what became of keys, or what a log held at a point",
		Long: `Tell how each key of an append-only file came to hold what it holds: every
change, in order, with what stood there before; what was deleted, expired,
overwritten, flushed or renamed away is told apart.

With --at or --before-flush, write the whole data set instead, as it was at that
point: at an RFC 3339 time, for logs with #TS lines; at a byte of a file
(FILE:OFFSET, or the offset alone if there is one file of commands); or before
the last FLUSHALL or FLUSHDB, or the Nth last. Commands that begin at that byte,
that time or later do not count.

Values are replayed as a server would. What cannot be followed (scripts,
HyperLogLogs, commands of modules, SORT by or of other keys where not all fit in
--max-mem) is said to be inexact: its state is "unknown" in json and jsonl, and the commands are named. Changes show lengths instead of values
unless --reveal is given; a data set is written as it is, as export does.
`,
		Example: `  valkeyfs history appendonlydir --key '^user:42$' --reveal
  valkeyfs history appendonlydir --tombstones --format jsonl -o gone.jsonl
  valkeyfs history appendonlydir --before-flush --format resp | valkey-cli --pipe
  valkeyfs history /var/lib/valkey/appendonlydir --at 2026-03-01T02:59:00Z --format jsonl
  valkeyfs history appendonlydir --at appendonly.aof.7.incr.aof:81920 --format json`,
		Args: oneInput,
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
	unit, err := a.logOf(ctx, in, path)
	if err != nil {
		return err
	}
	point, err := f.point(unit)
	if err != nil {
		return err
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
	o := replay.Options{Workers: a.global.workers, MaxMem: int64(a.global.maxMem) / 2, Tmp: in.Tmp(), Tombstones: f.tombstones, Lengths: !f.reveal}
	if !filter.All() {
		o.Want = func(db int32, key []byte) bool { return filter.Match(&keyspace.Event{DB: db, Key: key}) }
	}
	l, err := f.write(ctx, a, out, unit, point, o)
	if errors.Is(err, replay.ErrLate) && out.again() == nil {
		o.Closely = true
		l, err = f.write(ctx, a, out, unit, point, o)
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
	return exit(status(false, a.tellReplayed(path, l.Info()) || f.leftOut))
}

// write replays a log and writes what is asked for.
func (f *historyFlags) write(ctx context.Context, a *app, out *output, unit *source.Unit, point replay.Point, o replay.Options) (*replay.Log, error) {
	l, err := replay.Open(ctx, func(r replay.Reading) keyspace.Seq { return unit.LogEvents(ctx, r.Skim, r.Want, r.Pass) }, point, o)
	if errors.Is(err, replay.ErrNoFlush) {
		return nil, usagef("--before-flush: %v", err)
	}
	if err != nil {
		return nil, err
	}
	if f.atPoint() {
		return l, f.writeState(ctx, a, out, l)
	}
	return l, f.writeChanges(ctx, a, out, l)
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

// logOf returns the one log among the inputs.
func (a *app) logOf(ctx context.Context, in *source.Inputs, path string) (*source.Unit, error) {
	unit, err := dataSetOf(ctx, in)
	if err != nil {
		return nil, err
	}
	if !unit.Readable() {
		damage := a.damage()
		for _, err := range damage.say(unit.Events(ctx)) {
			if err != nil {
				return nil, err
			}
		}
		return nil, exit(exitIncomplete)
	}
	if unit.Kind() != source.AOF && unit.Kind() != source.Manifest {
		return nil, usagef("%s is a snapshot: it holds one state, and export shows it", path)
	}
	if unit.Files[0].Streamed() {
		return nil, usagef("a log is read twice for this: name a file")
	}
	return unit, nil
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

// point is the point that the flags name.
func (f *historyFlags) point(u *source.Unit) (replay.Point, error) {
	if f.beforeFlush != 0 {
		if f.beforeFlush < 0 {
			return replay.Point{}, usagef("--before-flush: 1 is before the last flush, 2 before the one before")
		}
		return replay.Point{Kind: replay.BeforeFlush, Flush: f.beforeFlush}, nil
	}
	if f.at == "" {
		return replay.Point{}, nil
	}
	if at, err := time.Parse(time.RFC3339Nano, f.at); err == nil {
		return replay.Point{Kind: replay.AtTime, Time: at.UnixMilli()}, nil
	}
	name, text := "", f.at
	if i := strings.LastIndexByte(f.at, ':'); i >= 0 {
		name, text = f.at[:i], f.at[i+1:]
	}
	offset, err := strconv.ParseInt(text, 10, 64)
	if err != nil || offset < 0 {
		return replay.Point{}, usagef("--at: an RFC 3339 time, an offset or FILE:OFFSET, not %q", f.at)
	}
	var found []string
	for _, x := range u.Files {
		commands := x.Kind == source.AOF || x.Kind == source.Empty && x.Role == source.Incr
		if commands && (name == "" || x.Path == name || filepath.Base(x.Path) == name) {
			found = append(found, x.Path)
		}
	}
	switch len(found) {
	case 1:
		return replay.Point{Kind: replay.AtOffset, Source: found[0], Offset: offset}, nil
	case 0:
		return replay.Point{}, usagef("--at: the log has no file of commands by the name %q", name)
	}
	return replay.Point{}, usagef("--at: the log has several files of commands: say FILE:OFFSET")
}

func (f *historyFlags) writeState(ctx context.Context, a *app, out *output, l *replay.Log) error {
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

func (f *historyFlags) writeChanges(ctx context.Context, a *app, out *output, l *replay.Log) error {
	w, sum := newChangeWriter(a, out, f.format.word, f.reveal), &changeSummary{}
	for c, err := range l.History(ctx) {
		if err != nil {
			return err
		}
		if err := w(c); err != nil {
			return err
		}
		sum.note(c)
	}
	a.stderr.printf("%s", sum)
	return nil
}
