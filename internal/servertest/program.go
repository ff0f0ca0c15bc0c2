package servertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// build builds the command line once a process, where any user may run it.
var build = sync.OnceValues(func() (path string, err error) {
	dir, err := os.MkdirTemp("", "vfs")
	if err != nil {
		return "", err
	}
	built = dir
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "valkeyfs")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/valkeyfs/valkeyfs/cmd/valkeyfs").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// built is the directory of what build has built; empty where nothing was.
var built string

// Program returns the path of the command line, for tests that kill it, trace it or
// run it as somebody else. A package that uses it runs its tests by Main.
func Program(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Main runs the tests of a package that calls Program, and removes what was built.
// It returns the exit status.
func Main(m *testing.M) int {
	if file := os.Getenv(peakVar); file != "" {
		return peak(file, os.Args[1:])
	}
	defer func() {
		if built != "" {
			os.RemoveAll(built) //nolint:errcheck // it is a temporary directory
		}
	}()
	return m.Run()
}
