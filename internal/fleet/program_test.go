package fleet_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

func TestMain(m *testing.M) { os.Exit(servertest.Main(m)) }

// host is where the program runs: with a state directory and a database.
type host struct {
	t        testing.TB
	program  string
	database string
	state    string
	env      []string
	global   []string // flags of every command
	humble   bool     // the program runs as nobody if the test does as root
}

func newHost(t testing.TB, database string) *host {
	t.Helper()
	path := servertest.Program(t)
	h := &host{t: t, program: path, database: database, state: t.TempDir()}
	if database == "" {
		h.database = "sqlite:" + filepath.Join(h.state, "fleet.db")
	}
	return h
}

func (h *host) command(args ...string) *exec.Cmd {
	cmd := exec.Command(h.program, append(args, h.global...)...)
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+h.state, "VALKEYFS_FLEET_DATABASE="+h.database)
	cmd.Env = append(cmd.Env, h.env...)
	if h.humble {
		asNobody(cmd)
	}
	return cmd
}

// nobody is who cannot read everything, as root can.
const nobody = 65534

// asNobody has a command run as nobody if the test runs as root.
func asNobody(cmd *exec.Cmd) {
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// nobodysDir is a directory of nobody's.
func nobodysDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fleet") // what t.TempDir makes lies in one of root's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	giveAway(t, dir)
	return dir
}

// giveAway makes a directory, and all below it, nobody's.
func giveAway(t testing.TB, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, nobody, nobody)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// run returns what the program wrote; it fails the test unless the exit status is
// one of those given.
func (h *host) run(want []int, args ...string) string {
	h.t.Helper()
	cmd := h.command(args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); !slices.Contains(want, code) {
		h.t.Fatalf("%v: exit status %d: %s", args, code, said.String())
	}
	return out.String()
}

var anyReport = []int{0, 1, 3, 5}

// findings returns the lines of findings and damage, sorted.
func findings(jsonl string) []string {
	var out []string
	for line := range strings.Lines(jsonl) {
		if strings.HasPrefix(line, `{"type":"finding"`) || strings.HasPrefix(line, `{"type":"damage"`) {
			out = append(out, line)
		}
	}
	slices.Sort(out)
	return out
}
