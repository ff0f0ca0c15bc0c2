package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

type restoreFlags struct {
	format        choice
	keys          verifyFlags
	dest          destFlags
	into          string
	force         bool
	owner         string
	allowCommands bool
	asLog         bool
	server        string
	anyVersion    bool
}

func newRestoreCmd(a *app) *cobra.Command {
	f := &restoreFlags{}
	cmd := &cobra.Command{
		Use:   "restore SET --into DIR -i IDENTITY",
		Short: "Put a sealed backup back in place",
		Long: `Open a set, or the newest under a label, and put it into DIR. All of it is
decrypted, checked and searched for commands that no server writes beside DIR,
and only then renamed into place; so DIR holds all of it or what it held before.
The server must not be running there, and the one that is installed here has to
be able to read the snapshots. A DIR that is a mount point keeps its place: what
is restored is moved into it. Files get mode 0600 and directories 0700;
they belong to --owner, or to whom DIR belonged.

What lies in DIR is in the way. --force moves it aside, to DIR.before-TIME (in a
mount point to before-TIME there), and deletes nothing.

A server loads its log if it runs with appendonly yes, and its snapshot if not;
which of them were restored, and what to do, is said at the end.

json says that as one object: whether it was restored and where, of each file its
size and SHA-256, where what lay there is now, and what is wrong with the set if
nothing was restored.
`,
		Annotations: finds("a signature does not fit, or a log holds commands that no server\n     writes: nothing was restored"),
		Example: `  valkeyfs restore /backup/db1 -i key.txt --into /var/lib/valkey --force --owner valkey
  valkeyfs restore /backup/db1/20260131T020000.000Z-0123abcd -i key.txt --into /tmp/look`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("one SET is needed, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runRestore(cmd, a, f, args[0]) },
	}
	fl := cmd.Flags()
	f.format.flag(fl, "text", "json")
	f.keys.flags(fl)
	f.dest.flags(fl)
	fl.StringVar(&f.into, "into", "", "make `DIR` the data directory")
	fl.BoolVar(&f.force, "force", false, "move aside what lies there")
	fl.StringVar(&f.owner, "owner", "", "give the files to `USER[:GROUP]`")
	fl.BoolVar(&f.allowCommands, "allow-commands", false, "restore logs with commands that no server writes")
	fl.BoolVar(&f.asLog, "as-log", false, "make the snapshot the base of a new log, for a server with appendonly yes")
	fl.StringVar(&f.server, "server", "", "the server `PROGRAM` has to read it (default: valkey-server or redis-server, if installed)")
	fl.BoolVar(&f.anyVersion, "any-version", false, "restore what the server that is installed here does not read")
	return cmd
}

func runRestore(cmd *cobra.Command, a *app, f *restoreFlags, location string) error {
	harden()
	if f.into == "" {
		return usagef("where to? name a directory by --into")
	}
	if err := a.placeOutcome(&f.format); err != nil {
		return err
	}
	told := &restored{Type: "restore", Directory: a.names.Mask(f.into), AsLog: f.asLog, Signatures: len(f.keys.keys) > 0, Files: []setFile{}, Advice: []string{}, Warnings: []string{}}
	code, err := f.restore(cmd.Context(), a, location, told)
	if err != nil {
		return err
	}
	return a.outcome(&f.format, code, told)
}

// restore does it, and returns the exit status; told is what json tells.
func (f *restoreFlags) restore(ctx context.Context, a *app, location string, told *restored) (int, error) {
	keys, err := f.keys.parse()
	if err != nil {
		return 0, err
	}
	o := backup.RestoreOptions{Into: f.into, Force: f.force, AllowCommands: f.allowCommands, AsLog: f.asLog, UID: -1, GID: -1, Now: time.Now()}
	if f.owner != "" {
		if o.UID, o.GID, err = lookupOwner(f.owner); err != nil {
			return 0, err
		}
	}
	if o.Build, err = f.build(ctx); err != nil {
		return 0, err
	}
	s, at, err := f.dest.openSets(ctx, location)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if at, err = oneSet(ctx, s, at, location); err != nil {
		return 0, err
	}
	told.Label, told.ID = at.Label, at.ID
	set, err := backup.OpenSet(ctx, s, at)
	if errors.Is(err, backup.ErrManifest) {
		a.stderr.errorf("%v", err)
		told.Problems = append(told.Problems, a.problem(at, backup.Damaged, err.Error()))
		return exitIncomplete, nil
	}
	if err != nil {
		return 0, err
	}
	// What is put in place was checked: hashes and structure now, contents on the way.
	problems, err := set.Verify(ctx, backup.VerifyOptions{Keys: keys})
	if err != nil {
		return 0, err
	}
	if len(problems) > 0 {
		v := &verification{app: a}
		told.Problems = v.tell(problems)
		return status(v.violated, v.damaged), nil
	}
	if o.Identities, err = a.identities("the set"); err != nil {
		return 0, err
	}
	done, err := set.Restore(ctx, o)
	if err != nil {
		return f.failed(a, at, err, told)
	}
	told.take(a, set, done)
	a.stderr.printf("%s is restored in %s", at, safe(f.into))
	if done.Aside != "" {
		a.stderr.printf("what was there is in %s", safe(done.Aside))
	}
	for _, line := range done.Advice {
		a.stderr.printf("%s", line)
	}
	return exitOK, nil
}

// oneSet returns the set that a location names, or the newest of its one label.
func oneSet(ctx context.Context, s backup.Store, at backup.Ref, location string) (backup.Ref, error) {
	if at.ID != "" {
		return at, nil
	}
	l, err := backup.List(ctx, s, at.Label)
	if err != nil {
		return at, err
	}
	newest := l.Newest()
	if len(newest) != 1 {
		return at, usagef("%s: there are sets of %d labels in it: name one", safe(location), len(newest))
	}
	return newest[0], nil
}

// failed says why nothing was restored, and returns the exit status; an error that
// does not speak of the set is returned.
func (f *restoreFlags) failed(a *app, at backup.Ref, err error, told *restored) (int, error) {
	var hostile *backup.CommandsError
	switch {
	case errors.As(err, &hostile):
		for _, c := range hostile.Commands {
			a.stderr.errorf("%s: a command that no server writes, and that replay would run", c)
			told.Problems = append(told.Problems, a.problem(at, backup.Hostile, fmt.Sprint(c)))
		}
		a.stderr.errorf("nothing was restored; --allow-commands overrides this")
		return exitFindings, nil
	case errors.Is(err, backup.ErrTooNew):
		return 0, fmt.Errorf("%w; --any-version overrides this", err)
	case errors.Is(err, backup.ErrInTheWay), errors.Is(err, fs.ErrExist):
		return 0, err
	}
	if keyspace.Incomplete(err) || backup.IsDamage(err) {
		a.stderr.errorf("%s: %v", at, err)
		told.Problems = append(told.Problems, a.problem(at, backup.Damaged, err.Error()))
		return exitIncomplete, nil
	}
	why := unopened(err)
	if why == nil {
		return 0, err
	}
	a.stderr.errorf("%s: %v", at, why)
	told.Problems = append(told.Problems, a.problem(at, unopenedSet, why.Error()))
	return exitIncomplete, nil
}

// build returns which server is to load what is restored; nil if nobody knows.
func (f *restoreFlags) build(ctx context.Context) (*backup.Build, error) {
	program := f.server
	if program == "" {
		program = backup.FindServer()
	}
	if program == "" || f.anyVersion {
		return nil, nil
	}
	b, err := backup.BuildOf(ctx, program)
	if err != nil && f.server == "" { // whatever it is that bears the name
		return nil, nil // it is a precaution
	}
	return &b, err
}

// lookupOwner finds USER[:GROUP], by name or number.
func lookupOwner(text string) (uid, gid int, err error) {
	name, group, _ := strings.Cut(text, ":")
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return 0, 0, usagef("--owner: there is no user %s", safe(name))
		}
	}
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			if g, err = user.LookupGroupId(group); err != nil {
				return 0, 0, usagef("--owner: there is no group %s", safe(group))
			}
		}
		u.Gid = g.Gid
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}
