package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDiffSealedSet: a directory does not differ from the set that was sealed of it,
// whether it holds a snapshot or a log of several files, and does from another.
func TestDiffSealedSet(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	key := filepath.Join(dir, "key.txt")
	recipient := strings.TrimSpace(runs(t, exitOK, "keygen", "-o", key))
	sealed := func(name string, files map[string]string) (data, set string) {
		data = filepath.Join(dir, name)
		for to, from := range files {
			p, err := os.ReadFile(filepath.Join("../../testdata", from))
			if err != nil {
				t.Fatal(err)
			}
			to = filepath.Join(data, to)
			if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, p, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		dest := filepath.Join(dir, "backups")
		runs(t, exitOK, "backup", data, "--to", dest, "--label", name, "-r", recipient, "-q")
		sets, _ := filepath.Glob(filepath.Join(dest, name, "2*"))
		if len(sets) != 1 {
			t.Fatalf("sets: %q", sets)
		}
		return data, sets[0]
	}
	snapshot, snapshotSet := sealed("snapshot", map[string]string{"dump.rdb": "dumps/valkey-8.0.rdb"})
	const log = "aof/valkey-8.0/appendonlydir/appendonly.aof."
	files := map[string]string{}
	for _, f := range []string{"manifest", "2.base.rdb", "2.incr.aof"} {
		files["appendonlydir/appendonly.aof."+f] = log + f
	}
	logs, logSet := sealed("log", files)
	for _, pair := range [][2]string{{snapshot, snapshotSet}, {logSet, logs}, {logSet, logSet}} {
		if out := runs(t, exitOK, "diff", pair[0], pair[1], "-i", key); !strings.Contains(out, "No differences") {
			t.Errorf("%q: %s", pair, out)
		}
	}
	runs(t, exitFindings, "diff", snapshotSet, logs, "-i", key, "--stat")
	runs(t, exitUsage, "diff", snapshotSet, logs)
}
