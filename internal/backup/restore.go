package backup

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
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
	Force         bool // what lies in Into is moved aside, never deleted
	AllowCommands bool // take logs with commands that no server writes
	AsLog         bool // make a snapshot the base of a new log, for a server with appendonly yes
	UID, GID      int  // owner of what is restored; -1: that of Into, or whoever runs this
	Now           time.Time
}

// Restored says what was restored.
type Restored struct {
	Inner  *Inner
	Aside  string   // where what lay in Into is now; "": nothing lay there
	Advice []string // what the server has to be told

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
// checked beside the target first; only then is it renamed into place. Files get
// mode 0600, directories 0700.
func (s *Set) Restore(ctx context.Context, o RestoreOptions) (*Restored, error) {
	target, err := filepath.Abs(o.Into)
	if err != nil {
		return nil, err
	}
	in, err := s.inner(ctx, o.Identities)
	if err != nil {
		return nil, err
	}
	occupied, err := preflight(target, in, o.Force)
	if err != nil {
		return nil, err
	}
	if o.UID < 0 || o.GID < 0 {
		o.UID, o.GID = ownerOf(target)
	}
	stage, err := beside(target, "restoring")
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(stage, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(stage) //nolint:errcheck // it is gone once it was renamed
	done := &Restored{Inner: in, Advice: in.advice(o.AsLog), expiring: map[string]int64{}}
	if err := s.stage(ctx, stage, done, o); err != nil {
		return nil, err
	}
	switch {
	case occupied:
		done.Aside = target + ".before-" + o.Now.UTC().Format("20060102T150405Z")
		if _, err := os.Lstat(done.Aside); err == nil {
			return nil, fmt.Errorf("%s: %w", done.Aside, fs.ErrExist)
		}
		if err := os.Rename(target, done.Aside); err != nil {
			return nil, err
		}
	default:
		if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err // a mount point, for one
		}
	}
	if err := os.Rename(stage, target); err != nil {
		return nil, err
	}
	return done, syncDir(filepath.Dir(target))
}

// preflight looks at the target before anything is written.
func preflight(target string, in *Inner, force bool) (occupied bool, err error) {
	entries, err := os.ReadDir(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, err
	case len(entries) > 0 && !force:
		return false, fmt.Errorf("%w: %s is not empty; --force moves what is there aside", ErrInTheWay, target)
	default:
		occupied = len(entries) > 0
	}
	if pid := runningIn(target); pid > 0 {
		return occupied, fmt.Errorf("%w: process %d runs in %s; stop the server first", ErrInTheWay, pid, target)
	}
	var need int64
	for i := range in.Files {
		need += in.Files[i].Size
	}
	if free, ok := freeSpace(filepath.Dir(target)); ok && free < need {
		return occupied, fmt.Errorf("%s: %d bytes are free, and %d are needed", filepath.Dir(target), free, need)
	}
	return occupied, nil
}

// beside returns a new name beside a directory, on its file system.
func beside(target, what string) (string, error) {
	var b [6]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+"."+what+"-"+hex.EncodeToString(b[:])), nil
}

// stage writes the files of a set into a directory and checks them.
func (s *Set) stage(ctx context.Context, dir string, done *Restored, o RestoreOptions) error {
	in := done.Inner
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	var strange []Command
	for i := range in.Files {
		f := &in.Files[i]
		if err := s.stageFile(ctx, root, &s.Manifest.Members[i], f, o.Identities, func(c *content) {
			strange = append(strange, c.strange...)
			done.expiring[f.Path] = c.expiring
		}); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		if len(strange) > 0 && !o.AllowCommands {
			return &CommandsError{strange}
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
