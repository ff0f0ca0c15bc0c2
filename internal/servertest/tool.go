package servertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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

// Installed returns the path of a program or file that a package of Debian's brings
// into the system itself, where one of the paths, with wildcards, says it is. .ci/run
// installs such packages, and names in VALKEYFS_LACKING those that it may not install.
// Without it the test is skipped, or fails where CI is set and the package is not among
// those.
func Installed(t testing.TB, debian string, paths ...string) string {
	t.Helper()
	for _, p := range paths {
		if names, _ := filepath.Glob(p); len(names) > 0 {
			return names[len(names)-1]
		}
	}
	if os.Getenv("CI") != "" && !slices.Contains(strings.Fields(os.Getenv("VALKEYFS_LACKING")), debian) {
		t.Fatalf("the package %s is needed and not installed (.ci/run)", debian)
	}
	Lacks(t, "the package %s is not installed", debian)
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
