package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"github.com/valkeyfs/valkeyfs/internal/audit"
	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// fixFlags say what audit changes.
type fixFlags struct {
	wanted  bool
	apply   bool
	journal string
	undo    string
}

func (x *fixFlags) flags(f *pflag.FlagSet) {
	f.BoolVar(&x.wanted, "fix", false, "take permission bits away from files that others can read or change, and give the data to the server's user; says what, and does it with --apply only")
	f.BoolVar(&x.apply, "apply", false, "with --fix: do it")
	f.StringVar(&x.journal, "journal", "", "with --apply: note in `FILE` what was changed (default: audit-undo.jsonl in the state directory)")
	f.StringVar(&x.undo, "undo", "", "take back what the journal in `FILE` says was changed, and do nothing else")
}

// run makes the changes that a report asks for, or says which it would make. Each
// is noted before it is made.
func (x *fixFlags) run(a *app, root string, fs *hostfs.FS, r *audit.Report) error {
	if root != "" {
		return usagef("--fix: an image is evidence, which is never written to")
	}
	changes, err := audit.Changes(fs, r)
	if err != nil {
		return err
	}
	if x.apply && len(changes) > 0 {
		return x.make(a, changes)
	}
	err = a.write(func(out io.Writer) error {
		for _, c := range changes {
			if _, err := fmt.Fprintln(out, safe(c.String())); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && len(changes) > 0 {
		a.stderr.printf("nothing was changed: --apply does it")
	}
	return err
}

// make makes the changes.
func (x *fixFlags) make(a *app, changes []audit.Change) error {
	return a.write(func(out io.Writer) error {
		j, err := x.open()
		if err != nil {
			return err
		}
		defer j.Close()
		for _, c := range changes {
			if err := note(j, c); err != nil {
				return err
			}
			if err := c.Apply(); err != nil {
				return err
			}
			_, _ = fmt.Fprintln(out, safe(c.String())) // which is told when all is made
		}
		a.stderr.printf("valkeyfs audit --undo %s takes it back", safe(j.Name()))
		return nil
	})
}

// open opens the journal to add to it.
func (x *fixFlags) open() (*os.File, error) {
	name := x.journal
	if name == "" {
		dir, err := stateDir()
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		name = filepath.Join(dir, "audit-undo.jsonl")
	}
	return os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
}

func note(j *os.File, c audit.Change) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if _, err := j.Write(append(line, '\n')); err != nil {
		return err
	}
	return j.Sync()
}

// takeBack undoes a journal, the last change first. What is not as the journal
// left it is told, and left alone.
func (x *fixFlags) takeBack(a *app) error {
	f, err := os.Open(x.undo)
	if err != nil {
		return unreadable("--undo", x.undo, err)
	}
	defer f.Close()
	changes, err := audit.ReadJournal(f)
	if err != nil {
		return usagef("--undo %s: %v", safe(x.undo), err)
	}
	var failed error
	err = a.write(func(out io.Writer) error {
		for _, c := range slices.Backward(changes) {
			back := c.Undone()
			if err := back.Apply(); err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			_, _ = fmt.Fprintln(out, safe(back.String()))
		}
		return nil
	})
	return cmp.Or(err, failed)
}
