package fleet_test

import (
	"os/exec"
	"slices"
	"testing"
	"time"
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
