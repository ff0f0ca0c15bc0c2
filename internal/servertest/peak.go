package servertest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// peakVar names the file in which a copy of the test's program notes what [Peak] asks.
const peakVar = "VALKEYFS_TEST_PEAK"

// Peak runs a command of which nothing was started yet, and returns the most bytes of
// memory that it held at a time, and the error of its Run. A package that uses it runs
// its tests by Main.
//
// The system counts the memory of who starts a process as that process' own, until it
// is another program. So a copy of the test's program starts it, which is small.
func Peak(t testing.TB, cmd *exec.Cmd) (bytes int64, err error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "peak")
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, peakVar+"="+file)
	cmd.Args = append([]string{self, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = self
	runErr := cmd.Run()
	noted, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: %v", runErr, err)
	}
	if bytes, err = strconv.ParseInt(string(noted), 10, 64); err != nil {
		t.Fatal(err)
	}
	return bytes, runErr
}

// peak runs a program, notes in file what it took, and returns its exit status.
func peak(file string, args []string) int {
	os.Unsetenv(peakVar) //nolint:errcheck // its name is one
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 127
	}
	taken := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	if err := os.WriteFile(file, strconv.AppendInt(nil, taken, 10), 0o600); err != nil {
		return 127
	}
	return cmd.ProcessState.ExitCode()
}
