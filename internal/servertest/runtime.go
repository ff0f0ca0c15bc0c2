package servertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Runtimes lists the languages that [Runtime] knows.
var Runtimes = []string{"python", "php", "ruby", "java", "javac", "node"}

// Runtime returns a command that runs a program of a language, with the client
// libraries that install.sh has unpacked beside it: Django, Celery, Sidekiq,
// phpredis, connect-redis and others. Without it the test is skipped, or fails
// where CI is set.
func Runtime(t testing.TB, language string, args ...string) *exec.Cmd {
	t.Helper()
	dir := os.Getenv("VALKEYFS_SERVERS")
	root := filepath.Join(dir, "clients")
	if language == "node" {
		node, modules, ok := findNode()
		if !ok {
			missing(t, "node with its client libraries")
		}
		c := exec.Command(node, args...)
		c.Env = append(os.Environ(), "NODE_PATH="+modules)
		return c
	}
	program := ""
	for _, p := range glob(root, programs[language]) {
		program = p
	}
	if dir == "" || program == "" {
		missing(t, language)
	}
	if language == "php" {
		args = append([]string{"-n", "-d", "extension_dir=" + strings.Join(glob(root, "usr/lib/php/2*"), ""),
			"-d", "extension=igbinary", "-d", "extension=msgpack", "-d", "extension=redis"}, args...)
	}
	bin, _ := filepath.Rel(filepath.Join(root, "usr/bin"), program)
	c := exec.Command(filepath.Join(dir, "run"), append([]string{"clients", bin}, args...)...)
	if language == "ruby" {
		c.Env = append(os.Environ(),
			"RUBYLIB="+strings.Join(glob(root, "usr/lib/ruby/3.*", "usr/lib/*/ruby/3.*", "usr/lib/ruby/vendor_ruby"), ":"),
			"GEM_PATH="+strings.Join(glob(root, "usr/share/rubygems-integration/all", "usr/lib/*/rubygems-integration/3.*"), ":"))
	}
	return c
}

// Node reports whether node and its client libraries are there. They are not of
// Debian's packages, and need a registry of their own: a run may go without.
func Node() bool {
	_, _, ok := findNode()
	return ok
}

func findNode() (node, modules string, ok bool) {
	dir := os.Getenv("VALKEYFS_SERVERS")
	node, err := exec.LookPath("node")
	modules = filepath.Join(dir, "node", "node_modules")
	_, missed := os.Stat(modules)
	return node, modules, dir != "" && err == nil && missed == nil
}

// programs are where Debian's packages have them.
var programs = map[string]string{
	"python": "usr/bin/python3.[0-9]*[0-9]",
	"php":    "usr/bin/php[0-9]*",
	"ruby":   "usr/bin/ruby[0-9]*",
	"java":   "usr/lib/jvm/java-17-openjdk-*/bin/java",
	"javac":  "usr/lib/jvm/java-17-openjdk-*/bin/javac",
}

func glob(root string, patterns ...string) []string {
	var all []string
	for _, p := range patterns {
		names, _ := filepath.Glob(filepath.Join(root, p))
		all = append(all, names...)
	}
	return all
}
