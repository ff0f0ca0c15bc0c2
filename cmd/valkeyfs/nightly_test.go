package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// commands returns the indented lines of a section of the documentation.
func commands(t *testing.T, file, from, to string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), from)
	section, _, found := strings.Cut(section, to)
	if !ok || !found {
		t.Fatalf("%s: no section from %q to %q", file, from, to)
	}
	var all []string
	for line := range strings.Lines(section) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			all = append(all, strings.TrimSpace(command))
		}
	}
	return all
}

// What docs/backup.md tells a new user to do, done word by word beside a running
// server, below a root of its own: at most nine commands set a nightly backup up
// and restore it. What only root and systemd can do is done by stand-ins: the
// timer's service is run at once.
func TestNightly(t *testing.T) {
	server := servertest.Find(t, "valkey-8.0")
	root := t.TempDir()
	data := filepath.Join(root, "var/lib/valkey")
	for _, dir := range []string{data, filepath.Join(root, "etc/systemd/system"), filepath.Join(root, "bin"), filepath.Join(root, "tmp")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	live := server.Start(t, data, "--appendonly", "yes")
	for i := range 100 {
		live.Must(t, "SET", fmt.Sprint("k", i), "v")
	}
	digest := live.Digest(t)

	standIns := map[string]string{
		"runuser": `shift 3; exec "$@"`,
		"install": `shift 3; exec /usr/bin/install -d "$@"`, // -d -o valkey
		"systemctl": `[ "$*" = "enable --now valkeyfs-backup@main.timer" ] || exit 1
sed -i "s|\"/var/|\"$ROOT/var/|; s|\"/etc/|\"$ROOT/etc/|" "$ROOT/etc/valkeyfs/backup.d/main.conf"
service=$ROOT/etc/systemd/system/valkeyfs-backup@.service
[ -e "$ROOT/etc/systemd/system/valkeyfs-backup@.timer" ]
command=$(sed -n "s|^ExecStart=/usr/bin/||p" "$service" | sed "s|%i|main|g; s| /etc/| $ROOT/etc/|")
exec $command`,
	}
	for name, script := range standIns {
		if err := os.WriteFile(filepath.Join(root, "bin", name), []byte("#!/bin/sh -e\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	env := append(os.Environ(), "ROOT="+root, "PATH="+filepath.Join(root, "bin")+":"+os.Getenv("PATH"), "XDG_STATE_HOME="+filepath.Join(root, "var/lib"))

	all := commands(t, "../../docs/backup.md", "# A nightly", "## What is captured")
	if len(all) == 0 || len(all) > 9 {
		t.Errorf("%d commands, want at most nine", len(all))
	}
	recipient := ""
	paths := regexp.MustCompile(`(^|[ >])(/(?:etc|var|tmp)/)`)
	for _, line := range all {
		line = paths.ReplaceAllString(strings.ReplaceAll(line, "age1pq1…", recipient), "${1}"+root+"${2}")
		line = strings.ReplaceAll(line, "contrib/", "../../contrib/")
		line = strings.ReplaceAll(line, " key.txt", " "+filepath.Join(root, "key.txt"))
		cmd := exec.Command("sh", "-ec", line)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", line, err, out)
		}
		if strings.Contains(line, "--pq") {
			recipient = strings.TrimSpace(string(out))
		}
	}
	again := server.Start(t, filepath.Join(root, "tmp/look"), "--appendonly", "yes")
	if got := again.Digest(t); got != digest {
		t.Errorf("what was restored has the digest %s, the server %s", got, digest)
	}
}

// The units are well-formed, as far as systemd itself can tell.
func TestUnits(t *testing.T) {
	units, err := filepath.Glob("../../contrib/systemd/*")
	if err != nil || len(units) == 0 {
		t.Fatalf("%d units, %v", len(units), err)
	}
	dir := t.TempDir()
	args := []string{"verify", "--man=no"}
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		// A call that systemd does not know, such as cachestat(2) before 255, must not
		// end the program, and what lies in a runtime directory goes with the service.
		if s := string(text); strings.Contains(s, "SystemCallFilter=") && !strings.Contains(s, "\nSystemCallErrorNumber=EPERM\n") || strings.Contains(s, " -o /run/") {
			t.Errorf("%s: the program would be killed, or its report lost", filepath.Base(unit))
		}
		copied := filepath.Join(dir, filepath.Base(unit))
		// Any program that exists here.
		if err := os.WriteFile(copied, []byte(strings.ReplaceAll(string(text), "/usr/bin/valkeyfs", "/bin/true")), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, copied)
		if timer, ok := strings.CutSuffix(unit, ".timer"); ok {
			if _, err := os.Stat(timer + ".service"); err != nil {
				t.Errorf("%s has no service", filepath.Base(unit))
			}
		}
	}
	verify := exec.Command(servertest.Installed(t, "systemd", "/usr/bin/systemd-analyze"), args...)
	if out, err := verify.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

// Every command line in contrib is one that the program takes.
func TestContributed(t *testing.T) {
	verb := regexp.MustCompile(`valkeyfs ((?:backup|verify|prune|restore|inspect|fleet [a-z]+)\b.*)`)
	flag := regexp.MustCompile(`(?:^|[ "])--([a-z0-9-]+)`)
	files, err := filepath.Glob("../../contrib/*/*")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	seen := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		if strings.HasSuffix(file, ".yaml") {
			lines = nil
			for _, args := range regexp.MustCompile(`(?m)^ +args:\n((?: +- .*\n)+)`).FindAllStringSubmatch(string(text), -1) {
				lines = append(lines, "valkeyfs "+strings.Join(strings.Fields(strings.ReplaceAll(args[1], " - ", " ")), " "))
			}
		}
		for _, line := range lines {
			m := verb.FindStringSubmatch(line)
			if m == nil || strings.HasPrefix(line, "#") {
				continue
			}
			name, rest, _ := strings.Cut(m[1], " ")
			if name == "fleet" {
				sub, _, _ := strings.Cut(rest, " ")
				name += " " + sub
			}
			if known[name] == "" {
				out, err := exec.Command("valkeyfs", append([]string{"help"}, strings.Fields(name)...)...).Output()
				if err != nil {
					t.Fatal(err)
				}
				known[name] = string(out)
			}
			for _, f := range flag.FindAllStringSubmatch(m[1], -1) {
				seen++
				if !strings.Contains(known[name], " --"+f[1]+" ") {
					t.Errorf("%s: %s has no flag --%s", filepath.Base(file), name, f[1])
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d flags were found", seen)
	}
}

// The CronJob decodes strictly into Kubernetes' own types, asks for what restricted
// pod security wants, and mounts what its command line names.
func TestCronJob(t *testing.T) {
	text, err := os.ReadFile("../../contrib/kubernetes/backup-cronjob.yaml")
	if err != nil {
		t.Fatal(err)
	}
	first, second, ok := bytes.Cut(text, []byte("\n---\n"))
	var claim corev1.PersistentVolumeClaim
	var job batchv1.CronJob
	if err := errors.Join(yaml.UnmarshalStrict(first, &claim), yaml.UnmarshalStrict(second, &job)); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if claim.APIVersion != "v1" || claim.Kind != "PersistentVolumeClaim" || claim.Spec.AccessModes[0] != corev1.ReadWriteOnce || claim.Spec.Resources.Requests.Storage().IsZero() {
		t.Errorf("the claim: %+v", claim)
	}
	pod := job.Spec.JobTemplate.Spec.Template.Spec
	if job.APIVersion != "batch/v1" || job.Kind != "CronJob" || len(strings.Fields(job.Spec.Schedule)) != 5 || job.Spec.ConcurrencyPolicy != batchv1.ForbidConcurrent ||
		pod.RestartPolicy != corev1.RestartPolicyNever || len(pod.Containers) != 1 {
		t.Fatalf("the job: %+v", job)
	}
	c := pod.Containers[0]
	if !*pod.SecurityContext.RunAsNonRoot || pod.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault ||
		*c.SecurityContext.AllowPrivilegeEscalation || !slices.Contains(c.SecurityContext.Capabilities.Drop, "ALL") {
		t.Errorf("restricted pod security would not let it run: %v, %v", pod.SecurityContext, c.SecurityContext)
	}
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
		if p := v.PersistentVolumeClaim; p != nil && p.ClaimName != claim.Name {
			t.Errorf("there is no claim %s", p.ClaimName)
		}
	}
	mounted := func(path string) bool {
		return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return strings.HasPrefix(path, m.MountPath) && volumes[m.Name] })
	}
	named := 0
	for _, text := range append(c.Args, c.Env[0].Value, c.Env[1].Value) {
		if _, path, ok := strings.Cut("="+text, "=/"); ok {
			named++
			if !mounted("/" + path) {
				t.Errorf("%s lies in no volume", text)
			}
		}
	}
	if named != 5 || c.Args[0] != "backup" {
		t.Errorf("%q names %d files", c.Args, named)
	}
}
