package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

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
	build := exec.Command("go", "build", "-o", filepath.Join(root, "bin/valkeyfs"), ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
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
	verify := exec.Command("systemd-analyze", "verify", "--man=no")
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(dir, filepath.Base(unit))
		// Any program that exists here.
		if err := os.WriteFile(copied, []byte(strings.ReplaceAll(string(text), "/usr/bin/valkeyfs", "/bin/true")), 0o600); err != nil {
			t.Fatal(err)
		}
		verify.Args = append(verify.Args, copied)
		if timer, ok := strings.CutSuffix(unit, ".timer"); ok {
			if _, err := os.Stat(timer + ".service"); err != nil {
				t.Errorf("%s has no service", filepath.Base(unit))
			}
		}
	}
	if verify.Err != nil {
		t.Log("systemd-analyze is not installed: that systemd takes the units was not tested")
		return
	}
	if out, err := verify.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

// Every command line in contrib is one that the program takes.
func TestContributed(t *testing.T) {
	verb := regexp.MustCompile(`valkeyfs ((?:backup|verify|prune|restore|inspect)\b.*)`)
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
			lines = []string{"valkeyfs backup " + strings.Join(regexp.MustCompile(`(?m)^ +- (--.*)$`).FindAllString(string(text), -1), " ")}
		}
		for _, line := range lines {
			m := verb.FindStringSubmatch(line)
			if m == nil || strings.HasPrefix(line, "#") {
				continue
			}
			name := strings.Fields(m[1])[0]
			if known[name] == "" {
				out, err := exec.Command("go", "run", ".", "help", name).Output()
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

// The CronJob has the fields of one, each where Kubernetes looks for it, and
// mounts what its command line names.
func TestCronJob(t *testing.T) {
	type mount struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	}
	type object = map[string]any
	var job struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   object
		Spec       struct {
			Schedule                   string
			ConcurrencyPolicy          string `yaml:"concurrencyPolicy"`
			SuccessfulJobsHistoryLimit int    `yaml:"successfulJobsHistoryLimit"`
			FailedJobsHistoryLimit     int    `yaml:"failedJobsHistoryLimit"`
			JobTemplate                struct {
				Spec struct {
					BackoffLimit int `yaml:"backoffLimit"`
					Template     struct {
						Spec struct {
							RestartPolicy                string `yaml:"restartPolicy"`
							AutomountServiceAccountToken bool   `yaml:"automountServiceAccountToken"`
							SecurityContext              object `yaml:"securityContext"`
							Containers                   []struct {
								Name, Image     string
								Args            []string
								Env             []struct{ Name, Value string }
								Resources       map[string]map[string]string
								SecurityContext object  `yaml:"securityContext"`
								VolumeMounts    []mount `yaml:"volumeMounts"`
							}
							Volumes []object
						}
					}
				}
			} `yaml:"jobTemplate"`
		}
	}
	f, err := os.Open("../../contrib/kubernetes/backup-cronjob.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := yaml.NewDecoder(f)
	var claim struct {
		Kind     string
		Metadata struct{ Name string }
	}
	if err := d.Decode(&claim); err != nil || claim.Kind != "PersistentVolumeClaim" {
		t.Fatalf("%+v, %v", claim, err)
	}
	d.KnownFields(true)
	if err := d.Decode(&job); err != nil {
		t.Fatal(err)
	}
	pod := job.Spec.JobTemplate.Spec.Template.Spec
	if job.APIVersion != "batch/v1" || job.Kind != "CronJob" || len(strings.Fields(job.Spec.Schedule)) != 5 || job.Spec.ConcurrencyPolicy != "Forbid" || len(pod.Containers) != 1 {
		t.Fatalf("%+v", job)
	}
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[fmt.Sprint(v["name"])] = true
		if c, ok := v["persistentVolumeClaim"].(object); ok && c["claimName"] != claim.Metadata.Name {
			t.Errorf("there is no claim %v", c["claimName"])
		}
	}
	c := pod.Containers[0]
	mounted := func(path string) bool {
		for _, m := range c.VolumeMounts {
			if strings.HasPrefix(path, m.MountPath) && volumes[m.Name] {
				return true
			}
		}
		return false
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
