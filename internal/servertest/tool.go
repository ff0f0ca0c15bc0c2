package servertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tool returns a command of another project that tests are held against, such as
// age, zstd, minisign, ssh-keygen or strace: the system's, or the one that
// install.sh has unpacked. Without it the test is skipped, or fails where CI is set.
func Tool(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return exec.Command(path, args...)
	}
	dir := os.Getenv("VALKEYFS_SERVERS")
	if path := filepath.Join(dir, name); dir != "" && isFile(path) { // versitygw
		return exec.Command(path, args...)
	}
	if dir == "" || !isFile(filepath.Join(dir, "tools", "usr/bin", name)) {
		missing(t, name)
	}
	return exec.Command(filepath.Join(dir, "run"), append([]string{"tools", name}, args...)...)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
