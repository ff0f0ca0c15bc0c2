package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/valkeyfs/valkeyfs/internal/fleet"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

// partitions writes the findings of a fleet as Parquet, a file for each partition,
// into a directory that appears only when it is complete.
type partitions struct {
	dir string // being written
	at  fleet.Partition
	out *output
	w   report.Writer
}

// writePartitions makes the directory dir, which must not be there yet.
func (a *app) writePartitions(ctx context.Context, d *fleet.DB, sel fleet.Selection, dir string) (found bool, err error) {
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return false, usagef("--partition %s is there already", dir)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".*") // mode 0700
	if err != nil {
		return false, fmt.Errorf("--partition %s: %w", dir, cause(err))
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // nothing is there any more once all went well
	p := &partitions{dir: tmp}
	defer p.discard()
	err = d.ByPartition(ctx, sel, func(at fleet.Partition, f *scan.Finding) error {
		if p.out == nil || at != p.at {
			if err := p.next(at); err != nil {
				return err
			}
		}
		return p.w.Finding(f)
	})
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return false, err
	}
	return p.w != nil, os.Rename(tmp, dir)
}

// next ends the file of one partition and begins that of another.
func (p *partitions) next(at fleet.Partition) (err error) {
	if err := p.end(); err != nil {
		return err
	}
	p.at = at
	dir := filepath.Join(p.dir, at.Dir())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if p.out, err = createOutput("--partition", freeName(dir)); err != nil {
		return err
	}
	p.w = report.NewParquet(p.out)
	return p.w.Run(&report.Run{})
}

// freeName is the path of a file in dir, where one is already if an owner is called
// what Hive calls none.
func freeName(dir string) string {
	for n := 0; ; n++ {
		path := filepath.Join(dir, fmt.Sprintf("findings-%d.parquet", n))
		if _, err := os.Lstat(path); err != nil {
			return path
		}
	}
}

func (p *partitions) end() error {
	if p.out == nil {
		return nil
	}
	if err := p.w.Summary(&report.Summary{}); err != nil {
		return err
	}
	return p.out.commit()
}

func (p *partitions) discard() {
	if p.out != nil {
		p.out.discard()
	}
}
