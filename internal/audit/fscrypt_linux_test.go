package audit

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// TestFscrypt looks at a directory that ext4 really encrypts, on a loop device:
// for that the test has to be run as root, on a kernel that has both.
func TestFscrypt(t *testing.T) {
	dir := t.TempDir()
	disk, point := filepath.Join(dir, "disk"), filepath.Join(dir, "m")
	if err := os.Mkdir(point, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"truncate", "-s", "32M", disk}, {"mkfs.ext4", "-q", "-O", "encrypt", disk}, {"mount", "-o", "loop", disk, point}} {
		if out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
			servertest.Lacks(t, "fscrypt on a loop device: %s: %v: %s", args[0], err, out)
		}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(point, 0); err != nil {
			t.Error(err)
		}
	})
	secret, open := filepath.Join(point, "secret"), filepath.Join(point, "open")
	for _, name := range []string{secret, open} {
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := encryptDir(point, secret); err != nil {
		servertest.Lacks(t, "fscrypt, in the kernel: %v", err)
	}
	fs, err := hostfs.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer fs.Close()
	for name, want := range map[string]bool{secret: true, open: false} {
		if e := encryptedAt(fs, readMounts(fs), name); (e.known && e.encrypted) != want {
			t.Errorf("%s: %+v", filepath.Base(name), e)
		}
	}
}

// encryptDir gives a file system a key, and an empty directory its policy
// (Documentation/filesystems/fscrypt.rst).
func encryptDir(point, name string) error {
	const size = 64
	var key struct {
		arg unix.FscryptAddKeyArg
		raw [size]byte
	}
	key.arg.Key_spec.Type = unix.FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER
	key.arg.Raw_size = size
	copy(key.raw[:], password())
	if err := ioctl(point, unix.FS_IOC_ADD_ENCRYPTION_KEY, unsafe.Pointer(&key)); err != nil {
		return err
	}
	policy := unix.FscryptPolicyV2{Version: unix.FSCRYPT_POLICY_V2, Contents_encryption_mode: unix.FSCRYPT_MODE_AES_256_XTS,
		Filenames_encryption_mode: unix.FSCRYPT_MODE_AES_256_CTS, Flags: unix.FSCRYPT_POLICY_FLAGS_PAD_32}
	copy(policy.Master_key_identifier[:], key.arg.Key_spec.U[:])
	return ioctl(name, unix.FS_IOC_SET_ENCRYPTION_POLICY, unsafe.Pointer(&policy))
}

func ioctl(name string, request uintptr, arg unsafe.Pointer) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}
