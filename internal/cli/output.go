package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/valkeyfs/valkeyfs/internal/source"
)

// output is where a verb writes its result: standard output, or a file that
// appears in its place, mode 0600, only when it is complete.
type output struct {
	*bufio.Writer
	terminal io.Writer // what to ask whether it is a terminal
	tmp      *os.File  // nil: standard output
	path     string
}

const outputBuffer = 64 << 10

func (a *app) output() (*output, error) {
	path := a.global.output
	if path == "" || path == source.Stdin {
		return &output{Writer: bufio.NewWriterSize(a.stdout, outputBuffer), terminal: a.stdout}, nil
	}
	return createOutput("--output", path)
}

// createOutput begins a file that a flag names.
func createOutput(flag, path string) (*output, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, usagef("%s %s is not a regular file", flag, path)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {                                                             // about a name that the user did not give
		return nil, fmt.Errorf("%s %s: %w", flag, path, cause(err))
	}
	return &output{Writer: bufio.NewWriterSize(tmp, outputBuffer), tmp: tmp, path: path}, nil
}

// cause is err without the operation and the path that the system names.
func cause(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// unreadable is the error of reading a file that a flag names: one of usage, where
// there is no such file.
func unreadable(flag, path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("%s %s: %w", flag, path, cause(err))
	}
	return fmt.Errorf("%s %s: %w", flag, path, cause(err))
}

// commit puts a complete result in place. It survives a power cut: the file
// reaches the disk before its name does.
func (o *output) commit() error {
	err := o.Flush()
	if o.tmp == nil {
		return err
	}
	if err == nil {
		err = o.tmp.Sync()
	}
	if e := o.tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(o.tmp.Name(), o.path)
	}
	if err != nil {
		os.Remove(o.tmp.Name())
		return fmt.Errorf("writing %s: %w", o.path, err)
	}
	o.tmp = nil
	dir, err := os.Open(filepath.Dir(o.path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// discard removes what was not committed. It does nothing after commit.
func (o *output) discard() {
	if o.tmp != nil {
		_ = o.tmp.Close()
		os.Remove(o.tmp.Name())
		o.tmp = nil
	}
}
