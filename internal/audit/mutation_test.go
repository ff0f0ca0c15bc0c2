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
// what is the default anyway, none fails: TestContrary turns these around. Where
// nothing is known any more, the checks that passed are unknown.
func TestMutation(t *testing.T) {
	open := []string{"VFS-AUTH-001", "VFS-CONF-001", "VFS-REPL-008", "VFS-SLOW-001", "VFS-SLOW-009"}
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
	data := []string{"VFS-DATA-001", "VFS-DATA-002", "VFS-DATA-003", "VFS-DATA-004", "VFS-DATA-005", "VFS-DATA-006", "VFS-DATA-009", "VFS-DATA-010",
		"VFS-INTEG-001", "VFS-INTEG-004", "VFS-INTEG-005", "VFS-INTEG-006", "VFS-INTEG-007", "VFS-MEM-006", "VFS-SLOW-004", "VFS-SLOW-007"}
	unit := []string{"VFS-AUTH-007", "VFS-CONN-001", "VFS-DATA-004", "VFS-DATA-008", "VFS-DATA-012", "VFS-DATA-013", "VFS-MEM-002"}
	lost := map[string][]string{
		"tls-cert-file ":   {"VFS-TLS-007", "VFS-TLS-008"},
		"tls-key-file ":    {"VFS-TLS-006", "VFS-TLS-008"},
		"unixsocketperm ":  {"VFS-AUTH-006"},
		"dir ":             data,
		"min-replicas-to-": {"VFS-REPL-007"},
		"[Service]":        unit,
		"ExecStart=":       unit,
		"  --daemonize no": {"VFS-DATA-004"}, // with it goes the line behind it: no user is named
		"User=":            {"VFS-DATA-004"},
		"  chain input":    {"VFS-AUTH-009", "VFS-TLS-011"},
		"    type filter":  {"VFS-AUTH-009", "VFS-TLS-011"},
		"LimitNOFILE=":     {"VFS-CONN-001"},
		"MemoryMax=":       {"VFS-MEM-002"},
	}
	_, sound := judge(t, hardened(t))
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
			var unknown, gone []string
			for prefix, ids := range lost {
				if strings.HasPrefix(line, prefix) {
					unknown = ids
					used++
				}
			}
			for id, was := range sound {
				if was == Pass && got[id] == Unknown {
					gone = append(gone, id)
				}
			}
			if slices.Sort(gone); !slices.Equal(gone, unknown) {
				t.Errorf("%s without line %d: %v are unknown, want %v", name, i+1, gone, unknown)
			}
			if ids := failing(got); !slices.Equal(ids, expected) {
				t.Errorf("%s without line %d: %v fail, want %v\n%s", name, i+1, ids, expected, explain(r))
			}
		}
	}
	if used != len(want)+len(lost) {
		t.Errorf("%d of %d lines were met", used, len(want)+len(lost))
	}
}

// TestContrary says the contrary of each line of the hardened configuration, which
// fails what the line is about and nothing else.
func TestContrary(t *testing.T) {
	for _, test := range []struct {
		line string
		want string // ids, without VFS-
	}{
		{"bind 0.0.0.0", "AUTH-003"},
		{"protected-mode no", ""}, // the user default is off: there is nobody to turn away
		{"port 6379", "TLS-001"},
		{"tls-port 0", ""}, // nothing is left to listen
		{"tls-auth-clients no", "TLS-003"},
		{`tls-protocols "TLSv1 TLSv1.2"`, "TLS-004"},
		{"unixsocketperm 777", "AUTH-006"},
		{"timeout 0", "CONN-002"},
		{"tcp-keepalive 0", "CONN-003"},
		{"maxclients 60000000", "CONN-001 CONN-005"},
		{"maxmemory 0", "MEM-001"},
		{"maxmemory 1gb", "MEM-002"},
		{"maxmemory-policy allkeys-lru", ""}, // only a log makes it one that fails
		{"maxmemory-clients 0", "MEM-004"},
		{"dir /etc/cron.d", "INTEG-003"},
		{"dbfilename authorized_keys", "DATA-010 INTEG-003"},
		{`save ""`, "DATA-011 DATA-014"},
		{"rdbchecksum no", ""}, // the snapshot at hand has one
		{"enable-protected-configs yes", "CONF-002"},
		{"enable-debug-command yes", "CONF-004"},
		{"enable-module-command yes", "CONF-003"},
		{"latency-monitor-threshold 0", "SLOW-003"},
		{"slowlog-log-slower-than -1", "SLOW-002"},
		{"slowlog-max-len 0", "SLOW-002"},
		{"replica-read-only no", "REPL-001"},
	} {
		tr := hardened(t)
		if name, _, _ := strings.Cut(test.line, " "); !strings.Contains(tr[confFile].text, "\n"+name+" ") && name != "bind" {
			t.Fatalf("%s is not in the configuration", name)
		}
		say(test.line)(t, tr)
		r, got := judge(t, tr)
		var want []string
		for _, id := range strings.Fields(test.want) {
			want = append(want, "VFS-"+id)
		}
		if ids := failing(got); !slices.Equal(ids, want) {
			t.Errorf("%s: %v fail, want %v\n%s", test.line, ids, want, explain(r))
		}
	}
}
