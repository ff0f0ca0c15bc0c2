package audit

import (
	"path"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/hostfs"
	"github.com/valkeyfs/valkeyfs/internal/sds"
)

// Unit is a systemd service that starts a server, drop-ins included.
type Unit struct {
	Name   string
	File   string
	Config string   // the configuration file that ExecStart names
	Args   []string // the options behind it

	settings map[string][]setting
}

type setting struct {
	value string
	at    Place
}

// unitDirs are where systemd looks, most important first (systemd.unit(5)).
var unitDirs = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

// maxText bounds the small text files of a host.
const maxText = 1 << 20

// isServer reports whether a path is that of a server's program.
func isServer(program string) bool {
	switch path.Base(program) {
	case "valkey-server", "redis-server", "valkey-sentinel", "redis-sentinel":
		return true
	}
	return false
}

// readUnit reads a service and its drop-ins; nil if it starts no server.
func readUnit(fs *hostfs.FS, file string) *Unit {
	text, err := fs.ReadFile(file, maxText)
	if err != nil {
		return nil
	}
	u := &Unit{Name: path.Base(file), File: file, settings: map[string][]setting{}}
	u.parse(file, string(text))
	for _, dir := range append([]string{path.Dir(file)}, unitDirs...) {
		names, _ := fs.ReadDir(path.Join(dir, u.Name+".d"))
		for _, n := range names {
			if !strings.HasSuffix(n, ".conf") {
				continue
			}
			name := path.Join(dir, u.Name+".d", n)
			if text, err := fs.ReadFile(name, maxText); err == nil {
				u.parse(name, string(text))
			}
		}
		if path.Dir(file) == dir && dir != unitDirs[0] {
			continue
		}
	}
	starts := u.settings["ExecStart"]
	if len(starts) == 0 {
		return nil
	}
	words, err := sds.Split(strings.TrimLeft(starts[len(starts)-1].value, "@-:+!"))
	if err != nil || len(words) == 0 || !isServer(words[0]) {
		return nil
	}
	words = words[1:]
	if len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		u.Config, words = words[0], words[1:]
	}
	u.Args = words
	return u
}

// parse adds the settings of [Service] (systemd.syntax(7)): a backslash joins
// lines, an empty value forgets those before it.
func (u *Unit) parse(file, text string) {
	section := ""
	joined, start := "", 0
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if joined == "" {
			start = n
		}
		if strings.HasSuffix(line, `\`) {
			joined += strings.TrimSuffix(line, `\`) + " "
			continue
		}
		line, joined = joined+line, ""
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(line, "[]")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case !ok || section != "Service":
		case value == "":
			u.settings[key] = nil
		default:
			u.settings[key] = append(u.settings[key], setting{value, Place{file, start}})
		}
	}
}

// Get returns the setting that holds, and where the unit is if it says nothing.
func (u *Unit) Get(key string) (string, Place) {
	if s := u.settings[key]; len(s) > 0 {
		return s[len(s)-1].value, s[len(s)-1].at
	}
	return "", Place{File: u.File}
}

// Bool reads a boolean (systemd.syntax(7)); what is not said is false.
func (u *Unit) Bool(key string) bool {
	v, _ := u.Get(key)
	switch strings.ToLower(v) {
	case "1", "yes", "true", "on":
		return true
	}
	return false
}

// findUnits returns the services that start a server.
func findUnits(fs *hostfs.FS, dirs ...string) []*Unit {
	var units []*Unit
	seen := map[string]bool{}
	for _, dir := range dirs {
		names, _ := fs.ReadDir(dir)
		for _, n := range names {
			if !strings.HasSuffix(n, ".service") || seen[n] {
				continue
			}
			// A link to a unit (an alias, a wanted-by) is that unit.
			file := path.Join(dir, n)
			if resolved, err := fs.Resolve(file); err == nil && resolved != file && strings.HasSuffix(resolved, ".service") {
				file = resolved
			}
			if u := readUnit(fs, file); u != nil && !seen[u.Name] {
				seen[n], seen[u.Name] = true, true
				units = append(units, u)
			}
		}
	}
	return units
}
