package audit

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestChanges: bits are only ever taken, and never from a directory that is the
// system's; the server's files become its own.
func TestChanges(t *testing.T) {
	tr := tree{"tmp": {mode: os.ModeDir | 0o777}, "tmp/dump.rdb": {text: "REDIS0011\xff\x00\x00\x00\x00\x00\x00\x00\x00", mode: 0o666}, confFile: {mode: 0o444, text: "dir /tmp\n"},
		unitFile: file("[Service]\nExecStart=/usr/bin/valkey-server /etc/valkey/valkey.conf\nUser=valkey\n"), "etc/passwd": file(fmt.Sprintf("valkey:x:%d:0::/:/bin/false\n", os.Getuid()+7))}
	fs := image(t, tr)
	r, err := Run(t.Context(), fs, []string{"/etc/valkey"}, &Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := Changes(fs, r)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, c := range changes {
		if c.To&^c.From != 0 || c.Path == "/tmp" || strings.Count(c.Path, "/") < 2 || seen[c.Path] != "" {
			t.Errorf("%+v", c)
		}
		seen[c.Path] = fmt.Sprintf("%o to %d", c.To, c.ToUser-c.FromUser)
	}
	if seen["/"+confFile] != "440 to 0" || seen["/tmp/dump.rdb"] != "600 to 7" {
		t.Errorf("%v", seen)
	}
}

// TestApply: a change is made, noted and taken back; what is no longer as it was
// looked at, and what lies behind a link, is left alone.
func TestApply(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "d", "dump.rdb")
	mode := func() os.FileMode {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if err := os.Mkdir(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	me := os.Getuid()
	c := Change{name, 0o644, 0o600, me, me}
	if me == 0 {
		c.ToUser = 7
	}
	if err := c.Apply(); err != nil || mode() != 0o600 {
		t.Fatal(err, mode())
	}
	if err := c.Apply(); err == nil {
		t.Error("a change of what has changed is made")
	}
	line, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	journal, err := ReadJournal(strings.NewReader(string(line) + "\n"))
	if err != nil || len(journal) != 1 {
		t.Fatal(err)
	}
	if err := journal[0].Undone().Apply(); err != nil || mode() != 0o644 {
		t.Fatal(err, mode())
	}
	if err := os.Symlink(filepath.Join(dir, "d"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := (Change{filepath.Join(dir, "link", "dump.rdb"), 0o644, 0o600, me, me}).Apply(); err == nil || mode() != 0o644 {
		t.Error("a link to a directory is followed")
	}
	if err := os.Symlink(name, filepath.Join(dir, "d", "x")); err != nil {
		t.Fatal(err)
	}
	if err := (Change{filepath.Join(dir, "d", "x"), 0o644, 0o600, me, me}).Apply(); err == nil || mode() != 0o644 {
		t.Error("a link to a file is followed")
	}
	for _, bad := range []string{"x", "{}", `{"path":"relative","from":420,"to":384}`, `{"path":"/x","from":2541,"to":0}`} {
		if _, err := ReadJournal(strings.NewReader(bad)); err == nil {
			t.Errorf("%s is taken for a journal", bad)
		}
	}
}
