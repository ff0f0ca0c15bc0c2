package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
)

// console is standard error: messages, a line each, and on a terminal a line of
// progress below them. It is safe for concurrent use.
type console struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	quiet    bool
	names    *sweep.Names // masks what errors say
	bar      string       // what stands on the line of progress
	ended    bool         // no further progress is shown
}

func newConsole(w io.Writer) *console { return &console{w: w, terminal: isTerminal(w)} }

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Write passes on what cobra prints.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
	return c.w.Write(p)
}

// printf prints a line for the user, unless told to be quiet. What comes from an
// input is escaped by the caller.
func (c *console) printf(format string, args ...any) {
	if c.quiet {
		return
	}
	s := fmt.Sprintf(format, args...)
	if c.terminal { // broken between words, not inside of them
		s = report.Break(s, "  ", columns(c.w))
	}
	c.line(s)
}

// errorf prints why something did not work, in one line. An error's text may hold
// names of the input, so all of it is masked and escaped.
func (c *console) errorf(format string, args ...any) {
	c.line("valkeyfs: " + report.Escape(c.names.Mask(fmt.Sprintf(format, args...))))
}

// error is errorf for an error, with a line for each that it joins.
func (c *console) error(err error) {
	if all, ok := err.(interface{ Unwrap() []error }); ok && strings.Contains(err.Error(), "\n") {
		for _, err := range all.Unwrap() {
			c.error(err)
		}
		return
	}
	c.errorf("%s", plain(err))
}

// line prints a line. Where even standard error fails there is nobody to tell.
func (c *console) line(s string) { _, _ = io.WriteString(c, s+"\n") }

func (c *console) erase() {
	if c.bar != "" {
		_, _ = io.WriteString(c.w, "\r\x1b[K")
		c.bar = ""
	}
}

// beside returns what writes to w. If both are terminals, they are one to the reader:
// with the first of the result progress ends, which would stand in the midst of it.
func (c *console) beside(w io.Writer) io.Writer {
	if !c.terminal || !isTerminal(w) {
		return w
	}
	return &besideConsole{c, w}
}

type besideConsole struct {
	c *console
	w io.Writer
}

func (b *besideConsole) Write(p []byte) (int, error) {
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	b.c.erase()
	b.c.ended = true
	return b.w.Write(p)
}

func (c *console) progress(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	c.erase()
	c.bar = line
	_, _ = io.WriteString(c.w, line)
}

// watch shows how far reading has come until the returned function is called:
// bytes, rate and the time that is left, if work, the number of bytes to be
// read, is known.
func (c *console) watch(read func() int64, work int64) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		start := time.Now()
		for {
			select {
			case <-done:
				c.mu.Lock()
				c.erase()
				c.mu.Unlock()
				return
			case <-tick.C:
				c.progress(progressLine(read(), work, time.Since(start)))
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

func progressLine(read, work int64, elapsed time.Duration) string {
	rate := float64(read) / max(elapsed.Seconds(), 0.001)
	line := report.Bytes(read)
	if work > 0 {
		read = min(read, work)
		line = fmt.Sprintf("%3d%%  %s of %s", read*100/work, line, report.Bytes(work))
	}
	line += fmt.Sprintf("  %s/s", report.Bytes(int64(rate)))
	if work > 0 && rate > 0 && elapsed > time.Second {
		left := time.Duration(float64(work-read) / rate * float64(time.Second))
		line += "  " + left.Round(time.Second).String() + " left"
	}
	return line
}

// columns returns how many columns a terminal has, and 80 for anything else.
func columns(stream any) int {
	if f, ok := stream.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return min(w, 160)
		}
	}
	return 80
}
