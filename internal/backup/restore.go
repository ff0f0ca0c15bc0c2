package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"filippo.io/age"
)

// RestoreOptions say how a set becomes a data directory.
type RestoreOptions struct {
	Into          string
	Identities    []age.Identity
	Force         bool   // what lies in Into is moved aside, never deleted
	AllowCommands bool   // take logs with commands that no server writes
	AsLog         bool   // make a snapshot the base of a new log, for a server with appendonly yes
	Build         *Build // the server that is to load it; nil: any
	UID, GID      int    // owner of what is restored; -1: that of Into, or whoever runs this
	Now           time.Time
}

// Restored says what was restored.
type Restored struct {
	Inner   *Inner
	Aside   string    // where what lay in Into is now; "": nothing lay there
	Advice  []string  // what the server has to be told
	Strange []Command // commands in logs that no server writes, and that were allowed

	expiring map[string]int64 // keys with an expiry, by path
}

// A CommandsError says that a log holds commands that no server writes, and that
// a server which replays it would run.
type CommandsError struct{ Commands []Command }

func (e *CommandsError) Error() string {
	return fmt.Sprintf("a log holds %d commands that no server writes and that every server would run, first %s", len(e.Commands), e.Commands[0])
}

// ErrInTheWay says that something stands in the way of a restore: files in the
// target, or a server that runs there.
var ErrInTheWay = errors.New("the target is in use")

// Restore puts a set in the place of a directory. All of it is decrypted and
// checked beside the target first, or in it if it is a mount point; only then is
// it renamed into place. Files get mode 0600, directories 0700.
func (s *Set) Restore(ctx context.Context, o RestoreOptions) (*Restored, error) {
	in, err := s.inner(ctx, o.Identities)
	if err != nil {
		return nil, err
	}
	p, err := newPlace(o.Into, o.Now)
	if err != nil {
		return nil, err
	}
	if err := preflight(p, in, o); err != nil {
		return nil, err
	}
	if o.UID < 0 || o.GID < 0 {
		o.UID, o.GID = ownerOf(p.target)
	}
	if err := os.Mkdir(p.stage, 0o700); err != nil {
		return nil, err
	}
	defer p.discard()
	done := &Restored{Inner: in, Advice: in.advice(o.AsLog), expiring: map[string]int64{}}
	if err := s.stage(ctx, p.stage, done, o); err != nil {
		return nil, err
	}
	if done.Aside, err = p.commit(); err != nil {
		return nil, err
	}
	return done, nil
}

// preflight looks at the set and its target before anything is written.
func preflight(p *place, in *Inner, o RestoreOptions) error {
	if len(p.inWay) > 0 && !o.Force {
		return fmt.Errorf("%w: %s is not empty; --force moves what is there aside", ErrInTheWay, p.target)
	}
	if pid := runningIn(p.target); pid > 0 {
		return fmt.Errorf("%w: process %d runs in %s; stop the server first", ErrInTheWay, pid, p.target)
	}
	if uid := os.Geteuid(); o.UID >= 0 && uid > 0 && o.UID != uid {
		return fmt.Errorf("only root can give files to user %d: %w", o.UID, fs.ErrPermission)
	}
	if o.Build != nil {
		if err := in.readable(*o.Build); err != nil {
			return err
		}
	}
	var need int64
	for i := range in.Files {
		need += in.Files[i].Size
	}
	where := filepath.Dir(p.stage)
	if _, err := os.Stat(where); err != nil {
		return err
	}
	if free, ok := freeSpace(where); ok && free < need {
		return fmt.Errorf("%s: %d bytes are free, and %d are needed", where, free, need)
	}
	return nil
}

// stage writes the files of a set into a directory and checks them.
func (s *Set) stage(ctx context.Context, dir string, done *Restored, o RestoreOptions) error {
	in := done.Inner
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for i := range in.Files {
		f := &in.Files[i]
		if err := s.stageFile(ctx, root, &s.Manifest.Members[i], f, o.Identities, func(c *content) {
			done.Strange = append(done.Strange, c.strange...)
			done.expiring[f.Path] = c.expiring
		}); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		if len(done.Strange) > 0 && !o.AllowCommands {
			return &CommandsError{done.Strange}
		}
	}
	if o.AsLog {
		if err := asLog(root, in); err != nil {
			return err
		}
	}
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if o.UID >= 0 {
			if err := root.Lchown(name, o.UID, o.GID); err != nil {
				return err
			}
		}
		if d.IsDir() {
			return syncDir(filepath.Join(dir, name))
		}
		return nil
	})
}

func (s *Set) stageFile(ctx context.Context, root *os.Root, m *Member, f *File, ids []age.Identity, seen func(*content)) error {
	if err := root.MkdirAll(path.Dir(f.Path), 0o700); err != nil {
		return err
	}
	out, err := root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	err = s.file(ctx, m, f, ids, struct{ io.Writer }{out}, seen)
	if err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	if !f.Modified.IsZero() {
		return root.Chtimes(f.Path, time.Time{}, f.Modified)
	}
	return nil
}

// The names that servers give a new log (aof.c, "appendfilename" and
// "appenddirname" as they are by default).
const (
	logDir      = "appendonlydir"
	logBase     = "appendonly.aof.1.base.rdb"
	logManifest = "appendonly.aof.manifest"
)

// asLog makes the only snapshot the base file of a multi-part log.
func asLog(root *os.Root, in *Inner) error {
	if len(in.Files) == 0 || in.Files[0].Role != RoleSnapshot || in.has(RoleManifest) || in.has(RoleLog) || in.count(RoleSnapshot) != 1 {
		return errors.New("the set is not of one snapshot alone: there is a log in it, or nothing to make one of")
	}
	if err := root.Mkdir(logDir, 0o700); err != nil {
		return err
	}
	if err := root.Rename(in.Files[0].Path, path.Join(logDir, logBase)); err != nil {
		return err
	}
	f, err := root.OpenFile(path.Join(logDir, logManifest), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, bytes.NewReader(fmt.Appendf(nil, "file %s seq 1 type b\n", logBase))); err != nil {
		return err
	}
	return f.Sync()
}

func (in *Inner) count(role Role) (n int) {
	for i := range in.Files {
		if in.Files[i].Role == role {
			n++
		}
	}
	return n
}

func (in *Inner) has(role Role) bool { return in.count(role) > 0 }

// advice says which of the files a server will load.
func (in *Inner) advice(asLog bool) []string {
	log := in.has(RoleManifest) || in.has(RoleLog)
	var all []string
	switch {
	case asLog:
		all = append(all, "the snapshot is now the base of a log: start the server with appendonly yes")
	case log && in.has(RoleSnapshot):
		all = append(all, "there are a log and a snapshot: with appendonly yes the server loads the log, which is newer; with appendonly no the snapshot")
	case log:
		all = append(all, "there is a log: start the server with appendonly yes, or it starts empty")
	default:
		all = append(all, "there is a snapshot alone: a server with appendonly yes would start empty; start it with appendonly no, or restore with --as-log")
	}
	if in.Version != "" {
		all = append(all, fmt.Sprintf("written by %s %s: a server of this version or a newer one of the same make loads it", in.Server, in.Version))
	}
	return all
}

func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
