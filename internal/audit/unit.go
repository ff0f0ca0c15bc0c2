package audit

import (
	"maps"
	"path"
	"slices"
	"strconv"
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
	for _, name := range dropIns(fs, u.Name, path.Dir(file)) {
		if text, err := fs.ReadFile(name, maxText); err == nil {
			u.parse(name, string(text))
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

// dropIns returns the files that add to a service, in the order in which they count
// (systemd.unit(5)): by name, wherever they lie; of one name the most important.
func dropIns(fs *hostfs.FS, unit, home string) []string {
	dirs := slices.Clone(unitDirs)
	if !slices.Contains(dirs, home) {
		dirs = append([]string{home}, dirs...)
	}
	found := map[string]string{}
	for _, of := range []string{unit, "service"} {
		for _, dir := range dirs {
			names, _ := fs.ReadDir(path.Join(dir, of+".d"))
			for _, n := range names {
				if found[n] == "" && strings.HasSuffix(n, ".conf") {
					found[n] = path.Join(dir, of+".d", n)
				}
			}
		}
	}
	var files []string
	for _, n := range slices.Sorted(maps.Keys(found)) {
		files = append(files, found[n])
	}
	return files
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

// Files returns the number of files that the server may have open: of a soft and a
// hard limit the latter, as it raises the former (server.c, adjustOpenFilesLimit).
// It is -1 for any number, and not known if the unit does not say.
func (u *Unit) Files() (n int64, at Place, known bool) {
	v, at := u.Get("LimitNOFILE")
	if _, hard, both := strings.Cut(v, ":"); both {
		v = hard
	}
	if v == "infinity" {
		return -1, at, true
	}
	n, err := strconv.ParseInt(v, 10, 64)
	return n, at, err == nil
}

// Dynamic reports whether systemd makes up the server's user, which implies
// NoNewPrivileges and ProtectSystem=strict (systemd.exec(5), DynamicUser=).
func (u *Unit) Dynamic() bool { return u.Bool("DynamicUser") }

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
