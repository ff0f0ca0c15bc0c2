package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/backup"
)

// A metric is a gauge of the textfile format of Prometheus.
type metric struct {
	name, help string
	value      float64
}

const lastSuccess = "valkeyfs_backup_last_success_timestamp_seconds"

// writeBackupMetrics says how a backup went. After a failure the time of the last
// success stays.
func writeBackupMetrics(path, label string, code int, started, ended time.Time, r *backup.Result) error {
	all := []metric{
		{"valkeyfs_backup_last_run_timestamp_seconds", "When the last backup ended.", float64(ended.Unix())},
		{"valkeyfs_backup_exit_status", "Exit status of the last backup.", float64(code)},
		{"valkeyfs_backup_duration_seconds", "How long the last backup took.", ended.Sub(started).Seconds()},
	}
	success, known := readMetric(path, lastSuccess)
	if code == exitOK {
		success, known = float64(ended.Unix()), true
		all = append(all,
			metric{"valkeyfs_backup_plain_bytes", "Bytes that were captured.", float64(r.Plain)},
			metric{"valkeyfs_backup_sent_bytes", "Bytes that were written.", float64(r.Sent)},
			metric{"valkeyfs_backup_set_bytes", "Size of the set, members of older sets included.", float64(r.Manifest.Bytes())},
			metric{"valkeyfs_backup_members", "Members of the set.", float64(len(r.Manifest.Members))},
			metric{"valkeyfs_backup_unchanged_members", "Members that an older set holds.", float64(r.Reused)})
	}
	if r != nil {
		all = append(all, metric{"valkeyfs_backup_findings", "Findings of --scan at or above --fail-on.", float64(r.Findings)})
	}
	if known {
		all = append(all, metric{lastSuccess, "When the last backup that succeeded ended.", success})
	}
	return writeMetrics(path, label, all)
}

// writeMetrics puts a textfile in place, for its collector to read.
func writeMetrics(path, label string, all []metric) error {
	var b bytes.Buffer
	for _, m := range all {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s{label=%q} %v\n", m.name, m.help, m.name, m.name, label, m.value)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // it is gone once it was renamed
	_, err = tmp.Write(b.Bytes())
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// readMetric returns what an earlier run has written.
func readMetric(path, name string) (value float64, ok bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(data)) {
		if rest, found := strings.CutPrefix(line, name+"{"); found {
			_, number, _ := strings.Cut(rest, "} ")
			_, err := fmt.Sscan(number, &value)
			return value, err == nil
		}
	}
	return 0, false
}
