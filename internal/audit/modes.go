package audit

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// ModeChange takes permission bits away from a file or directory.
type ModeChange struct {
	Path     string // without symbolic links
	From, To fs.FileMode
}

// ModeChanges returns the changes that the failures of a report ask for. None of
// them gives a bit that was not there.
func ModeChanges(host *hostfs.FS, r *Report) ([]ModeChange, error) {
	var changes []ModeChange
	seen := map[string]bool{}
	for i := range r.Results {
		x := &r.Results[i]
		words := strings.SplitN(x.Remedy, " ", 3)
		if x.Status != Fail || fixedBy[x.Check.ID] != byMode || len(words) != 3 || words[0] != "chmod" {
			continue
		}
		allowed, err := strconv.ParseUint(words[1], 8, 12)
		if err != nil {
			continue
		}
		info, err := host.Stat(words[2])
		if err != nil {
			return nil, err
		}
		if to := info.Perm() & fs.FileMode(allowed); !seen[info.Path] && to != info.Perm() {
			seen[info.Path] = true
			changes = append(changes, ModeChange{info.Path, info.Perm(), to})
		}
	}
	return changes, nil
}

// Apply changes the mode through a descriptor of what was looked at: a link that
// has taken its place meanwhile, or a file whose mode has changed, is refused.
func (c ModeChange) Apply() error {
	f, err := os.OpenFile(c.Path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm() != c.From || !info.Mode().IsRegular() && !info.IsDir() {
		return fmt.Errorf("%s has changed meanwhile, and is left alone", c.Path)
	}
	return f.Chmod(info.Mode()&^fs.ModePerm | c.To)
}
