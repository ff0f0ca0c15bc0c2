package audit

import (
	"context"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// backups is what a destination of sealed backups shows without a key.
type backups struct {
	dir     string
	newest  time.Time // when the newest set was finished
	sets    int
	signed  bool      // the newest one is
	whole   bool      // its manifest names objects that are there, as large as it says
	sealed  []string  // the kinds of its recipients, as the header of its sealed manifest has them
	proven  time.Time // when the sets were verified last, as metrics have it; zero: none were found
	metrics string
	same    *bool
	err     error
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
	b.verified(fs)
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
	b.sealed = nil
	if inner, _, err := store.Open(ctx, path.Join(ref.Label, ref.ID, m.Inner.Name)); err == nil {
		if st, err := crypt.Inspect(inner); err == nil {
			b.sealed = st.Stanzas
		}
		_ = inner.Close()
	}
	return nil
}

// metricsPlaces are where verify --metrics writes, as a node's exporter reads it.
var metricsPlaces = []string{"/var/lib/prometheus/node-exporter/*.prom", "/var/lib/node_exporter/*.prom", "/var/lib/node_exporter/textfile_collector/*.prom"}

const lastVerified = "valkeyfs_backup_last_verified_timestamp_seconds"

// verified looks for when sets were verified last.
func (b *backups) verified(fs *hostfs.FS) {
	for _, pattern := range append([]string{path.Join(b.dir, "*.prom")}, metricsPlaces...) {
		names, _ := fs.Glob(pattern, 1000)
		for _, name := range names {
			text, err := fs.ReadFile(name, maxText)
			if err != nil {
				continue
			}
			for line := range strings.Lines(string(text)) {
				words := strings.Fields(line)
				if len(words) != 2 || words[0] != lastVerified && !strings.HasPrefix(words[0], lastVerified+"{") {
					continue
				}
				if at, err := strconv.ParseFloat(words[1], 64); err == nil && at > 0 && at < 1<<40 && time.Unix(int64(at), 0).After(b.proven) {
					b.proven, b.metrics = time.Unix(int64(at), 0), name
				}
			}
		}
	}
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

// verifyAge is how long ago backups may have been verified.
const verifyAge = 8 * 24 * time.Hour

// none answers where there are no sets to look at.
func (b *backups) none() []Answer {
	switch {
	case b == nil:
		return unknown(noBackups)
	case b.err != nil:
		return unknown("the destination cannot be read: %v", plainError(b.err))
	case b.sets == 0:
		return na("no backups")
	}
	return nil
}

func checkBackupVerified(s *Subject) []Answer {
	b := s.Backups
	if a := b.none(); a != nil {
		return a
	}
	at := b.proven.UTC().Format(time.RFC3339)
	switch {
	case b.proven.IsZero():
		return unknown("no metrics tell when the backups were verified: valkeyfs verify --metrics writes them")
	case s.Now.IsZero():
		return unknown("they were verified at %s; whether that is recent depends on --as-of", at)
	case s.Now.Sub(b.proven) > verifyAge:
		return []Answer{fail(Place{File: b.metrics}, "valkeyfs verify "+b.dir+", weekly", "the backups were verified last at %s", at)}
	}
	return pass(Place{File: b.metrics}, "verified at %s", at)
}

// checkBackupRecipients judges what the header of the newest set shows: a
// passphrase can be guessed, and with a single key whoever loses it loses all
// backups. Whose keys they are, no header tells.
func checkBackupRecipients(s *Subject) []Answer {
	b := s.Backups
	if a := b.none(); a != nil {
		return a
	}
	where := Place{File: b.dir}
	switch {
	case len(b.sealed) == 0:
		return unknown("the sealed manifest of the newest backup cannot be read")
	case slices.Contains(b.sealed, "scrypt"):
		return []Answer{fail(where, "valkeyfs backup -r RECIPIENT", "the newest backup opens with a passphrase, which can be guessed")}
	case s.holdsIdentity():
		return []Answer{fail(where, "keep the identity elsewhere: this host needs the recipient only", "an age identity lies among the backups: who takes them can open them").severe(High)}
	case len(b.sealed) == 1:
		return []Answer{fail(where, "valkeyfs backup -r RECIPIENT -r SPARE", "the newest backup opens with one key alone: if that is lost, so are all backups").severe(Low)}
	}
	return pass(where, "%d recipients: %s", len(b.sealed), strings.Join(b.sealed, ", "))
}

// identityMark begins every secret key of age.
const identityMark = "AGE-SECRET-KEY-"

// holdsIdentity looks for a secret key beside the sets.
func (s *Subject) holdsIdentity() bool {
	names, _ := s.FS.Glob(path.Join(s.Backups.dir, "*"), 1000)
	return slices.ContainsFunc(names, func(name string) bool {
		text, _ := s.FS.ReadFile(name, maxText)
		return strings.Contains(string(text), identityMark)
	})
}
