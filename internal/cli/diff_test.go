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
	runs(t, exitUsage, "diff", snapshot, logs, "--sign-pub", recipient)
	runs(t, exitUsage, "diff", snapshotSet, logs)
}

// TestDiffSignedBaseline: what was written without its owner shows against a set that was
// signed; a set that somebody else has sealed or changed is no baseline.
func TestDiffSignedBaseline(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	key, owner, other := filepath.Join(dir, "key.txt"), filepath.Join(dir, "owner.key"), filepath.Join(dir, "other.key")
	recipient := strings.TrimSpace(runs(t, exitOK, "keygen", "-o", key))
	runs(t, exitOK, "keygen", "--sign", "-o", owner)
	runs(t, exitOK, "keygen", "--sign", "-o", other)
	data := filepath.Join(dir, "data")
	log := filepath.Join(data, "appendonly.aof")
	write := func(commands string) {
		t.Helper()
		if err := os.MkdirAll(data, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(log, []byte(commands), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const set = "*3\r\n$3\r\nSET\r\n$5\r\nowned\r\n$1\r\n1\r\n"
	seal := func(name string, flags ...string) string {
		t.Helper()
		dest := filepath.Join(dir, name)
		runs(t, exitOK, append([]string{"backup", data, "--to", dest, "--label", "main", "-r", recipient, "-q"}, flags...)...)
		sets, _ := filepath.Glob(filepath.Join(dest, "main", "2*"))
		if len(sets) != 1 {
			t.Fatalf("sets: %q", sets)
		}
		return sets[0]
	}
	write(set)
	signed := seal("signed", "--sign-key", owner)
	args := func(baseline string) []string {
		return []string{"diff", baseline, data, "-i", key, "--sign-pub", owner + ".pub"}
	}
	runs(t, exitOK, args(signed)...)
	write(set + strings.ReplaceAll(set, "$5\r\nowned", "$8\r\nbackdoor"))
	if out := runs(t, exitFindings, args(signed)...); !strings.Contains(out, "+ db 0 string backdoor") {
		t.Errorf("what was changed: %s", out)
	}
	// An intruder who can write to the backups seals what he has done.
	runs(t, exitIncomplete, args(seal("unsigned"))...)
	runs(t, exitIncomplete, args(seal("forged", "--sign-key", other))...)
	members, _ := filepath.Glob(filepath.Join(signed, "*.age"))
	if len(members) == 0 {
		t.Fatal("no members")
	}
	for _, m := range members {
		p, err := os.ReadFile(m)
		if err != nil {
			t.Fatal(err)
		}
		p[len(p)/2] ^= 1
		if err := os.WriteFile(m, p, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runs(t, exitIncomplete, args(signed)...)
}
