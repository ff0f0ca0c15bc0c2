package backup_test

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// A mount point keeps its place: what lies in it is moved aside in it, lost+found
// excepted, and what cannot be moved leaves all as it was.
func TestRestoreOntoMountPoint(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	h.backup(dir)
	into := t.TempDir()
	const look = `
status=0; "$@" 2>said || status=$?
(cd INTO && find . -mindepth 1 | sort && cat old nested/busy before-*/old 2>/dev/null) >found || true
echo $status`
	for name, test := range map[string]struct {
		mount, force, status string
		want, not            []string
	}{
		"empty": {"mkdir INTO/lost+found", "", "0",
			[]string{"./dump.rdb", "./aofdir/my log.aof.manifest", "./lost+found"}, []string{"restoring", "before-"}},
		"in the way": {"echo OLD >INTO/old", "", "4", []string{"./old"}, []string{"./dump.rdb", "restoring"}},
		"aside":      {"echo OLD >INTO/old", "--force", "0", []string{"./dump.rdb", "/old", "OLD"}, []string{"./old\n", "restoring"}},
		"a mount point in it": {"echo OLD >INTO/old; mkdir INTO/nested; mount -t tmpfs none INTO/nested; echo BUSY >INTO/nested/busy", "--force", "4",
			[]string{"./old", "./nested/busy", "OLD", "BUSY"}, []string{"./dump.rdb", "before-", "restoring"}},
	} {
		script := strings.ReplaceAll("mount -t tmpfs none INTO; "+test.mount+look, "INTO", into)
		args := []string{"restore", h.dest, "-i", filepath.Join(h.keyFiles(), "identity"), "--into", into}
		if test.force != "" {
			args = append(args, test.force)
		}
		cmd := h.program(namespace(t, script), args...)
		cmd.Dir = t.TempDir()
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found, said := read(t, cmd.Dir)["found"], read(t, cmd.Dir)["said"]
		if got := strings.TrimSpace(string(out)); got != test.status {
			t.Errorf("%s: exit status %s, want %s: %s", name, got, test.status, said)
		}
		for _, want := range test.want {
			if !strings.Contains(found, want) {
				t.Errorf("%s: %s is not there:\n%s", name, want, found)
			}
		}
		for _, not := range test.not {
			if strings.Contains(found, not) {
				t.Errorf("%s: %s is there:\n%s", name, not, found)
			}
		}
	}
}

// A symbolic link to the data directory stays one.
func TestRestoreThroughLink(t *testing.T) {
	dir, want := dataDir(t)
	h := newHost(t)
	h.backup(dir)
	top := t.TempDir()
	real, link := filepath.Join(top, "real"), filepath.Join(top, "link")
	write(t, real, map[string][]byte{"old": nil})
	if err := os.Symlink("real", link); err != nil {
		t.Fatal(err)
	}
	if _, err := h.restore(backup.RestoreOptions{Into: link, Force: true}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
	equal(t, read(t, real), want)
}

// A link to a volume that is not mounted is left as it is.
func TestRestoreThroughDanglingLink(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	h.backup(dir)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("nowhere/data", link); err != nil {
		t.Fatal(err)
	}
	if _, err := h.restore(backup.RestoreOptions{Into: link}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("restored: %v", err)
	}
	if to, err := os.Readlink(link); err != nil || to != "nowhere/data" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
}

func TestReads(t *testing.T) {
	for _, test := range []struct {
		build  backup.Build
		format string
		want   bool
	}{
		{backup.Build{Make: "redis", Major: 6, Minor: 0}, "REDIS 9", true},
		{backup.Build{Make: "redis", Major: 6, Minor: 2}, "REDIS 10", false},
		{backup.Build{Make: "redis", Major: 7, Minor: 2}, "REDIS 11", true},
		{backup.Build{Make: "redis", Major: 7, Minor: 2}, "REDIS 12", false},
		{backup.Build{Make: "redis", Major: 8, Minor: 4}, "REDIS 12", true},
		{backup.Build{Make: "redis", Major: 8, Minor: 4}, "REDIS 13", false},
		{backup.Build{Make: "redis", Major: 9, Minor: 0}, "REDIS 20", true}, // nothing is known of it
		{backup.Build{Make: "redis", Major: 9, Minor: 0}, "VALKEY 80", false},
		{backup.Build{Make: "redis", Major: 2, Minor: 8}, "REDIS 6", true},
		{backup.Build{Make: "valkey", Major: 8, Minor: 1}, "REDIS 11", true},
		{backup.Build{Make: "valkey", Major: 8, Minor: 1}, "VALKEY 80", false},
		{backup.Build{Make: "valkey", Major: 9, Minor: 1}, "VALKEY 80", true},
		{backup.Build{Make: "valkey", Major: 9, Minor: 1}, "VALKEY 81", false},
		{backup.Build{Make: "valkey", Major: 9, Minor: 1}, "REDIS 12", false},
		{backup.Build{Make: "valkey", Major: 9, Minor: 1}, "RESP 0", true},
	} {
		if got := test.build.Reads(test.format); got != test.want {
			t.Errorf("%s, %s: %v", test.build, test.format, got)
		}
	}
}

// What is told of versions is what servers do: every one is given the snapshots of
// all, and a restore for it is refused exactly where it does not load them.
func TestReadsAsServersDo(t *testing.T) {
	type snapshot struct{ dir, format string }
	var all []snapshot
	h := newHost(t)
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		live := s.Start(t, t.TempDir())
		live.Must(t, "SET", "k", "v")
		live.Must(t, "SAVE")
		live.Stop(t)
		dir := shortTemp(h.t)
		data, err := os.ReadFile(filepath.Join(live.Dir, "dump.rdb"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, map[string][]byte{"dump.rdb": data})
		all = append(all, snapshot{dir, h.backup(dir).Inner.Files[0].Format})
	})
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		program := "redis-server"
		if s.Valkey() {
			program = "valkey-server"
		}
		build, err := backup.BuildOf(t.Context(), s.Command(program).Args...)
		if err != nil {
			t.Fatal(err)
		}
		for _, snap := range all {
			dir := t.TempDir()
			if out, err := exec.Command("cp", filepath.Join(snap.dir, "dump.rdb"), dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			loads := loads(t, s.Command(program, "--port", "0", "--unixsocket", filepath.Join(shortTemp(t), "s"), "--dir", dir, "--save", ""))
			if build.Reads(snap.format) != loads {
				t.Errorf("%s loads %s: %v", build, snap.format, loads)
			}
			h.backup(snap.dir)
			_, err := h.restore(backup.RestoreOptions{Into: filepath.Join(dir, "into"), Build: &build})
			if errors.Is(err, backup.ErrTooNew) == loads || err != nil && loads {
				t.Errorf("%s, %s: the restore gives %v", build, snap.format, err)
			}
		}
	})
	if !slices.ContainsFunc(all, func(s snapshot) bool { return s.format != all[0].format }) {
		t.Log("all servers here write the same format: refusals were not tested")
	}
}

// loads reports whether a server gets ready, rather than ending before.
func loads(t *testing.T, cmd *exec.Cmd) bool {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "eady to accept connections") {
			return true
		}
	}
	return false
}
