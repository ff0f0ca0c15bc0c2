package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLog(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"appendonly.aof.manifest": "file appendonly.aof.2.base.rdb seq 2 type b\n" +
			"file appendonly.aof.1.incr.aof seq 1 type h\n" +
			"file appendonly.aof.2.incr.aof seq 2 type i\n" +
			"file appendonly.aof.3.incr.aof seq 3 type i\n" +
			"file appendonly.aof.4.incr.aof seq 4 type i\n",
		"appendonly.aof.2.base.rdb": snapshot("base", "v"),
		"appendonly.aof.1.incr.aof": command("SET", "old", "v"),
		"appendonly.aof.2.incr.aof": command("SET", "a", "v") + command("SET", "gone", "v"),
		"appendonly.aof.4.incr.aof": command("DEL", "gone") + "*3\r\n$3\r\nSET\r\n$1\r",
		"appendonly.aof.9.incr.aof": command("SET", "orphan", "v"),
		"dump.rdb":                  snapshot("dump", "v"),
	})
	want := `
  damage appendonly.aof.3.incr.aof@0 a file that the manifest names does not exist: truncated
  appendonly.aof.2.base.rdb base=v live
  appendonly.aof.2.incr.aof a=v live
  appendonly.aof.2.incr.aof gone=v deleted
  torn appendonly.aof.4.incr.aof@23
appendonly.aof.manifest manifest
appendonly.aof.2.base.rdb rdb (base)
appendonly.aof.2.incr.aof aof (incr)
appendonly.aof.4.incr.aof aof (incr)
  appendonly.aof.1.incr.aof old=v recovered
appendonly.aof.1.incr.aof aof (history)
`
	check(t, list(t, dir, Options{Resolve: true}, filepath.Join(dir, "appendonly.aof.manifest")), want)
	check(t, list(t, dir, Options{Resolve: true}, dir), want+`  appendonly.aof.9.incr.aof orphan=v recovered
appendonly.aof.9.incr.aof aof (orphan)
  dump.rdb dump=v live
dump.rdb rdb
`)
}

// Manifests that lead out of the directory, name links, or name a file twice.
func TestHostileManifests(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "appendonlydir")
	write(t, outer, map[string]string{"secret.aof": command("SET", "outside", "v")})
	write(t, dir, map[string]string{
		"a.manifest": "file ../secret.aof seq 1 type i\n",
		"b.manifest": "file " + filepath.Join(outer, "secret.aof") + " seq 1 type i\n",
		"c.manifest": "file link.aof seq 1 type i\nfile in.aof seq 2 type i\nfile in.aof seq 3 type i\n",
		"in.aof":     command("SET", "inside", "v"),
	})
	if err := os.Symlink("../secret.aof", filepath.Join(dir, "link.aof")); err != nil {
		t.Fatal(err)
	}
	got := list(t, dir, Options{}, dir)
	if strings.Contains(got, "outside") {
		t.Errorf("a file outside the directory was read:\n%s", got)
	}
	if n := strings.Count(got, "inside=v"); n != 1 {
		t.Errorf("in.aof was read %d times:\n%s", n, got)
	}
	for _, want := range []string{"damage a.manifest@", "damage b.manifest@", "damage link.aof@0 a file that the manifest names is neither"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
