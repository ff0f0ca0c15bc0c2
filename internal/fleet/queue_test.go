package fleet_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// A long queue is filled quickly, by the time of processors that it takes, asked about at once, and takes no more memory
// than a short one.
func longQueue(t *testing.T, database string) {
	h := newHost(t, database)
	small, _, _ := h.measure("fleet", "submit", queueOf(t, 100))
	n := rounds(3000, 100_000)
	dir := queueOf(t, n)
	large, took, worked := h.measure("fleet", "submit", dir)
	again, tookAgain, _ := h.measure("fleet", "submit", dir)
	asking, ask, _ := h.measure("fleet", "status")
	t.Logf("%d inputs: submitted in %v (%v of processors) with %d MiB (100: %d MiB), again in %v with %d MiB, status in %v with %d MiB", n, took, worked, large>>20, small>>20, tookAgain, again>>20, ask, asking>>20)
	if s := h.status(); s.Queued != int64(n+100) {
		t.Errorf("%+v", s)
	}
	if took > time.Minute || ask > 2*time.Second {
		t.Errorf("submitted in %v, asked in %v", took, ask)
	}
	if large > small+(64<<20) {
		t.Errorf("%d bytes for %d inputs, %d for 100", large, n, small)
	}
}

func TestLongQueueSQLite(t *testing.T) { longQueue(t, "") }

func TestLongQueuePostgres(t *testing.T) {
	longQueue(t, newPostgres(t).url())
}

// queueOf is a directory of n small logs.
func queueOf(t *testing.T, n int) string {
	dir := t.TempDir()
	for i := range n {
		at := filepath.Join(dir, fmt.Sprintf("%03d", i/1000))
		if i%1000 == 0 {
			if err := os.Mkdir(at, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(at, fmt.Sprintf("%03d.aof", i%1000)), []byte("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// measure runs the program, and returns the most memory that it held, how long it
// took, and how long processors worked for it.
func (h *host) measure(args ...string) (peak int64, took, worked time.Duration) {
	h.t.Helper()
	cmd := h.command(args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	peak, err := servertest.Peak(h.t, cmd)
	if err != nil {
		h.t.Fatalf("%v: %s", err, out.Bytes())
	}
	return peak, time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
