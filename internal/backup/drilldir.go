package backup

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const (
	drillPrefix = "valkeyfs-drill-"
	// drillYoung is how old a directory has to be before it may have been left: its
	// drill has locked it by then.
	drillYoung = time.Minute
)

// makeDrillDir makes the directory of a drill, with the plaintext of a set, and
// removes those of drills that were killed. remove removes it.
func makeDrillDir(tmp string, uid, gid int) (dir string, remove func(), err error) {
	if tmp == "" {
		tmp = os.TempDir()
	}
	removeLeft(tmp)
	if dir, err = os.MkdirTemp(tmp, drillPrefix); err != nil {
		return "", nil, err
	}
	lock := drillLock(dir)
	remove = func() {
		os.RemoveAll(dir) //nolint:errcheck // the next drill tries again
		lock.Close()      //nolint:errcheck // it is unlocked by that
	}
	_, err = lock.TryLock()
	if err == nil && uid >= 0 {
		err = os.Chown(dir, uid, gid)
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}

// drillLock is held by a drill as long as it runs, and by nobody if it was killed.
func drillLock(dir string) *flock.Flock {
	return flock.New(dir, flock.SetFlag(os.O_RDONLY))
}

// removeLeft removes the directories that killed drills left. What is another
// user's stays.
func removeLeft(tmp string) {
	left, err := filepath.Glob(filepath.Join(tmp, drillPrefix+"*"))
	if err != nil { // the pattern: tmp holds a bracket
		return
	}
	for _, dir := range left {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || !oursToRemove(info) || time.Since(info.ModTime()) < drillYoung {
			continue
		}
		lock := drillLock(dir)
		if ok, err := lock.TryLock(); err == nil && ok {
			os.RemoveAll(dir) //nolint:errcheck // the next drill tries again
		}
		lock.Close() //nolint:errcheck // it is unlocked by that
	}
}

// oursToRemove reports whether a directory belongs to who runs this, or to the user
// that a drill gives its directory to.
func oursToRemove(info fs.FileInfo) bool {
	owner := userOf(info)
	uid, _ := unprivileged()
	return owner >= 0 && (owner == os.Geteuid() || owner == uid)
}
