package servertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Ext4 returns an empty directory on ext4: a temporary one, or, where those lie
// elsewhere, one on an image that is mounted for the test. Where that cannot be done,
// which takes root and a loop device, the test is skipped, and fails where CI is set.
func Ext4(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) == nil && fs.Type == unix.EXT4_SUPER_MAGIC {
		return dir
	}
	point, err := mountImage(t)
	if err == nil {
		return point
	}
	const msg = "ext4 is needed, and an image of it could not be mounted: %v"
	if os.Getenv("CI") != "" {
		t.Fatalf(msg, err)
	}
	t.Skipf(msg, err)
	return ""
}

// mountImage makes a file system on an image, mounts it for the test, and returns a
// directory in it.
func mountImage(t *testing.T) (string, error) {
	dir := t.TempDir()
	image, point := filepath.Join(dir, "image"), filepath.Join(dir, "mount")
	if err := os.Mkdir(point, 0o700); err != nil {
		return "", err
	}
	for _, args := range [][]string{{"truncate", "-s", "16M", image}, {"mkfs.ext4", "-q", "-F", image}, {"mount", "-o", "loop,acl", image, point}} {
		if err := exec.CommandContext(t.Context(), args[0], args[1:]...).Run(); err != nil {
			return "", err
		}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(point, 0); err != nil {
			t.Error(err)
		}
	})
	top := filepath.Join(point, "test")
	return top, os.Mkdir(top, 0o755)
}
