package audit

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

const kubernetes = `apiVersion: v1
kind: ConfigMap
metadata: {name: cache}
data:
  valkey.conf: |
    bind 0.0.0.0
    protected-mode no
    maxmemory 100mb
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: cache}
spec:
  template:
    metadata: {labels: {app: cache}}
    spec:
      securityContext: {runAsNonRoot: true}
      containers:
      - name: cache
        image: docker.io/valkey/valkey:8.0.1
        args: [valkey-server, /etc/valkey/valkey.conf, --maxmemory, "0"]
        ports: [{containerPort: 6379, hostPort: 6379}]
        env: [{name: CACHE_PASSWORD, valueFrom: {secretKeyRef: {name: s, key: k}}}]
      - name: sidecar
        image: example/app:1
---
apiVersion: v1
kind: Service
metadata: {name: cache}
spec: {type: LoadBalancer, selector: {app: cache}, ports: [{port: 6379}]}
`

func TestKubernetes(t *testing.T) {
	fs := image(t, tree{"deploy/cache.yaml": file(kubernetes)})
	r, err := Run(t.Context(), fs, []string{"/deploy"}, &Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Servers) != 1 || r.Servers[0].Name != "/deploy/cache.yaml#valkey.conf" || r.Servers[0].Server.Version.String() != "valkey-8.0" {
		t.Fatalf("%d servers, %+v", len(r.Servers), r.Servers[0])
	}
	got := statuses(r)
	for id, want := range map[string]Status{"VFS-AUTH-001": Fail, "VFS-AUTH-004": Fail, "VFS-AUTH-007": Pass, "VFS-AUTH-008": Fail, "VFS-DATA-012": Pass, "VFS-DATA-013": Fail, "VFS-MEM-001": Fail, "VFS-PASS-008": Pass} {
		if got[id] != want {
			t.Errorf("%s: %s, want %s\n%s", id, got[id], want, explain(r, id))
		}
	}
	for i := range r.Results {
		if x := &r.Results[i]; x.Check.ID == "VFS-AUTH-004" && x.Place != (Place{"/deploy/cache.yaml", 7}) {
			t.Errorf("protected-mode stands at %v", x.Place)
		}
	}
}

func TestNetworkPolicy(t *testing.T) {
	policy := func(spec string) string {
		return kubernetes + "---\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: " + spec + "\n"
	}
	for name, test := range map[string]struct {
		text string
		want Status
	}{
		"none":             {kubernetes, Unknown},
		"another's":        {policy("{podSelector: {matchLabels: {app: web}}, ingress: [{}]}"), Unknown},
		"egress only":      {policy("{podSelector: {}, policyTypes: [Egress]}"), Unknown},
		"denies all":       {policy("{podSelector: {}, policyTypes: [Ingress]}"), Pass},
		"named pods":       {policy("{podSelector: {matchLabels: {app: cache}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 6379}]}]}"), Pass},
		"everyone":         {policy("{podSelector: {matchLabels: {app: cache}}, ingress: [{ports: [{port: 6379}]}]}"), Fail},
		"every address":    {policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 6000, endPort: 7000}]}]}"), Fail},
		"every namespace":  {policy("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}"), Fail},
		"to another port":  {policy("{podSelector: {}, ingress: [{ports: [{port: 9121}]}]}"), Pass},
		"to a port's name": {policy("{podSelector: {}, ingress: [{ports: [{port: cache}]}]}"), Fail},
	} {
		r, err := Run(t.Context(), image(t, tree{"deploy/cache.yaml": file(test.text)}), []string{"/deploy"}, &Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if got := statuses(r)["VFS-AUTH-009"]; got != test.want {
			t.Errorf("%s: %s, want %s\n%s", name, got, test.want, explain(r, "VFS-AUTH-009"))
		}
	}
}

// reviewed says of each check that fails on what is shipped why it rightly does.
var reviewed = map[string]string{
	"VFS-AUTH-001": "default needs no password and may do all: of this host only, or in a container of everyone who reaches it",
	"VFS-AUTH-004": "the images are built with protected mode off",
	"VFS-AUTH-008": "a port without an address is published on all of the host's",
	"VFS-CONF-001": "default may do all",
	"VFS-CONF-005": "the unpacked file has mode 0644; the package's installation takes that from others",
	"VFS-CONN-002": "timeout 0 is the default, and a container's port is reached from elsewhere",
	"VFS-DATA-012": "UMask=0007 lets the group read what is written anew",
	"VFS-DATA-013": "older units leave ProtectSystem at true or full; an image's root file system is writable unless the manifest says otherwise",
	"VFS-MEM-001":  "no maxmemory is set",
	"VFS-MEM-004":  "output buffers of normal clients are 0 0 0, and maxmemory-clients is not set",
	"VFS-PASS-001": "the example's password is short, and a word",
	"VFS-PASS-002": "the example's password is in the dictionary",
	"VFS-PASS-005": "the example has its password in clear",
	"VFS-PASS-008": "the example has its password on the command line",
	"VFS-REPL-008": "default may do all",
	"VFS-SLOW-001": "default may do all",
	"VFS-SLOW-009": "default may do all",
	"VFS-SLOW-003": "latency-monitor-threshold is 0",
	"VFS-SLOW-006": "lazyfree-lazy-… are off until Valkey 8",
	"VFS-TLS-001":  "a container's port is reached from elsewhere without TLS, from other containers at least",
}

// golden lists what fails, and holds it against a file.
func golden(t *testing.T, name string, r *Report) {
	t.Helper()
	var b strings.Builder
	for i := range r.Results {
		x := &r.Results[i]
		if x.Status != Fail {
			continue
		}
		if reviewed[x.Check.ID] == "" {
			t.Errorf("%s fails, and was not reviewed: %s", x.Check.ID, x.Evidence)
		}
		fmt.Fprintf(&b, "%s %s %s:%d %s\n", x.Check.ID, x.Severity, x.Place.File, x.Place.Line, x.Evidence)
	}
	file := filepath.Join("testdata", "shipped", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("%s fails otherwise than it did (-update, and read what is new):\n%s", name, b.String())
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

// TestShipped judges the configurations and units that Debian ships with each of
// the servers.
func TestShipped(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		fs, err := hostfs.Open(filepath.Join(os.Getenv("VALKEYFS_SERVERS"), s.Name))
		if err != nil {
			t.Fatal(err)
		}
		defer fs.Close()
		r, err := Run(t.Context(), fs, nil, &Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if r.Incomplete || r.Servers[0].Server.Fatal() != nil || r.Servers[0].Unit == nil {
			t.Errorf("incomplete %v, %+v, unit %v", r.Incomplete, r.Servers[0].Server.Fatal(), r.Servers[0].Unit)
		}
		golden(t, s.Name, r)
	})
}

// TestExamples judges Compose files of the kinds that the official images are
// shown with.
func TestExamples(t *testing.T) {
	for name, text := range map[string]string{
		"compose-plain":     "services:\n  redis:\n    image: redis:7.2\n    ports:\n      - \"6379:6379\"\n",
		"compose-persist":   "services:\n  valkey:\n    image: valkey/valkey:8.1\n    command: valkey-server --save 60 1 --loglevel warning\n    volumes:\n      - data:/data\nvolumes:\n  data:\n",
		"compose-password":  "services:\n  valkey:\n    image: valkey/valkey:8.0-alpine\n    command: [\"valkey-server\", \"--requirepass\", \"" + "pass" + "word\"]\n    ports: [\"127.0.0.1:6379:6379\"]\n",
		"compose-no-server": "services:\n  web:\n    image: nginx\n  shop:\n    image: shop\n    environment: {CACHE: cache}\n",
	} {
		r, err := Run(t.Context(), image(t, tree{"srv/compose.yaml": file(text)}), []string{"/srv"}, &Options{Now: now})
		if strings.HasSuffix(name, "no-server") {
			if !errors.Is(err, ErrNothing) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, r)
	}
}

// TestManyUsers: the users of a large ACL file are all judged, and beyond the
// limit it is said that they are not; the user default always is.
func TestManyUsers(t *testing.T) {
	for _, test := range []struct {
		n     int
		last  string
		users Status // VFS-CONF-001 and others of all users
		open  Status // VFS-AUTH-001
	}{
		{10_000, "user default off", Pass, Pass},
		{10_000, "user default on nopass +@all ~*", Fail, Fail},
		{60_000, "user default off", Unknown, Pass},
		{60_000, "user default on nopass +@all ~*", Fail, Fail},
		{10, "user default off " + strings.Repeat("~x ", 1<<19), Unknown, Unknown},
		{10, "user default off " + strings.Repeat(">x ", 2000), Pass, Pass},
		{10, "user default off " + strings.Join(numbered(">%d%.0[2]s", 2000), " "), Unknown, Unknown},
		{10, "user default on nopass\nuser big " + strings.Repeat("~x ", 1<<19), Unknown, Fail},
	} {
		lines := numbered("user u%d on #%[2]s ~u%[1]d:* +@read", test.n)
		tr := hardened(t)
		users(append(lines, test.last)...)(t, tr)
		r, got := judge(t, tr)
		if got["VFS-CONF-001"] != test.users || got["VFS-AUTH-001"] != test.open || r.Incomplete != r.Servers[0].Server.Users.Cut {
			t.Errorf("%d users, %.40s: %s and %s, want %s and %s; incomplete %v", test.n, test.last, got["VFS-CONF-001"], got["VFS-AUTH-001"], test.users, test.open, r.Incomplete)
		}
		if fix, err := NewFix(r, r.Servers[0], rand.Reader); err != nil || r.Servers[0].Server.Users.Cut && fix.ACL != nil {
			t.Errorf("%d users, %.40s: an ACL file is printed without those that were not looked at: %v", test.n, test.last, err)
		}
		if cut := r.Servers[0].Server.Users.Cut; cut && (got["VFS-PASS-002"] == Pass || got["VFS-PASS-003"] == Pass || got["VFS-REPL-008"] == Pass) {
			t.Errorf("%d users, %.40s: passes what was not looked at", test.n, test.last)
		}
	}
}

// numbered returns lines with numbers and digests of them.
func numbered(format string, n int) []string {
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf(format, i, digest(fmt.Sprint(i))))
	}
	return lines
}

// TestUsersOfAMegabyte: users whose rules are long are judged one by one, without
// being kept.
func TestUsersOfAMegabyte(t *testing.T) {
	lines := []string{"user default off"}
	for i := range 100 {
		lines = append(lines, fmt.Sprintf("user u%d on #%s +@read %s", i, digest(fmt.Sprint(i)), strings.Repeat(fmt.Sprintf("~u%d:* ", i), 100_000)))
	}
	tr := hardened(t)
	users(lines...)(t, tr)
	r, got := judge(t, tr)
	us := r.Servers[0].Server.Users
	if got["VFS-CONF-001"] != Pass || r.Incomplete || us.Cut || !us.RulesCut || us.Get("u99").Passwords[0].Hash != digest("99") {
		t.Errorf("%s, incomplete %v\n%s", got["VFS-CONF-001"], r.Incomplete, explain(r))
	}
}

// TestLongLine: a line without an end costs no memory, and is told.
func TestLongLine(t *testing.T) {
	tr := hardened(t)
	say("requirepass "+strings.Repeat("x", 16<<20))(t, tr)
	r, got := judge(t, tr)
	if got["VFS-AUTH-010"] == Pass || !r.Incomplete && r.Servers[0].Server.Fatal() == nil {
		t.Errorf("%s, incomplete %v", got["VFS-AUTH-010"], r.Incomplete)
	}
}

// TestIncludes: a circle of includes and a pattern over the whole host end.
func TestIncludes(t *testing.T) {
	tr := hardened(t)
	say("include /etc/valkey/valkey.conf", "include /*/*/*/*")(t, tr)
	if _, got := judge(t, tr); got["VFS-AUTH-010"] == Pass {
		t.Error(got["VFS-AUTH-010"])
	}
	// Files that include each other are one server, not none.
	tr = tree{confFile: private("include /etc/valkey/more.conf\nport 0\n"), "etc/valkey/more.conf": private("include /etc/valkey/valkey.conf\nport 0\nmaxmemory 1gb\n")}
	if r, _ := judge(t, tr); len(r.Servers) != 1 {
		t.Errorf("%d servers", len(r.Servers))
	}
	// A file that does nothing else is a configuration, too.
	tr = tree{confFile: private("include /etc/valkey/base.inc\n"), "etc/valkey/base.inc": private("port 6379\n")}
	r, err := Run(t.Context(), image(t, tr), []string{"/etc/valkey"}, &Options{Now: now})
	if err != nil || len(r.Servers) != 1 {
		t.Errorf("%v", err)
	}
}

// TestInside: what a container's configuration leads to is looked for where the
// container has it.
func TestInside(t *testing.T) {
	const compose = "services:\n  one:\n    image: valkey/valkey:8.1\n    command: valkey-server --aclfile /acl/users.acl\n    volumes: [\"./acl:/acl:ro\", \"data:/data\"]\n"
	withACL := strings.Replace(kubernetes, "    maxmemory 100mb\n", "    aclfile /etc/valkey/users.acl\n", 1)
	bitnami := func(env string) string {
		return "services:\n  one:\n    image: bitnami/valkey:8.0\n    environment: {" + env + "}\n"
	}
	strong := password()
	for name, test := range map[string]struct {
		tree tree
		want map[string]Status
	}{
		"a volume": {tree{"srv/compose.yaml": file(compose), "srv/acl/users.acl": private("user default off\nuser a on #" + digest(strong) + " +get ~*\n")},
			map[string]Status{"VFS-AUTH-001": Pass, "VFS-AUTH-010": Pass}},
		"a volume without it": {tree{"srv/compose.yaml": file(compose)}, map[string]Status{"VFS-AUTH-010": Fail}},
		"inside the image": {tree{"srv/compose.yaml": file(strings.Replace(compose, "./acl", "acl", 1)), "acl/users.acl": file("user default on nopass\n")},
			map[string]Status{"VFS-AUTH-001": Unknown, "VFS-AUTH-004": Unknown, "VFS-AUTH-010": Unknown, "VFS-CONF-001": Unknown, "VFS-PASS-002": Unknown}},
		"the ConfigMap":     {tree{"srv/k8s.yaml": file(strings.Replace(withACL, "  valkey.conf: |", "  users.acl: |\n    user default off\n  valkey.conf: |", 1))}, map[string]Status{"VFS-AUTH-001": Pass, "VFS-AUTH-008": Fail}},
		"no ConfigMap":      {tree{"srv/k8s.yaml": file(withACL)}, map[string]Status{"VFS-AUTH-001": Unknown, "VFS-AUTH-010": Unknown}},
		"another's Service": {tree{"srv/k8s.yaml": file(strings.NewReplacer("selector: {app: cache}", "selector: {app: web}", ", hostPort: 6379", "").Replace(kubernetes))}, map[string]Status{"VFS-AUTH-008": Fail}},
		"Bitnami's password": {tree{"srv/compose.yaml": file(bitnami("VALKEY_PASSWORD: " + strong))},
			map[string]Status{"VFS-AUTH-001": Pass, "VFS-PASS-001": Pass, "VFS-PASS-008": Fail}},
		"Bitnami's file":  {tree{"srv/compose.yaml": file(bitnami("VALKEY_PASSWORD_FILE: /run/secrets/p"))}, map[string]Status{"VFS-AUTH-001": Pass, "VFS-PASS-001": Unknown, "VFS-PASS-005": Pass, "VFS-PASS-008": Pass}},
		"Bitnami's empty": {tree{"srv/compose.yaml": file(bitnami(`ALLOW_EMPTY_PASSWORD: "yes", VALKEY_DISABLE_COMMANDS: "CONFIG,KEYS"`))}, map[string]Status{"VFS-AUTH-001": Fail, "VFS-PASS-008": Pass, "VFS-CONF-001": Pass}},
		"Bitnami's TLS":   {tree{"srv/compose.yaml": file(bitnami(`VALKEY_PASSWORD: "` + strong + `", VALKEY_TLS_ENABLED: "yes", VALKEY_TLS_AUTH_CLIENTS: "no"`))}, map[string]Status{"VFS-TLS-001": Pass, "VFS-TLS-003": Fail, "VFS-DATA-014": NA}},
		"a variable":      {tree{"srv/compose.yaml": file("services:\n  one:\n    image: redis:7\n    command: redis-server --requirepass ${PASSWORD:?}\n")}, map[string]Status{"VFS-AUTH-001": Pass, "VFS-PASS-001": Unknown, "VFS-PASS-005": Pass, "VFS-PASS-008": Pass}},
		"a known variable": {tree{"srv/compose.yaml": file("services:\n  one:\n    image: redis:7\n    environment: [P=short]\n    command: redis-server --requirepass $P\n")},
			map[string]Status{"VFS-PASS-001": Fail, "VFS-PASS-005": Fail}},
		"a health check": {tree{"srv/compose.yaml": file("services:\n  one:\n    image: redis:7\n    healthcheck: {test: [CMD, redis-cli, -a, " + strong + ", ping]}\n")}, map[string]Status{"VFS-PASS-008": Fail}},
		"a hidden one":   {tree{"srv/compose.yaml": file("services:\n  one:\n    image: redis:7\n    healthcheck: {test: 'redis-cli -a $(cat /run/p) ping'}\n")}, map[string]Status{"VFS-PASS-008": Pass}},
		"its own host":   {tree{"srv/compose.yaml": file("services: {one: {image: 'redis:7'}}\n"), "srv/.env": file("URL=redis://localhost:6379\n")}, map[string]Status{"VFS-TLS-010": Unknown}},
		"another host":   {tree{"srv/compose.yaml": file("services: {one: {image: 'redis:7'}}\n"), "srv/.env": file("URL=redis://localhost.example:6379\n")}, map[string]Status{"VFS-TLS-010": Fail}},
	} {
		r, err := Run(t.Context(), image(t, test.tree), []string{"/srv"}, &Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		got := statuses(r)
		for id, want := range test.want {
			if got[id] != want {
				t.Errorf("%s: %s: %s, want %s\n%s", name, id, got[id], want, explain(r, id))
			}
		}
	}
}

// TestTwoServices: the servers of one file are told apart, and what is of none in
// particular is judged once.
func TestTwoServices(t *testing.T) {
	text := "services:\n  a: {image: 'redis:7', command: redis-server --maxmemory 0}\n  b: {image: 'redis:7', command: redis-server --maxmemory 1gb}\n"
	r, err := Run(t.Context(), image(t, tree{"srv/compose.yaml": file(text), "srv/.env": file("URL=redis://:" + password() + "@cache:6379\n")}), []string{"/srv"}, &Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Status{}
	for i := range r.Results {
		x := &r.Results[i]
		got[x.Server+" "+x.Check.ID] = x.Status
	}
	for what, want := range map[string]Status{"a VFS-MEM-001": Fail, "b VFS-MEM-001": Pass, "a VFS-TLS-010": Fail, "b VFS-TLS-010": NA, "a VFS-PASS-008": Fail, "b VFS-PASS-008": Pass} {
		if s := got["/srv/compose.yaml#"+what]; s != want {
			t.Errorf("%s: %s, want %s", what, s, want)
		}
	}
}

// FuzzHost judges a host of which a manifest, a unit and an environment file are
// whatever they are.
func FuzzHost(f *testing.F) {
	const unit = "[Service]\nExecStart=/usr/bin/valkey-server /etc/valkey/valkey.conf --requirepass x\nLimitNOFILE=1:2\nUMask=7\n"
	f.Add(kubernetes, unit, "URL=redis://:x@cache:6379\n")
	f.Add("services:\n  one: {image: bitnami/valkey:8, environment: [VALKEY_TLS_ENABLED=yes, P=], command: [sh, -c, 'valkey-server --aclfile $P'], volumes: ['.:/', x], ports: [{target: 6379}]}\n", "", "")
	f.Add("a: &a [*a]\nservices: {b: *a}\n", "[Service]\n\\\n", "\x00")
	dir := f.TempDir()
	conf, unitAt, manifest, env := filepath.Join(dir, confFile), filepath.Join(dir, unitFile), filepath.Join(dir, "srv/x.yaml"), filepath.Join(dir, "srv/.env")
	for _, name := range []string{conf, unitAt, manifest} {
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, yaml, unit, vars string) {
		for name, text := range map[string]string{conf: "port 0\n", unitAt: unit, manifest: yaml, env: vars} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		fs, err := hostfs.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer fs.Close()
		r, err := Run(t.Context(), fs, []string{"/etc/valkey", "/srv"}, &Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(explain(r, "VFS-AUTH-001"), "VFS-AUTH-001"); n != len(r.Servers) {
			t.Errorf("%d answers for %d servers", n, len(r.Servers))
		}
	})
}

// TestRemediesSpeakTheManifestsLanguage: what is to be written is what the platform reads.
func TestRemediesSpeakTheManifestsLanguage(t *testing.T) {
	for name, c := range map[string]struct{ text, root, publish string }{
		"compose.yaml": {"services:\n  cache:\n    image: valkey/valkey:8.1\n    ports: [\"6379:6379\"]\n", "read_only: true", "publish it on 127.0.0.1, or not at all"},
		"pod.yaml": {"apiVersion: v1\nkind: Pod\nmetadata: {name: cache}\nspec:\n  containers:\n  - {name: cache, image: \"valkey/valkey:8.1\", ports: [{containerPort: 6379, hostPort: 6379}]}\n",
			"readOnlyRootFilesystem: true", "type: ClusterIP, and a NetworkPolicy; no hostPort"},
	} {
		r, err := Run(t.Context(), image(t, tree{"srv/" + name: file(c.text)}), []string{"/"}, &Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, x := range r.Results {
			got[x.Check.ID] = x.Remedy
		}
		if got["VFS-DATA-013"] != c.root || got["VFS-AUTH-008"] != c.publish {
			t.Errorf("%s: %q and %q", name, got["VFS-DATA-013"], got["VFS-AUTH-008"])
		}
	}
}
