package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// output is where a verb writes its result: standard output, a pipe, or a file
// that appears in its place, mode 0600, only when it is complete.
type output struct {
	*bufio.Writer
	terminal io.Writer // what to ask whether it is a terminal
	tmp      *os.File  // nil: standard output
	path     string    // where tmp goes in the end; "": it is a pipe, and stays
}

const outputBuffer = 64 << 10

func (a *app) output() (*output, error) {
	if a.global.standardOutput() {
		return a.standardOutput(), nil
	}
	return createOutput("--output", a.global.output)
}

// standardOutput is where the result goes that no flag directs elsewhere.
func (a *app) standardOutput() *output {
	return &output{Writer: bufio.NewWriterSize(a.stderr.beside(a.stdout), outputBuffer), terminal: a.stdout}
}

// lines is where text goes that has a line for each thing it tells: on a terminal they
// are broken between words; elsewhere they stay whole.
func (o *output) lines() io.Writer {
	if !isTerminal(o.terminal) {
		return o
	}
	return &lineBreaker{w: o, columns: columns(o.terminal)}
}

// lineBreaker breaks lines where they are wider than so many columns.
type lineBreaker struct {
	w       io.Writer
	columns int
	part    []byte // of a line that has not ended
}

func (l *lineBreaker) Write(p []byte) (int, error) {
	l.part = append(l.part, p...)
	for {
		i := bytes.IndexByte(l.part, '\n')
		if i < 0 {
			return len(p), nil
		}
		if _, err := io.WriteString(l.w, report.Break(string(l.part[:i]), "    ", l.columns)+"\n"); err != nil {
			return 0, err
		}
		l.part = l.part[i+1:]
	}
}

// createOutput begins a file that a flag names. A pipe and the null device are
// written to where they are; other devices are not, since one may be the evidence.
func createOutput(flag, path string) (*output, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		if target, err := os.Stat(path); err != nil || target.Mode()&fs.ModeNamedPipe == 0 && path != os.DevNull {
			return nil, usagef("%s %s is not a regular file", flag, path)
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", flag, path, cause(err))
		}
		return &output{Writer: bufio.NewWriterSize(f, outputBuffer), tmp: f}, nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {                                                             // about a name that the user did not give
		return nil, fmt.Errorf("%s %s: %w", flag, path, cause(err))
	}
	return &output{Writer: bufio.NewWriterSize(tmp, outputBuffer), tmp: tmp, path: path}, nil
}

// writeFile writes a file that a flag names, at once.
func writeFile(flag, path string, content []byte) error {
	out, err := createOutput(flag, path)
	if err != nil {
		return err
	}
	defer out.discard()
	if _, err := out.Write(content); err != nil {
		return err
	}
	return out.commit()
}

// plain is the text of an error, without the name of the operation that Go puts
// before a path.
func plain(err error) string {
	text := err.Error()
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return strings.Replace(text, p.Error(), p.Path+": "+p.Err.Error(), 1)
	}
	return text
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
	if o.path == "" {
		if e := o.tmp.Close(); err == nil {
			err = e
		}
		o.tmp = nil
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

// again empties a result that was not committed, which is written anew. Only a file is
// taken back.
func (o *output) again() error {
	if o.tmp == nil || o.path == "" {
		return errors.ErrUnsupported
	}
	if err := o.tmp.Truncate(0); err != nil {
		return err
	}
	_, err := o.tmp.Seek(0, io.SeekStart)
	o.Reset(o.tmp)
	return err
}

// discard removes what was not committed. It does nothing after commit.
func (o *output) discard() {
	if o.tmp != nil {
		_ = o.tmp.Close()
		if o.path != "" {
			os.Remove(o.tmp.Name())
		}
		o.tmp = nil
	}
}
