package audit

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// TestEncryption judges recorded trees of /proc and /sys: what a data directory
// lies on.
func TestEncryption(t *testing.T) {
	mounts := func(lines string) tree {
		return tree{"proc/self/mountinfo": file(lines), "var/lib/valkey/x": file("")}
	}
	disk := func(more tree) tree {
		tr := mounts("22 1 253:3 / / rw - ext4 /dev/mapper/vg-root rw\n")
		for k, v := range more {
			tr[k] = v
		}
		return tr
	}
	for name, test := range map[string]struct {
		tr               tree
		known, encrypted bool
	}{
		"LUKS":              {disk(tree{"sys/dev/block/253:3/dm/uuid": file("CRYPT-LUKS2-ab-root\n")}), true, true},
		"plain dm-crypt":    {disk(tree{"sys/dev/block/253:3/dm/uuid": file("CRYPT-PLAIN-x\n")}), true, true},
		"LVM over LUKS":     {disk(tree{"sys/dev/block/253:3/dm/uuid": file("LVM-x\n"), "sys/dev/block/253:3/slaves/dm-0/dev": file("253:0\n"), "sys/dev/block/253:0/dm/uuid": file("CRYPT-LUKS1-x\n")}), true, true},
		"LVM over a disk":   {disk(tree{"sys/dev/block/253:3/dm/uuid": file("LVM-x\n"), "sys/dev/block/253:3/slaves/sda2/dev": file("8:2\n"), "sys/dev/block/8:2/partition": file("2\n")}), true, false},
		"RAID, half LUKS":   {disk(tree{"sys/dev/block/253:3/md/level": file("raid1\n"), "sys/dev/block/253:3/slaves/dm-0/dev": file("253:0\n"), "sys/dev/block/253:0/dm/uuid": file("CRYPT-LUKS1-x\n"), "sys/dev/block/253:3/slaves/sda2/dev": file("8:2\n"), "sys/dev/block/8:2/partition": file("2\n")}), true, false},
		"devices in a ring": {disk(tree{"sys/dev/block/253:3/slaves/a/dev": file("253:3\n")}), false, false},
		"no /sys":           {disk(nil), false, false},
		"gocryptfs":         {mounts("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:55 / /var/lib/valkey rw - fuse.gocryptfs /srv/cipher rw\n"), true, true},
		"ecryptfs":          {mounts("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:55 / /var/lib/valkey rw - ecryptfs /srv/cipher rw\n"), true, true},
		"tmpfs":             {mounts("30 22 0:55 / /var/lib/valkey rw - tmpfs tmpfs rw\n"), true, true},
		"nfs":               {mounts("30 22 0:55 / /var/lib/valkey rw - nfs4 10.0.0.9:/x rw\n"), false, false},
		"btrfs":             {mounts("30 22 0:55 /@ / rw - btrfs /dev/sda1 rw\n"), false, false},
		"overlay":           {mounts("30 22 0:55 / / rw - overlay overlay rw\n"), false, false},
		"covered":           {mounts("30 22 0:55 / /var/lib/valkey rw - fuse.gocryptfs /c rw\n31 30 0:56 / /var/lib/valkey rw - nfs4 h:/x rw\n"), false, false},
		"space in a name":   {mounts("30 22 0:55 / /var/lib/valkey\\040x rw - fuse.gocryptfs /c rw\n"), false, false},
		"nothing recorded":  {tree{"var/lib/valkey/x": file("")}, false, false},
	} {
		fs := image(t, test.tr)
		e := encryptedAt(fs, readMounts(fs), "/var/lib/valkey")
		if e.known != test.known || e.encrypted != test.encrypted {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// TestGocryptfs looks at a file system that gocryptfs really mounts.
func TestGocryptfs(t *testing.T) {
	gocryptfs := servertest.Installed(t, "gocryptfs", "/usr/bin/gocryptfs")
	dir := t.TempDir()
	cipher, plain, pass := filepath.Join(dir, "cipher"), filepath.Join(dir, "plain"), filepath.Join(dir, "pass")
	for _, d := range []string{cipher, plain} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(pass, []byte(password()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-q", "-init", "-scryptn", "10", "-passfile", pass, cipher}, {"-q", "-passfile", pass, cipher, plain}} {
		if out, err := exec.CommandContext(t.Context(), gocryptfs, args...).CombinedOutput(); err != nil {
			servertest.Lacks(t, "mounts of gocryptfs: %v: %s", err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("fusermount3", "-u", plain).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	fs, err := hostfs.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer fs.Close()
	for name, want := range map[string]bool{plain: true, cipher: false} {
		if e := encryptedAt(fs, readMounts(fs), name); (e.known && e.encrypted) != want {
			t.Errorf("%s: %+v", filepath.Base(name), e)
		}
	}
}
