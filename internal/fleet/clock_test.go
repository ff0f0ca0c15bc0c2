package fleet_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// Leases are by the database's clock. When it jumps ahead, leases end under workers
// that live: others take their inputs, and one copy of what is found stands.
func TestClockJumps(t *testing.T) {
	d := dumps(t, 30)
	h := newHost(t, "")
	h.global = []string{"--identity", d.identity}
	h.run([]int{0}, "fleet", "submit", d.dir)
	db, err := sql.Open("sqlite", strings.TrimPrefix(h.database, "sqlite:")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var workers []*exec.Cmd
	for range 2 {
		cmd := h.command("fleet", "work", "--drain", "--quiet", "--attempts", "50", "--lease", "3s")
		cmd.Stderr = &strings.Builder{}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		workers = append(workers, cmd)
	}
	jumped := int64(0)
	for deadline := time.Now().Add(20 * time.Second); jumped < 5 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		r, err := db.ExecContext(t.Context(), `UPDATE fleet_inputs SET lease_until = 0 WHERE status = 'running'`)
		if err != nil {
			t.Fatal(err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			t.Fatal(err)
		}
		jumped += n
	}
	for _, w := range workers {
		if err := w.Wait(); err != nil {
			t.Errorf("%v: %s", err, w.Stderr)
		}
	}
	if s := h.status(); s.Done != counted(30) || jumped == 0 {
		t.Errorf("%d leases ended: %+v", jumped, s)
	}
	h.reported(d.dir)
}

// clock is the clock of a database, which jumps.
type clock struct {
	db   *sql.DB
	jump func(time.Duration)
}

// text asks for one value.
func (c clock) text(t *testing.T, query string) (s string) {
	t.Helper()
	if err := c.db.QueryRowContext(t.Context(), query).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// The clock jumps an hour ahead under workers that live, one is killed, and the clock
// jumps back: nobody waits for an hour, and one copy of what is found stands.
func hourLost(t *testing.T, h *host, c clock) {
	dir := t.TempDir()
	for i := range 12 {
		text := logOf(i, 9) + fmt.Sprintf("*3\r\n$3\r\nSET\r\n$4\r\nhuge\r\n$%d\r\n%s\r\n", huge, strings.Repeat("a value of no interest. ", huge/24))
		write(t, filepath.Join(dir, fmt.Sprint(i), "a.aof"), text)
	}
	h.run([]int{0}, "fleet", "submit", dir)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // of an hour
	defer cancel()
	start := func(name string) *exec.Cmd {
		with := h.command("fleet", "work", "--drain", "--quiet", "--attempts", "50", "--lease", "5s", "--name", name)
		cmd := exec.CommandContext(ctx, with.Path, with.Args[1:]...)
		cmd.Env = with.Env
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	lease := func() string { // of the worker that dies
		return c.text(t, `SELECT coalesce(max(lease), '') FROM fleet_inputs WHERE status = 'running' AND worker = 'dies'`)
	}
	other := func(than string) string {
		for {
			if l := lease(); l != "" && l != than {
				return l
			}
			if time.Sleep(time.Millisecond); ctx.Err() != nil {
				t.Fatal("the worker took no input")
			}
		}
	}
	dies := start("dies") // first, so that there is something left for it
	before := other("")
	c.jump(time.Hour)
	live := start("live")
	ahead := other(before)
	dies.Process.Kill()
	if dies.Wait() == nil || lease() != ahead {
		t.Fatal("the worker ended its input before it was killed")
	}
	c.jump(-time.Hour)
	last := start("last")
	for _, cmd := range []*exec.Cmd{live, last} {
		if err := cmd.Wait(); err != nil {
			t.Errorf("a worker: %v", err)
		}
	}
	if s := h.status(); s.Done != 12 || s.Inputs != 12 {
		t.Errorf("%+v", s)
	}
	if c.text(t, `SELECT count(*) FROM fleet_inputs WHERE gen > 1`) == "0" {
		t.Error("no input was taken up again")
	}
	h.reported(dir)
}

// The clock of a SQLite database is its processes': to them it is the same if all
// that is written in the database moves the other way.
func TestHourLostSQLite(t *testing.T) {
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet") // makes it
	db, err := sql.Open("sqlite", strings.TrimPrefix(h.database, "sqlite:")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	hourLost(t, h, clock{db, func(d time.Duration) {
		by := fmt.Sprintf("%+d seconds", -int64(d.Seconds()))
		for table, times := range map[string][]string{"river_job": {"created_at", "scheduled_at", "attempted_at", "finalized_at"}, "river_leader": {"elected_at", "expires_at"}} {
			for _, at := range times {
				if _, err := db.ExecContext(t.Context(), fmt.Sprintf(`UPDATE %s SET %[2]s = datetime(%[2]s, 'subsec', $1) WHERE %[2]s IS NOT NULL`, table, at), by); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := db.ExecContext(t.Context(), `UPDATE fleet_inputs SET lease_until = lease_until - $1 WHERE lease_until > 0`, d.Milliseconds()); err != nil {
			t.Fatal(err)
		}
	}})
}

// The clock of a PostgreSQL server jumps by libfaketime, where Debian's package is
// installed, as .ci/run does where it may.
func TestHourLostPostgres(t *testing.T) {
	faketime := servertest.Installed(t, "faketime", "/usr/lib/*/faketime/libfaketime.so.1")
	dir, err := os.MkdirTemp("", "clock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL runs as another user
		t.Fatal(err)
	}
	at := filepath.Join(dir, "clock")
	var ahead time.Duration
	set := func(d time.Duration) {
		ahead += d
		if err := os.WriteFile(at+".new", fmt.Appendf(nil, "%+d\n", int64(ahead.Seconds())), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(at+".new", at); err != nil {
			t.Fatal(err)
		}
	}
	set(0)
	p := newPostgres(t, "LD_PRELOAD="+faketime, "FAKETIME_TIMESTAMP_FILE="+at, "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1")
	if p == nil {
		return
	}
	db, err := sql.Open("pgx", p.url())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := clock{db: db}
	c.jump = func(d time.Duration) {
		set(d)
		now, err := time.Parse(time.DateTime, c.text(t, `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')`))
		if err != nil {
			t.Fatal(err)
		}
		if off := now.Sub(time.Now().Add(ahead)); off.Abs() > time.Minute {
			t.Fatalf("the clock is %v off", off)
		}
	}
	h := newHost(t, p.url())
	h.run([]int{0}, "fleet", "status")
	hourLost(t, h, c)
}
