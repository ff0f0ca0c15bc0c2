package backup_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// namespace is a command that runs a shell script in a mount namespace of its
// own, "$@" being the command that follows.
func namespace(t *testing.T, script string) []string {
	t.Helper()
	if err := exec.Command("unshare", "-rm", "true").Run(); err != nil {
		servertest.Lacks(t, "mount namespaces: %v", err)
	}
	return []string{"unshare", "-rm", "sh", "-ec", script, "sh"}
}

// Whatever fails under a backup, it says so in one line and ends with status 4;
// there is no set, and what was lost is nothing: the next backup succeeds.
func TestFailures(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string][]byte{
		"dump.rdb":         rdb("k", "v"),
		"a/x.aof.manifest": []byte("file base.rdb seq 1 type b\nfile incr.aof seq 1 type i\n"),
		"a/base.rdb":       rdb("base", "v"),
		"a/incr.aof":       resp("SET a 1"),
	})
	inject := func(call, path string) func(*testing.T, *host) []string {
		return func(t *testing.T, h *host) []string {
			wrap := tracer(t, "-o", os.DevNull, "-e", "inject="+call)
			if path != "" {
				wrap = append(wrap, "-P", filepath.Join(dir, path))
			}
			return wrap
		}
	}
	mounted := func(how string) func(*testing.T, *host) []string {
		return func(t *testing.T, h *host) []string {
			if err := os.MkdirAll(h.dest, 0o700); err != nil {
				t.Fatal(err)
			}
			return namespace(t, strings.ReplaceAll(how, "DEST", h.dest)+"\n"+`"$@"`)
		}
	}
	for name, test := range map[string]struct {
		wrap func(*testing.T, *host) []string
		more []string
		want string
	}{
		"a full disk":                  {mounted("mount -t tmpfs -o size=8k none DEST"), nil, "no space left on device"},
		"a destination that is read":   {mounted("mount --bind DEST DEST; mount -o remount,ro,bind DEST"), nil, "read-only file system"},
		"a read error":                 {inject("pread64:error=EIO", "a/base.rdb"), nil, "a/base.rdb: input/output error"},
		"a read error later":           {inject("pread64:error=EIO:when=2+", "dump.rdb"), nil, "dump.rdb: input/output error"},
		"a disk that fails":            {inject("fsync:error=EIO", ""), nil, "input/output error"},
		"a disk that fails in the end": {inject("fsync:error=EIO:when=12+", ""), nil, "input/output error"},
		"a name that cannot be given":  {inject("renameat,renameat2:error=EDQUOT", ""), nil, "disk quota exceeded"},
		"a file that is not there":     {func(*testing.T, *host) []string { return []string{"env"} }, []string{"--include", "nodes.conf"}, "nodes.conf: no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.fails(h.backupArgs(dir, h.dest, test.more...), test.wrap(t, h), test.want)
			h.recovers(dir)
		})
	}
}

// fails wants a backup to fail with a line.
func (h *host) fails(args, wrap []string, want string) {
	h.t.Helper()
	status, said := h.cron(wrap, args...)
	if status != 4 || !strings.Contains(said, want) || strings.Count(said, "\n") != 1 {
		h.t.Errorf("exit status %d, want 4 and a line with %q:\n%s", status, want, said)
	}
}

// recovers wants no set at the destination, and the next backup to succeed.
func (h *host) recovers(dir string) {
	h.t.Helper()
	l, err := backup.List(h.t.Context(), h.store(), "")
	if err != nil || len(l.Sets) != 0 {
		h.t.Errorf("%d sets, %v", len(l.Sets), err)
	}
	if status, said := h.cron(nil, h.backupArgs(dir, h.dest)...); status != 0 || said != "" {
		h.t.Errorf("the next backup: exit status %d: %s", status, said)
	}
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		h.t.Errorf("problems: %v", kinds)
	}
}

// A file that the manifest of a log names has vanished.
func TestVanished(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{"a/x.manifest": []byte("file base.rdb seq 1 type b\n"), "a/base.rdb": rdb("k", "v")}
	write(t, dir, files)
	if err := os.Remove(filepath.Join(dir, "a/base.rdb")); err != nil {
		t.Fatal(err)
	}
	h := newHost(t)
	h.fails(h.backupArgs(dir, h.dest), nil, "a/base.rdb: no such file or directory")
	write(t, dir, files)
	h.recovers(dir)
}

// A backup by a user who may not read the files, and one who may not write.
func TestNotPermitted(t *testing.T) {
	dir := shortTemp(t)
	write(t, dir, map[string][]byte{"dump.rdb": rdb("k", "v")})
	as := func(h *host, args ...string) (int, string) {
		cmd := h.program(nil, args...)
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), string(out)
	}
	dump := filepath.Join(dir, "dump.rdb")
	for name, test := range map[string]struct {
		mode os.FileMode
		dest os.FileMode
		want string
	}{
		"source":      {0, 0o777, "dump.rdb: permission denied"},
		"destination": {0o644, 0o555, "permission denied"},
	} {
		h := newHost(t)
		h.dest = shortTemp(t)
		if err := os.Chmod(dump, test.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(h.dest, test.dest); err != nil {
			t.Fatal(err)
		}
		status, said := as(h, h.backupArgs(dir, h.dest)...)
		if status != 4 || !strings.Contains(said, test.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: exit status %d, want 4 and a line with %q:\n%s", name, status, test.want, said)
		}
		if err := os.Chmod(dump, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(h.dest, 0o777); err != nil {
			t.Fatal(err)
		}
		if status, said := as(h, h.backupArgs(dir, h.dest)...); status != 0 {
			t.Errorf("%s: the next backup: exit status %d: %s", name, status, said)
		}
	}
}

// Whatever fails under a restore, the target is as it was, and nothing lies
// beside it.
func TestRestoreFails(t *testing.T) {
	dir, want := dataDir(t)
	h := newHost(t)
	h.backup(dir)
	for name, test := range map[string]struct {
		inject []string
		want   string
	}{
		"a disk that fails":                {[]string{"inject=fsync:error=EIO"}, "input/output error"},
		"a disk that fails later":          {[]string{"inject=fsync:error=EIO:when=4"}, "input/output error"},
		"a disk that fails in the end":     {[]string{"inject=fsync:error=EIO", "PARENT"}, "input/output error"},
		"no exchange of names":             {[]string{"inject=renameat2:error=EINVAL"}, ""},
		"no name":                          {[]string{"inject=renameat2:error=EINVAL", "inject=renameat:error=EDQUOT"}, "disk quota exceeded"},
		"a name, and not the second":       {[]string{"inject=renameat2:error=EINVAL", "inject=renameat:error=EDQUOT:when=2"}, "disk quota exceeded"},
		"exchanged, and cannot be renamed": {[]string{"inject=renameat:error=EDQUOT:when=1"}, "disk quota exceeded"},
	} {
		top := t.TempDir()
		into := filepath.Join(top, "data")
		write(t, into, map[string][]byte{"old": []byte("OLD")})
		wrap := tracer(t, "-o", os.DevNull)
		for _, i := range test.inject {
			if i == "PARENT" { // of the target alone
				wrap = append(wrap, "-P", top)
				continue
			}
			wrap = append(wrap, "-e", i)
		}
		status, said := h.cron(wrap, "restore", h.dest, "-i", filepath.Join(h.keyFiles(), "identity"), "--force", "--into", into)
		entries, err := os.ReadDir(top)
		if err != nil {
			t.Fatal(err)
		}
		if test.want == "" {
			if status != 0 || len(entries) != 2 {
				t.Errorf("%s: exit status %d, %v: %s", name, status, entries, said)
			}
			equal(t, read(t, into), want)
			continue
		}
		if status != 4 || !strings.Contains(said, test.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: exit status %d, want 4 and a line with %q:\n%s", name, status, test.want, said)
		}
		equal(t, read(t, into), map[string]string{"old": "OLD"})
		if len(entries) != 1 {
			t.Errorf("%s: %v are left", name, entries)
		}
	}
}
