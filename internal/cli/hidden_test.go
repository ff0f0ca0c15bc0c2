package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/diff"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// TestForensicsHideSecrets: memory and diff quote no secret, and what export --redact
// writes holds none, of evidence that is damaged as it comes.
func TestForensicsHideSecrets(t *testing.T) {
	servertest.Long(t)
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	m := newMade()
	dir := seized(t, m)
	snapshots, err := filepath.Glob(filepath.Join(dir, "*.rdb"))
	if err != nil || len(snapshots) < 4 {
		t.Fatal("no snapshots")
	}
	log := filepath.Join(dir, "appendonly.aof")
	var runs [][]string
	for _, f := range []string{"text", "csv", "json", "jsonl", "html"} {
		runs = append(runs, []string{"memory", "--format", f, dir}, []string{"memory", "--format", f, log})
	}
	for i, s := range snapshots {
		for _, f := range diff.Formats {
			runs = append(runs, []string{"diff", "--format", f, s, snapshots[(i+1)%len(snapshots)]}, []string{"diff", "--format", f, "--stat", s, log})
		}
		for _, f := range []string{"jsonl", "json", "resp", "rdb", "csv"} {
			runs = append(runs, []string{"export", "--redact", "--format", f, s})
		}
	}
	for _, f := range []string{"jsonl", "json", "csv", "rdb"} {
		runs = append(runs, []string{"export", "--redact", "--format", f, log})
	}
	for n, args := range runs {
		var stdout, stderr bytes.Buffer
		status := Main(append(args, "--tmp", t.TempDir()), strings.NewReader(""), &stdout, &stderr)
		if status == exitError && strings.Contains(stderr.String(), "nothing is written") {
			t.Errorf("%q: %s", args[:3], stderr.String())
		}
		out := stdout.String() + stderr.String()
		for i, secret := range m.secrets {
			if hidden := secret[len(secret)/3 : len(secret)-4]; strings.Contains(out, hidden) {
				t.Errorf("%q (run %d): secret %d is shown", args[:3], n, i)
			}
		}
	}
}
