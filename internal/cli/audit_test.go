package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// auditHost writes a configuration and a snapshot, and returns their directory.
func auditHost(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	dump, err := os.ReadFile("../../testdata/dumps/valkey-8.1.rdb")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"valkey.conf": "bind 127.0.0.1\nmaxmemory 0\ndir " + dir + "/data\n", "data/dump.rdb": string(dump)} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAuditStatus(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	dir, other := auditHost(t), t.TempDir()
	conf := filepath.Join(dir, "valkey.conf")
	for _, format := range []string{"text", "jsonl", "json", "csv", "sarif", "junit", "html"} {
		if out := runs(t, exitFindings, "audit", "--format", format, conf); !strings.Contains(out, "VFS-MEM-001") {
			t.Errorf("%s: %s", format, out)
		}
	}
	runs(t, 0, "audit", "--fail-on", "never", conf)
	if out := runs(t, exitFindings, "audit", "--print-fix", conf); !strings.Contains(out, "maxmemory 2gb") {
		t.Errorf("--print-fix: %s", out)
	}
	if out := runs(t, 0, "audit", "--live-user"); !strings.Contains(out, "-@all") {
		t.Errorf("--live-user: %s", out)
	}
	runs(t, 0, "audit", "--fix", conf)
	for _, args := range [][]string{
		{"--format", "xml"}, {"--fail-on", "much"}, {"--min-severity", "much"}, {"--server-version", "x"}, {"--profile", "x"},
		{"--apply"}, {"--sign-key", "k"}, {"--sign-key", "k", "-o", "-"},
		{"-o", filepath.Join(dir, "report"), dir}, {"--write-baseline", filepath.Join(dir, "b"), dir}, {"--fix", "--apply", "--journal", filepath.Join(dir, "j"), dir},
	} {
		runs(t, exitUsage, append([]string{"audit", conf}, args...)...)
	}
	runs(t, exitIncomplete, "audit", other)
	if err := os.WriteFile(filepath.Join(dir, "data/dump.rdb"), []byte("no snapshot\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runs(t, exitIncomplete, "audit", "--fail-on", "never", conf)
}

// By no name is anything written into what is judged.
func TestAuditWritesElsewhere(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	dir, link := auditHost(t), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, place := range [][2]string{{dir, link}, {link, dir}} {
		runs(t, exitUsage, "audit", place[0], "-o", filepath.Join(place[1], "report"))
	}
}
