package carve

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/fixtures"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/internal/source"
	"github.com/valkeyfs/valkeyfs/keyspace"
	"github.com/valkeyfs/valkeyfs/rdb"
)

// TestDeletedOnExt4: a snapshot is written to an ext4 file system full of holes,
// so that it lies there in pieces, and deleted. Its keys are found all the same,
// but for those over a border of two pieces.
func TestDeletedOnExt4(t *testing.T) {
	mkfs := servertest.Installed(t, "e2fsprogs", "/sbin/mkfs.ext4")
	debugfs := servertest.Installed(t, "e2fsprogs", "/sbin/debugfs")
	i := servertest.Find(t, "redis-7.0").Start(t, "")
	fixtures.Keys(t, i, harnessKeys, 1)
	i.Must(t, "SAVE")
	dir := t.TempDir()
	snapshot, err := os.ReadFile(filepath.Join(i.Dir, "dump.rdb"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, p []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, p, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dump, filler := write("dump.rdb", snapshot), write("filler", bytes.Repeat([]byte("what fills a block. "), 1600)) // 32 KB
	disk := write("disk", nil)
	if err := os.Truncate(disk, 48<<20); err != nil {
		t.Fatal(err)
	}
	tool(t, "", mkfs, "-q", "-F", "-b", "4096", disk)
	// Fill the disk with small files and delete every other: what comes next finds holes of 32 KB.
	var script bytes.Buffer
	for n := range 1200 {
		fmt.Fprintf(&script, "write %s f%d\n", filler, n)
	}
	for n := 0; n < 1200; n += 2 {
		fmt.Fprintf(&script, "rm f%d\n", n)
	}
	fmt.Fprintf(&script, "write %s dump.rdb\nextents dump.rdb\nrm dump.rdb\n", dump)
	tool(t, script.String(), debugfs, "-w", disk)

	img, err := source.OpenImage(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	type record struct{ key, value string }
	values := func(seq keyspace.Seq) map[record]bool {
		all := map[record]bool{}
		for e, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == keyspace.KeyEnd {
				all[record{string(e.Key), fmt.Sprint(e.Type, e.Length, e.Index)}] = true
			}
		}
		return all
	}
	truth := values(rdb.NewReader(bytes.NewReader(snapshot), rdb.Options{}).Events(t.Context()))
	found, pieces := map[record]bool{}, 0
	_, err = Run(context.Background(), img, Options{Workers: 2, Found: func(p *Piece) error {
		if p.Kind == Fragment || p.Kind == Head || p.Kind == Snapshot {
			pieces++
			for r := range values(p.Events(t.Context(), img, keyspace.Limits{})) {
				found[r] = true
			}
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for r := range found {
		if truth[r] {
			right++
		}
	}
	t.Logf("%d of %d keys (%.2f %%) in %d pieces; %d of those found never were", right, len(truth), 100*float64(right)/float64(len(truth)), pieces, len(found)-right)
	if right < len(truth)*9/10 || len(found)-right > len(truth)/100 {
		t.Errorf("%d of %d keys, %d that never were", right, len(truth), len(found)-right)
	}
}

func tool(t *testing.T, stdin, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewBufferString(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%.500s", name, err, out)
	} else if testing.Verbose() {
		t.Logf("%s: %.300s", name, out[max(0, len(out)-600):])
	}
}
