package audit

import (
	"slices"
	"strings"
	"testing"
)

func TestHardened(t *testing.T) {
	r, got := judge(t, hardened(t))
	if ids := failing(got); len(ids) > 0 || r.Incomplete {
		t.Errorf("fails %v, incomplete %v:\n%s", ids, r.Incomplete, explain(r))
	}
	if len(got) != len(Catalogue()) {
		t.Errorf("%d checks answered, of %d", len(got), len(Catalogue()))
	}
}

// TestMutation takes each line out of what makes a host hard: the checks that
// then fail are those that the line is about, and no others. Where a line says
// what is the default anyway, none fails.
func TestMutation(t *testing.T) {
	open := []string{"VFS-AUTH-001", "VFS-CONF-001", "VFS-REPL-008", "VFS-SLOW-001"}
	want := map[string][]string{
		"bind ":                      {"VFS-AUTH-003"},
		"port 0":                     {"VFS-TLS-001"},
		"timeout ":                   {"VFS-CONN-002"},
		"maxmemory ":                 {"VFS-MEM-001"},
		"maxmemory-clients ":         {"VFS-MEM-004"},
		"aclfile ":                   open,
		"latency-monitor-threshold ": {"VFS-SLOW-003"},
		"user default off":           open,
		"  --daemonize no":           {"VFS-DATA-012"}, // the line before it goes on with the next
		"User=":                      {"VFS-DATA-012"},
		"UMask=":                     {"VFS-DATA-012"},
		"LimitCORE=":                 {"VFS-DATA-008"},
		"NoNewPrivileges=":           {"VFS-DATA-013"},
		"ProtectSystem=":             {"VFS-DATA-013"},
		"ReadWritePaths=":            {"VFS-DATA-013"},
		"    ip saddr 10.0.0.0/24 tcp dport 6379 ct count": {"VFS-CONN-004"},
		"  chain input":              {"VFS-CONN-004"}, // without it, or its hook, no rule is met
		"    type filter hook input": {"VFS-CONN-004"},
	}
	used := 0
	for _, name := range []string{confFile, aclFile, unitFile, nftFile} {
		base := hardened(t)
		lines := strings.SplitAfter(base[name].text, "\n")
		for i, line := range lines {
			tr := base.clone()
			tr.set(name, strings.Join(slices.Concat(lines[:i], lines[i+1:]), ""))
			r, got := judge(t, tr)
			var expected []string
			for prefix, ids := range want {
				if strings.HasPrefix(line, prefix) {
					expected = ids
					used++
				}
			}
			if ids := failing(got); !slices.Equal(ids, expected) {
				t.Errorf("%s without line %d: %v fail, want %v\n%s", name, i+1, ids, expected, explain(r))
			}
		}
	}
	if used != len(want) {
		t.Errorf("%d of %d lines were met", used, len(want))
	}
}
