package audit

import (
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// monitoring is what watches servers, as far as files show: exporters that units
// and manifests start, and Prometheus's alerts.
type monitoring struct {
	exporter *Place
	rules    *Place // alerts about servers of any kind
	memory   *Place
	links    *Place // alerts about replication
}

var (
	exporterName = regexp.MustCompile(`\b(?:redis|valkey)[_-]exporter\b`)
	serverMetric = regexp.MustCompile(`\b(?:redis|valkey)_[a-z]`)
	memoryMetric = regexp.MustCompile(`\b(?:redis|valkey)_(?:memory_|config_maxmemory|evicted_keys|mem_)`)
	linkMetric   = regexp.MustCompile(`\b(?:redis|valkey)_(?:connected_slaves|connected_replicas|connected_slave_|master_|primary_|slave_|replica|sentinel_master)`)
)

func first(at **Place, where Place) {
	if *at == nil {
		*at = &where
	}
}

// read looks for exporters and alerts in a YAML file.
func (m *monitoring) read(fs *hostfs.FS, name string) {
	text, err := fs.ReadFile(name, maxText)
	if err != nil || !serverMetric.Match(text) && !exporterName.Match(text) {
		return
	}
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	for range maxDocuments {
		var doc yaml.Node
		if dec.Decode(&doc) != nil {
			return // its end, or no YAML from here on
		}
		m.walk(name, &doc, 0)
	}
}

// maxNesting bounds how deep a YAML document is looked into.
const maxNesting = 64

// walk looks for images and for alerts, wherever they stand: rule files have
// groups of them, and PrometheusRule objects have these below spec.
func (m *monitoring) walk(file string, n *yaml.Node, depth int) {
	if n == nil || depth > maxNesting {
		return
	}
	if image := child(n, "image"); image != nil && exporterName.MatchString(image.Value) {
		first(&m.exporter, Place{file, image.Line})
	}
	if alert, expr := child(n, "alert"), child(n, "expr"); alert != nil && expr != nil && serverMetric.MatchString(expr.Value) {
		at := Place{file, alert.Line}
		first(&m.rules, at)
		if memoryMetric.MatchString(expr.Value) {
			first(&m.memory, at)
		}
		if linkMetric.MatchString(expr.Value) {
			first(&m.links, at)
		}
	}
	for _, c := range n.Content {
		m.walk(file, c, depth+1)
	}
}

// units looks for an exporter that the host itself starts.
func (m *monitoring) units(fs *hostfs.FS) {
	for _, dir := range unitDirs {
		names, _ := fs.ReadDir(dir)
		for _, n := range names {
			if strings.HasSuffix(n, ".service") && exporterName.MatchString(n) {
				first(&m.exporter, Place{File: path.Join(dir, n)})
			}
		}
	}
}

// watched judges whether an alert is there; what it would be about is what.
func (m *monitoring) watched(alert *Place, what, remedy string) []Answer {
	switch {
	case m == nil || m.exporter == nil && m.rules == nil:
		return unknown("neither an exporter nor alert rules were among the paths")
	case alert != nil:
		return pass(*alert, "an alert is about %s", what)
	case m.rules != nil:
		return []Answer{fail(*m.rules, remedy, "there are alerts about servers, and none about %s", what)}
	}
	return unknown("an exporter is there (%s), and no alert rules were among the paths", m.exporter.File)
}

func checkMemoryWatched(s *Subject) []Answer {
	return s.host.monitoring.watched(s.host.monitoring.alerts().memory, "memory", "an alert such as: redis_memory_used_bytes / redis_memory_max_bytes > 0.9")
}

func checkReplicationWatched(s *Subject) []Answer {
	if s.Server != nil && s.Options.Live == nil && !s.Server.Replica() && !s.Server.Cluster() && !s.Server.Sentinel && s.Server.Conf.Get("min-replicas-to-write").Text == "0" {
		return na("nothing says that the server replicates, or is replicated")
	}
	return s.host.monitoring.watched(s.host.monitoring.alerts().links, "replication", "an alert such as: redis_master_link_up == 0")
}

// alerts are those of a host about which nothing may be known.
func (m *monitoring) alerts() *monitoring {
	if m == nil {
		return &monitoring{}
	}
	return m
}
