package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/scan"
)

type backupFlags struct {
	format     choice
	config     string
	to         string
	dest       destFlags
	from       serverFlags
	label      string
	recipients recipientFlags
	signKey    string
	include    []string
	scan       choice
	failOn     threshold
	rate       size
	lock       string
	metrics    string
	onSuccess  string
	onFailure  string

	done backedUp // what json tells
}

func newBackupCmd(a *app) *cobra.Command {
	f := &backupFlags{done: backedUp{Recipients: []string{}, Files: []setFile{}, Warnings: []string{}}}
	cmd := &cobra.Command{
		Use:   "backup DATADIR|--from ADDR --to DEST -r RECIPIENT",
		Short: "Make a sealed backup of a live data directory",
		Long: `Capture the snapshots and logs in a data directory, check them, and seal them
into a new set at DEST. The server may run, and is not asked: nothing in its
directory is written, linked or locked. A log is taken as its manifest says,
while the manifest stays the same, and is cut behind the last command or EXEC.

With --from a server is asked for its data set instead, as a replica asks: it
forks to make a snapshot, and its configuration stays as it is. Its user needs
+psync +replconf +ping, and no access to its files is needed. With --server it is
asked for its version and how far replication and saving are, by INFO alone, and
that is kept in the sealed part of the manifest.

A set is complete when its manifest is there, which is written last. The host
that makes it cannot open it, and anyone can verify it without a key. With
--sign-key the manifest is signed; whoever steals that key can sign forgeries.

With --scan report the scanner looks at what is sealed, and a summary goes into
the sealed part of the manifest. With --scan refuse a finding of --fail-on or
above means that there is no set; of a DATADIR nothing is written at all.

DEST is a directory, s3://BUCKET/PREFIX, or "-" for a tar stream on standard
output. For S3 a credential suffices that may only put objects; it is taken
from the environment, ~/.aws/credentials or the role of the machine. Nothing is
printed on success unless standard error is a terminal.

json says, as one object, whether a set was made, where it lies and for whom it is
sealed, of each file its size and SHA-256 as captured and as sealed, what --scan
counted, what it warned of, and why there is no set if there is none.
`,
		Annotations: finds("--scan refuse: there are findings, and no set was made"),
		Example: `  valkeyfs backup /var/lib/valkey --to /backup -r age1…
  valkeyfs backup /var/lib/valkey --to /backup -R recipients.txt --sign-key sign.key --scan report
  valkeyfs backup /var/lib/valkey --to - -r age1… | ssh store tar x -C /backup
  valkeyfs backup --from db1:6379 --user backup --password-file pw --to s3://b/p -r age1…
  valkeyfs backup /var/lib/valkey --to /backup -r age1… --format json | jq -r .path
  valkeyfs backup --config /etc/valkeyfs/backup.d/main.conf`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.config != "" {
				dir, err := readConfig(cmd, f.config)
				if err != nil {
					return err
				}
				if len(args) == 0 && dir != "" {
					args = []string{dir}
				}
			}
			switch {
			case f.from.from == "" && len(args) != 1:
				return usagef("one DATADIR is needed, or --from")
			case f.from.from != "" && len(args) > 0:
				return usagef("DATADIR and --from exclude each other")
			case f.from.from != "" && f.from.ask != "":
				return usagef("--server is for a DATADIR: what --from needs to know, it asks")
			case f.from.from != "":
				return runBackup(cmd, a, f, f.from.from, f.from.capture)
			}
			if err := f.keepOut(a, args[0]); err != nil {
				return err
			}
			return runBackup(cmd, a, f, args[0], func(ctx context.Context) (*backup.Capture, error) {
				return f.captureDir(ctx, a, args[0])
			})
		},
	}
	fl := cmd.Flags()
	f.format.flag(fl, "text", "json")
	fl.StringVar(&f.config, "config", "", "take flags from `FILE`: lines \"flag = value\", and \"datadir = DIR\"")
	fl.StringVar(&f.to, "to", "", "put the set into `DEST`")
	f.from.flags(fl)
	fl.StringVar(&f.label, "label", "", "put it under `LABEL` (default: the host's name)")
	f.dest.flags(fl)
	fl.Var(&f.dest.retain, "s3-retain", "have the server keep what is written for so long (Object Lock): 30d")
	f.recipients.flags(fl)
	f.recipients.level = backupLevel
	fl.Lookup("level").DefValue = strconv.Itoa(backupLevel)
	fl.StringVar(&f.signKey, "sign-key", "", "sign with the minisign key in `FILE`")
	fl.StringArrayVar(&f.include, "include", nil, "take `FILE` in DATADIR, too: nodes.conf, an ACL file (repeatable)")
	f.scan = oneOf("", "report", "refuse")
	fl.Var(&f.scan, "scan", "look at what is sealed: `report|refuse`")
	f.failOn.flag(fl, "--scan: findings of at least this `SEVERITY` count")
	fl.Var(&f.rate, "limit-rate", "write at most so many bytes a second")
	fl.Lookup("limit-rate").DefValue = "" // no bound
	fl.StringVar(&f.lock, "lock", "", "let one backup run at a time, by a lock on `FILE` (default: one for the label in the state directory)")
	fl.StringVar(&f.metrics, "metrics", "", "write Prometheus metrics to `FILE.prom`")
	fl.StringVar(&f.onSuccess, "on-success", "", "run `CMD` in a shell afterwards")
	fl.StringVar(&f.onFailure, "on-failure", "", "run `CMD` in a shell if it failed")
	return cmd
}

// backupLevel is the level of compression: the cores are the server's. Level 3 takes
// a quarter more of their time and makes a backup some 4 % smaller.
const backupLevel = 1

// captureDir opens a data directory. The server is asked before: what it said is
// a lower bound of what is captured.
func (f *backupFlags) captureDir(ctx context.Context, a *app, dir string) (*backup.Capture, error) {
	if f.from.ask == "" {
		return backup.CaptureDir(ctx, dir, f.include)
	}
	state, err := f.from.state(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range state.Failed {
		f.warn(a, "the server says that something of it failed: %s", name)
	}
	c, err := backup.CaptureDir(ctx, dir, f.include)
	if err == nil {
		c.Said(state)
	}
	return c, err
}

// A capture opens what is to be backed up.
type capture func(context.Context) (*backup.Capture, error)

func runBackup(cmd *cobra.Command, a *app, f *backupFlags, what string, open capture) error {
	harden()
	if f.to == "" {
		return usagef("where to? name a destination by --to")
	}
	if err := f.placed(a); err != nil {
		return err
	}
	if f.label == "" {
		f.label = hostLabel()
	}
	if err := backup.CheckLabel(f.label); err != nil {
		return usagef("--label: %v", err)
	}
	started := time.Now()
	result, err := f.create(cmd, a, open)
	code := exitOK
	switch {
	case err == nil:
	case errors.Is(err, backup.ErrRefused):
		a.stderr.errorf("backup of %s: %d findings, and --scan refuse: nothing was written", what, result.Findings)
		code = exitFindings
	case keyspace.Incomplete(err):
		a.stderr.errorf("backup of %s: %v", what, err)
		code = exitIncomplete
	case errors.As(err, new(usageError)):
		code = exitUsage // a file of the configuration may be gone since last night
	case errors.Is(err, context.Canceled):
		a.stderr.errorf("backup of %s: interrupted before the end: there is no set", what)
		code = exitError
	default:
		a.stderr.errorf("backup of %s: %v", what, err)
		code = exitError
	}
	if result != nil && len(result.Strange) > 0 {
		f.warn(a, "a log holds commands that no server writes and that replay would run: %s", result.Strange[0])
	}
	if code == exitOK && a.stderr.terminal {
		a.stderr.printf("set %s of %s: %s captured, %s written, %d members, %d of them unchanged and %d of an interrupted run", result.Manifest.ID, f.label,
			report.Bytes(result.Plain), report.Bytes(result.Sent), len(result.Manifest.Members), result.Reused, result.Resumed)
	}
	if f.metrics != "" {
		if err := writeBackupMetrics(f.metrics, f.label, code, started, time.Now(), result); err != nil {
			a.stderr.errorf("metrics: %v", err)
			code = max(code, exitError)
		}
	}
	hook := f.onSuccess
	if code != exitOK {
		hook = f.onFailure
	}
	if hook != "" {
		if err := a.hook(cmd.Context(), hook, f.label, code, result); err != nil {
			a.stderr.errorf("hook: %v", err)
			code = max(code, exitError)
		}
	}
	if errors.As(err, new(usageError)) {
		return err
	}
	return f.tell(a, code, what, result, err)
}

// placed refuses an outcome that has no place of its own.
func (f *backupFlags) placed(a *app) error {
	if f.to == source.Stdin {
		if err := a.partOutcome(&f.format); err != nil {
			return err
		}
	}
	return a.placeOutcome(&f.format)
}

// create makes the set.
func (f *backupFlags) create(cmd *cobra.Command, a *app, open capture) (*backup.Result, error) {
	ctx := cmd.Context()
	seal, texts, err := f.recipients.options(a)
	if err != nil {
		return nil, err
	}
	f.done.Recipients = texts
	if len(texts) == 1 {
		const single = "a single recipient: if his key is lost, so is every backup"
		f.note(a, single)
		if a.stderr.terminal {
			a.stderr.printf("warning: %s", single)
		}
	}
	o := backup.Options{Label: f.label, Tool: "valkeyfs " + version(), Seal: seal, Recipients: texts, Now: time.Now, Rate: int64(f.rate)}
	if f.signKey != "" {
		if o.Sign, err = readSigningKey(a.ui(), f.signKey); err != nil {
			return nil, err
		}
	}
	if err := f.scanner(a, &o); err != nil {
		return nil, err
	}
	unlock, err := f.takeLock(a)
	if err != nil {
		return nil, err
	}
	defer unlock()

	var store backup.Store
	if f.to == source.Stdin {
		if isTerminal(a.stdout) {
			return nil, usagef("this would fill the terminal with bytes: name a directory by --to")
		}
		store = backup.NewTar(a.stdout, a.global.tmp, time.Now)
	} else if store, err = f.dest.open(f.to, true); err != nil {
		return nil, err
	}
	defer store.Close()
	known := openSetState(f.label)
	o.Previous, o.Completing = known.done(), known.begin
	if f.to != source.Stdin { // where a stream went to, nobody knows
		o.Pending = known.begun()
		o.Begun, o.Sent = known.left(), known.sent
	}
	var result *backup.Result
	for range maxTries {
		result, err = createOnce(ctx, store, open, o)
		if !errors.Is(err, backup.ErrShrank) {
			break
		}
	}
	if err == nil {
		err = store.Close()
	}
	if err == nil {
		known.end()
	}
	return result, err
}

// maxTries is how often a backup is begun anew because a log was changed in a way
// that only happens when a write of the server fails.
const maxTries = 5

func createOnce(ctx context.Context, s backup.Store, open capture, o backup.Options) (*backup.Result, error) {
	c, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return backup.Create(ctx, s, c, o)
}

func (f *backupFlags) scanner(a *app, o *backup.Options) (err error) {
	if f.scan.word == "" {
		return nil
	}
	o.Refuse, o.FailOn = f.scan.word == "refuse", f.failOn.Severity
	o.Scanner, err = scan.New(scan.Config{Workers: a.global.workers})
	return err
}

// takeLock keeps a second backup of the same label from running.
func (f *backupFlags) takeLock(a *app) (unlock func(), err error) {
	path := f.lock
	if path == "" {
		if path, err = stateFile(f.label, ".lock"); err != nil {
			a.stderr.printf("no lock is taken: %v", err)
			return func() {}, nil
		}
	}
	l := flock.New(path)
	ok, err := l.TryLock()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("another backup is running: %s is locked", path)
	}
	return func() { l.Unlock() }, nil //nolint:errcheck // the process' end unlocks it, too
}

func readSigningKey(ui crypt.UI, name string) (*crypt.SigningKey, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, unreadable("--sign-key", name, err)
	}
	defer f.Close()
	key, err := crypt.ParseSigningKey(f, ui)
	if err != nil {
		return nil, fmt.Errorf("--sign-key %s: %w", name, err)
	}
	return key, nil
}

// hostLabel makes a label of the host's name.
func hostLabel() string {
	name, err := os.Hostname()
	if err != nil {
		return "default"
	}
	name = strings.Trim(regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(name, "-"), "-._")
	if name == "" || len(name) > 64 {
		return "default"
	}
	return name
}

// hook runs a command of the user's, also after a backup that was interrupted. What it
// prints goes to standard error.
func (a *app) hook(ctx context.Context, command, label string, code int, r *backup.Result) error {
	c := exec.CommandContext(context.WithoutCancel(ctx), "/bin/sh", "-c", command) //nolint:gosec // running it is the purpose
	c.Stdout, c.Stderr = a.stderr, a.stderr
	c.Env = append(os.Environ(), "VALKEYFS_LABEL="+label, fmt.Sprintf("VALKEYFS_STATUS=%d", code))
	if r != nil && code == exitOK {
		c.Env = append(c.Env, "VALKEYFS_SET="+r.Manifest.ID)
	}
	return c.Run()
}
