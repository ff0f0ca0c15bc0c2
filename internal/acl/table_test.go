package acl

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/conf"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

var update = flag.Bool("update", false, "write commands.tsv anew")

// serverVersion is the version of an installed server whose tables are here.
func serverVersion(t *testing.T, s servertest.Server) conf.Version {
	t.Helper()
	v, err := conf.ParseVersion(s.Name)
	if err != nil {
		t.Fatal(err)
	}
	if s.Valkey() && v.Major == 9 {
		v.Minor = 1
	}
	return v
}

// TestTable holds commands.tsv against COMMAND of real servers.
func TestTable(t *testing.T) {
	type row struct{ name, categories string }
	got := map[row][]string{}
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		v := serverVersion(t, s)
		if s.Name == "redis-8" {
			return // 8.0, as redis-8.0 is
		}
		i := s.Start(t, "")
		var add func(list []any)
		add = func(list []any) {
			for _, e := range list {
				c := e.([]any)
				var cats []string
				for _, cat := range c[6].([]any) {
					cats = append(cats, strings.TrimPrefix(cat.(string), "@"))
				}
				for _, flag := range c[2].([]any) {
					if flag == "no_auth" {
						cats = append(cats, noAuth)
					}
				}
				slices.Sort(cats)
				r := row{strings.ToLower(c[0].(string)), strings.Join(cats, " ")}
				got[r] = append(got[r], v.String())
				if len(c) > 9 {
					add(c[9].([]any))
				}
			}
		}
		add(i.Must(t, "COMMAND").([]any))
	})
	var lines []string
	for r, servers := range got {
		slices.Sort(servers)
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s\n", r.name, r.categories, strings.Join(servers, " ")))
	}
	slices.Sort(lines)
	if *update {
		head := "# What COMMAND says on servers: name, ACL categories, servers. Made by go test ./internal/acl -update.\n"
		if err := os.WriteFile("commands.tsv", []byte(head+strings.Join(lines, "")), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for r, servers := range got {
		for _, name := range servers {
			v, _ := conf.ParseVersion(name)
			tab := For(v)
			i, ok := tab.index[r.name]
			if !ok {
				t.Errorf("%s: %s is not in the table", name, r.name)
				continue
			}
			for _, cat := range strings.Fields(r.categories) {
				if cat != noAuth && !tab.categories[cat].has(i) {
					t.Errorf("%s: %s is in @%s", name, r.name, cat)
				}
			}
		}
	}
}
