package audit

import (
	"os"
	"path/filepath"
	"slices"
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
spec: {type: LoadBalancer, ports: [{port: 6379}]}
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
	pod := strings.Replace(kubernetes, "    spec:\n      securityContext", "    metadata: {labels: {app: cache}}\n    spec:\n      securityContext", 1)
	policy := func(spec string) string {
		return pod + "---\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: " + spec + "\n"
	}
	for name, test := range map[string]struct {
		text string
		want Status
	}{
		"none":             {pod, Unknown},
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

// reviewed are the checks that fail on what distributions ship, each of them
// rightly: default is open to the host itself and may do all, memory and buffers
// have no limit, latency is not watched, and older units confine less. The
// unpacked files have modes that their installation would change.
var reviewed = []string{"VFS-AUTH-001", "VFS-CONF-001", "VFS-CONF-005", "VFS-CONN-002", "VFS-DATA-012", "VFS-DATA-013", "VFS-MEM-001", "VFS-MEM-004",
	"VFS-REPL-008", "VFS-SLOW-001", "VFS-SLOW-003", "VFS-SLOW-006"}

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
		ids := failing(statuses(r))
		for _, id := range ids {
			if !slices.Contains(reviewed, id) {
				t.Errorf("%s fails, and was not reviewed\n%s", id, explain(r, id))
			}
		}
		for _, id := range []string{"VFS-AUTH-001", "VFS-MEM-001", "VFS-CONF-001"} {
			if !slices.Contains(ids, id) {
				t.Errorf("%s does not fail", id)
			}
		}
	})
}
