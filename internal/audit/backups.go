package audit

import (
	"context"
	"io"
	"path"
	"slices"
	"syscall"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// backups is what a destination of sealed backups shows without a key.
type backups struct {
	dir    string
	newest time.Time // when the newest set was finished
	sets   int
	signed bool // the newest one is
	whole  bool // its manifest names objects that are there, as large as it says
	same   *bool
	err    error
}

// maxManifest bounds the manifest of a set.
const maxManifest = 16 << 20

// readBackups looks at a destination, and whether it lies on the device of the
// data directory.
func readBackups(ctx context.Context, fs *hostfs.FS, dir, data string) *backups {
	b := &backups{dir: dir}
	host, err := fs.HostPath(dir)
	if err != nil {
		b.err = err
		return b
	}
	store, err := backup.OpenDir(host, false)
	if err != nil {
		b.err = err
		return b
	}
	defer store.Close()
	list, err := backup.List(ctx, store, "")
	if err != nil {
		b.err = err
		return b
	}
	b.sets = len(list.Sets)
	for _, ref := range list.Sets {
		if err := b.set(ctx, store, ref, list.Objects[ref]); err != nil {
			b.err = err
			return b
		}
	}
	if same, known := sameDevice(fs, dir, data); known && fs.Live() && data != "" {
		b.same = &same
	}
	return b
}

func (b *backups) set(ctx context.Context, store backup.Store, ref backup.Ref, objects []backup.Info) error {
	r, _, err := store.Open(ctx, path.Join(ref.Label, ref.ID, "manifest.json"))
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if e := r.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	m, err := backup.ParseManifest(text)
	if err != nil {
		return err
	}
	if m.Finished.Before(b.newest) {
		return nil
	}
	sizes := map[string]int64{}
	for _, o := range objects {
		sizes[path.Base(o.Name)] = o.Size
	}
	_, signed := sizes["manifest.json.minisig"]
	b.newest, b.signed = m.Finished, signed
	b.whole = !slices.ContainsFunc(append(slices.Clone(m.Members), m.Inner), func(e backup.Member) bool {
		return e.Set == "" && sizes[e.Name] != e.Size
	})
	return nil
}

// sameDevice reports whether two files lie on one device of this machine, and
// whether that is known.
func sameDevice(fs *hostfs.FS, one, other string) (same, known bool) {
	var a, b syscall.Stat_t
	for name, st := range map[string]*syscall.Stat_t{one: &a, other: &b} {
		host, err := fs.HostPath(name)
		if err != nil || syscall.Stat(host, st) != nil {
			return false, false
		}
	}
	return a.Dev == b.Dev, true
}

// backupAge is how old the newest backup may be.
const backupAge = 48 * time.Hour

const noBackups = "where backups lie is not known: --backups says so"

func checkBackupAge(s *Subject) []Answer {
	b := s.Backups
	switch where := (Place{}); {
	case b == nil:
		return unknown(noBackups)
	case b.err != nil:
		return unknown("the destination cannot be read: %v", plainError(b.err))
	case b.sets == 0:
		return []Answer{fail(Place{File: b.dir}, "valkeyfs backup "+orWord(s.Dir, "DATADIR")+" --to "+b.dir+" -r RECIPIENT", "no backup is there")}
	case s.Now.IsZero():
		return unknown("the newest is of %s; whether that is recent depends on --as-of", b.newest.UTC().Format(time.RFC3339))
	default:
		where.File = b.dir
		if s.Now.Sub(b.newest) > backupAge {
			return []Answer{fail(where, "valkeyfs backup, daily", "the newest of %d backups is of %s", b.sets, b.newest.UTC().Format(time.RFC3339))}
		}
		if !b.whole {
			return []Answer{fail(where, "valkeyfs verify "+b.dir, "the newest backup lacks members, or they are not as large as its manifest says").severe(High)}
		}
		return pass(where, "%d backups, the newest of %s", b.sets, b.newest.UTC().Format(time.RFC3339))
	}
}

func checkBackupPlace(s *Subject) []Answer {
	b := s.Backups
	switch {
	case b == nil:
		return unknown(noBackups)
	case b.err != nil:
		return unknown("the destination cannot be read: %v", plainError(b.err))
	case b.sets == 0:
		return na("no backups")
	}
	var fs []Answer
	where := Place{File: b.dir}
	if b.same != nil && *b.same {
		fs = append(fs, fail(where, "a destination on another device", "backups lie on the device of the data: what takes one takes the other"))
	}
	if !b.signed {
		fs = append(fs, fail(where, "valkeyfs backup --sign-key FILE", "the newest backup is not signed").severe(Low))
	}
	if b.same == nil && len(fs) == 0 {
		return unknown("on which device the data and the backups lie is not known")
	}
	return orPass(fs, where, "on another device, signed")
}
