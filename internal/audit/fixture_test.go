package audit

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
)

// tree is the image of a host: paths, and what stands there.
type tree map[string]entry

type entry struct {
	text string
	mode os.FileMode
	link string // a symbolic link
}

// file is what most entries are.
func file(text string) entry { return entry{text: text, mode: 0o644} }

func private(text string) entry { return entry{text: text, mode: 0o600} }

// write puts the image on disk and returns where.
func (tr tree) write(t testing.TB) string {
	t.Helper()
	return tr.writeTo(t, t.TempDir())
}

// writeTo is write into an empty directory.
func (tr tree) writeTo(t testing.TB, root string) string {
	t.Helper()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(tr)) {
		e, at := tr[name], filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(at), 0o755)
		switch {
		case err != nil:
		case e.link != "":
			err = os.Symlink(e.link, at)
		case e.mode.IsDir():
			if err = os.MkdirAll(at, 0o755); err == nil {
				err = os.Chmod(at, e.mode.Perm())
			}
		default:
			if err = os.WriteFile(at, []byte(e.text), 0o600); err == nil {
				err = os.Chmod(at, e.mode.Perm())
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func (tr tree) clone() tree { return maps.Clone(tr) }

// set replaces a file's text and keeps its mode.
func (tr tree) set(name, text string) {
	e := tr[name]
	e.text = text
	if e.mode == 0 {
		e.mode = 0o644
	}
	tr[name] = e
}

func (tr tree) mode(name string, mode os.FileMode) {
	e := tr[name]
	e.mode = e.mode&^os.ModePerm | mode
	tr[name] = e
}

// now is when the fixtures are judged.
var now = time.Date(2030, 1, 15, 12, 0, 0, 0, time.UTC)

// password is one that is strong, and not always the same.
var password = sync.OnceValue(func() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b)
	return fmt.Sprintf("%xA-", b)
})

// certificate makes a certificate and its key in PEM.
func certificate(t testing.TB, bits int, ends time.Time, names ...string) (cert, key string) {
	t.Helper()
	var public, secret any
	if bits == 0 {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		public, secret = &k.PublicKey, k
	} else {
		t.Setenv("GODEBUG", "rsa1024min=0")
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		public, secret = &k.PublicKey, k
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "valkey"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: ends, DNSNames: names}
	der, err := x509.CreateCertificate(rand.Reader, c, c, public, secret)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

const (
	confFile = "etc/valkey/valkey.conf"
	aclFile  = "etc/valkey/users.acl"
	unitFile = "etc/systemd/system/valkey.service"
	nftFile  = "etc/nftables.conf"
	dumpFile = "var/lib/valkey/dump.rdb"
	certFile = "etc/valkey/tls/server.crt"
	keyFile  = "etc/valkey/tls/server.key"
)

// hardened is a host on which nothing fails.
func hardened(t testing.TB) tree {
	t.Helper()
	cert, key := certificate(t, 0, now.AddDate(1, 0, 0), "valkey.example")
	dump, err := os.ReadFile("../../testdata/dumps/valkey-8.1.rdb")
	if err != nil {
		t.Fatal(err)
	}
	return tree{
		confFile: {mode: 0o640, text: `bind 127.0.0.1 10.0.0.5
protected-mode yes
port 0
tls-port 6379
tls-cert-file /etc/valkey/tls/server.crt
tls-key-file /etc/valkey/tls/server.key
tls-ca-cert-file /etc/valkey/tls/server.crt
tls-auth-clients yes
tls-protocols "TLSv1.2 TLSv1.3"
unixsocket /run/valkey/valkey.sock
unixsocketperm 770
timeout 300
tcp-keepalive 300
maxclients 10000
maxmemory 512mb
maxmemory-policy volatile-lru
maxmemory-clients 5%
dir /var/lib/valkey
dbfilename dump.rdb
save 3600 1
rdbchecksum yes
aclfile /etc/valkey/users.acl
enable-protected-configs no
enable-debug-command no
enable-module-command no
latency-monitor-threshold 100
slowlog-log-slower-than 10000
slowlog-max-len 128
replica-read-only yes
min-replicas-to-write 1
`},
		aclFile: {mode: 0o640, text: "user default off\n" +
			"user admin on #" + digest(password()+"1") + " ~* &* +@all\n" +
			"user app on #" + digest(password()+"2") + " ~app:* +@read +@write -@dangerous +ping\n" +
			"user auditor on #" + digest(password()+"3") + " +config|get +acl|list +info\n"},
		unitFile: file(`[Unit]
Description=Valkey
[Service]
ExecStart=/usr/bin/valkey-server /etc/valkey/valkey.conf --supervised systemd \
  --daemonize no
User=valkey
UMask=0077
LimitNOFILE=65535
LimitCORE=0
MemoryMax=1G
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/var/lib/valkey
`),
		nftFile: file(`table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ip saddr 10.0.0.0/24 tcp dport 6379 ct count over 50 drop
    ip saddr 10.0.0.0/24 tcp dport 6379 accept
  }
}
`),
		"etc/fail2ban/jail.local":            file("[valkey]\nenabled = true\n"),
		"etc/passwd":                         file(fmt.Sprintf("root:x:0:0::/:/bin/sh\nvalkey:x:%d:0::/:/bin/false\n", os.Getuid())),
		certFile:                             file(cert),
		keyFile:                              private(key),
		dumpFile:                             private(string(dump)),
		"var/lib/valkey":                     {mode: os.ModeDir | 0o700},
		"proc/self/mountinfo":                file("22 1 254:0 / / rw - ext4 /dev/mapper/root rw\n"),
		"sys/dev/block/254:0/dm/uuid":        file("CRYPT-LUKS2-0123456789abcdef0123456789abcdef-root\n"),
		"proc/swaps":                         file("Filename Type Size Used Priority\n"),
		"proc/sys/vm/overcommit_memory":      file("1\n"),
		"proc/sys/kernel/core_pattern":       file("core\n"),
		"srv/app/.env":                       file("CACHE_URL=rediss://cache.example:6379/0\n"),
		"etc/valkey/not-a-server's-own.conf": file("nothing here\n"),
	}
}

// judge runs all checks on the image and returns what each came to: a check that
// fails anywhere fails.
func judge(t testing.TB, tr tree, change ...func(*Options)) (*Report, map[string]Status) {
	t.Helper()
	fs, err := hostfs.Open(tr.write(t))
	if err != nil {
		t.Fatal(err)
	}
	defer fs.Close()
	o := &Options{Now: now}
	for _, c := range change {
		c(o)
	}
	paths := []string{"/etc/valkey"}
	if _, err := fs.Stat("/srv"); err == nil {
		paths = append(paths, "/srv")
	}
	r, err := Run(context.Background(), fs, paths, o)
	if err != nil {
		t.Fatal(err)
	}
	return r, statuses(r)
}

// gravest orders what the servers of a report come to: one that fails counts.
var gravest = []Status{Fail, Waived, Unknown, Pass, NA}

func statuses(r *Report) map[string]Status {
	got := map[string]Status{}
	for i := range r.Results {
		x := &r.Results[i]
		if was, ok := got[x.Check.ID]; !ok || slices.Index(gravest, x.Status) < slices.Index(gravest, was) {
			got[x.Check.ID] = x.Status
		}
	}
	return got
}

func failing(got map[string]Status) []string {
	var ids []string
	for id, s := range got {
		if s == Fail {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// explain lists a report's results for a failure message.
func explain(r *Report, ids ...string) string {
	var b strings.Builder
	for i := range r.Results {
		x := &r.Results[i]
		if len(ids) == 0 && x.Status == Fail || slices.Contains(ids, x.Check.ID) {
			fmt.Fprintf(&b, "  %s %s %s:%d %s\n", x.Check.ID, x.Status, x.Place.File, x.Place.Line, x.Evidence)
		}
	}
	return b.String()
}

// image opens an image.
func image(t testing.TB, tr tree) *hostfs.FS {
	t.Helper()
	fs, err := hostfs.Open(tr.write(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fs.Close() })
	return fs
}
