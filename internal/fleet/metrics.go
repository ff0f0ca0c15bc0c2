package fleet

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// statusTimeout is how long a scrape waits for the database.
const statusTimeout = 5 * time.Second

// metrics tell Prometheus what this worker has done since it began and how far the
// fleet has come. They name no input, no key and no secret.
type metrics struct {
	db     *DB
	counts *Counts
}

var (
	metricScans    = prometheus.NewDesc("valkeyfs_fleet_worker_scans_total", "Scans that this worker ended, by their outcome.", []string{"outcome"}, nil)
	metricFindings = prometheus.NewDesc("valkeyfs_fleet_worker_findings_total", "Findings that this worker stored.", nil, nil)
	metricBytes    = prometheus.NewDesc("valkeyfs_fleet_worker_read_bytes_total", "Bytes of the inputs that this worker scanned.", nil, nil)
	metricInputs   = prometheus.NewDesc("valkeyfs_fleet_inputs", "Inputs of the fleet, by their state.", []string{"state"}, nil)
	metricDamaged  = prometheus.NewDesc("valkeyfs_fleet_inputs_damaged", "Inputs of the fleet that were scanned, and not read whole.", nil, nil)
	metricUp       = prometheus.NewDesc("valkeyfs_fleet_database_up", "Whether the database answered this scrape.", nil, nil)
)

// Describe sends what Collect may send.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{metricScans, metricFindings, metricBytes, metricInputs, metricDamaged, metricUp} {
		out <- d
	}
}

// Collect sends the state of now. A database that is away leaves the worker's own
// metrics, and is told.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, n int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	count(metricScans, m.counts.Done.Load(), "done")
	count(metricScans, m.counts.Retried.Load(), "retried")
	count(metricScans, m.counts.Failed.Load(), "set_aside")
	count(metricScans, m.counts.Lost.Load(), "lost")
	count(metricFindings, m.counts.Findings.Load())
	count(metricBytes, m.counts.Bytes.Load())
	ctx, cancel := context.WithTimeout(context.Background(), statusTimeout)
	defer cancel()
	s, err := m.db.Status(ctx)
	if err != nil {
		gauge(metricUp, 0)
		return
	}
	gauge(metricUp, 1)
	gauge(metricInputs, s.Queued, Queued)
	gauge(metricInputs, s.Running, Running)
	gauge(metricInputs, s.Done, Done)
	gauge(metricInputs, s.Failed, Failed)
	gauge(metricInputs, s.Cancelled, Cancelled)
	gauge(metricInputs, s.Gone, "gone")
	gauge(metricDamaged, s.Damaged)
}

// ServeMetrics serves the metrics of a worker at /metrics of a listener until ctx
// ends, and closes the listener.
func (db *DB) ServeMetrics(ctx context.Context, l net.Listener, counts *Counts) error {
	registry := prometheus.NewRegistry()
	if err := registry.Register(&metrics{db, counts}); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
