package conf

import (
	_ "embed"
	"strconv"
	"strings"
)

// aliases maps the older and newer names of directives to the one that is used
// here: Valkey's (config.c, static_configs; Valkey 8.0 for primary…).
var aliases = map[string]string{
	"masterauth": "primaryauth", "masteruser": "primaryuser", "slaveof": "replicaof",
	"slave-announce-ip": "replica-announce-ip", "slave-announce-port": "replica-announce-port",
	"slave-read-only": "replica-read-only", "slave-serve-stale-data": "replica-serve-stale-data",
	"slave-priority": "replica-priority", "slave-ignore-maxmemory": "replica-ignore-maxmemory",
	"slave-lazy-flush": "replica-lazy-flush", "min-slaves-to-write": "min-replicas-to-write",
	"min-slaves-max-lag": "min-replicas-max-lag", "cluster-slave-validity-factor": "cluster-replica-validity-factor",
	"cluster-slave-no-failover": "cluster-replica-no-failover", "lua-time-limit": "busy-reply-threshold",
	"list-max-ziplist-size": "list-max-listpack-size", "hash-max-ziplist-entries": "hash-max-listpack-entries",
	"hash-max-ziplist-value": "hash-max-listpack-value", "zset-max-ziplist-entries": "zset-max-listpack-entries",
	"zset-max-ziplist-value": "zset-max-listpack-value",
}

// notShown are directives that CONFIG GET does not have (config.c,
// loadServerConfigFromString), and those that modules or builds with TLS,
// RDMA or cluster support of other versions know.
var notShown = []string{"include", "rename-command", "user", "loadmodule", "sentinel",
	"protected-mode", "sanitize-dump-payload", "repl-diskless-load", "availability-zone", "vm-enabled", "slaveof", "replicaof"}

//go:embed defaults.tsv
var defaultsTSV string

type measuredDefault struct {
	value   string
	servers string
}

// defaults holds, by canonical name, what CONFIG GET says on servers.
var defaults, known = parseDefaults()

func parseDefaults() (map[string][]measuredDefault, map[string]bool) {
	values, names := map[string][]measuredDefault{}, map[string]bool{}
	for line := range strings.Lines(defaultsTSV) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 3 {
			continue
		}
		names[f[0]] = true
		values[Canonical(f[0])] = append(values[Canonical(f[0])], measuredDefault{f[1], " " + f[2] + " "})
	}
	for _, n := range notShown {
		names[n] = true
	}
	for old, name := range aliases {
		names[old], names[name] = true, true
	}
	return values, names
}

// Canonical returns the name under which a directive is known here.
func Canonical(name string) string {
	name = strings.ToLower(name)
	if c, ok := aliases[name]; ok {
		return c
	}
	return name
}

// Known reports whether any server knows a directive. A name with a dot belongs
// to a module.
func Known(name string) bool {
	name = strings.ToLower(name)
	return known[name] || name == "include" || strings.Contains(name, ".")
}

// Default returns what holds on a server where nothing is said, as CONFIG GET
// writes it, and whether the server knows the directive.
func Default(v Version, name string) (string, bool) {
	server := " " + v.Measured().String() + " "
	for _, d := range defaults[Canonical(name)] {
		if strings.Contains(d.servers, server) {
			return d.value, true
		}
	}
	return "", false
}

// All returns the directives of a name, in order, whatever alias they use.
func (c *Config) All(name string) []Directive {
	var ds []Directive
	for _, d := range c.Directives {
		if Canonical(d.Name) == name {
			ds = append(ds, d)
		}
	}
	return ds
}

// Last returns the directive that holds.
func (c *Config) Last(name string) (Directive, bool) {
	for i := len(c.Directives) - 1; i >= 0; i-- {
		if Canonical(c.Directives[i].Name) == name {
			return c.Directives[i], true
		}
	}
	return Directive{}, false
}

// Value is what holds for a name: what the file says last, or the default.
type Value struct {
	Text string
	Args []string
	File string
	Line int  // 0: the default
	Set  bool // said by a file or a command line
	OK   bool // known to the server, or set
}

// Get returns what holds for a directive that takes one value, or several words.
func (c *Config) Get(name string) Value {
	if d, ok := c.Last(name); ok {
		return Value{Text: strings.Join(d.Args, " "), Args: d.Args, File: d.File, Line: d.Line, Set: true, OK: true}
	}
	text, ok := Default(c.Version, name)
	v := Value{Text: text, File: c.Path, OK: ok}
	if text != "" {
		v.Args = strings.Fields(text)
	}
	return v
}

// Bool reads yes or no as config.c, yesnotoi, does.
func (v Value) Bool() bool { return strings.EqualFold(v.Text, "yes") }

// Is compares an enumerated value.
func (v Value) Is(names ...string) bool {
	for _, n := range names {
		if strings.EqualFold(v.Text, n) {
			return true
		}
	}
	return false
}

// Int reads a number.
func (v Value) Int() (int64, bool) {
	n, err := strconv.ParseInt(v.Text, 10, 64)
	return n, err == nil
}

// Octal reads file permissions (config.c, OCTAL_CONFIG).
func (v Value) Octal() (uint64, bool) {
	n, err := strconv.ParseUint(v.Text, 8, 32)
	return n, err == nil
}

// Memory reads a number of bytes with a unit (util.c, memtoull).
func (v Value) Memory() (uint64, bool) {
	text := strings.ToLower(v.Text)
	digits := strings.TrimRight(text, "bkmg")
	unit, ok := map[string]uint64{"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1e6, "mb": 1 << 20, "g": 1e9, "gb": 1 << 30}[text[len(digits):]]
	n, err := strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil || n > 1<<62/unit {
		return 0, false
	}
	return n * unit, true
}

// Saves returns the points of time at which snapshots are taken, as pairs of
// seconds and changes. The first save directive replaces the defaults and later
// ones add to it (config.c, setConfigSaveOption); before 7.0, save "" forgets
// what stands before it.
func (c *Config) Saves() (pairs [][2]string, at Value) {
	ds := c.All("save")
	at = c.Get("save")
	if len(ds) == 0 && !c.Version.Before(7, 0) {
		ds = []Directive{{Args: at.Args}}
	}
	for _, d := range ds {
		words := d.Args
		if len(words) == 1 && (words[0] == "" || !c.Version.Before(7, 0)) {
			words = strings.Fields(words[0]) // from 7.0 on: save "3600 1 300 100"
		}
		if len(words) == 0 {
			pairs = nil
		}
		for i := 0; i+1 < len(words); i += 2 {
			pairs = append(pairs, [2]string{words[i], words[i+1]})
		}
	}
	return pairs, at
}

// Renamed returns the name under which a command can be called: "" if
// rename-command took it away.
func (c *Config) Renamed(command string) (name string, by *Directive) {
	for _, d := range c.Directives {
		if d.Name == "rename-command" && len(d.Args) == 2 && strings.EqualFold(d.Args[0], command) {
			return strings.ToLower(d.Args[1]), &d
		}
	}
	return command, nil
}
