package audit

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/crypt"
	"github.com/valkeyfs/valkeyfs/internal/acl"
	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/conf"
)

// moreCase is a case of TestChecks with its own options.
type moreCase struct {
	id      string
	want    Status
	change  func(testing.TB, tree)
	options func(*Options)
}

const (
	alertFile   = "srv/app/alerts.yml"
	replicaFile = "etc/valkey/replica.conf"
	backupDir   = "backup"
	metricsFile = "backup/verify.prom"
)

// alerts is a file of Prometheus's rules.
func alerts(exprs ...string) func(testing.TB, tree) {
	text := "groups:\n- name: cache\n  rules:\n"
	for i, e := range exprs {
		text += fmt.Sprintf("  - alert: A%d\n    expr: %s\n", i, e)
	}
	return put(alertFile, file(text))
}

// sealedBackup is a destination with one set, sealed for recipients; none: for a
// passphrase.
func sealedBackup(recipients int, signed bool) func(testing.TB, tree) {
	return func(t testing.TB, tr tree) {
		var sealed strings.Builder
		o := crypt.SealOptions{}
		for range recipients {
			_, r, err := crypt.GenerateIdentity(false, now)
			if err != nil {
				t.Fatal(err)
			}
			p, err := crypt.ParseRecipient(r, crypt.UI{})
			if err != nil {
				t.Fatal(err)
			}
			o.Recipients = append(o.Recipients, p)
		}
		if recipients == 0 {
			p, err := crypt.PassphraseRecipient([]byte(password()))
			if err != nil {
				t.Fatal(err)
			}
			o.Recipients = append(o.Recipients, p)
		}
		w, err := crypt.Seal(&sealed, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		finished := now.Add(-time.Hour)
		m := backup.Manifest{Format: "valkeyfs-backup/1", ID: backup.NewID(finished), Label: "cache", Tool: "test", Started: finished, Finished: finished,
			Inner: backup.Member{Name: "inner.zst.age", Size: int64(sealed.Len()), SHA256: strings.Repeat("0", 64)}}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		dir := backupDir + "/cache/" + m.ID + "/"
		tr[backupDir] = entry{mode: os.ModeDir | 0o700}
		tr[dir+"manifest.json"], tr[dir+"inner.zst.age"] = private(string(text)), private(sealed.String())
		if signed {
			tr[dir+"manifest.json.minisig"] = private("x")
		}
	}
}

// replica adds a server that follows the hardened one, and more lines to its
// configuration.
func replica(lines ...string) func(testing.TB, tree) {
	return func(_ testing.TB, tr tree) {
		text := strings.NewReplacer("dir /var/lib/valkey", "dir /var/lib/replica", "bind 127.0.0.1 10.0.0.5", "bind 10.0.0.6").Replace(tr[confFile].text)
		tr[replicaFile] = entry{mode: 0o640, text: text + "replicaof 10.0.0.5 6379\ntls-replication yes\nprimaryuser r\nprimaryauth " + password() + "4\n" + strings.Join(lines, "\n") + "\n"}
	}
}

// runs is a running server of a configuration.
func runs(t testing.TB, lines ...string) *Live {
	tr := hardened(t)
	say(lines...)(t, tr)
	s, err := ReadServer(t.Context(), image(t, tr), conf.Options{Path: "/" + confFile, Version: conf.Version{Valkey: true, Major: 8, Minor: 1}, Cwd: "/"})
	if err != nil {
		t.Fatal(err)
	}
	return &Live{address: "10.0.0.5:6379", server: s}
}

// told is a running server that answers so.
func told(t testing.TB, change func(*Live)) func(*Options) {
	l := runs(t)
	l.info = map[string]string{"used_memory": "100", "maxmemory": "1000", "connected_clients": "3", "total_connections_received": "5000", "total_commands_processed": "900000", "role": "master"}
	change(l)
	return func(o *Options) { o.Live = l }
}

// refusing is a running server that does not answer.
func refusing(t testing.TB) func(*Options) {
	return told(t, func(l *Live) {
		l.denied = map[string]string{"INFO": "NOPERM", "CLIENT LIST": "NOPERM", "ACL LOG": "NOPERM", "FUNCTION LIST": "NOPERM"}
	})
}

// saying changes a field of INFO.
func saying(t testing.TB, field, value string) func(*Options) {
	return told(t, func(l *Live) { l.info[field] = value })
}

func withBackups(o *Options) { o.Backups = "/" + backupDir }

func withPolicy(patterns ...string) func(*Options) {
	return func(o *Options) {
		p, err := ParsePolicy([]byte("immutable: ['" + strings.Join(patterns, "', '") + "']"))
		if err != nil {
			panic(err)
		}
		o.Policy = p
	}
}

// against is what the hardened host was, with its text changed.
func against(t testing.TB, old, replacement string, more ...func(*Options)) func(*Options) {
	r, _ := judge(t, hardened(t), more...)
	var text strings.Builder
	if err := NewBaseline(r).Write(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), old) {
		t.Fatalf("the baseline has no %q", old)
	}
	b, err := ParseBaseline([]byte(strings.Replace(text.String(), old, replacement, 1)))
	if err != nil {
		t.Fatal(err)
	}
	b.Signed = true
	return func(o *Options) {
		o.Baseline = b
		for _, m := range more {
			m(o)
		}
	}
}

func moreCases(t testing.TB) []moreCase {
	verified := func(at time.Time) func(testing.TB, tree) {
		return both(sealedBackup(2, true), put(metricsFile, file(fmt.Sprintf("# TYPE %[1]s gauge\n%[1]s{label=\"cache\"} %[2]d\n", lastVerified, at.Unix()))))
	}
	library := "#!lua name=x\nserver.register_function('f', function() return 1 end)"
	manifest := func(text string) func(testing.TB, tree) {
		return both(log("SET|k|v"), put(manifestFile, private(text)))
	}
	nothingSaved := func(_ testing.TB, tr tree) {
		tr.set(confFile, strings.Replace(tr[confFile].text, "save 3600 1", `save ""`, 1))
	}
	big := func(_ testing.TB, tr tree) {
		var b strings.Builder
		fmt.Fprintf(&b, "*%d\r\n$5\r\nRPUSH\r\n$1\r\nk\r\n", bigElements+3)
		b.WriteString(strings.Repeat("$1\r\nv\r\n", bigElements+1))
		tr[aofFile], tr[manifestFile] = private(b.String()), private("file appendonly.aof.1.incr.aof seq 1 type i\n")
	}
	heavy := func(t testing.TB, tr tree) { log("SET|k|"+strings.Repeat("v", bigBytes+1))(t, tr) }
	policy := withPolicy("*")
	live := func(lines ...string) func(*Options) {
		l := runs(t, lines...)
		return func(o *Options) { o.Live = l }
	}
	silent := runs(t)
	silent.server.Users.Leave("default")
	well := told(t, func(*Live) {})
	stranger := told(t, func(l *Live) {
		s := *l.server
		s.Users = acl.NewUsers(acl.For(s.Version))
		s.Users.Put(acl.DefaultUser(acl.For(s.Version)))
		l.server = &s
		l.clients = []map[string]string{clientFields("id=3 addr=10.0.0.9:4711 laddr=10.0.0.5:6379 name=x age=1 idle=0 flags=N user=default")}
	})
	return []moreCase{
		{"VFS-AUTH-011", Fail, nil, stranger},
		{"VFS-AUTH-011", Pass, nil, well},
		{"VFS-AUTH-011", Unknown, nil, refusing(t)},
		{"VFS-PASS-010", Fail, nil, told(t, func(l *Live) { l.refusals = []refusedClient{{"auth", "default", 400}} })},
		{"VFS-PASS-010", Pass, nil, told(t, func(l *Live) { l.refusals = []refusedClient{{"auth", "default", 2}, {"command", "app", 400}} })},
		{"VFS-PASS-010", Unknown, nil, refusing(t)},
		{"VFS-MEM-009", Fail, nil, saying(t, "used_memory", "950")},
		{"VFS-MEM-009", Pass, nil, well},
		{"VFS-MEM-009", Unknown, nil, refusing(t)},
		{"VFS-CONN-006", Fail, nil, saying(t, "total_commands_processed", "6000")},
		{"VFS-CONN-006", Pass, nil, saying(t, "total_connections_received", "5")},
		{"VFS-CONN-007", Fail, nil, saying(t, "connected_clients", "9000")},
		{"VFS-CONN-007", Fail, nil, saying(t, "rejected_connections", "1")},
		{"VFS-CONN-007", Pass, nil, well},
		{"VFS-CONN-007", Unknown, nil, refusing(t)},
		{"VFS-SLOW-008", Fail, nil, saying(t, "cmdstat_keys", "calls=3,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0")},
		{"VFS-SLOW-008", Pass, nil, saying(t, "cmdstat_keys", "calls=0,usec=0,usec_per_call=0.00,rejected_calls=3,failed_calls=0")},
		{"VFS-SLOW-008", Unknown, nil, refusing(t)},
		{"VFS-REPL-011", Fail, nil, told(t, func(l *Live) { l.info["role"], l.info["master_link_status"] = "slave", "down" })},
		{"VFS-REPL-011", Fail, nil, told(t, func(l *Live) {
			l.info["connected_slaves"], l.info["slave0"] = "1", "ip=10.0.0.6,port=6379,state=wait_bgsave,offset=0,lag=0"
		})},
		{"VFS-REPL-011", Pass, nil, well},
		{"VFS-REPL-011", Unknown, nil, refusing(t)},
		{"VFS-INTEG-002", Unknown, drop(dumpFile), told(t, func(l *Live) { l.functions = []Function{{SHA256: digest("x")}} })},

		{"VFS-CONF-008", Fail, nil, live("timeout 5")},
		{"VFS-CONF-008", Pass, nil, live()},
		{"VFS-CONF-008", Unknown, nil, func(o *Options) { o.Live = silent }},

		{"VFS-DATA-014", Fail, nothingSaved, nil},
		{"VFS-DATA-014", Pass, both(nothingSaved, say("rdb-del-sync-files yes")), nil},
		{"VFS-DATA-015", Fail, put(backupDir, entry{mode: os.ModeDir | 0o700}), withBackups},
		{"VFS-DATA-015", Pass, sealedBackup(2, true), withBackups},
		{"VFS-DATA-015", Unknown, nil, withBackups},
		{"VFS-DATA-016", Fail, sealedBackup(2, false), withBackups},
		{"VFS-DATA-016", Unknown, sealedBackup(2, true), withBackups},
		{"VFS-DATA-017", Fail, verified(now.AddDate(0, 0, -9)), withBackups},
		{"VFS-DATA-017", Pass, verified(now.AddDate(0, 0, -2)), withBackups},
		{"VFS-DATA-017", Unknown, sealedBackup(2, true), withBackups},
		{"VFS-DATA-018", Fail, sealedBackup(0, true), withBackups},
		{"VFS-DATA-018", Fail, sealedBackup(1, true), withBackups},
		{"VFS-DATA-018", Fail, both(sealedBackup(2, true), put(backupDir+"/key.txt", private(identityMark+"1"))), withBackups},
		{"VFS-DATA-018", Pass, sealedBackup(2, true), withBackups},

		{"VFS-MEM-006", Fail, big, nil},
		{"VFS-MEM-006", Fail, heavy, nil},
		{"VFS-MEM-006", Unknown, nil, func(o *Options) { o.SkipData = true }},
		{"VFS-MEM-008", Fail, alerts("redis_up == 0"), nil},
		{"VFS-MEM-008", Pass, alerts("redis_up == 0", "redis_memory_used_bytes / redis_memory_max_bytes > 0.9"), nil},
		{"VFS-MEM-008", Unknown, put("etc/systemd/system/redis_exporter.service", file("[Service]\nExecStart=/usr/bin/redis_exporter\n")), nil},
		{"VFS-REPL-009", Fail, alerts("redis_up == 0"), nil},
		{"VFS-REPL-009", Pass, alerts("redis_master_link_up == 0"), nil},

		{"VFS-INTEG-002", Fail, log("FUNCTION|LOAD|" + library), func(o *Options) { o.Functions = []string{strings.Repeat("0", 64)} }},
		{"VFS-INTEG-002", Pass, both(log("FUNCTION|LOAD|"+library), drop(dumpFile)), func(o *Options) { o.Functions = []string{digest(library)} }},
		{"VFS-INTEG-009", Fail, nil, against(t, `"ctime": "1`, `"ctime": "9`)},
		{"VFS-INTEG-009", Pass, nil, against(t, "", "")},
		{"VFS-INTEG-010", Fail, manifest("file appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.2.incr.aof seq 2 type i\n"), nil},
		{"VFS-INTEG-010", Fail, both(put("var/lib/valkey/appendonlydir/appendonly.aof.3.incr.aof", resp("SET|k|v")), manifest("file appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.3.incr.aof seq 3 type i\n")), nil},
		{"VFS-INTEG-010", Pass, log("SET|k|v"), nil},
		{"VFS-INTEG-011", Fail, log("SET|k|v", "SET|k|w"), policy},
		{"VFS-INTEG-011", Fail, log("SET|other|v", "DEL|k"), withPolicy("k")},
		{"VFS-INTEG-011", Fail, func(t testing.TB, tr tree) { delete(tr, dumpFile); log("SET|x|v")(t, tr) }, against(t, "", "", policy)},
		{"VFS-INTEG-011", Pass, nil, against(t, "", "", policy)},
		{"VFS-INTEG-011", Unknown, log("SET|k|v"), withPolicy("k")},

		{"VFS-REPL-010", Fail, replica(`aclfile ""`), nil},
		{"VFS-REPL-010", Fail, replica("port 6390", "tls-port 0"), nil},
		{"VFS-REPL-010", Pass, replica(), nil},
		{"VFS-REPL-010", Unknown, say("replicaof 10.0.0.9 6379"), nil},
	}
}

// impossible says why a check never comes to an answer, where it does not.
var impossible = map[string]map[Status]string{
	"VFS-AUTH-008": {Unknown: "a manifest says what it publishes; without one there is no container"},
	"VFS-PASS-007": {Fail: "what is not found may be elsewhere: the server has no lockout of its own"},
	"VFS-REPL-007": {Fail: "whether a primary has replicas its own files do not tell"},
	"VFS-DATA-003": {Fail: "needs a file system with access control lists: TestRealAccessControlLists"},
	"VFS-DATA-016": {Pass: "only a running host tells devices apart: TestBackupPlace"},
}
