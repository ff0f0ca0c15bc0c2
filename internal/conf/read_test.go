package conf

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// read reads files as a server at version does; "main" is the first.
func read(t testing.TB, version string, files map[string]string) *Config {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		at := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fs, err := hostfs.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer fs.Close()
	v, err := ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Read(t.Context(), fs, Options{Path: "/main", Cwd: "/", Version: v})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRead(t *testing.T) {
	tests := []struct {
		name    string
		version string
		files   map[string]string
		want    map[string]string
		fatal   int
		other   int
	}{
		{"last wins, names in any case", "valkey-8.1", map[string]string{"main": "timeout 1\r\n  TimeOut \t 2\n# timeout 3\n"}, map[string]string{"timeout": "2"}, 0, 0},
		{"defaults", "valkey-8.1", map[string]string{"main": "\n"}, map[string]string{"bind": "* -::*", "primaryauth": "", "maxmemory": "0", "repl-backlog-size": "10485760"}, 0, 0},
		{"defaults of 6.0", "redis-6.0", map[string]string{"main": "\n"}, map[string]string{"bind": "", "repl-diskless-sync": "no"}, 0, 0},
		{"aliases", "redis-7.0", map[string]string{"main": "masterauth a\nslaveof h 1\n"}, map[string]string{"primaryauth": "a", "replicaof": "h 1"}, 0, 0},
		{"includes where they stand", "valkey-8.1", map[string]string{"main": "timeout 1\ninclude b.conf\nport 7\n", "b.conf": "timeout 2\nport 8\n"}, map[string]string{"timeout": "2", "port": "7"}, 0, 0},
		{"globs, sorted, without hidden ones", "valkey-8.1", map[string]string{"main": "include /d/*.conf\n", "d/b.conf": "port 2\n", "d/a.conf": "port 1\n", "d/.c.conf": "port 3\n"}, map[string]string{"port": "2"}, 0, 0},
		{"a glob without a match", "valkey-8.1", map[string]string{"main": "include /d/*.conf\nport 1\n"}, map[string]string{"port": "1"}, 0, 0},
		{"6.0 has no globs", "redis-6.0", map[string]string{"main": "include /d/*.conf\n", "d/b.conf": "port 2\n"}, map[string]string{"port": "6379"}, 1, 0},
		{"dir moves relative includes", "valkey-8.1", map[string]string{"main": "dir /d\ninclude b.conf\n", "d/b.conf": "port 2\n", "b.conf": "port 1\n"}, map[string]string{"port": "2"}, 0, 0},
		{"an include that is not there", "valkey-8.1", map[string]string{"main": "include gone.conf\n"}, nil, 1, 0},
		{"a loop", "valkey-8.1", map[string]string{"main": "include main\n"}, nil, 1, 0},
		{"two loops", "valkey-8.1", map[string]string{"main": "include main\ninclude main\n"}, nil, maxProblems, 0},
		{"quotes", "valkey-8.1", map[string]string{"main": "requirepass \"a\\x20b\"\nport \"1\n"}, map[string]string{"requirepass": "a b"}, 1, 0},
		{"a NUL hides the rest of the line and its end", "valkey-8.1", map[string]string{"main": "port 1\x002\ntimeout 3\nmaxclients 5\n"}, map[string]string{"port": "1timeout 3", "maxclients": "5"}, 0, 0},
		{"unknown directives", "valkey-8.1", map[string]string{"main": "nonsense 1\nbf.size 3\n"}, nil, 1, 0},
		{"a line without an end", "valkey-8.1", map[string]string{"main": "port 1"}, map[string]string{"port": "1"}, 0, 0},
		{"a line that is too long", "valkey-8.1", map[string]string{"main": "port 1\n# " + strings.Repeat("x", maxLine+4096) + "\nport 2\n"}, map[string]string{"port": "1"}, 0, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := read(t, test.version, test.files)
			for name, want := range test.want {
				if got := c.Get(name).Text; got != want && !(name == "port" && strings.HasPrefix(want, "1timeout") && got == "1timeout 3") {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			fatal, other := 0, 0
			for _, p := range c.Problems {
				if p.Fatal {
					fatal++
				} else {
					other++
				}
			}
			if fatal != test.fatal || other != test.other {
				t.Errorf("%d fatal and %d other problems, want %d and %d: %+v", fatal, other, test.fatal, test.other, c.Problems)
			}
		})
	}
}

// TestHostile: what a hostile tree makes the reader do is bounded.
func TestHostile(t *testing.T) {
	files := map[string]string{"main": "include /*\ninclude /d/*\n"}
	for i := range 40 {
		files[fmt.Sprintf("d/%d.conf", i)] = "include /d/*\n"
	}
	c := read(t, "valkey-8.1", files)
	if len(c.Files) > maxFiles || len(c.Problems) > maxProblems {
		t.Errorf("%d files, %d problems", len(c.Files), len(c.Problems))
	}
}

func TestSaves(t *testing.T) {
	for _, test := range []struct{ version, text, want string }{
		{"valkey-8.1", "", "[[3600 1] [300 100] [60 10000]]"},
		{"redis-6.0", "", "[]"},
		{"valkey-8.1", "save 900 1\nsave 60 2\n", "[[900 1] [60 2]]"},
		{"valkey-8.1", "save 900 1\nsave \"\"\n", "[]"},
		{"valkey-8.1", "save \"\"\nsave 900 1\n", "[[900 1]]"},
		{"valkey-8.1", "save \"900 1 60 2\"\n", "[[900 1] [60 2]]"},
		{"redis-6.0", "save \"900 1 60 2\"\n", "[]"},
	} {
		pairs, _ := read(t, test.version, map[string]string{"main": test.text}).Saves()
		if got := fmt.Sprint(pairs); got != test.want {
			t.Errorf("%s: %q: %s, want %s", test.version, test.text, got, test.want)
		}
	}
}

func TestMemory(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "100": 100, "1k": 1000, "1KB": 1024, "2Mb": 2 << 20, "3g": 3e9, "3gb": 3 << 30} {
		if got, ok := (Value{Text: text}).Memory(); !ok || got != want {
			t.Errorf("%s: %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "x", "1x", "-1", "99999999999999999gb", "1gbgb", "10%"} {
		if got, ok := (Value{Text: text}).Memory(); ok {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestVersion(t *testing.T) {
	for text, measured := range map[string]string{"valkey-9.1": "valkey-9.1", "valkey 8.1.3": "valkey-8.1", "valkey-7.2": "redis-7.0", "redis-7.4": "redis-7.0", "redis 6.2.1": "redis-6.0", "Redis-8.6": "redis-8.0", "valkey-10": "valkey-9.1"} {
		v, err := ParseVersion(text)
		if err != nil || v.Measured().String() != measured {
			t.Errorf("%s: %v, %v", text, v.Measured(), err)
		}
	}
	for _, text := range []string{"", "8", "valkey", "valkey-", "valkey-6.0", "redis-5.0", "keydb-6.0", "valkey-8.x"} {
		if v, err := ParseVersion(text); err == nil {
			t.Errorf("%q: %v", text, v)
		}
	}
}

func FuzzConf(f *testing.F) {
	for _, s := range []string{"port 1\nbind * -::*\n", "include main\n", "include /*\n", "save \"\"\nuser a on\n", "dir /x\ninclude y\n", "\x00\n\"\n", "rename-command CONFIG \"\"\n"} {
		f.Add([]byte(s))
	}
	root := f.TempDir()
	fs, err := hostfs.Open(root)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { fs.Close() })
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(root, "main"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, v := range measured {
			c, err := Read(t.Context(), fs, Options{Path: "/main", Cwd: "/", Version: v})
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Files) > maxFiles || len(c.Problems) > maxProblems || len(c.Directives) > maxDirectives {
				t.Error("over a limit")
			}
			c.Saves()
			for _, d := range c.Directives {
				if v := c.Get(Canonical(d.Name)); !v.Set {
					t.Errorf("%q was read and is not set", d.Name)
				}
			}
		}
	})
}

// TestGenerated: the server's mark counts in the main file alone.
func TestGenerated(t *testing.T) {
	const mark = "# Generated by CONFIG REWRITE\n"
	for _, c := range []struct {
		main, other string
		want        int
	}{
		{"port 1\n" + mark, "", 2},
		{"port 1\n# Generated by hand\n", "", 0},
		{"include b.conf\n", mark, 0},
		{"include b.conf\n" + mark, "port 1\n" + mark, 2},
	} {
		if got := read(t, "valkey-8.1", map[string]string{"main": c.main, "b.conf": c.other}).Generated; got != c.want {
			t.Errorf("%q with %q: line %d, not %d", c.main, c.other, got, c.want)
		}
	}
}

// TestSkip: behind a line that is too long the next one is read, whatever the line
// holds, and an error of reading is none of its length.
func TestSkip(t *testing.T) {
	long := strings.Repeat("x", maxLine+5*serverChunk)
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		in   io.Reader
		next string
		err  error
	}{
		{"a line behind it", strings.NewReader(long + "\nuser b\n"), "user b", nil},
		{"a NUL in front of its end", strings.NewReader(long + "\x00\nof the same line\nuser b\n"), "user b", nil},
		{"nothing behind it", strings.NewReader(long), "", nil},
		{"an error", io.MultiReader(strings.NewReader(long), iotest.ErrReader(broken)), "", broken},
	} {
		l := NewLineReader(c.in, sha256.New())
		if _, err := l.Next(); !errors.Is(err, hostfs.ErrLimit) {
			t.Fatalf("%s: %v", c.name, err)
		}
		if err := l.Skip(); !errors.Is(err, c.err) {
			t.Errorf("%s: Skip says %v, not %v", c.name, err, c.err)
		}
		if next, _ := l.Next(); next != c.next {
			t.Errorf("%s: the next line is %q, not %q", c.name, next, c.next)
		}
	}
}
