package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seized is a data directory in which secrets stand wherever a report may quote:
// names of files, directories and links, keys, lines of a configuration, damage
// of every kind, arguments and names of commands, a manifest.
func seized(t *testing.T, m *made) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "evidence-"+m.github())
	write := func(name, text string) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	snapshot := func(name string, edit func([]byte) []byte) {
		s := newSnapshot()
		for i := range 8 {
			s.add(0, fmt.Sprintf("before:%d", i), "v")
		}
		s.add(60, "orders:"+m.github(), m.stripe())
		s.add(4, "h:"+m.github(), m.github(), m.stripe(), "password", m.password())
		for i := range 8 {
			s.add(0, fmt.Sprintf("behind:%d", i), "v")
		}
		write(name, string(edit(append(s.Bytes(), 0xff, 0, 0, 0, 0, 0, 0, 0, 0))))
	}
	same := func(p []byte) []byte { return p }
	snapshot("dump-"+m.github()+".rdb", same)
	snapshot("cut/"+m.github()+".rdb", func(p []byte) []byte { return p[:len(p)-30] })
	snapshot("behind.rdb", func(p []byte) []byte { return append(p, "what hides: "+m.github()+" password="+m.password()...) })
	snapshot("torn.rdb", func(p []byte) []byte {
		for i := 60; i < len(p); i += 71 {
			p[i] ^= 0x2a
		}
		return p
	})
	resp := func(words ...string) string {
		out := fmt.Sprintf("*%d\r\n", len(words))
		for _, w := range words {
			out += fmt.Sprintf("$%d\r\n%s\r\n", len(w), w)
		}
		return out
	}
	log := resp("SELECT", "0") + resp("EVAL", "return '"+m.github()+"'", "0") + resp(m.github(), "x") + resp("SET", "k:"+m.github(), m.stripe())
	write("appendonly.aof", log+"$7\r\n"+m.github()+"\r\n"+resp("SET", "a", "b")+resp("MULTI")+resp("SET", "k", m.stripe())+"*2\r\n$3\r\nGE")
	write("log/a.aof.manifest", "file "+m.github()+".incr.aof seq 1 type i\nfile ../"+m.github()+" seq 2 type i\nfile a.aof.3.incr.aof seq 3 type i "+m.github()+"\n")
	write("log/a.aof.3.incr.aof", log)
	write("valkey.conf", "port 6379\nbind 127.0.0.1\nrequirepass "+m.password()+"\nmasterauth "+m.password()+"\n")
	write("notes-"+m.github(), "some words\n")
	write("binary-"+m.github()+".rdb", "\x00\x01\x02")
	write("bad-"+m.github()+".rdb.gz", "\x1f\x8b\x08\x00truncated")
	if err := os.Symlink("/nowhere/"+m.github(), filepath.Join(dir, "link-"+m.github())); err != nil {
		t.Fatal(err)
	}
	return dir
}

// No verb shows a secret that it was not asked to show, wherever it stands: not in
// its report, not on standard error.
func TestNoSecretIsQuoted(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	m := newMade()
	dir := seized(t, m)
	missing := filepath.Join(dir, "missing-"+m.github())
	var runs [][]string
	for _, format := range scanFormats {
		runs = append(runs, []string{"scan", "--format", format, dir, missing}, []string{"scan", "--format", format, "--all", dir})
	}
	runs = append(runs, []string{"scan", "--explain", "--format", "jsonl", dir})
	for _, format := range []string{"text", "json", "jsonl"} {
		runs = append(runs, []string{"inspect", "--format", format, dir, missing})
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.rdb"))
	if err != nil || len(files) < 4 {
		t.Fatal("no snapshots to export")
	}
	for _, f := range append(files, filepath.Join(dir, "appendonly.aof"), dir, missing) {
		runs = append(runs, []string{"export", "--key", "^nothing", f})
	}
	runs = append(runs, []string{"scan", missing}, []string{"export", missing, dir}, []string{"scan", "-o", filepath.Join(dir, "x"), dir})
	for n, args := range runs {
		var stdout, stderr bytes.Buffer
		status := Main(append(args, "--tmp", t.TempDir()), strings.NewReader(""), &stdout, &stderr)
		out := stdout.String() + stderr.String()
		if len(out) == 0 {
			t.Errorf("%s: nothing was written, exit status %d", args[0], status)
		}
		for i, secret := range m.secrets {
			if hidden := secret[len(secret)/3 : len(secret)-4]; strings.Contains(out, hidden) {
				t.Errorf("%s (run %d): secret %d is shown", args[0], n, i)
			}
		}
	}
}
