package fleet_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/fleet"
)

// What a fleet costs beside one process that scans the same inputs with as many
// workers, by the clock and in time of processors, that of the database's server too, once
// it has written what it was given. The submission counts, and the start of each process;
// what is done once in the life of a database, to start the server and to make the tables,
// does not. A machine's speed is never quite the same twice: they are run in turn, now the
// one first and now the other, what is compared is of one round, and the median of rounds
// counts. What as many processes cost that scan a share of the inputs each, without a
// fleet, is told beside it and not taken off: processes do not share what threads do.
// VALKEYFS_OVERHEAD names snapshots, as PATH does directories, of which the inputs are
// copies in turn, VALKEYFS_OVERHEAD_INPUTS how many these are: 2, if nothing, and
// VALKEYFS_OVERHEAD_ROUNDS how many rounds there are: 7. Where a machine's speed is another
// every few seconds, many rounds of small inputs tell more than few of large ones.
func overhead(b *testing.B, withPostgres bool) {
	samples := filepath.SplitList(os.Getenv("VALKEYFS_OVERHEAD"))
	if len(samples) == 0 {
		b.Skip("VALKEYFS_OVERHEAD names no snapshot")
	}
	number := func(name string, usual int) int {
		s := os.Getenv(name)
		if s == "" {
			return usual
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			b.Fatalf("%s is no number", name)
		}
		return n
	}
	inputs, rounds := number("VALKEYFS_OVERHEAD_INPUTS", 2), number("VALKEYFS_OVERHEAD_ROUNDS", 7)
	const workers = 2
	dir := nobodysDir(b) // b.TempDir() names it like a secret, which would be looked at
	var halves [workers][]string
	for i := range inputs {
		to := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(to, 0o700); err != nil {
			b.Fatal(err)
		}
		if out, err := exec.Command("cp", samples[i%len(samples)], to).CombinedOutput(); err != nil { // a link would be the same input
			b.Fatalf("%v: %s", err, out)
		}
		halves[i%workers] = append(halves[i%workers], to)
	}
	plain := func(workers int, dirs ...string) *exec.Cmd {
		return newHost(b, "").command(append([]string{"scan", "--format", "jsonl", "--quiet", "--workers", fmt.Sprint(workers), "-o", filepath.Join(b.TempDir(), "report")}, dirs...)...)
	}
	alone := func() cost { return spent(b, plain(workers, dir)) }
	apart := func() cost {
		var all []*exec.Cmd
		for _, half := range halves {
			all = append(all, plain(1, half...))
		}
		return spent(b, all...)
	}
	claimed := func() cost {
		if !withPostgres {
			h := newHost(b, "")
			makeTables(b, h.database)
			return fleetCost(b, h, dir, inputs, workers)
		}
		p := newPostgres(b)
		makeTables(b, p.url())
		before := p.written()
		c := fleetCost(b, newHost(b, p.url()), dir, inputs, workers)
		c.processors += p.written() - before
		p.stop()
		return c
	}
	var whole, both shares
	for i := range rounds {
		var a, f, p cost
		if i%2 == 0 {
			a, f, p = alone(), claimed(), apart()
		} else {
			p, f, a = apart(), claimed(), alone()
		}
		whole.add(f, a)
		both.add(p, a)
		b.Logf("one process: %v; submission and %d workers: %v; %d processes: %v", a, workers, f, workers, p)
	}
	b.Logf("more than one process, median (least to most): fleet: %v; %d processes: %v", &whole, workers, &both)
	b.ReportMetric(median(whole.processors), "%-more-of-processors") // a log is cut short
	b.ReportMetric(median(whole.clock), "%-more-by-the-clock")
	if median(whole.processors) > 5 || median(whole.clock) > 5 {
		b.Error("more than 5 %")
	}
}

// shares are by how many per cent one thing costs more than another, round by round.
type shares struct{ processors, clock []float64 }

func (s *shares) add(c, than cost) {
	s.processors = append(s.processors, 100*(c.processors.Seconds()/than.processors.Seconds()-1))
	s.clock = append(s.clock, 100*(c.clock.Seconds()/than.clock.Seconds()-1))
}

func (s *shares) String() string {
	of := func(v []float64) string {
		return fmt.Sprintf("%.1f %% (%.1f to %.1f)", median(v), slices.Min(v), slices.Max(v))
	}
	return of(s.processors) + " of the processors' time, " + of(s.clock) + " by the clock"
}

func median(of []float64) float64 { return slices.Sorted(slices.Values(of))[len(of)/2] }

// fleetCost submits a directory, and has workers of one thread each scan it.
func fleetCost(t testing.TB, h *host, dir string, inputs, workers int) cost {
	t.Helper()
	c := spent(t, h.command("fleet", "submit", dir))
	var running []*exec.Cmd
	for range workers {
		running = append(running, h.command("fleet", "work", "--drain", "--quiet", "--workers", "1"))
	}
	w := spent(t, running...)
	c.processors += w.processors
	c.clock += w.clock
	if s := h.status(); s.Done != int64(inputs) {
		t.Errorf("%+v", s)
	}
	return c
}

// makeTables makes those of a database.
func makeTables(b *testing.B, database string) {
	db, err := fleet.Open(b.Context(), database, nil)
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkOverheadSQLite(b *testing.B) { overhead(b, false) }

func BenchmarkOverheadPostgres(b *testing.B) { overhead(b, true) }

// cost is what commands took.
type cost struct{ processors, clock time.Duration }

func (c cost) String() string {
	return fmt.Sprintf("%.2f s of processors, %.2f s", c.processors.Seconds(), c.clock.Seconds())
}

// spent runs commands at once, which may find something, and returns what they took.
func spent(t testing.TB, cmds ...*exec.Cmd) (c cost) {
	t.Helper()
	start := time.Now()
	for _, cmd := range cmds {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 1 {
			t.Error(err)
		}
		c.processors += used(cmd)
	}
	c.clock = time.Since(start)
	return c
}

// used is the processors' time of a process that has ended.
func used(cmd *exec.Cmd) time.Duration {
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
