package fleet_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/fleet"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// postgres is a real PostgreSQL server.
type postgres struct {
	t    testing.TB
	bin  string
	dir  string
	port int
	cmd  *exec.Cmd
	env  []string
}

// newPostgres starts one, with variables in its environment.
func newPostgres(t testing.TB, env ...string) *postgres {
	t.Helper()
	initdb := servertest.Installed(t, "postgresql", "/usr/lib/postgresql/*/bin/initdb")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := nobodysDir(t)
	p := &postgres{t: t, bin: filepath.Dir(initdb), dir: dir, port: l.Addr().(*net.TCPAddr).Port, env: env}
	l.Close()
	if out, err := p.command("initdb", "-D", filepath.Join(dir, "data"), "-U", "fleet", "-A", "trust", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	p.start()
	t.Cleanup(p.stop)
	return p
}

// command is one of a program that refuses to run as root.
func (p *postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), p.env...)
	asNobody(cmd)
	return cmd
}

func (p *postgres) start() {
	p.t.Helper()
	p.cmd = p.command("postgres", "-D", filepath.Join(p.dir, "data"), "-h", "127.0.0.1", "-p", fmt.Sprint(p.port), "-k", p.dir)
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if p.command("pg_isready", "-q", "-h", "127.0.0.1", "-p", fmt.Sprint(p.port)).Run() == nil {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatal("postgres does not answer")
		}
	}
}

// stop is an immediate shutdown, as of a host that fails.
func (p *postgres) stop() {
	p.cmd.Process.Signal(syscall.SIGQUIT)
	p.cmd.Wait()
}

// written has the server write all that it was given, and returns the processors' time
// that it took until then: its first process, with those that ended, and those that it has.
func (p *postgres) written() (d time.Duration) {
	p.t.Helper()
	if out, err := p.command("psql", "-q", "-d", p.url(), "-c", "CHECKPOINT").CombinedOutput(); err != nil {
		p.t.Fatalf("psql: %v: %s", err, out)
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		p.t.Fatal(err)
	}
	server := fmt.Sprint(p.cmd.Process.Pid)
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		pid, rest, _ := strings.Cut(string(stat), " ")
		f := strings.Fields(rest[strings.LastIndexByte(rest, ')')+1:]) // state, parent, …: fields 3, 4, … of proc(5)
		times := f[11:13]
		switch server {
		case pid:
			times = f[11:15]
		case f[1]:
		default:
			continue
		}
		for _, t := range times {
			ticks, err := strconv.Atoi(t)
			if err != nil {
				p.t.Fatal(err)
			}
			d += time.Duration(ticks) * time.Second / 100 // as Linux counts them for programs
		}
	}
	return d
}

func (p *postgres) url() string {
	return fmt.Sprintf("postgres://fleet@127.0.0.1:%d/postgres?sslmode=disable", p.port)
}

func TestKilledPostgres(t *testing.T) {
	p := newPostgres(t)
	trial{database: p.url(), bucket: servertest.NewS3(t), inputs: rounds(60, 2000), workers: 4, kills: rounds(6, 30), every: every()}.run(t)
}

// The database fails and comes back while a worker works.
func TestPostgresRestarts(t *testing.T) {
	p := newPostgres(t)
	dir := dumps(t, 40).dir
	h := newHost(t, p.url())
	h.run([]int{0}, "fleet", "submit", dir)
	cmd := h.command("fleet", "work", "--drain", "--quiet", "--lease", "3s", "--attempts", "50")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	p.stop()
	h.run([]int{4}, "fleet", "status")
	p.start()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the worker: %v", err)
	}
	if s := h.status(); s.Done != counted(40) {
		t.Errorf("%+v", s)
	}
}

// Why an input cannot be read is told whatever bytes its name has.
func TestReasonPostgres(t *testing.T) {
	p := newPostgres(t)
	h := newHost(t, p.url())
	dir := filepath.Join(t.TempDir(), "n\xff\xfe")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Skip(err) // names are text here
	}
	file := filepath.Join(dir, "dump.rdb")
	if err := os.WriteFile(file, []byte("REDIS0011"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run([]int{0}, "fleet", "submit", dir)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	h.run([]int{0}, "fleet", "work", "--drain", "--attempts", "1", "--lease", "3s")
	if out := h.run([]int{0}, "fleet", "status"); !strings.Contains(out, "no such file or directory (1 attempts)") {
		t.Errorf("%s", out)
	}
}

func TestMigratePostgres(t *testing.T) {
	p := newPostgres(t)
	db, err := fleet.Open(t.Context(), p.url(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	migrate(t, db)
}
