package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// Change takes permission bits away from a file or directory, or gives it to the
// server's user.
type Change struct {
	Path     string      `json:"path"` // without symbolic links
	From     fs.FileMode `json:"from"` // permission bits
	To       fs.FileMode `json:"to"`
	FromUser int         `json:"from_user"` // user ids
	ToUser   int         `json:"to_user"`
}

// Changes returns what the failures of a report ask for, one change a file. None
// of them gives a permission bit that was not there.
func Changes(host *hostfs.FS, r *Report) ([]Change, error) {
	var changes []Change
	at := map[string]int{}
	for i := range r.Results {
		x := &r.Results[i]
		words := strings.SplitN(x.Remedy, " ", 3)
		if x.Status != Fail || fixedBy[x.Check.ID] != byMode || len(words) != 3 || words[0] != "chmod" && words[0] != "chown" {
			continue
		}
		info, err := host.Stat(words[2])
		if err != nil {
			return nil, err
		}
		k, ok := at[info.Path]
		c := Change{info.Path, info.Perm(), info.Perm(), int(info.UID), int(info.UID)}
		if ok {
			c = changes[k]
		}
		switch words[0] {
		case "chmod":
			allowed, err := strconv.ParseUint(words[1], 8, 12)
			if err != nil {
				continue
			}
			c.To &= fs.FileMode(allowed)
		case "chown":
			if uid, known := userID(host, words[1]); known {
				c.ToUser = uid
			}
		}
		switch {
		case ok:
			changes[k] = c
		case c.From != c.To || c.FromUser != c.ToUser:
			at[info.Path] = len(changes)
			changes = append(changes, c)
		}
	}
	return changes, nil
}

func userID(host *hostfs.FS, name string) (int, bool) {
	uid, ok := readUsers(host)[name]
	return int(uid), ok
}

// Undone returns the change that takes this one back.
func (c Change) Undone() Change { return Change{c.Path, c.To, c.From, c.ToUser, c.FromUser} }

// String is the change as a shell would make it, with what was there before.
func (c Change) String() string {
	var commands, was []string
	if c.FromUser != c.ToUser {
		commands, was = append(commands, fmt.Sprintf("chown %d %s", c.ToUser, c.Path)), append(was, fmt.Sprintf("user %d", c.FromUser))
	}
	if c.From != c.To {
		commands, was = append(commands, fmt.Sprintf("chmod %04o %s", c.To, c.Path)), append(was, fmt.Sprintf("%04o", c.From))
	}
	return strings.Join(commands, "; ") + " # was " + strings.Join(was, ", ")
}

// Apply makes the change through a descriptor of what was looked at: a symbolic
// link anywhere in the path, and a file whose mode or owner has changed
// meanwhile, are refused.
func (c Change) Apply() error {
	f, err := openPlain(c.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	if info.Mode().Perm() != c.From || int(st.Uid) != c.FromUser || !info.Mode().IsRegular() && !info.IsDir() {
		return fmt.Errorf("%s has changed meanwhile, and is left alone", c.Path)
	}
	// The mode first: after a change of owner it may not be ours to set.
	if err := f.Chmod(info.Mode()&^fs.ModePerm | c.To); err != nil || c.FromUser == c.ToUser {
		return err
	}
	return f.Chown(c.ToUser, -1)
}

// openPlain opens an absolute path none of whose parts is a symbolic link.
func openPlain(name string) (*os.File, error) {
	dir, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	parts := strings.Split(strings.Trim(name, "/"), "/")
	for i := 0; err == nil && i < len(parts); i++ {
		flags := unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
		if i < len(parts)-1 {
			flags |= unix.O_DIRECTORY
		}
		var next int
		next, err = unix.Openat(dir, parts[i], flags, 0)
		_ = unix.Close(dir)
		dir = next
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(dir), name), nil
}

// maxJournal bounds the changes of a journal.
const maxJournal = 1_000_000

// ReadJournal reads the changes that were noted, a JSON object a line.
func ReadJournal(r io.Reader) ([]Change, error) {
	var changes []Change
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var c Change
		if json.Unmarshal(lines.Bytes(), &c) != nil || !strings.HasPrefix(c.Path, "/") || c.From&^fs.ModePerm != 0 || c.To&^fs.ModePerm != 0 || len(changes) == maxJournal {
			return nil, errors.New("not a journal of changes")
		}
		changes = append(changes, c)
	}
	return changes, lines.Err()
}
