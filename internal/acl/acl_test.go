package acl

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/conf"
)

func table(t testing.TB, version string) *Table {
	t.Helper()
	v, err := conf.ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	return For(v)
}

func TestRules(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	tests := []struct {
		version, rules string
		may, not       string // commands
		fails          bool
	}{
		{"valkey-8.1", "", "auth quit hello reset", "ping get", false},
		{"valkey-8.1", "+@all -@dangerous", "get ping eval config|help", "flushall keys config|get", false},
		{"valkey-8.1", "-@dangerous +@all", "flushall config|get", "", false},
		{"valkey-8.1", "+config|get", "config|get", "config|set config", false},
		{"valkey-8.1", "+config -config|set", "config|get", "config|set", false},
		{"valkey-8.1", "+@all -config", "get", "config|get config|set config", false},
		{"valkey-8.1", "+@ADMIN", "config|set shutdown", "get", false},
		{"valkey-8.1", "+get (+set ~x) clearselectors", "get", "set", false},
		{"valkey-8.1", "+get (+set ~x)", "get set", "del", false},
		{"valkey-8.1", "+select|0", "select|0", "select|1 select", false},
		{"valkey-8.1", "+@all reset", "auth", "get", false},
		{"redis-6.0", "+config|get", "config|get", "config|set config", false},
		{"redis-6.0", "+config|get -config", "", "config|get", false},
		{"valkey-8.1", "+config|get|x", "", "", true},
		{"valkey-8.1", "+config|nothing", "", "", true},
		{"valkey-8.1", "+select +select|0", "", "", true},
		{"valkey-8.1", "-select|0", "", "", true},
		{"valkey-8.1", "+nothing", "", "", true},
		{"valkey-8.1", "+@nothing", "", "", true},
		{"valkey-8.1", "allkeys ~x", "", "", true},
		{"valkey-8.1", "allkeys resetkeys ~x", "", "", false},
		{"valkey-8.1", "#" + hash, "", "", false},
		{"valkey-8.1", "#" + strings.ToUpper(hash), "", "", true},
		{"valkey-8.1", "<x", "", "", true},
		{"valkey-8.1", ">x <x", "", "", false},
		{"valkey-8.1", "%R~x %W~y %RW~z", "", "", false},
		{"valkey-8.1", "%X~x", "", "", true},
		{"redis-6.0", "%R~x", "", "", true},
		{"redis-6.0", "&*", "", "", true},
		{"valkey-8.1", "db=0", "", "", true},
		{"valkey-9.1", "db=0 +@all", "get", "flushall", false},
		{"valkey-8.1", "(+get", "", "", true},
	}
	for _, test := range tests {
		u := NewUser(table(t, test.version), "x")
		var err error
		rules, ok := mergeSelectors(u.table, strings.Fields(test.rules))
		for _, r := range rules {
			if e := u.Apply(r); e != nil && err == nil {
				err = e
			}
		}
		if (err != nil || !ok) != test.fails {
			t.Errorf("%s: %s: %v", test.version, test.rules, err)
		}
		for _, c := range strings.Fields(test.may) {
			if !u.Allows(c) {
				t.Errorf("%s: %s: %s is not allowed", test.version, test.rules, c)
			}
		}
		for _, c := range strings.Fields(test.not) {
			if u.Allows(c) {
				t.Errorf("%s: %s: %s is allowed", test.version, test.rules, c)
			}
		}
	}
}

func readText(t testing.TB, version, text string) *Users {
	t.Helper()
	us, err := ReadFile(context.Background(), strings.NewReader(text), "users.acl", table(t, version))
	if err != nil {
		t.Fatal(err)
	}
	return us
}

func TestReadFile(t *testing.T) {
	us := readText(t, "valkey-8.1", "user a on +get\n\n  user b off\t\n")
	if d := us.Get("default"); len(us.List) != 3 || !d.Enabled || !d.NoPass || !d.AllowsAll() || len(us.Problems) > 0 {
		t.Errorf("%+v", us)
	}
	for _, text := range []string{"# comment\n", "user\n", "user a on\nuser a on\n", "user a nonsense\n", "USER a on\n", "user a (+get\n"} {
		if us := readText(t, "valkey-8.1", text); len(us.Problems) != 1 || !us.Problems[0].Fatal {
			t.Errorf("%q: %+v", text, us.Problems)
		}
	}
	if us := readText(t, "redis-6.0", "user a on +get\nuser a on +set\n"); len(us.Problems) > 0 || us.Get("a").Allows("get") || !us.Get("a").Allows("set") {
		t.Error("6.0: the second definition does not start anew")
	}
}

func TestConfigured(t *testing.T) {
	tab := table(t, "valkey-8.1")
	c := &conf.Config{Directives: []conf.Directive{{Name: "requirepass", Args: []string{"x"}}}}
	if d := Configured(c, tab).Get("default"); d.NoPass || len(d.Passwords) != 1 {
		t.Errorf("%+v", d)
	}
	c.Directives = append(c.Directives, conf.Directive{Name: "user", Args: []string{"default", "on", "nopass", "+get"}})
	if d := Configured(c, tab).Get("default"); !d.NoPass || d.Allows("set") {
		t.Error("a user line does not override requirepass")
	}
}

// endless is a file of so many bytes, made as it is read.
type endless struct {
	line []byte
	left int64
	off  int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) {
		k := copy(p[n:], e.line[e.off:])
		n += k
		e.off = (e.off + k) % len(e.line)
	}
	e.left -= int64(n)
	return n, nil
}

// TestHostile: a gigabyte is read in bounded memory, or left off with a word.
func TestHostile(t *testing.T) {
	tab := table(t, "valkey-8.1")
	for name, line := range map[string]string{
		"one line":       "x",
		"NULs":           "\x00",
		"blank lines":    "\n",
		"refused lines":  "nonsense\n",
		"one user again": "user a on >p +@all\n",
	} {
		us, err := ReadFile(t.Context(), &endless{line: bytes.Repeat([]byte(line), 1000), left: 2 << 20}, "x", tab)
		if err != nil || len(us.List) > 3 || len(us.Problems) > maxProblems {
			t.Errorf("%s: %v, %d users, %d problems", name, err, len(us.List), len(us.Problems))
		}
	}
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "user u%d on #%064x ~app:%d:* +@read +@write -@dangerous (+get ~x)\n", i, i, i)
	}
	if us := readText(t, "valkey-9.1", b.String()); len(us.List) != 10_001 || us.Cut {
		t.Errorf("%d users", len(us.List))
	}
}

func FuzzACL(f *testing.F) {
	for _, s := range []string{"user a on >x ~* +@all\n", "user default off\n", "user a (+get ~x) (%R~y +set)\n", "user a +select|0 -@all db=1,2\n", "user a ( ) ()\n", "user  a\n\x00"} {
		f.Add([]byte(s))
	}
	versions := []string{"redis-6.0", "redis-7.0", "valkey-8.1", "valkey-9.1"}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, v := range versions {
			us, err := ReadFile(t.Context(), bytes.NewReader(text), "x", table(t, v))
			if err != nil {
				t.Fatal(err)
			}
			if us.Get("default") == nil {
				t.Error("no default user")
			}
			for _, u := range us.List {
				if u.AllowsAll() && !u.Allows("get") {
					t.Error("all is allowed, and GET is not")
				}
				if !slices.Equal(u.Commands(), u.AllowsAny(u.table.Commands()...)) {
					t.Error("the commands differ")
				}
			}
		}
	})
}

// Keys are all a user's with a pattern of everything, to be read and written.
func TestAllKeys(t *testing.T) {
	for rule, want := range map[string]bool{"~*": true, "allkeys": true, "%RW~*": true, "%wr~*": true, "%R~*": false, "%W~*": false, "~app:*": false, "%RW~app:*": false, "~**": false} {
		u := NewUser(table(t, "valkey-8.1"), "x")
		if err := u.Apply(rule); err != nil || u.Selectors[0].AllKeys != want {
			t.Errorf("%s: %v, %v", rule, u.Selectors[0].AllKeys, err)
		}
	}
}
