package fleet_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What a fleet costs beside one process that scans the same inputs with as many
// workers, in time of processors, that of the database's server too, and by the clock:
// the medians of rounds in turn, for a machine's speed is never quite the same twice.
// VALKEYFS_OVERHEAD names a snapshot, of which each input is a copy.
func overhead(b *testing.B, withPostgres bool) {
	sample := os.Getenv("VALKEYFS_OVERHEAD")
	if sample == "" {
		b.Skip("VALKEYFS_OVERHEAD names no snapshot")
	}
	dir := nobodysDir(b) // b.TempDir() names it like a secret, which would be looked at
	const inputs, workers, rounds = 2, 2, 5
	for i := range inputs {
		to := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(to, 0o700); err != nil {
			b.Fatal(err)
		}
		if out, err := exec.Command("cp", sample, to).CombinedOutput(); err != nil { // a link would be the same input
			b.Fatalf("%v: %s", err, out)
		}
	}
	var alone, fleet [rounds]cost
	for i := range rounds {
		h := newHost(b, "")
		alone[i] = spent(b, h.command("scan", dir, "--format", "jsonl", "--quiet", "--workers", fmt.Sprint(workers), "-o", filepath.Join(b.TempDir(), "report")))
		var p *postgres
		database := ""
		if withPostgres {
			p = newPostgres(b)
			database = p.url()
		}
		fleet[i] = fleetCost(b, newHost(b, database), dir, inputs, workers)
		if p != nil {
			p.stop()
			fleet[i].processors += used(p.cmd)
		}
		b.Logf("one process: %v; submission and %d workers: %v", alone[i], workers, fleet[i])
	}
	a, f := median(alone[:]), median(fleet[:])
	b.Logf("medians: one process: %v; fleet: %v; overhead: %.1f %% of the processors' time, %.1f %% by the clock", a, f,
		100*(f.processors.Seconds()/a.processors.Seconds()-1), 100*(f.clock.Seconds()/a.clock.Seconds()-1))
	if f.processors > a.processors+a.processors/20 {
		b.Error("more than 5 %")
	}
}

// fleetCost submits a directory, and has workers of one thread each scan it.
func fleetCost(t testing.TB, h *host, dir string, inputs, workers int) cost {
	t.Helper()
	c := spent(t, h.command("fleet", "submit", dir))
	start := time.Now()
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
		c.processors += used(cmd)
	}
	c.clock += time.Since(start)
	if s := h.status(); s.Done != int64(inputs) {
		t.Errorf("%+v", s)
	}
	return c
}

func BenchmarkOverheadSQLite(b *testing.B) { overhead(b, false) }

func BenchmarkOverheadPostgres(b *testing.B) { overhead(b, true) }

// cost is what commands took.
type cost struct{ processors, clock time.Duration }

func (c cost) String() string {
	return fmt.Sprintf("%.2f s of processors, %.2f s", c.processors.Seconds(), c.clock.Seconds())
}

// median of each of a cost's two, by itself.
func median(costs []cost) cost {
	processors, clocks := make([]time.Duration, len(costs)), make([]time.Duration, len(costs))
	for i, c := range costs {
		processors[i], clocks[i] = c.processors, c.clock
	}
	slices.Sort(processors)
	slices.Sort(clocks)
	return cost{processors[len(costs)/2], clocks[len(costs)/2]}
}

// spent runs a command, which may find something, and returns what it took.
func spent(t testing.TB, cmd *exec.Cmd) cost {
	t.Helper()
	start := time.Now()
	if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatal(err)
	}
	return cost{used(cmd), time.Since(start)}
}

// used is the processors' time of a process that has ended.
func used(cmd *exec.Cmd) time.Duration {
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
