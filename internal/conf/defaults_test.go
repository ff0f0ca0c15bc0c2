package conf

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

var update = flag.Bool("update", false, "write defaults.tsv anew")

// started are the defaults of what servertest sets itself when it starts a
// server, and paths that differ from run to run (valkey.conf, redis.conf; server.h).
var started = map[string]string{"port": "6379", "unixsocket": "", "dir": "", "logfile": "", "appendonly": "no",
	"save": "3600 1 300 100 60 10000", "enable-debug-command": "no"}

// TestDefaults holds defaults.tsv against CONFIG GET of real servers.
func TestDefaults(t *testing.T) {
	type row struct{ name, value string }
	got := map[row][]string{}
	all := true
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		i := s.Start(t, "")
		v, err := ParseVersion(strings.Replace(s.Name, "valkey-9", "valkey-9.1", 1))
		if err != nil {
			t.Fatal(err)
		}
		if s.Name == "redis-8" {
			return // 8.0, as redis-8.0 is
		}
		reply := i.Must(t, "CONFIG", "GET", "*").([]any)
		for n := 0; n+1 < len(reply); n += 2 {
			name, value := reply[n].(string), reply[n+1].(string)
			if d, ok := started[name]; ok {
				value = d
			}
			got[row{name, value}] = append(got[row{name, value}], v.String())
		}
		for name := range started {
			if d, ok := Default(v, name); !*update && ok && d != started[name] {
				t.Errorf("%s: %q", name, d)
			}
		}
	})
	for _, n := range servertest.Names {
		if _, err := os.Stat(os.Getenv("VALKEYFS_SERVERS") + "/" + n); err != nil {
			all = false
		}
	}
	if !*update {
		for r, servers := range got {
			for _, name := range servers {
				v, _ := ParseVersion(name)
				if d, ok := Default(v, r.name); (!ok || d != r.value) && aliases[r.name] == "" {
					t.Errorf("%s on %s: %q in the table, the server says %q", r.name, name, d, r.value)
				}
			}
		}
		return
	}
	if !all {
		t.Fatal("-update needs all servers")
	}
	var lines []string
	for r, servers := range got {
		slices.Sort(servers)
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s\n", r.name, r.value, strings.Join(slices.Compact(servers), " ")))
	}
	slices.Sort(lines)
	head := "# What CONFIG GET says on servers without a configuration file: name, value, servers. Made by go test ./internal/conf -update.\n"
	if err := os.WriteFile("defaults.tsv", []byte(head+strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
}
