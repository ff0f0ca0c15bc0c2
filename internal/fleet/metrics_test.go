package fleet_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/valkeyfs/valkeyfs/internal/fleet"
)

// Metrics are well formed, count the fleet's inputs, and outlive the database.
func TestMetrics(t *testing.T) {
	d := dumps(t, 3)
	h := newHost(t, "")
	h.run([]int{0}, "fleet", "submit", d.dir)
	db, err := fleet.Open(t.Context(), h.database, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	counts := &fleet.Counts{}
	counts.Done.Add(7)
	go func() { served <- db.ServeMetrics(ctx, l, counts) }()
	expect := func(lines ...string) {
		t.Helper()
		got := scrape(t, "http://"+l.Addr().String()+"/metrics")
		for _, line := range lines {
			if !strings.Contains(got, line+"\n") {
				t.Errorf("no %q in\n%s", line, got)
			}
		}
		if strings.Contains(got, filepath.Base(d.dir)) {
			t.Error("an input is named")
		}
		if problems, err := promlint.New(strings.NewReader(got)).Lint(); err != nil || len(problems) > 0 {
			t.Error(problems, err)
		}
	}
	expect(`valkeyfs_fleet_inputs{state="queued"} 3`, `valkeyfs_fleet_worker_scans_total{outcome="done"} 7`, `valkeyfs_fleet_database_up 1`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	expect(`valkeyfs_fleet_worker_scans_total{outcome="done"} 7`, `valkeyfs_fleet_database_up 0`)
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func scrape(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatal(r.Status, err)
	}
	return string(body)
}
