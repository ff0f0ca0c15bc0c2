package fleet

import (
	"context"
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"
	"time"

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
	args, err := db.args(sel)
	if err != nil {
		return err
	}
	rows, err := db.sql.QueryContext(ctx, db.q(`SELECT i.owner, i.instance, (SELECT submitted / 86400000 FROM fleet_runs WHERE id = i.run) AS day, r.body`+where+
		` AND r.kind = 'finding' ORDER BY i.owner, i.instance, day, i.path {bytes}, r.seq`), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var p Partition
		var body string
		if err := rows.Scan(&p.Owner, &p.Instance, &p.Day, &body); err != nil {
			return err
		}
		f := &scan.Finding{}
		if err := json.Unmarshal([]byte(body), f); err != nil {
			return err
		}
		if err := do(p, f); err != nil {
			return err
		}
	}
	return rows.Err()
}
