package aof

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
	"github.com/valkeyfs/valkeyfs/keyspace"
)

func TestLookupCommand(t *testing.T) {
	for _, name := range []string{"SET", "set", "sEt", "restore-asking", "bf.add", "FT._CREATEIFNX"} {
		if s, ok := LookupCommand([]byte(name)); !ok || !strings.EqualFold(s.Name, name) {
			t.Errorf("%s: %v %v", name, s, ok)
		}
	}
	for _, name := range []string{"", "SE", "SETX", "S\x05T", "BF\x0eADD", strings.Repeat("X", 1000)} {
		if s, ok := LookupCommand([]byte(name)); ok {
			t.Errorf("%q: %v", name, s)
		}
	}
	seen := map[string]bool{}
	for i := range commands {
		s := &commands[i]
		if got, ok := LookupCommand([]byte(s.Name)); !ok || got != s || seen[s.Name] || s.Name != strings.ToUpper(s.Name) {
			t.Errorf("%s is not found, or twice there", s.Name)
		}
		seen[s.Name] = true
		for _, s := range append([]CommandSpec{*s}, s.Subcommands...) {
			if s.Flags == Write|NeverLogged || s.Arity == 0 || s.FirstKey > 0 && s.KeyStep == 0 {
				t.Errorf("%+v", s)
			}
		}
	}
}

// checkSpec holds a command of the table against what a server says of it.
func checkSpec(t *testing.T, server, name string, arity int, write bool, first, last, step int, movable bool) {
	t.Helper()
	container, sub, isSub := strings.Cut(strings.ToUpper(name), "|")
	s, ok := LookupCommand([]byte(container))
	if !ok {
		t.Errorf("%s: %s is not in the table", server, name)
		return
	}
	if isSub {
		if s.Subcommands == nil && s.Flags == NeverLogged && !write && first == 0 {
			return // one of a container none of whose commands is logged
		}
		if s, ok = s.Subcommand([]byte(sub)); !ok {
			t.Errorf("%s: %s is not in the table", server, name)
			return
		}
	} else if s.Subcommands != nil {
		if write && s.Flags&NeverLogged != 0 {
			t.Errorf("%s: %s writes", server, name) // Redis 6.0 knows no subcommands
		}
		return
	}
	if strings.HasPrefix(server, "redis-6.0") && (s.Name == "XTRIM" || s.Name == "PFDEBUG") {
		return // written down less strictly than they are checked
	}
	if write != (s.Flags&Write != 0) {
		t.Errorf("%s: %s: write %v", server, name, write)
	}
	if arity >= 0 && !s.Takes(int64(arity)) || arity < -1 && !s.Takes(int64(-arity)) {
		t.Errorf("%s: %s: arity %d, table %d", server, name, arity, s.Arity)
	}
	if got := [3]int{s.FirstKey, s.LastKey, s.KeyStep}; got != [3]int{first, last, step} && !(movable && first == 0) {
		t.Errorf("%s: %s: keys %d %d %d, table %v", server, name, first, last, step, got)
	}
	if movable && first == 0 && s.NumKeys == 0 && s.apply == nil && s.FirstKey == 0 && s.Name != "XREAD" && s.Name != "STRALGO" {
		t.Errorf("%s: %s: where its keys stand is not known", server, name)
	}
}

// TestCommandFacts holds the table against what COMMAND says on seven servers.
func TestCommandFacts(t *testing.T) {
	f, err := os.Open("testdata/commands.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		c := strings.Split(lines.Text(), "\t")
		if c[0][0] == '#' {
			continue
		}
		number := func(i int) int {
			v, err := strconv.Atoi(c[i])
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		checkSpec(t, c[7], c[0], number(1), c[2] == "write", number(3), number(4), number(5), c[6] == "movable")
	}
	if n < 400 {
		t.Errorf("%d facts", n)
	}
}

// TestCommandsOfServers does the same with the servers that are there, and has
// them log what they will: no command that the table says is never logged.
func TestCommandsOfServers(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		i := s.Start(t, "", "--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no")
		var walk func(any)
		walk = func(v any) {
			c := v.([]any)
			flags := map[string]bool{}
			for _, f := range c[2].([]any) {
				flags[f.(string)] = true
			}
			number := func(i int) int { return int(c[i].(int64)) }
			checkSpec(t, s.Name, c[0].(string), number(1), flags["write"], number(3), number(4), number(5), flags["movablekeys"])
			if len(c) > 9 {
				for _, sub := range c[9].([]any) {
					walk(sub)
				}
			}
		}
		for _, c := range i.Must(t, "COMMAND").([]any) {
			walk(c)
		}
		logged := map[string]bool{}
		for _, c := range []string{"SET k v", "GET k", "PFADD h a b", "PFCOUNT h", "CONFIG SET maxmemory 0", "PUBLISH c m", "EVAL return(redis.call('set','e','1')) 0",
			"SCRIPT LOAD return(1)", "CLIENT SETNAME x", "MULTI", "SET m 1", "PING", "EXEC", "MULTI", "SET d 1", "DISCARD", "DEBUG SLEEP 0", "OBJECT HELP", "SORT l", "EXPIRE k 100", "WAIT 0 1"} {
			_, _ = i.Do(words(c)...)
		}
		i.Stop(t)
		for _, data := range logOf(t, i.Dir) {
			for e, err := range NewReader(bytes.NewReader(data), Options{}).Events(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Kind != keyspace.Command {
					continue
				}
				name := strings.ToUpper(string(e.Args[0]))
				logged[name] = true
				if spec, ok := LookupCommand(e.Args[0]); !ok || spec.Flags&NeverLogged != 0 && s.Major() >= 7 {
					t.Errorf("%s is logged", name)
				}
			}
		}
		for _, name := range []string{"SELECT", "SET", "PFADD", "PEXPIREAT"} {
			if !logged[name] {
				t.Errorf("%s is not logged: %v", name, logged)
			}
		}
	})
}

// logOf returns the RESP files of the log in dir, in the order of their names.
func logOf(t *testing.T, dir string) (files [][]byte) {
	t.Helper()
	for _, pattern := range []string{"appendonly.aof", "appendonlydir/*.aof"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, data)
		}
	}
	if len(files) == 0 {
		t.Fatal("no log")
	}
	return files
}
