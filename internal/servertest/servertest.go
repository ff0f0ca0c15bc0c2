// Package servertest starts real Valkey and Redis servers for tests.
//
// The environment variable VALKEYFS_SERVERS names the directory into which
// install.sh, beside this file, has unpacked them; `make test` sees to both. A
// test that needs a server which is not there is skipped, and fails where CI is
// set: see [Find] and [Each].
package servertest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Names lists the servers that install.sh knows.
var Names = []string{"redis-6.0", "redis-7.0", "redis-8.0", "redis-8", "valkey-8.0", "valkey-8.1", "valkey-9"}

// Required lists those without which a run under CI fails.
var Required = []string{"redis-7.0", "valkey-8.0"}

// startTimeout bounds how long a server may be silent until it is ready. One that
// loads its data says so.
const startTimeout = 20 * time.Second

// Server is one installed server.
type Server struct {
	Name string // as in Names
	dir  string // VALKEYFS_SERVERS
}

func find(name string) (Server, bool) {
	s := Server{Name: name, dir: os.Getenv("VALKEYFS_SERVERS")}
	if s.dir == "" {
		return s, false
	}
	_, err := os.Stat(filepath.Join(s.dir, name))
	return s, err == nil
}

// Find returns the named server. Without it the test is skipped, or fails where CI is set.
func Find(t testing.TB, name string) Server {
	t.Helper()
	s, ok := find(name)
	if !ok {
		missing(t, name)
	}
	return s
}

// Each runs a subtest for every server there is. Those that are not there are
// logged; where none is, the test is skipped, and where CI is set and one of
// Required is not there, it fails.
func Each(t *testing.T, run func(t *testing.T, s Server)) {
	t.Helper()
	found := false
	for _, name := range Names {
		s, ok := find(name)
		switch {
		case ok:
			found = true
			t.Run(name, func(t *testing.T) { run(t, s) })
		case os.Getenv("CI") != "" && slices.Contains(Required, name):
			missing(t, name)
		default:
			t.Logf("%s is not installed and was not tested", name)
		}
	}
	if !found {
		missing(t, "a server")
	}
}

func missing(t testing.TB, what string) {
	t.Helper()
	const msg = "%s is needed and not installed (VALKEYFS_SERVERS, internal/servertest/install.sh)"
	if os.Getenv("CI") != "" {
		t.Fatalf(msg, what)
	}
	t.Skipf(msg, what)
}

// Long skips a test in the run with the race detector, which is the one with -short: on
// one goroutine, or in another process, there is nothing that it could find, and it
// takes ten times as long. The run without it has the test.
func Long(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: not with the race detector")
	}
}

// Lacks skips a test of what this system cannot have: a feature of another kernel, a
// right that a container withholds. That is no failure under CI, and the summary of a
// run shows it (.ci/summary.awk).
func Lacks(t testing.TB, format string, args ...any) {
	t.Helper()
	t.Skipf("not on this system: "+format, args...)
}

// Major returns the server's major version.
func (s Server) Major() int {
	_, v, _ := strings.Cut(s.Name, "-")
	v, _, _ = strings.Cut(v, ".")
	n, _ := strconv.Atoi(v)
	return n
}

// Valkey reports whether the server is Valkey rather than Redis.
func (s Server) Valkey() bool { return strings.HasPrefix(s.Name, "valkey") }

// HasFieldExpiry reports whether the fields of a hash can expire: Redis 7.4, Valkey 9.0.
func (s Server) HasFieldExpiry() bool { return s.Major() >= 9 || !s.Valkey() && s.Major() >= 8 }

// HasVectorSets reports whether the server knows vector sets: Redis 8.0.
func (s Server) HasVectorSets() bool { return !s.Valkey() && s.Major() >= 8 }

// Command returns a command that runs one of the server's programs, such as redis-check-rdb.
func (s Server) Command(program string, args ...string) *exec.Cmd {
	return exec.Command(filepath.Join(s.dir, "run"), append([]string{s.Name, program}, args...)...)
}

// Instance is a running server and a connection to it.
type Instance struct {
	*Client
	Server Server
	Dir    string // its data directory
	Socket string // the Unix socket that it listens on
	cmd    *exec.Cmd
	exited chan error
	log    string
}

// Start starts the server on dir, or on a new directory where dir is "", and
// waits until it has loaded the data there. It listens on a Unix socket only,
// unless config says otherwise, and saves nothing unasked; config is appended as
// command line options ("--appendonly", "yes"). It is killed when the test ends.
func (s Server) Start(t testing.TB, dir string, config ...string) *Instance {
	t.Helper()
	run, err := os.MkdirTemp("", "vfs") // a short path: sun_path holds 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(run) })
	if dir == "" {
		dir = filepath.Join(run, "data")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	i := &Instance{Server: s, Dir: dir, Socket: filepath.Join(run, "socket"), exited: make(chan error, 1), log: filepath.Join(run, "log")}
	args := []string{"--port", "0", "--unixsocket", i.Socket, "--dir", dir, "--logfile", i.log, "--save", "", "--appendonly", "no"}
	if s.Major() >= 7 {
		args = append(args, "--enable-debug-command", "yes")
	}
	program := "redis-server"
	if s.Valkey() {
		program = "valkey-server"
	}
	i.cmd = s.Command(program, append(args, config...)...)
	dieWithParent(i.cmd)
	if err := i.cmd.Start(); err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	go func() { i.exited <- i.cmd.Wait() }()
	t.Cleanup(func() { i.kill() })
	if i.Client, err = i.connect(i.Socket); err != nil {
		t.Fatalf("%s: %v\n%s", s.Name, err, i.Log())
	}
	return i
}

// connect waits until the server answers PING.
func (i *Instance) connect(socket string) (*Client, error) {
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(10 * time.Millisecond) {
		select {
		case err := <-i.exited:
			i.exited <- err
			return nil, fmt.Errorf("ended at its start: %w", err)
		default:
		}
		c, err := net.Dial("unix", socket)
		if err == nil {
			client := NewClient(c)
			if _, err = client.Do("PING"); err == nil {
				return client, nil
			}
			_ = c.Close()
			if strings.HasPrefix(err.Error(), "LOADING ") {
				deadline = time.Now().Add(startTimeout)
			}
		}
		if time.Now().After(deadline) {
			return nil, err
		}
	}
}

// Log returns what the server has logged.
func (i *Instance) Log() string {
	b, _ := os.ReadFile(i.log)
	return string(b)
}

// Must sends a command and returns its reply; an error reply fails the test.
func (i *Instance) Must(t testing.TB, args ...string) any {
	t.Helper()
	v, err := i.Do(args...)
	if err != nil {
		t.Fatalf("%s: %s: %v", i.Server.Name, args[0], err)
	}
	return v
}

// Digest returns DEBUG DIGEST: a hash of the data set, databases, keys, values
// and whether they expire. It is blind to when they expire, to consumer groups
// and to functions.
func (i *Instance) Digest(t testing.TB) string {
	t.Helper()
	s, _ := i.Must(t, "DEBUG", "DIGEST").(string)
	return s
}

// Stop ends the server in good order, without saving, and waits for it.
func (i *Instance) Stop(t testing.TB) {
	t.Helper()
	_, err := i.Do("SHUTDOWN", "NOSAVE")
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("%s: SHUTDOWN: %v", i.Server.Name, err)
	}
	select {
	case err := <-i.exited:
		i.exited <- err
	case <-time.After(startTimeout):
		t.Fatalf("%s does not stop", i.Server.Name)
	}
}

func (i *Instance) kill() {
	_ = i.cmd.Process.Kill()
	i.exited <- <-i.exited
	if i.Client != nil {
		_ = i.Close()
	}
}

// Client speaks RESP2 to a server. It is not safe for concurrent use.
type Client struct {
	conn net.Conn
	r    *bufio.Reader
	w    *bufio.Writer
}

// NewClient returns a client that uses c.
func NewClient(c net.Conn) *Client {
	return &Client{conn: c, r: bufio.NewReader(c), w: bufio.NewWriter(c)}
}

// Close closes the connection.
func (c *Client) Close() error { return c.conn.Close() }

// ReplyError is an error that the server replied.
type ReplyError string

func (e ReplyError) Error() string { return string(e) }

// Do sends a command and returns its reply: string, int64, nil or []any of
// these. An error reply is a ReplyError.
func (c *Client) Do(args ...string) (any, error) {
	c.Send(args...)
	return c.Receive()
}

// Send buffers a command; Receive flushes it and has the error, if any.
func (c *Client) Send(args ...string) {
	_, _ = fmt.Fprintf(c.w, "*%d\r\n", len(args))
	for _, a := range args {
		_, _ = fmt.Fprintf(c.w, "$%d\r\n%s\r\n", len(a), a)
	}
}

// Receive returns the next reply.
func (c *Client) Receive() (any, error) {
	if err := c.w.Flush(); err != nil {
		return nil, err
	}
	return c.reply()
}

func (c *Client) reply() (any, error) {
	line, err := c.r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, rest := line[0], strings.TrimSuffix(line[1:], "\r\n")
	switch kind {
	case '+':
		return rest, nil
	case '-':
		return nil, ReplyError(rest)
	case ':':
		return strconv.ParseInt(rest, 10, 64)
	}
	n, err := strconv.Atoi(rest)
	if err != nil || kind != '$' && kind != '*' {
		return nil, fmt.Errorf("no RESP2 reply: %q", line)
	}
	if n < 0 {
		return nil, nil
	}
	if kind == '$' {
		b := make([]byte, n+2)
		_, err = io.ReadFull(c.r, b)
		return string(b[:n]), err
	}
	list := make([]any, n)
	for i := range list {
		// An error inside an array is the array's element.
		if list[i], err = c.reply(); err != nil && !errors.As(err, new(ReplyError)) {
			return nil, err
		} else if err != nil {
			list[i] = err
		}
	}
	return list, nil
}

// Replay sends a RESP file as it is, reads all replies and returns the error
// replies among them, the first hundred at most.
func (c *Client) Replay(r io.Reader) ([]ReplyError, error) {
	const mark = "valkeyfs: end of replay"
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(c.conn, r)
		if err == nil {
			_, err = fmt.Fprintf(c.conn, "*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n", len(mark), mark)
		}
		if err != nil {
			_ = c.conn.Close() // or the replies would be waited for
		}
		sent <- err
	}()
	var failed []ReplyError
	for {
		v, err := c.reply()
		var re ReplyError
		switch {
		case errors.As(err, &re):
			if len(failed) < 100 {
				failed = append(failed, re)
			}
		case err != nil:
			return failed, errors.Join(err, <-sent)
		case v == mark:
			return failed, <-sent
		}
	}
}
