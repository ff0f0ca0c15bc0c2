package fleet_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// What a fleet costs beside one process that scans the same inputs, in time of
// processors, that of the database's server too, which other programs on the machine
// disturb least. VALKEYFS_OVERHEAD names a snapshot, of which each input is a copy.
func overhead(t *testing.T, p *postgres) {
	sample := os.Getenv("VALKEYFS_OVERHEAD")
	if sample == "" {
		t.Log("VALKEYFS_OVERHEAD names no snapshot: what a fleet costs beside one process was not tested")
		return
	}
	sample, err := filepath.Abs(sample)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	const inputs, workers = 2, 2
	for i := range inputs {
		to := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(to, 0o700); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", sample, to).CombinedOutput(); err != nil { // a link would be the same input
			t.Fatalf("%v: %s", err, out)
		}
	}
	database := ""
	if p != nil {
		database = p.url()
	}
	h := newHost(t, database)
	alone := spent(t, h.command("scan", dir, "--format", "jsonl", "--quiet", "--workers", "1", "-o", filepath.Join(t.TempDir(), "report")))
	fleet := spent(t, h.command("fleet", "submit", dir))
	var running []*exec.Cmd
	for range workers {
		cmd := h.command("fleet", "work", "--drain", "--quiet", "--workers", "1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, cmd)
	}
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		fleet += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	s := h.status()
	if s.Done != inputs {
		t.Errorf("%+v", s)
	}
	if p != nil {
		p.stop()
		fleet += p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	}
	overhead := float64(fleet-alone) / float64(alone)
	t.Logf("one process: %v; submission and %d workers: %v; overhead: %.1f %% with %d findings", alone, workers, fleet, 100*overhead, s.Findings)
	if fleet > alone+alone/20 {
		t.Error("more than 5 %")
	}
}

func TestOverheadSQLite(t *testing.T) { overhead(t, nil) }

func TestOverheadPostgres(t *testing.T) {
	if p := newPostgres(t); p != nil {
		overhead(t, p)
	}
}

// spent runs a command, and returns the time of processors that it took.
func spent(t *testing.T, cmd *exec.Cmd) time.Duration {
	t.Helper()
	if err := cmd.Run(); err != nil && cmd.ProcessState.Sys().(syscall.WaitStatus).ExitStatus() != 1 {
		t.Fatal(err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
