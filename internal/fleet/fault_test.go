package fleet_test

import (
	"database/sql"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// reported fails the test unless the fleet has found what one process finds in dir.
func (h *host) reported(dir string) {
	h.t.Helper()
	want := findings(h.run(anyReport, "scan", dir, "--format", "jsonl", "--quiet"))
	if got := findings(h.run(anyReport, "fleet", "report", "--format", "jsonl")); len(want) == 0 || !slices.Equal(got, want) {
		h.t.Errorf("%d findings and damages, not the %d of one process", len(got), len(want))
		differ(h.t, got, want)
	}
}

// While files cannot grow, as on a full disk, nothing is stored by halves and
// status answers; once there is room, work goes on.
func TestFullDisk(t *testing.T) {
	d := dumps(t, 30)
	h := newHost(t, "")
	h.global = []string{"--identity", d.identity}
	h.run([]int{0}, "fleet", "submit", d.dir)
	work := h.command("fleet", "work", "--drain", "--quiet", "--attempts", "50", "--lease", "3s")
	full := exec.Command("sh", append([]string{"-c", `ulimit -f 900; exec "$@"`, "sh"}, work.Args...)...)
	full.Env = work.Env
	if err := full.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * time.Second)
	s := h.status()
	full.Process.Kill()
	if err := full.Wait(); err == nil {
		t.Error("the worker ended before its disk was full")
	}
	if s.Done == s.Inputs || s.Queued+s.Running == 0 {
		t.Errorf("while the disk is full: %+v", s)
	}
	h.run([]int{0}, "fleet", "work", "--drain", "--quiet", "--attempts", "50", "--lease", "3s")
	if s := h.status(); s.Done != counted(30) {
		t.Errorf("%+v", s)
	}
	h.reported(d.dir)
}

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
			t.Error(err)
		}
	}
	if s := h.status(); s.Done != counted(30) || jumped == 0 {
		t.Errorf("%d leases ended: %+v", jumped, s)
	}
	h.reported(d.dir)
}
