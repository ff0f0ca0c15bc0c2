package audit

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// TestRealAccessControlLists has the kernel keep access control lists, on a file and
// for what is created in the directory.
func TestRealAccessControlLists(t *testing.T) {
	// version 2; user::rwx, user:1000:?, group::---, mask::rwx, other::---
	list := func(perm byte) []byte {
		return []byte{2, 0, 0, 0, 1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, perm, 0, 0xe8, 3, 0, 0, 4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 16, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}
	}
	for _, test := range []struct {
		name, file, xattr string
		perm              byte
		want              Status
	}{
		{"a reader", dumpFile, aclXattr, 4, Fail},
		{"a writer", dumpFile, aclXattr, 2, Fail},
		{"one who may do nothing", dumpFile, aclXattr, 0, Pass},
		{"of what is to come", "var/lib/valkey", aclDefault, 4, Fail},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := hardened(t).writeTo(t, servertest.Ext4(t))
			if err := syscall.Setxattr(filepath.Join(root, test.file), test.xattr, list(test.perm), 0); err != nil {
				t.Fatal(err)
			}
			fs, err := hostfs.Open(root)
			if err != nil {
				t.Fatal(err)
			}
			defer fs.Close()
			r, err := Run(t.Context(), fs, []string{"/etc/valkey"}, &Options{Now: now})
			if err != nil {
				t.Fatal(err)
			}
			if got := statuses(r)["VFS-DATA-003"]; got != test.want {
				t.Errorf("%s, want %s\n%s", got, test.want, explain(r, "VFS-DATA-003"))
			}
		})
	}
}
