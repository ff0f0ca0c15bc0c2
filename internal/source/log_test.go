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

// What keeps a manifest from being followed as it stands is said, and what is of the log is
// read as that.
func TestWhatIsWrongWithLogs(t *testing.T) {
	const base, incr = "file l.1.base.rdb seq 1 type b\n", "file l.1.incr.aof seq 1 type i\n"
	sound := map[string]string{"l.1.base.rdb": snapshot("base", "v"), "l.1.incr.aof": command("SET", "k", "v")}
	for _, c := range []struct {
		name, manifest, want string
		files                map[string]string
		headless             bool
	}{
		{"superseded and not", base + "file l.1.incr.aof seq 1 type h\n" + incr, "damage l.1.incr.aof@0 a file that the manifest names twice: corrupt\n  l.1.base.rdb base=v live\n  l.1.incr.aof k=v live\n", nil, false},
		{"twice", base + incr + "file l.1.incr.aof seq 2 type i\n", "damage l.1.incr.aof@0 a file that the manifest names twice: corrupt\n", nil, false},
		{"nothing left of the base", base + incr, "damage l.1.base.rdb@0 an empty file in the place of a snapshot: truncated\n  l.1.incr.aof k=v live\n", map[string]string{"l.1.base.rdb": ""}, true},
		{"a base of no commands", "file l.1.base.aof seq 1 type b\n" + incr, "  l.1.incr.aof k=v live\nl.manifest manifest\n", map[string]string{"l.1.base.rdb": "", "l.1.base.aof": ""}, false},
		{"too large", base + incr + strings.Repeat("#\n", maxManifest/2), "damage l.manifest@0 a manifest larger than any: over a limit\n", nil, false},
	} {
		dir := t.TempDir()
		write(t, dir, sound)
		write(t, dir, c.files)
		write(t, dir, map[string]string{"l.manifest": c.manifest})
		if got := list(t, dir, Options{Resolve: true}, dir); !strings.Contains(got, c.want) {
			t.Errorf("%s: no\n%s in\n%s", c.name, c.want, got)
		}
		in, err := New(t.Context(), []string{filepath.Join(dir, "l.manifest")}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		l, err := in.Lineage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if l.Log.Headless() != c.headless {
			t.Errorf("%s: headless is %t", c.name, !c.headless)
		}
		in.Close()
	}
}
