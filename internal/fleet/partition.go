package fleet

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

// A Partition is what of a fleet's findings one directory of a partitioned report
// holds.
type Partition struct {
	Owner    string
	Instance string
	Day      int64 // on which the inputs were submitted last as they are, in days since 1970, UTC
}

// Dir is the path of the partition, as Hive, DuckDB, Spark, Trino and ClickHouse
// name partitions.
func (p Partition) Dir() string {
	return filepath.Join("owner="+hive(p.Owner), "instance="+hive(p.Instance), "date="+time.Unix(p.Day*86400, 0).UTC().Format(time.DateOnly))
}

// hive is a value as it stands in the name of a directory.
func hive(s string) string {
	if s == "" {
		return "__HIVE_DEFAULT_PARTITION__"
	}
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// ByPartition calls do for each finding, one partition after the other.
func (db *DB) ByPartition(ctx context.Context, sel Selection, do func(Partition, *scan.Finding) error) error {
	fresh, err := db.fresh(ctx, sel)
	if err != nil {
		return err
	}
	var next Partition
	u, err := db.found(ctx, sel, "i.owner, i.instance, (SELECT submitted / 86400000 FROM fleet_runs WHERE id = i.run) AS day, ",
		"i.owner, i.instance, day, i.path {bytes}, ", &next.Owner, &next.Instance, &next.Day)
	if err != nil {
		return err
	}
	defer u.close() //nolint:errcheck // what is read is read
	for {
		more, err := u.next()
		if err != nil || !more {
			return err
		}
		p := next
		if err := u.records(func(f *scan.Finding, _ *report.Damage) error {
			if f == nil || fresh != nil && !fresh.has(f.ID) {
				return nil
			}
			return do(p, f)
		}); err != nil {
			return err
		}
	}
}
