package backup

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A place is where a restored data directory goes. All is made ready in stage,
// which lies beside the target and takes its name in the end. A mount point
// cannot be renamed, nor a directory whose parent may not be written to: then
// stage lies in the target, and what is in it is moved into place.
type place struct {
	target string
	stage  string
	inside bool
	inWay  []string // names that lie in the target
	moved  string   // what they are moved to is called
	keep   bool     // stage holds what lay in the target
}

// lostFound is made by mkfs on every ext file system, and stays where it is.
const lostFound = "lost+found"

func newPlace(target string, now time.Time) (*place, error) {
	target, err := filepath.Abs(target)
	if err != nil {
		return nil, err
	}
	if resolved, err := filepath.EvalSymlinks(target); err == nil {
		target = resolved
	} else if _, e := os.Lstat(target); e == nil { // a link into a volume that is not mounted: it is not to be replaced
		return nil, err
	}
	p := &place{target: target, moved: "before-" + now.UTC().Format("20060102T150405Z")}
	entries, err := os.ReadDir(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	p.inside = err == nil && (isMountPoint(target) || !isWritable(filepath.Dir(target)))
	for _, e := range entries {
		if !p.inside || e.Name() != lostFound {
			p.inWay = append(p.inWay, e.Name())
		}
	}
	var b [6]byte
	rand.Read(b[:])
	name := "restoring-" + hex.EncodeToString(b[:])
	p.stage = filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+"."+name)
	if p.inside {
		p.stage = filepath.Join(target, "."+name)
	}
	return p, nil
}

// discard removes what was staged and not put in place.
func (p *place) discard() {
	if !p.keep {
		os.RemoveAll(p.stage) //nolint:errcheck // nothing better can be done
	}
}

// commit puts what was staged in place, and returns where what lay there is now.
func (p *place) commit() (aside string, err error) {
	switch {
	case p.inside:
		return p.commitInside()
	case len(p.inWay) > 0:
		aside = p.target + "." + p.moved
		err = p.swap(aside)
	default:
		if err = os.Remove(p.target); err == nil || errors.Is(err, fs.ErrNotExist) {
			err = os.Rename(p.stage, p.target)
		}
	}
	if err != nil {
		return "", err
	}
	if err := syncDir(filepath.Dir(p.target)); err != nil {
		return "", errors.Join(err, p.takeBack(aside))
	}
	return aside, nil
}

// takeBack undoes the renaming, which might not outlast a loss of power.
func (p *place) takeBack(aside string) error {
	err := os.Rename(p.target, p.stage)
	if err == nil && aside != "" {
		err = os.Rename(aside, p.target)
	}
	p.keep = err != nil
	return err
}

// swap lets the target be what was staged, and what it was be called aside. At no
// moment is there no target, where the file system can exchange names.
func (p *place) swap(aside string) error {
	if _, err := os.Lstat(aside); err == nil {
		return &fs.PathError{Op: "rename", Path: aside, Err: fs.ErrExist}
	}
	if err := exchange(p.stage, p.target); err != nil {
		if err := os.Rename(p.target, aside); err != nil {
			return err
		}
		if err := os.Rename(p.stage, p.target); err != nil {
			return errors.Join(err, os.Rename(aside, p.target))
		}
		return nil
	}
	p.keep = true
	if err := os.Rename(p.stage, aside); err != nil {
		e := exchange(p.stage, p.target)
		p.keep = e != nil
		return errors.Join(err, e)
	}
	return nil
}

// commitInside moves names one after the other, directories first: a log is
// there whole before the snapshot is. If one cannot be moved, those that were are
// moved back.
func (p *place) commitInside() (aside string, err error) {
	if len(p.inWay) > 0 {
		aside = filepath.Join(p.target, p.moved)
		if err := os.Mkdir(aside, 0o700); err != nil {
			return "", err
		}
		if err := moveAll(p.inWay, p.target, aside); err != nil {
			os.Remove(aside)
			return "", err
		}
	}
	entries, err := os.ReadDir(p.stage)
	if err == nil {
		slices.SortStableFunc(entries, func(a, b fs.DirEntry) int {
			switch {
			case a.IsDir() == b.IsDir():
				return 0
			case a.IsDir():
				return -1
			}
			return 1
		})
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		err = moveAll(names, p.stage, p.target)
	}
	if err != nil && aside != "" {
		if e := moveAll(p.inWay, aside, p.target); e == nil {
			os.Remove(aside)
		}
	}
	if err != nil {
		return "", err
	}
	return aside, syncDir(p.target)
}

// moveAll renames files from one directory into another: all of them or none.
func moveAll(names []string, from, to string) error {
	for i, name := range names {
		if err := os.Rename(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			for _, moved := range names[:i] {
				if e := os.Rename(filepath.Join(to, moved), filepath.Join(from, moved)); e != nil {
					return fmt.Errorf("%w; and it could not be moved back: %w", err, e)
				}
			}
			return err
		}
	}
	return nil
}
