package backup_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

func (h *host) drill(server []string) (*backup.Drilled, error) {
	return h.newest().Drill(h.t.Context(), backup.DrillOptions{Identities: []age.Identity{h.id}, Server: server, Tmp: shortTemp(h.t), Now: h.now})
}

// shortTemp is a directory with a short path: sun_path holds 108 bytes.
func shortTemp(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vfs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// reachable copies the servers to where an unprivileged user can run them.
func reachable(t *testing.T) string {
	t.Helper()
	from, to := os.Getenv("VALKEYFS_SERVERS"), shortTemp(t)
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Skip("no servers are installed")
	}
	for _, e := range entries {
		if e.Name() == ".apt" { // packages, which install.sh keeps
			continue
		}
		name := filepath.Join(from, e.Name())
		if exec.Command("cp", "-al", name, to).Run() == nil {
			continue
		}
		if out, err := exec.Command("cp", "-a", name, to).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return to
}

// A confined server loads a set, and says how many keys it has.
func TestDrill(t *testing.T) {
	servers := reachable(t)
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		program := "redis-server"
		if s.Valkey() {
			program = "valkey-server"
		}
		command := []string{filepath.Join(servers, "run"), s.Name, program}
		for _, appendonly := range []string{"no", "yes"} {
			live := s.Start(t, "", "--appendonly", appendonly, "--appendfsync", "always")
			for i := range 20 {
				live.Must(t, "SET", fmt.Sprint("k", i), "v")
			}
			live.Must(t, "SET", "expiring", "v", "EX", "1000")
			if appendonly == "no" {
				live.Must(t, "SAVE")
			}
			h := newHost(t)
			h.backup(live.Dir)
			d, err := h.drill(command)
			if err != nil {
				t.Fatal(err)
			}
			if d.Skipped != "" {
				servertest.Lacks(t, "%s", d.Skipped)
			}
			if d.Keys != 21 || appendonly == "no" && (d.Least != 20 || d.Most != 21) {
				t.Errorf("appendonly %s: %+v", appendonly, d)
			}
		}
		// What a server refuses is told, and what is hostile is not tried.
		dir := t.TempDir()
		write(t, dir, map[string][]byte{"dump.rdb": []byte(strings.Replace(string(rdb("k", "v")), "\x00\x01k\x01v", "\x02\x01k\x01\x03a\x00b", 1))})
		h := newHost(t)
		h.backup(dir)
		if _, err := h.drill([]string{"/bin/false"}); !errors.Is(err, backup.ErrDrill) {
			t.Errorf("a server that ends: %v", err)
		}
		write(t, dir, map[string][]byte{"appendonly.aof": resp("DEBUG SEGFAULT")})
		h.backup(dir)
		var hostile *backup.CommandsError
		if _, err := h.drill(command); !errors.As(err, &hostile) {
			t.Errorf("a hostile log: %v", err)
		}
		if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "valkeyfs-drill-*")); len(left) > 0 {
			t.Errorf("%d directories are left", len(left))
		}
	})
}

// A server that is too old for the set says nothing of it.
func TestDrillWithOldServer(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	h.backup(dir)
	old := filepath.Join(shortTemp(t), "old")
	if err := os.WriteFile(old, []byte("#!/bin/sh\necho 'Redis server v=6.2.7 sha=0'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if d, err := h.drill([]string{old}); err != nil || !strings.Contains(d.Skipped, ".rdb is REDIS 11, and the server is redis 6.2") {
		t.Errorf("%+v, %v", d, err)
	}
}

// The server that tries a set out is nobody, without capabilities, alone in its
// network, and sees no other processes; it dies with the drill.
func TestDrillConfines(t *testing.T) {
	dir, _ := dataDir(t)
	h := newHost(t)
	h.backup(dir)
	out := shortTemp(t)
	if err := os.Chmod(out, 0o777); err != nil {
		t.Fatal(err)
	}
	probe := filepath.Join(shortTemp(t), "probe")
	script := "#!/bin/sh\n" +
		"[ $1 != --version ] || exit 1\n" +
		"exec >" + out + "/said 2>&1\n" +
		"id -u; grep -E '^(Cap(Prm|Eff)|NoNewPrivs):' /proc/self/status; echo pid $$\n" +
		"grep -c : /proc/net/dev; env; echo \"$@\"\n" +
		"exit 1\n"
	if err := os.WriteFile(probe, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SECRET_OF_THE_HOST", "synthetic")
	d, err := h.drill([]string{probe})
	if d != nil && d.Skipped != "" {
		servertest.Lacks(t, "%s", d.Skipped)
	}
	if !errors.Is(err, backup.ErrDrill) {
		t.Errorf("a server that ends: %v", err)
	}
	said := read(t, out)["said"]
	for _, want := range []string{"65534\n", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "pid 1\n", "--port 0", "--aof-load-truncated no"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not there:\n%s", want, said)
		}
	}
	if strings.Contains(said, "SECRET_OF_THE_HOST") || strings.Contains(said, "eth0") {
		t.Errorf("it knows of the host:\n%s", said)
	}
}

// A drill that is killed takes its server with it, and the next one removes the
// plaintext that it has left, while that of a drill that runs stays.
func TestDrillKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a server can be confined on Linux only")
	}
	dir, _ := dataDir(t)
	h := newHost(t)
	h.keyFiles()
	h.o.Sign = h.key
	h.backup(dir)
	tmp, probe := shortTemp(t), filepath.Join(shortTemp(t), "probe")
	script := "#!/bin/sh\n[ $1 != --version ] || exit 1\nexec sleep 86399\n"
	if err := os.WriteFile(probe, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{"verify", h.dest, "-i", filepath.Join(h.files, "identity"), "--sign-pub", filepath.Join(h.files, "sign.pub"), "--deep", "--server", probe, "--tmp", tmp}
	left := func() []string {
		names, _ := filepath.Glob(filepath.Join(tmp, "valkeyfs-drill-*"))
		return names
	}
	drill := h.program(nil, args...)
	var said strings.Builder
	drill.Stdout, drill.Stderr = &said, &said
	if err := drill.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		drill.Wait()
		close(ended)
	}()
	server := ""
	for range 200 {
		if server = processIn(tmp); server != "" {
			break
		}
		select {
		case <-ended:
			servertest.Lacks(t, "%s", said.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	if server == "" {
		t.Error("no server is started")
	}
	old := time.Now().Add(-time.Hour)
	age := func() {
		for _, name := range left() {
			if err := os.Chtimes(name, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	age()
	other := func() { // ends at once, as it has no server
		h.program(nil, append(args[:len(args)-4:len(args)-4], "--server", "/bin/false", "--tmp", tmp)...).Run()
	}
	other()
	if n := len(left()); n != 1 {
		t.Errorf("while a drill runs, %d directories are there", n)
	}
	drill.Process.Kill()
	<-ended
	for range 100 {
		if server = processIn(tmp); server == "" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if server != "" {
		t.Errorf("the server outlives the drill: process %s", server)
	}
	if n := len(left()); n != 1 {
		t.Errorf("%d directories are left by a drill that was killed", n)
	}
	age()
	other()
	if n := len(left()); n != 0 {
		t.Errorf("%d directories are left by the drill after it", n)
	}
}

// processIn returns a process whose working directory lies in dir, or "".
func processIn(dir string) string {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if at, err := os.Readlink(link); err == nil && strings.HasPrefix(at, dir+"/") {
			return link
		}
	}
	return ""
}
